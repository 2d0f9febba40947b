"""The same rights, units, factor levels and hours as our facts, as Cedar's entities and as Casbin's lines.

What all three can say alike: somebody holds the right for a function of a system in the unit where they work, has
proved enough for the system, and it is between opening and closing. Each is asked in the quickest way its library has:
Cedar with its policies and entities parsed beforehand, Casbin with its enforcer that first goes by the person.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import casbin
import cedarpy
from casbin.model import FastModel

from audit.access.decisions import DecisionPolicy, Effect, Facts, LiveSession, Question, decide, parse_policy
from audit.access.rights.model import Entitlement
from audit.access.strength import FactorPolicy, Proof
from audit.clock import TOKYO, day_start, tokyo_date
from audit.context import Post, Span

try:  # by pytest, from this folder; by the bench, from the root
    from asking import NOW
except ImportError:
    from tests.audit.access.decisions.asking import NOW

__all__ = ["Asked", "Hall"]

UNITS = ("hoken/shikaku", "hoken/kyufu", "zeimu/shotoku")
SYSTEMS = ("nhi-eligibility", "nhi-levy", "tax", "welfare")
FUNCTIONS = {"view": "view", "update": "update", "provision": "provision"}
OPENS, CLOSES = 510, 1035  # minutes of the day
LEVELS = ("password", "password+totp", "webauthn", "biometric")
PROOFS = (
    {"factors": frozenset({"password"})},
    {"factors": frozenset({"password", "totp"})},
    {"factors": frozenset({"webauthn"}), "user_verified": True},
    {"factors": frozenset({"webauthn", "fingerprint"}), "user_verified": True},
)
POLICY = 'version = 1\nterminals = "any"\n'
CEDAR = f"""
permit (principal is Staff, action, resource is System) when {{
    context.rank >= resource.rank && context.minute >= {OPENS} && context.minute < {CLOSES} &&
    principal.rights.contains({{system: resource.name, function: context.function, unit: principal.unit}})
}};
"""
CASBIN = f"""
[request_definition]
r = sub, unit, obj, act, rank, minute
[policy_definition]
p = sub, unit, obj, act, rank
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub == p.sub && r.unit == p.unit && r.obj == p.obj && r.act == p.act && r.rank >= p.rank \
&& r.minute >= {OPENS} && r.minute < {CLOSES}
"""


@dataclass(frozen=True)
class Asked:
    """One question in everybody's words."""

    question: Question
    facts: Facts
    cedar: dict[str, object]
    casbin: tuple[str, str, str, str, int, int]


@dataclass(frozen=True)
class _Clerk:
    name: str
    unit: str
    rights: frozenset[tuple[str, str, str]]  # system, function, unit


class Hall:
    """A town hall with so many clerks."""

    def __init__(self, staff: int, seed: int) -> None:
        drawn = random.Random(seed)  # noqa: S311 - the same hall again
        self._drawn = drawn
        self._ranks = {system: nth % 4 for nth, system in enumerate(SYSTEMS)}
        triples = [(system, function, unit) for system in SYSTEMS for function in FUNCTIONS for unit in UNITS]
        self._clerks = [
            _Clerk(f"s{n:04d}", drawn.choice(UNITS), frozenset(drawn.sample(triples, drawn.randrange(4, 16))))
            for n in range(staff)
        ]
        self.policy: DecisionPolicy = parse_policy(POLICY)
        self._cedar_policies = cedarpy.PolicySet.from_str(CEDAR)
        self._cedar_entities = {clerk.name: self._entities(clerk) for clerk in self._clerks}
        self._casbin = self._enforcer()

    def _entities(self, clerk: _Clerk) -> cedarpy.Entities:
        rights = [{"system": system, "function": function, "unit": unit} for system, function, unit in clerk.rights]
        person = {
            "uid": {"type": "Staff", "id": clerk.name},
            "attrs": {"unit": clerk.unit, "rights": rights},
            "parents": [],
        }
        systems = [
            {"uid": {"type": "System", "id": name}, "attrs": {"name": name, "rank": rank}, "parents": []}
            for name, rank in self._ranks.items()
        ]
        return cedarpy.Entities.from_json_str(json.dumps([person, *systems]))

    def _enforcer(self) -> casbin.FastEnforcer:
        model = FastModel([0])  # first goes by the person
        model.load_model_from_text(CASBIN)
        enforcer = casbin.FastEnforcer(model, cache_key_order=[0])
        enforcer.add_policies(
            [
                [clerk.name, unit, system, function, self._ranks[system]]
                for clerk in self._clerks
                for system, function, unit in clerk.rights
            ]
        )
        return enforcer

    def ask(self) -> Asked:
        """A question drawn at random; about every third is allowed."""
        drawn = self._drawn
        clerk = drawn.choice(self._clerks)
        system, function, _ = drawn.choice(sorted(clerk.rights))
        if drawn.random() < 0.3:
            system, function = drawn.choice(SYSTEMS), drawn.choice(sorted(FUNCTIONS))
        rank = drawn.choice((3, 3, 3, 2, 1, 0))
        minute = drawn.choice((OPENS - 1, OPENS, 600, 700, 800, 900, CLOSES - 1, CLOSES))
        return Asked(
            Question(person=clerk.name, system=system, activity=FUNCTIONS[function], session=f"sid-{clerk.name}"),
            self._facts(clerk, system, rank, minute),
            {
                "principal": f'Staff::"{clerk.name}"',
                "action": 'Action::"ask"',
                "resource": f'System::"{system}"',
                "context": {"rank": rank, "minute": minute, "function": function},
            },
            (clerk.name, clerk.unit, system, function, rank, minute),
        )

    def _facts(self, clerk: _Clerk, system: str, rank: int, minute: int) -> Facts:
        day = day_start(tokyo_date(NOW.astimezone(TOKYO)))
        now = day + timedelta(minutes=minute)
        proof = Proof(at=now, **PROOFS[rank])  # type: ignore[arg-type] - both shapes of `PROOFS`
        return Facts(
            now=now,
            post=Post(clerk.name, "", clerk.unit, "", "", "regular", "", "", None, None),
            session=LiveSession(
                id=f"sid-{clerk.name}",
                login_id=clerk.name,
                proof=proof,
                created_at=now,
                last_seen_at=now,
                address="10.3.1.31",
            ),
            factors=FactorPolicy.parse(LEVELS[self._ranks[system]]),
            entitlements=tuple(
                Entitlement(
                    id="e",
                    person=clerk.name,
                    system=system,
                    affair="",
                    function=function,
                    unit=unit,
                    start=day - timedelta(days=9),
                    end=None,
                    application="a",
                )
                for held, function, unit in sorted(clerk.rights)
                if held == system
            ),
            working=(Span(day + timedelta(minutes=OPENS), day + timedelta(minutes=CLOSES), "calendar"),),
        )

    def engines(self) -> dict[str, Callable[[Asked], bool]]:
        """Who answers: ours, Cedar, Casbin."""
        policy, cedar, entities, enforcer = self.policy, self._cedar_policies, self._cedar_entities, self._casbin

        def ours(asked: Asked) -> bool:
            return decide(asked.question, asked.facts, policy).effect is Effect.ALLOW

        def theirs(asked: Asked) -> bool:
            return bool(cedarpy.is_authorized(asked.cedar, cedar, entities[asked.question.person]).allowed)

        def lines(asked: Asked) -> bool:
            return bool(enforcer.enforce(*asked.casbin))

        return {"ours": ours, "cedarpy": theirs, "casbin": lines}
