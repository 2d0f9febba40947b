"""What the simulated town did about access: rights, decisions, approvals, an emergency; told through the real services.

The people and residents are those of the simulated town, beside the sample sign-ins. The clock is set back while a
chapter happens, so that each act has the day and hour it would have had; nothing is written past a service.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import islice

from api.cli.sample_desk import Desk, TownClock
from api.cli.sample_people import AUDITOR, CLERK, MANAGER, SAMPLES, SECURITY, SYSTEMS, make_accounts, write_private
from api.installation import Installation
from audit.access.decisions import Actor, Effect
from audit.access.decisions.ledger.model import ApprovalKind, Wanted
from audit.access.people import By
from audit.access.rights import Application, Doer, Wish
from audit.clock import day_start, tokyo_date
from audit.context import Post
from audit.log import Filter

__all__ = ["SERVICE", "AccessStory"]

SYSTEM = "nhi-eligibility"
"""The records service that the town protects."""
SERVICE = "sample-service.json"
"""What that service proves itself with, in the data directory."""
_HERE = "127.0.0.1"
_BEFORE = 14
"""Days between the rights and the day that is told."""
_CLERKS = 4
_LOOKS = 40
_POLICY = "version = 1\nbreak_glass = true  # 見本のため / so that the sample sign-ins can declare an emergency\n"
_REQUIRE = "password+palm_vein|password+totp|webauthn"


class AccessStory:
    """One working day of access control, and the two weeks before it.

    Args:
        installation: with the town's feeds and logs taken in, on this clock.
        clock: set back chapter by chapter, and the machine's again at the end.
        sign_ins: the sample sign-ins, as they were written down.
    """

    def __init__(self, installation: Installation, clock: TownClock, sign_ins: Iterable[dict[str, str]]) -> None:
        self._installation = installation
        self._clock = clock
        self._sign_ins = {user["login_id"]: user for user in sign_ins}

    def tell(self, told: Iterable[str], done: Callable[[str], None]) -> None:
        """Tell every chapter that was not told before, in order.

        Args:
            told: the names of those that were.
            done: hears the name of each that is complete.
        """
        chapters: dict[str, Callable[[], None]] = {
            "people": self._people,
            "surroundings": self._surroundings,
            "rights": self._rights,
            "day": self._day_of_work,
            "approvals": self._approvals,
            "applications": self._applications,
            "emergency": self._emergency,
        }
        for name, chapter in chapters.items():
            if name in told:
                continue
            try:
                chapter()
            finally:
                self._clock.set(None)
            self._installation.acts.drain()
            done(name)

    # When, who, where --------------------------------------------------------------------------------------------

    @cached_property
    def _day(self) -> date:
        """The last working day before today."""
        day = tokyo_date(self._clock.now())
        while True:
            day -= timedelta(days=1)
            if not self._installation.context.work_of("", "", day_start(day) + timedelta(hours=12)).closed("", day):
                return day

    def _at(self, hour: int, minute: int = 0, *, before: int = 0) -> datetime:
        """A moment of the day, or of so many days before; the clock stands there from now on."""
        moment = day_start(self._day - timedelta(days=before)) + timedelta(hours=hour, minutes=minute)
        self._clock.set(moment)
        return moment

    @cached_property
    def _looks(self) -> dict[str, list[str]]:
        """Whom the staff of the service looked up on the day, by person, the busiest first."""
        start = day_start(self._day)
        wanted = Filter(
            start=start, end=start + timedelta(days=1), sources=(SYSTEM,), activities=("view",), staff_only=True
        )
        found: dict[str, list[str]] = {}
        for row in self._installation.log.columns(wanted, ("actor_id", "subjects")):
            found.setdefault(row["actor_id"], []).extend(row["subjects"])
        return dict(sorted(found.items(), key=lambda item: -len(item[1])))

    @cached_property
    def _unit(self) -> str:
        """The unit that uses the service most."""
        start = day_start(self._day)
        posts = {person: self._installation.context.post_at(person, start) for person in self._looks}
        counts = Counter[str]()
        for person, looks in self._looks.items():
            if post := posts[person]:
                counts[post.org_unit] += len(looks)
        return counts.most_common(1)[0][0]

    @cached_property
    def _systems_unit(self) -> str:
        """The unit whose head gives the last approval of the service's rights."""
        chain = self._installation.rights.rules.chain(SYSTEM)
        return chain.steps[-1].head_of if chain else self._unit

    @cached_property
    def _clerks(self) -> list[Post]:
        """Its busiest members."""
        start = day_start(self._day)
        posts = (self._installation.context.post_at(person, start) for person in self._looks)
        return list(islice((post for post in posts if post and post.org_unit == self._unit), _CLERKS))

    @cached_property
    def _residents(self) -> list[str]:
        """Residents whom the unit looked up on the day."""
        clerks = {post.staff_id for post in self._clerks}
        return [one for person, looks in self._looks.items() if person in clerks for one in looks]

    # Chapters ----------------------------------------------------------------------------------------------------

    def _people(self) -> None:
        """The sample sign-ins have accounts and hold posts."""
        since = self._day - timedelta(days=_BEFORE + 1)
        units = {CLERK: self._unit, MANAGER: self._unit, AUDITOR: "kansa/jimukyoku"}
        rows = [
            f"{one.login_id},{one.name},{units.get(one.login_id, self._systems_unit)},"
            f"{one.post},{MANAGER if one.login_id == CLERK else ''},{since}"
            for one in SAMPLES
        ]
        self._at(8, before=_BEFORE + 1)
        make_accounts(self._installation, self._sign_ins)
        feed = "\n".join(("staff_id,name,org_unit,post,manager_id,valid_from", *rows))
        self._installation.people.import_staff(feed.encode(), by=By("demo"))

    def _surroundings(self) -> None:
        """Terminals where the logs saw them, what the service asks for, a policy, the service's credential, media."""
        installation = self._installation
        start = self._at(8, 30, before=_BEFORE)
        wanted = Filter(start=start, end=day_start(self._day + timedelta(days=1)), staff_only=True)
        seen = {
            row["terminal_id"]: (row["actor_id"], row["terminal_ip"])
            for row in installation.log.columns(wanted, ("actor_id", "terminal_id", "terminal_ip"))
            if row["terminal_id"] and row["terminal_ip"]
        }
        posts = {number: installation.context.post_at(actor, start) for number, (actor, _) in seen.items()}
        rows = [
            f"{number},{post.org_unit},本庁舎,desk,{seen[number][1]}"
            for number, post in sorted(posts.items())
            if post is not None
        ]
        feed = "\n".join(("terminal_id,org_unit,site,kind,ip_range", f"T-DEMO,,この端末,shared,{_HERE}", *rows))
        installation.context.import_feed("terminals", feed.encode())
        installation.context.import_feed("policies", f"source,valid_from,require\n{SYSTEM},,{_REQUIRE}\n".encode())
        policy = installation.settings.data / "decisions.toml"
        if not policy.exists():
            policy.write_text(_POLICY, encoding="utf-8")
        given = installation.machines.register(SYSTEM, expires_at=start + timedelta(days=365), by="demo")
        write_private(
            installation.settings.data / SERVICE,
            {"source": SYSTEM, "client_id": given.client_id, "client_secret": given.client_secret},
        )
        known = {medium.id for medium in installation.decisions.media.media()}
        for number, kind in (("M-001", "USB メモリ"), ("M-002", "USB メモリ")):
            if number not in known:
                installation.decisions.media.register(number, kind, by=Actor(staff_id=SYSTEMS))

    def _rights(self) -> None:
        """The unit's members apply, their head and the head of systems approve; the service reports what it has."""
        self._at(9, before=_BEFORE)
        people = [*(post.staff_id for post in self._clerks), CLERK]
        for person in people:
            functions = ("view", "update", "print", *(["export"] if person == CLERK else []))
            self._approved(self._apply(person, functions, "資格係の担当業務のため"), MANAGER, SYSTEMS)
        self._at(17, 30)
        rights = self._installation.rights
        rows = [
            f"{right.person},{right.function},{_last_day(right.end)}"
            for person in people
            for right in rights.held(person, SYSTEM, self._now)
        ]
        extra = f"{self._clerks[-1].staff_id},export,"
        rights.reconcile(SYSTEM, "\n".join(("person,function,to", *rows, extra)).encode(), Doer(id=SECURITY))

    def _day_of_work(self) -> None:
        """The unit looks residents up; each look-up is asked for, and now and then something is refused."""
        for post in self._clerks:
            desk = self._desk_of(post)
            self._at(8, 35)
            with desk:
                desk.look_up(self._looks[post.staff_id][:_LOOKS])
                if post is self._clerks[-1]:  # who tries the right that the service alone knows of
                    desk.ask("export", rows=30)
        self._at(9, 1)
        with self._counter() as desk:
            desk.look_up(self._residents[:_LOOKS])
            desk.ask("print", rows=60, subjects=tuple(self._residents[:1]))  # no approval for so many

    def _approvals(self) -> None:
        """One export is approved and made, the next one waits, and so does one for paper."""
        ledger = self._installation.decisions.ledger
        clerk, head = Actor(staff_id=CLERK, address=_HERE), Actor(staff_id=MANAGER, address=_HERE)
        start = self._at(10, 5)
        entry = ledger.ask(
            self._wanted(ApprovalKind.EXPORT, start, "年次の資格点検に使う対象者一覧", 200, "M-001"), by=clerk
        )
        self._at(10, 20)
        ledger.approve(entry.id, by=head)
        self._at(10, 31)
        with self._counter() as desk:
            desk.ask("export", rows=640, medium_id="M-001")  # more than was approved
            answer = desk.ask("export", rows=118, medium_id="M-001")
            if answer.effect is Effect.ALLOW:
                self._installation.decisions.service.confirm(answer.id, system=SYSTEM, outcome="success", rows=118)
        start = self._at(16, 40)
        ledger.ask(self._wanted(ApprovalKind.EXPORT, start, "広域連合への照会に使う対象者一覧", 500, ""), by=clerk)

    def _applications(self) -> None:
        """Two applications wait for the section head, one for the head of systems; one was refused."""
        first, second, third = (self._clerks * 3)[:3]
        self._at(11, 10)
        refused = self._apply(first.staff_id, ("number_view",), "個人番号の確認も自分で行いたいため")
        self._approved(self._apply(second.staff_id, ("inquiry",), "転入者の前住所地への照会を担当するため"), MANAGER)
        self._at(14, 20)
        why = "個人番号の確認は係長が行います"
        self._installation.rights.refuse(refused.id, why, Doer(id=MANAGER, address=_HERE))
        self._apply(third.staff_id, ("export",), "月次の資格異動一覧を担当するため")
        self._at(16, 55)
        self._apply(CLERK, ("media",), "広域連合へ渡す媒体の作成を担当するため")

    def _emergency(self) -> None:
        """In the evening a hospital asks; the clerk is refused, declares an emergency, and looks two people up."""
        self._at(19, 8)
        residents = self._residents[-2:]
        emergencies = self._installation.decisions.emergencies
        with self._counter() as desk:
            desk.look_up(residents[:1])
            reason = "救急搬送された方の資格を病院から至急照会されたため"
            emergency = emergencies.declare(SYSTEM, reason, 30, by=desk.actor)
            desk.look_up(residents)
            emergencies.end(emergency.declared.id, by=desk.actor)

    # What chapters are made of -----------------------------------------------------------------------------------

    @property
    def _now(self) -> datetime:
        return self._clock.now()

    def _counter(self) -> Desk:
        user = self._sign_ins[CLERK]
        return Desk(self._installation, self._clock, SYSTEM, address=_HERE, **user)

    def _desk_of(self, post: Post) -> Desk:
        start = day_start(self._day)
        wanted = Filter(start=start, end=start + timedelta(days=1), sources=(SYSTEM,), actors=(post.staff_id,))
        row = next(iter(self._installation.log.columns(wanted, ("terminal_ip",))))
        return Desk.of(self._installation, self._clock, SYSTEM, post, row["terminal_ip"])

    def _apply(self, person: str, functions: tuple[str, ...], reason: str) -> Application:
        post = self._installation.context.post_at(person, self._now)
        wish = Wish(
            person=person,
            system=SYSTEM,
            functions=functions,
            unit=self._unit,
            start=self._now,
            end=post.end if post else None,
            reason=reason,
        )
        return self._installation.rights.apply(wish, Doer(id=person))

    def _approved(self, application: Application, *by: str) -> None:
        for approver in by:
            self._clock.set(self._now + timedelta(minutes=10))
            self._installation.rights.approve(application.id, Doer(id=approver, address=_HERE))

    def _wanted(self, kind: ApprovalKind, start: datetime, reason: str, rows: int, medium: str) -> Wanted:
        return Wanted(
            kind=kind,
            person=CLERK,
            system=SYSTEM,
            start=start,
            end=start + timedelta(days=_BEFORE),
            reason=reason,
            max_rows=rows,
            max_uses=1,
            medium_id=medium,
        )


def _last_day(end: datetime | None) -> str:
    return str(tokyo_date(end - timedelta(microseconds=1))) if end else ""
