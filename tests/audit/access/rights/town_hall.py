"""A small town hall on a real database file: two sections, their heads, the systems section, a temporary worker."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from audit.access.rights import Application, Change, Doer, Kind, RightsService, Rules, Wish, load_rules
from audit.clock import FixedClock
from audit.context import ContextService, Post, post_held
from audit.store.state import StateStore

NHI = "nhi-eligibility"
SHIKAKU, KYUFU, SYSTEMS = "hoken/shikaku", "hoken/kyufu", "soumu/joho-system"
HEAD, CHIEF, OTHER_CHIEF, CLERK, PEER, TEMP = "s0001", "s0011", "s0021", "s0012", "s0022", "s0013"
SYSTEMS_HEAD, TECHNICIAN, DEPUTY = "s0091", "s0092", "s0031"
TWIN = "x0012"
"""A second id of the clerk."""
STAFF = f"""staff_id,name,kana,org_unit,post,role,employment,manager_id,valid_from,valid_to,subject_id
{HEAD},課長,,hoken,課長,,regular,,2020-04-01,,
{CHIEF},資格係長,,{SHIKAKU},係長,,regular,{HEAD},2020-04-01,,
{CLERK},係員,,{SHIKAKU},主事,,regular,{CHIEF},2020-04-01,,9000000001
{TWIN},係員,,hoken,課長補佐,,regular,{HEAD},2020-04-01,,9000000001
{TEMP},会計年度任用職員,,{SHIKAKU},主事,,fixed_term,{CHIEF},2026-04-01,2027-03-31,
{OTHER_CHIEF},給付係長,,{KYUFU},係長,,regular,{HEAD},2020-04-01,,
{PEER},給付係員,,{KYUFU},主事,,regular,{OTHER_CHIEF},2020-04-01,,
{DEPUTY},保険課主幹,,hoken,主幹,,regular,{HEAD},2020-04-01,,
{SYSTEMS_HEAD},情報係長,,{SYSTEMS},係長,,regular,,2020-04-01,,
{TECHNICIAN},技師,,{SYSTEMS},技師,,regular,{SYSTEMS_HEAD},2020-04-01,,
"""
_HEADS = ("課長", "係長")


class Ledger:
    """A recorder that keeps what it is told once for each id, and can be down."""

    def __init__(self) -> None:
        self.docs: list[dict[str, Any]] = []
        self.down_for: str | None = None

    def record(self, doc: dict[str, Any]) -> None:
        if self.down_for is not None and doc["operation_name"].startswith(self.down_for):
            raise ConnectionError
        if doc["event_id"] not in {known["event_id"] for known in self.docs}:
            self.docs.append(doc)

    def operations(self) -> list[str]:
        return [doc["operation_name"] for doc in self.docs]

    def changes(self) -> list[Change]:
        return [change for doc in self.docs for change in Change.from_event(doc)]


@dataclass
class Directory:
    """The staff directory over the real feeds."""

    context: ContextService

    def posts(self, staff_id: str) -> tuple[Post, ...]:
        return self.context.person(staff_id)

    def head_of(self, unit: str, at: datetime) -> str | None:
        heads = [post for post in self.context.staff_in(unit, at) if post.post in _HEADS]
        return min(heads, key=lambda post: (_HEADS.index(post.post), post.staff_id)).staff_id if heads else None

    def manager_of(self, staff_id: str, at: datetime) -> str | None:
        post = post_held(self.posts(staff_id), at)
        return post.manager_id if post else None

    def same_natural_person(self, a: str, b: str) -> bool:
        subjects = [{post.subject_id for post in self.posts(name)} - {""} for name in (a, b)]
        return a == b or bool(subjects[0] & subjects[1])


@dataclass
class Hall:
    """Rights with everything around them."""

    path: Path
    rules: Rules = field(default_factory=load_rules)
    clock: FixedClock = field(default_factory=lambda: FixedClock(datetime(2026, 10, 5, 1, 0, tzinfo=UTC)))
    ledger: Ledger = field(default_factory=Ledger)

    def __post_init__(self) -> None:
        self.store = StateStore(f"sqlite:///{self.path}")
        self.store.create_tables()
        self.context = ContextService(self.store)
        self.people = Directory(self.context)
        self.service = self.with_rules(self.rules)
        self.staff(STAFF)

    def with_rules(self, rules: Rules) -> RightsService:
        systems = {NHI, "kokuho-shuyaku", "nhi-legacy", "ltci-core", "atena"}
        service = RightsService(self.store, self.clock, self.ledger, self.people, rules, systems)
        self.context.before_posts_change(service.settle)
        return service

    def staff(self, csv: str) -> None:
        head = "" if csv.startswith("staff_id") else STAFF.splitlines()[0] + "\n"
        self.context.import_feed("staff", (head + csv).encode())

    def forward(self, **by: float) -> datetime:
        self.clock.advance(timedelta(**by))
        return self.clock.now()

    def wish(self, person: str = CLERK, **other: Any) -> Wish:
        asked = {"system": NHI, "functions": ("view",), "unit": SHIKAKU, "start": self.clock.now(), "end": None}
        return Wish(**{"person": person, "reason": "資格審査のため", **asked, **other})

    def asked(self, person: str = CLERK, by: str = "", **other: Any) -> Application:
        return self.service.apply(self.wish(person, **other), Doer(id=by or person))

    def granted(self, person: str = CLERK, **other: Any) -> Application:
        application = self.asked(person, **other)
        self.service.approve(application.id, Doer(id=CHIEF))
        return self.service.approve(application.id, Doer(id=SYSTEMS_HEAD))

    def functions(self, person: str = CLERK, system: str = NHI) -> list[str]:
        return sorted(right.function for right in self.service.held(person, system, self.clock.now()))

    def changed(self, application: Application, **other: Any) -> Wish:
        (right,) = [one for one in self.service.held_by(CLERK) if one.right.application == application.id]
        return self.wish(**{"kind": Kind.CHANGE, "replaces": (right.right.id,), **other})
