"""The chain of approvals that each system asks for, and the table of what each unit's work needs. Data, read once.

A file that cannot be read stops the start: rights are not decided by a chain that nobody laid down.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any

from audit.texts import Texts

__all__ = ["Chain", "ChainError", "Rules", "Step", "load_rules"]

THE_UNIT = "*"
_SYSTEMS = "systems"
_LONGEST_WAIT = 365


class ChainError(ValueError):
    """A file of chains that cannot be used; says which place and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Who gives one approval; exactly one of the first four says it.

    Attributes:
        head_of: a unit's path, or `*` for the unit that the right is for.
        staff: any of these staff ids.
        post: whoever holds a post of this name.
        role: whoever has this role.
        unit: with `post` and `role`, only in this unit or below it.
        systems: `head_of` is the unit that runs the systems.
    """

    head_of: str = ""
    staff: tuple[str, ...] = ()
    post: str = ""
    role: str = ""
    unit: str = ""
    systems: bool = False

    @property
    def title(self) -> Texts:
        """Who that is, in words."""
        if self.head_of == THE_UNIT:
            return Texts("所属長", "head of the unit")
        if self.systems:
            return Texts("システム担当の所属長", "head of the systems section")
        if self.head_of:
            return Texts(f"{self.head_of} の長", f"head of {self.head_of}")
        if self.staff:
            return Texts.same(", ".join(self.staff))
        where = f" ({self.unit})" if self.unit else ""
        return Texts.same(f"{self.post or self.role}{where}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The approvals that a system's rights need, in order.

    Attributes:
        id: its name.
        systems: source ids; `*` for every one.
        steps: at least one.
        applicant: who alone may apply; None for the person, the manager or the head of the unit.
        decision_ref: whether the number of a written decision is needed.
        city: the preset that it belongs to; empty for every town.
    """

    id: str
    systems: frozenset[str]
    steps: tuple[Step, ...]
    applicant: Step | None = None
    decision_ref: bool = False
    city: str = ""

    @property
    def fingerprint(self) -> str:
        """Changes with who decides: an application is decided by the chain under which it was made."""
        said = repr((self.steps, self.applicant, self.decision_ref))
        return f"{self.id}:{hashlib.sha256(said.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything laid down about rights.

    Attributes:
        chains: the first that names a system is its own.
        functions: what a unit's work needs, by unit and system; empty where the town has no such table.
        wait: how long an application may be decided.
    """

    chains: tuple[Chain, ...]
    functions: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    wait: timedelta = timedelta(days=30)

    def chain(self, system: str) -> Chain | None:
        """The chain of a system; None when there is none, and then nothing can be granted."""
        return next((chain for chain in self.chains if chain.systems & {system, "*"}), None)

    def normal(self, unit: str, system: str) -> frozenset[str] | None:
        """What a unit's work needs in a system; None when the town has no table."""
        return self.functions.get((unit, system), frozenset()) if self.functions else None

    def outside(self, unit: str, system: str, functions: tuple[str, ...]) -> tuple[str, ...]:
        """Those of some functions that the unit's table does not have."""
        normal = self.normal(unit, system)
        return () if normal is None else tuple(name for name in functions if name not in normal)


def load_rules(own: Path | None = None, city: str = "") -> Rules:
    """The rules shipped, with the town's own before them.

    Args:
        own: the town's `rights.toml`; it need not exist.
        city: the preset, for the chains of its document.

    Raises:
        ChainError: the town's file cannot be used.
    """
    shipped = tomllib.loads(resources.files("audit.access.rights").joinpath("chains.toml").read_text(encoding="utf-8"))
    said: dict[str, Any] = {}
    if own is not None and own.exists():
        try:
            said = tomllib.loads(own.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ChainError(f"{own}: TOML として読めません / is not TOML ({error})") from error
    try:
        return _rules(said, shipped, city)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ChainError(f"{own or 'chains.toml'}: 使えません / cannot be used: {error!s}") from error


def _rules(said: Mapping[str, Any], shipped: Mapping[str, Any], city: str) -> Rules:
    unknown = set(said) - {"chain", "expires_days", "functions", "systems_unit"}
    if unknown:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    settings = {**shipped, **said}
    days = settings["expires_days"]
    if not isinstance(days, int) or not 1 <= days <= _LONGEST_WAIT:
        raise ValueError(f"expires_days is a number from 1 to {_LONGEST_WAIT}")
    rows = [*said.get("chain", []), *shipped["chain"]]
    chains = [_chain(row, str(settings["systems_unit"])) for row in rows]
    return Rules(
        chains=tuple(chain for chain in chains if chain.city in {"", city}),
        functions={
            (str(row["unit"]), str(row["system"])): frozenset(map(str, row["functions"]))
            for row in said.get("functions", [])
        },
        wait=timedelta(days=days),
    )


def _chain(row: Mapping[str, Any], systems_unit: str) -> Chain:
    unknown = set(row) - {"applicant", "city", "decision_ref", "id", "steps", "systems"}
    if unknown:
        raise ValueError(f"chain {row.get('id')}: unknown {', '.join(sorted(unknown))}")
    steps = tuple(_step(step, systems_unit) for step in row["steps"])
    if not steps:
        raise ValueError(f"chain {row['id']}: it needs a step")
    return Chain(
        id=str(row["id"]),
        systems=frozenset(map(str, row["systems"])),
        steps=steps,
        applicant=_step(row["applicant"], systems_unit) if "applicant" in row else None,
        decision_ref=row.get("decision_ref", False) is True,
        city=str(row.get("city", "")),
    )


def _step(row: Mapping[str, Any], systems_unit: str) -> Step:
    if "systems" in row:
        raise ValueError('the systems section is said as head_of = "systems"')
    step = Step(**{**row, "staff": tuple(row.get("staff", ()))})
    if sum(map(bool, (step.head_of, step.staff, step.post, step.role))) != 1:
        raise ValueError("a step is said by one of head_of, staff, post, role")
    return Step(head_of=systems_unit, systems=True) if step.head_of == _SYSTEMS else step
