"""What accounts for a look-up, and what the two people in it are to each other."""

from datetime import date, datetime
from typing import Any

import pytest
from looks import DAY, MakeDesk, act

from audit.casework import LookUp, LookUpDimension, LookUpFilter, LookUpMeasure, LookUpSummary, Relation
from audit.clock import TOKYO

SHIKAKU, KYUFU = "hoken-nenkin/shikaku", "hoken-nenkin/kyufu"
STAFF = f"""staff_id,name,org_unit,manager_id,valid_from,valid_to,subject_id
s1,一郎,{SHIKAKU},s9,2020-04-01,,k1
s2,二郎,{SHIKAKU},s9,2020-04-01,,
s3,三郎,{KYUFU},s9,2020-04-01,,k3
s9,九郎,hoken-nenkin,,2020-04-01,,k9
"""
SUBJECTS = """subject_id,household_id,address_key,name_key,former_name_key,flags
k1,h1,a1,n1,n0,staff
k1b,h1,a1,n1,,
k2,h2,a1,n2,,
k3,h3,a3,n3,,
k4,h4,a4,n1,,protected;vip
k5,h5,a5,n5,n1,
k6,h6,a6,n0,,
k7,h7,a7,n7,,
k8,h7,a7,n7,,
k9,h9,a9,n9,,
"""


def only(rows: list[LookUp]) -> LookUp:
    (row,) = rows
    return row


def cases(*rows: str) -> str:
    return "case_id,source,subject_id,org_unit,assignee,kind,opened_at,closed_at\n" + "\n".join(rows) + "\n"


@pytest.mark.parametrize(
    ("row", "actor", "expected"),
    [
        (f"c1,,k7,{SHIKAKU},,reception,2026-10-05,2026-10-05", "s1", "case"),
        (f"c1,,k8,{SHIKAKU},,reception,2026-10-05,2026-10-05", "s1", "case"),  # the household
        (f"c1,other,k7,{SHIKAKU},,reception,2026-10-01,", "s1", "case"),  # still open, in any source
        (f"c1,,k7,{SHIKAKU},,reception,2026-10-06,", "s1", "case"),  # entered the day after
        (f"c1,,k7,{SHIKAKU},,reception,2026-10-07,", "s1", ""),  # two days after
        (f"c1,,k7,{SHIKAKU},,reception,2026-09-01,2026-09-28", "s1", "case"),  # a week after it closed
        (f"c1,,k7,{SHIKAKU},,reception,2026-09-01,2026-09-27", "s1", ""),  # more than that
        (f"c1,,k7,{SHIKAKU},,reception,2026-10-05,", "s3", ""),  # another section
        ("c1,,k7,hoken-nenkin,,reception,2026-10-05,", "s3", "case"),  # the whole department's
        (f"c1,,k7,{SHIKAKU},,reception,2026-10-05,", "s9", "case"),  # the department's head
        ("c1,,k7,hoken,,reception,2026-10-05,", "s1", ""),  # a like name is no unit above
        (f"c1,,k7,{SHIKAKU},s3,reception,2026-10-05,", "s3", "assigned"),  # whoever it is assigned to
        ("c1,,k7,,s1,reception,2026-10-05,", "s2", "case"),  # the unit of the one it is assigned to
        (f"c1,,k6,{SHIKAKU},,reception,2026-10-05,", "s1", ""),  # somebody else's
    ],
)
def test_a_case_accounts_for_the_household_by_the_unit_and_in_its_time(
    desk: MakeDesk, row: str, actor: str, expected: str
) -> None:
    town = desk()
    town.feed("staff", STAFF)
    town.feed("subjects", SUBJECTS)
    town.feed("cases", cases(row))
    town.take_in([act("10:00", actor, "k7")])
    found = only(town.made(DAY))
    assert (found.because, found.result) == (expected, "matched" if expected else "unmatched")
    assert found.reference == ("c1" if expected else "")


def test_what_an_event_cites_is_held_against_the_record(desk: MakeDesk) -> None:
    town = desk()
    town.feed("staff", STAFF)
    town.feed("subjects", SUBJECTS)
    town.feed(
        "cases",
        cases(
            f"right,,k7,{SHIKAKU},,reception,2026-10-05,",
            f"others,,k6,{SHIKAKU},,reception,2026-10-05,",
            f"closed,,k3,{SHIKAKU},,reception,2026-01-05,2026-01-06",
        ),
    )
    town.take_in(
        [
            act("10:00", "s1", "k7", case_id="right"),
            act("10:01", "s1", "k4", case_id="others"),
            act("10:02", "s1", "k3", case_id="closed"),
            act("10:03", "s1", "k5", case_id="never-entered"),
            act("10:04", "s2", "k7", case_id="others"),  # a mistyped number, but the section does handle k7
        ]
    )
    found = {(row.actor, row.subject): (row.result, row.because, row.reference) for row in town.made(DAY)}
    assert found == {
        ("s1", "k7"): ("matched", "cited", "right"),
        ("s1", "k4"): ("contradicted", "", ""),
        ("s1", "k3"): ("contradicted", "", ""),
        ("s1", "k5"): ("unmatched", "", ""),
        ("s2", "k7"): ("matched", "case", "right"),
    }


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("a1,time_window,s1,s9,nhi-eligibility,2026-10-05,2026-10-05,", "approval"),
        ("a1,time_window,s1,s9,,2026-10-05,2026-10-05,100", "approval"),  # names how many rows, in any system
        ("a1,time_window,s1,s9,,2026-10-05,2026-10-05,", ""),  # overtime: a time, no look-ups
        ("a1,time_window,s1,s9,atena,2026-10-05,2026-10-05,", ""),
        ("a1,time_window,s1,s1,nhi-eligibility,2026-10-05,2026-10-05,", ""),  # one's own word
        ("a1,time_window,s1,,nhi-eligibility,2026-10-05,2026-10-05,", ""),  # nobody's
        ("a1,export,s1,s9,nhi-eligibility,2026-10-05,2026-10-05,", ""),
        ("a1,time_window,s1,s9,nhi-eligibility,2026-10-06,2026-10-06,", ""),
    ],
)
def test_approved_list_work_accounts_for_look_ups(desk: MakeDesk, row: str, expected: str) -> None:
    town = desk()
    town.feed("staff", STAFF)
    town.feed("approvals", f"approval_id,kind,staff_id,approved_by,source,valid_from,valid_to,max_rows\n{row}\n")
    town.take_in([act("10:00", "s1", "k7")])
    found = only(town.made(DAY))
    assert (found.because, found.reference) == (expected, "a1" if expected else "")


def test_a_change_that_followed_accounts_for_the_look_and_for_the_colleagues(desk: MakeDesk) -> None:
    town = desk()
    town.feed("staff", STAFF)
    town.feed("subjects", SUBJECTS)
    town.take_in(
        [
            act("10:00", "s1", "k7"),
            act("10:05", "s1", "k8", "update"),  # the household's record
            act("11:00", "s2", "k7"),
            act("11:01", "s3", "k7"),
        ]
    )
    found = {(row.actor, row.subject): row.because for row in town.made(DAY)}
    assert found == {("s1", "k7"): "change", ("s1", "k8"): "change", ("s2", "k7"): "colleague", ("s3", "k7"): ""}


def test_a_print_accounts_for_a_look_only_where_printing_is_the_work(desk: MakeDesk) -> None:
    town = desk()
    town.feed("staff", STAFF)
    counter = [act(f"10:{n:02}", "s1", f"x{n}", "print" if n < 3 else "view") for n in range(10)]
    elsewhere = [act(f"11:{n:02}", "s3", f"y{n}", "print" if n < 1 else "view") for n in range(10)]
    town.take_in([*counter, *elsewhere])
    matched = {row.subject for row in town.made(DAY) if row.because == "print"}
    assert matched == {"x0", "x1", "x2"}


def test_a_print_accounts_for_nothing_where_prints_have_tickets(desk: MakeDesk) -> None:
    town = desk()
    town.feed("staff", STAFF)
    town.feed("subjects", SUBJECTS)
    town.feed("cases", cases(f"c7,,k7,{SHIKAKU},s2,reception,2026-10-05,"))
    town.take_in([act("10:00", "s1", "k7", "print"), act("10:05", "s1", "x1", "print"), act("10:09", "s1", "x2")])
    found = {row.subject: row.because for row in town.made(DAY)}
    assert found == {"k7": "case", "x1": "", "x2": ""}


def test_a_pile_of_prints_does_not_account_for_itself(desk: MakeDesk) -> None:
    town = desk()
    town.feed("staff", STAFF)
    town.feed("subjects", SUBJECTS)
    town.feed("cases", cases(f"c7,,k7,{SHIKAKU},s2,reception,2026-10-05,"))
    pile = [act(f"10:{n:02}", "s1", f"x{n}", "screen_copy") for n in range(9)]
    town.take_in([act("09:00", "s2", "k7", "print"), *pile])
    assert {row.because for row in town.made(DAY) if row.actor == "s1"} == {""}


def test_nobodys_own_affairs_are_the_work_of_their_unit(desk: MakeDesk) -> None:
    town = desk()
    town.feed("staff", STAFF)
    town.feed("subjects", SUBJECTS)
    town.feed("cases", cases(f"c1,,k1,{SHIKAKU},s2,reception,2026-10-05,"))
    town.take_in([act("10:00", "s1", "k1"), act("10:01", "s1", "k1b", "update"), act("10:02", "s2", "k1")])
    found = {(row.actor, row.subject): row.result for row in town.made(DAY)}
    assert found == {("s1", "k1"): "unmatched", ("s1", "k1b"): "unmatched", ("s2", "k1"): "matched"}


@pytest.mark.parametrize(
    ("subject", "expected", "namesakes"),
    [
        ("k1", {Relation.SELF}, 0),
        ("k1b", {Relation.HOUSEHOLD}, 0),
        ("k2", {Relation.ADDRESS}, 0),
        ("k4", {Relation.SURNAME}, 3),
        ("k5", {Relation.FORMER_SURNAME}, 1),
        ("k6", {Relation.FORMER_SURNAME}, 1),  # who bears what I bore
        ("k3", {Relation.STAFF}, 0),
        ("k9", {Relation.STAFF, Relation.MANAGER}, 0),
        ("k7", set(), 0),
        ("stranger", set(), 0),
    ],
)
def test_relations(desk: MakeDesk, subject: str, expected: set[Relation], namesakes: int) -> None:
    town = desk()
    town.feed("staff", STAFF)
    town.feed("subjects", SUBJECTS)
    town.take_in([act("10:00", "s1", subject)])
    found = only(town.made(DAY))
    assert (set(found.relations), found.namesakes) == (expected, namesakes)
    assert found.household == ("=stranger" if subject == "stranger" else f"h{subject[1]}".replace("h8", "h7"))


def test_a_colleague_is_of_the_same_unit_at_that_time(desk: MakeDesk) -> None:
    town = desk()
    moved = STAFF.replace(f"s2,二郎,{SHIKAKU},s9,2020-04-01,,", f"s2,二郎,{SHIKAKU},s9,2020-04-01,2026-10-05,k2")
    town.feed("staff", f"{moved}s2,二郎,{KYUFU},s9,2026-10-06,,k2\n")
    town.take_in([act("10:00", "s1", "k2"), act("10:00", "s1", "k2", on=date(2026, 10, 6))])
    assert set(only(town.made(DAY)).relations) == {Relation.COLLEAGUE, Relation.STAFF}
    assert set(only(town.made(date(2026, 10, 6))).relations) == {Relation.STAFF}


def test_only_successful_acts_of_people_are_look_ups(desk: MakeDesk) -> None:
    town = desk()
    town.take_in(
        [
            act("10:00", "s1", "k1"),
            act("10:00", "batch", "k2", kind="system"),
            act("10:00", "s1", "k3", outcome="denied"),
            act("10:00", "s1", "k4", "search"),
            act("10:00", "s1", "k5", "export"),
            act("23:59", "s1", "k6", on=date(2026, 10, 4)),
        ]
    )
    assert [row.subject for row in town.made(DAY)] == ["k1"]


def test_a_day_made_again_takes_the_place_of_the_one_before(desk: MakeDesk) -> None:
    town = desk()
    town.take_in([act("10:00", "s1", "k7"), act("10:00", "s1", "k7", on=date(2026, 10, 6))])
    assert [row.result for row in town.made(DAY)] == ["unmatched"]
    town.made(date(2026, 10, 6))
    town.feed("staff", STAFF)
    town.feed("cases", cases(f"c1,,k7,{SHIKAKU},,reception,2026-10-05,"))
    assert [row.result for row in town.made(DAY)] == ["matched"]
    assert town.made(date(2026, 10, 7)) == []
    assert town.casework.summary(date(2026, 10, 1), date(2026, 11, 1)) == LookUpSummary(1, 1, 0)


def test_look_ups_are_found_by_what_accounts_for_them(desk: MakeDesk) -> None:
    town = desk()
    town.feed("staff", STAFF)
    town.feed("cases", cases(f"c1,,k7,{SHIKAKU},,reception,2026-10-05,"))
    town.take_in([act("10:00", "s1", "k7"), act("10:01", "s1", "k8"), act("10:02", "s1", "k8", "update")])
    made = {row.subject: row.because for row in town.made(DAY)}
    assert made == {"k7": "case", "k8": "change"}
    for subject, because in made.items():
        wanted = LookUpFilter(start=DAY, end=date(2026, 10, 6), becauses=(because,))
        assert [row.subject for row in town.casework.rows(wanted)] == [subject]


def test_counting(desk: MakeDesk) -> None:
    town = desk()
    town.take_in([act(f"1{n}:00", f"s{n % 2}", f"k{n // 2}", unit="u") for n in range(6)])
    town.made(DAY)
    wanted = LookUpFilter(start=DAY, end=date(2026, 10, 6))

    def counted(**at_least: int) -> dict[Any, Any]:
        least = {LookUpMeasure(name): value for name, value in at_least.items()}
        rows = town.casework.aggregate(wanted, (LookUpDimension.SUBJECT,), (LookUpMeasure.ACTORS,), least)
        return {row["subject"]: row["actors"] for row in rows}

    assert counted() == {"k0": 2, "k1": 2, "k2": 2}
    assert counted(actors=3) == {}
    hours = town.casework.aggregate(wanted, (LookUpDimension.HOUR,), (LookUpMeasure.LOOKS,))
    assert {row["hour"] for row in hours} == {10, 11, 12, 13, 14, 15}
    both = town.casework.aggregate(wanted, (), (LookUpMeasure.ACTORS, LookUpMeasure.UNMATCHED, LookUpMeasure.FIRST))
    assert both == [{"actors": 2, "unmatched": 3, "first": datetime(2026, 10, 5, 10, tzinfo=TOKYO)}]
