"""Decisions of a whole installation: feeds, rights, sessions and the log as they are."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from argon2.profiles import CHEAPEST

from api.installation import Installation, open_installation
from api.settings import Settings
from audit.access import NeedsSecondFactor, Passwords, Role, SignedIn
from audit.access.decisions import Question
from audit.access.rights import Doer, Wish
from audit.clock import FixedClock
from audit.log import OWN_SOURCE, Filter

NOW = datetime(2026, 10, 5, 1, 0, 10, tzinfo=UTC)  # a Monday, 10:00 in Tokyo
PASSWORD, SECRET = "朝霧 correct staple 42", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
SYSTEM, UNIT, HERE = "nhi-eligibility", "hoken/shikaku", "10.3.1.31"
STAFF = f"""staff_id,org_unit,post,role,employment,manager_id,valid_from
s0011,{UNIT},係長,head,regular,,2020-04-01
s0014,{UNIT},主事,,regular,s0011,2020-04-01
s0091,soumu/joho-system,係長,head,regular,,2020-04-01
"""


class Town:
    """An installation with one clerk."""

    def __init__(self, installation: Installation, clock: FixedClock) -> None:
        self.installation = installation
        self.clock = clock
        installation.access._passwords = Passwords(CHEAPEST)
        installation.context.import_feed("staff", STAFF.encode())
        installation.context.import_feed(
            "policies", f"source,valid_from,require\n{SYSTEM},2020-01-01,password+totp\n".encode()
        )
        installation.access.create_account("s0014", "見本", frozenset({Role.STAFF}), PASSWORD, SECRET)
        self.session = ""

    def sign_in(self) -> None:
        access = self.installation.access
        begun = access.begin_sign_in("s0014", PASSWORD, address=HERE)
        assert isinstance(begun, NeedsSecondFactor)
        done = access.finish_sign_in(begun.ticket, pyotp.TOTP(SECRET).at(self.clock.now()), address=HERE)
        assert isinstance(done, SignedIn)
        self.session = done.session.id

    def grant(self) -> str:
        rights = self.installation.rights
        wish = Wish(
            person="s0014",
            system=SYSTEM,
            functions=("view",),
            unit=UNIT,
            start=self.clock.now(),
            end=None,
            reason="資格審査",
        )
        application = rights.apply(wish, Doer(id="s0014"))
        for approver in ("s0011", "s0091"):
            rights.approve(application.id, Doer(id=approver))
        (held,) = rights.held_by("s0014")
        return held.right.id

    def ask(self, **changes: Any) -> str:
        asked: dict[str, Any] = {
            "person": "s0014",
            "system": SYSTEM,
            "activity": "view",
            "subjects": ("0004512345",),
            "session": self.session,
            "address": HERE,
        }
        return self.installation.decisions.service.decide(Question(**(asked | changes))).reason

    def events(self) -> Counter[str]:
        self.installation.acts.drain()
        found = self.installation.log.each(Filter(sources=(OWN_SOURCE,), activities=("authorize",)))
        return Counter(event.text("operation_name") for event in found)


@pytest.fixture
def town(tmp_path: Path, engine_path: Path) -> Iterator[Town]:
    clock = FixedClock(NOW)
    settings = Settings(data=tmp_path, events_path=engine_path, clickhouse_database="decisions")
    with open_installation(settings, clock) as installation:
        yield Town(installation, clock)
        installation.acts.drain()
        installation.log._repository._store.command("DROP DATABASE decisions")


def test_E10_what_is_given_holds_at_once_and_what_is_taken_away_is_gone_at_once(town: Town) -> None:
    said = [town.ask()]
    town.sign_in()
    said.append(town.ask())
    right = town.grant()
    said += [town.ask(), town.ask(session="x"), town.ask(address="10.3.1.99")]
    town.installation.rights.revoke(right, "異動", Doer(id="s0011"))
    said.append(town.ask())
    town.grant()
    said.append(town.ask())
    leaver = f"staff_id,org_unit,post,manager_id,valid_from,valid_to\ns0014,{UNIT},主事,s0011,2020-04-01,2026-10-04\n"
    town.installation.context.import_feed("staff", leaver.encode())
    said.append(town.ask())
    assert said == [
        "no_session", "no_right", "allowed", "other_session", "other_address", "no_right", "allowed", "no_post",
    ]  # fmt: skip
    assert town.events() == Counter(said)


def test_at_night_nothing_without_a_word_of_the_roster(town: Town) -> None:
    town.clock.advance(timedelta(hours=9))  # 19:00 in Tokyo
    town.sign_in()
    town.grant()
    assert town.ask() == "outside_hours"
    overtime = "staff_id,start,end,kind,approved_by\ns0014,2026-10-05T18:00,2026-10-05T20:00,overtime,s0011\n"
    town.installation.context.import_feed("roster", overtime.encode())
    assert town.ask() == "allowed"
