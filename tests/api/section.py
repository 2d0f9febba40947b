"""A section of the town hall: a clerk with rights, the chief, a stranger, and a policy that knows emergencies."""

import json
from datetime import datetime, timedelta
from typing import Any

import httpx
from house import House, csrf_of

from audit.access import Role
from audit.access.decisions import Actor
from audit.access.decisions.ledger.model import ApprovalKind, Wanted
from audit.access.rights import Doer, Wish
from audit.clock import TOKYO
from audit.log import OWN_SOURCE, Filter

SYSTEM = "ltci-core"
STRICT = "welfare"
"""A system that asks for more than anybody here can prove."""
POLICY = f"""version = 1
terminals = "any"
[systems.{SYSTEM}]
hours = "free"
break_glass = true
break_glass_minutes = 45
[systems.{STRICT}]
hours = "free"
break_glass = true
"""
_HEADER = "staff_id,name,kana,org_unit,post,role,employment,manager_id,valid_from,valid_to,subject_id\n"


class Section:
    """Its people, and what the installation has of them."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.clerk, self.chief, self.systems_head, self.stranger = (house.user(Role.STAFF) for _ in range(4))
        self.admin = house.user(Role.SECURITY_ADMINISTRATOR)
        self.unit = f"u-{self.clerk.login_id}"
        installation, now = house.installation, house.clock.now()
        systems = installation.rights.rules.chains[-1].steps[1].head_of
        for post in installation.context.staff_in(systems, now):  # those of the tests before have left
            self._feed(post.staff_id, systems, "係長", until=now.isoformat())
        self._feed(self.clerk.login_id, self.unit, "主事", name="見本 介護")
        self._feed(self.chief.login_id, self.unit, "係長", name="見本 係長")
        self._feed(self.systems_head.login_id, systems, "係長")
        self._feed(self.stranger.login_id, f"x-{self.unit}", "係長")
        self._feed(self.admin.login_id, "soumu", "主幹", name="見本 監視")
        policies = (
            f"source,valid_from,require\n{SYSTEM},2020-01-01,password+totp\n{STRICT},2020-01-01,password+palm_vein\n"
        )
        installation.context.import_feed("policies", policies.encode())
        self.policy = installation.settings.data / "decisions.toml"
        self.policy.write_text(POLICY)
        self.decisions = installation.decisions

    def _feed(self, who: str, unit: str, post: str, *, name: str = "", until: str = "") -> None:
        row = f"{who},{name},,{unit},{post},,regular,,2020-04-01,{until},\n"
        self.house.installation.context.import_feed("staff", (_HEADER + row).encode())

    def granted(self, *functions: str) -> None:
        """Rights for the clerk."""
        rights, who = self.house.installation.rights, self.clerk.login_id
        wish = Wish(
            person=who, system=SYSTEM, functions=functions, unit=self.unit, start=self.house.clock.now(), end=None,
            reason="給付",
        )  # fmt: skip
        number = rights.apply(wish, Doer(id=who)).id
        for by in (self.chief, self.systems_head):
            rights.approve(number, Doer(id=by.login_id))

    def asked(self, kind: str = "export", **more: Any) -> str:
        """A request of the clerk's; its id."""
        now = self.house.clock.now()
        wanted = Wanted(
            kind=ApprovalKind(kind), person=self.clerk.login_id, system=SYSTEM, start=now,
            end=now + timedelta(hours=2), reason="統計の提出", **more,
        )  # fmt: skip
        return self.decisions.ledger.ask(wanted, by=Actor(staff_id=self.clerk.login_id)).id

    def approved(self, kind: str = "export", **more: Any) -> str:
        """An approval of the chief's; its id."""
        number = self.asked(kind, **more)
        self.decisions.ledger.approve(number, by=Actor(staff_id=self.chief.login_id))
        return number

    def state(self, number: str) -> str:
        """Where a request stands."""
        return next(one.state for one in self.decisions.ledger.entries(limit=1000) if one.id == number)

    def acts(self) -> list[str]:
        """The latest of the installation's own acts."""
        self.house.installation.acts.drain()
        page = self.house.installation.log.search(Filter(sources=(OWN_SOURCE,)), limit=200)
        return [event.text("operation_name") for event in page.events]


def send(browser: httpx.Client, place: str, page: str = "/approvals", **form: Any) -> httpx.Response:
    """A form of a page."""
    return browser.post(place, data={"csrf": csrf_of(browser.get(page)), **form})


def post(browser: httpx.Client, place: str, body: object) -> httpx.Response:
    """An act as JSON."""
    return browser.post(f"/api/v1{place}", content=json.dumps(body), headers={"content-type": "application/json"})


def typed(at: datetime) -> str:
    """A moment as a form has it."""
    return at.astimezone(TOKYO).strftime("%Y-%m-%dT%H:%M")
