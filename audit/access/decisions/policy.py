"""What decisions are made by, as data: the shipped defaults, the town's own file, what one system has otherwise.

A policy is named by the hash of what it says, so that an event tells by which it was decided. Whatever cannot be read
whole is refused whole: an unknown key, a word out of its list, a value of the wrong kind. Limits that no town may pass
(an allow relied on for minutes, an emergency without end) are limits of the reading.
"""

import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import resources
from types import MappingProxyType
from typing import Any

from audit.access.rights.model import FUNCTIONS
from audit.events import Activity
from audit.texts import Texts

__all__ = ["APPROVAL_KINDS", "LIFTS", "NO_POLICY", "DecisionPolicy", "PolicyError", "SystemPolicy", "parse_policy"]

APPROVAL_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "export": "export", "download": "export",
        "print": "print", "screen_copy": "print",
        "transfer": "transfer",
        "media_checkout": "media", "media_write": "media", "media_erase": "media", "media_dispose": "media",
        "maintenance": "maintenance", "restore": "maintenance",
    }
)  # fmt: skip
"""Which kind of approval covers an activity. Bringing a medium back is never waited for."""
LIFTS = frozenset({"entitlement", "factors", "second_person", "terminal", "time"})
"""What an emergency may lift; never the person, the session or the record. `factors` only with a sealed credential."""

_LONGEST_LIFE = 10
_LONGEST_STEP_UP = 300
_LONGEST_EMERGENCY = 60
_RELATED = ("noted", "second_person", "deny")


class PolicyError(ValueError):
    """A policy that cannot be used; `texts` says why, without quoting what it holds beyond its keys."""

    def __init__(self, texts: Texts) -> None:
        super().__init__(texts.en)
        self.texts = texts

    def text(self, language: str) -> str:
        """The words for a person, in `ja` or `en`."""
        return self.texts.in_(language)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPolicy:
    """How decisions about one system are made; `decisions.toml` says what each word means."""

    bind: str
    terminals: str
    hours: str
    ask_for: str
    purposes: frozenset[str]
    self: str
    family: str
    colleague: str
    protected: str
    vip: str
    deceased: str
    staff: str
    two_persons: frozenset[str]
    sensitive: frozenset[str]
    step_up_seconds: int
    second_person_seconds: int
    approval_from: Mapping[str, int]
    life_seconds: int
    break_glass: bool
    break_glass_minutes: int
    break_glass_lifts: frozenset[str]
    step_up: timedelta = field(init=False)
    second_person: timedelta = field(init=False)
    life: timedelta = field(init=False)

    def __post_init__(self) -> None:
        """Make durations of the seconds once, not for every question."""
        object.__setattr__(self, "step_up", timedelta(seconds=self.step_up_seconds))
        object.__setattr__(self, "second_person", timedelta(seconds=self.second_person_seconds))
        object.__setattr__(self, "life", timedelta(seconds=self.life_seconds))

    def treatment(self, what: str) -> str:
        """What becomes of a look-up of somebody with this flag or relation; an unknown one is denied."""
        return str(getattr(self, what)) if what in _SUBJECTS else "deny"


_SUBJECTS = frozenset({"self", "family", "colleague", "protected", "vip", "deceased", "staff"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPolicy:
    """The policy of a town.

    Attributes:
        version: hash of what it says, 16 hexadecimal digits; empty where there is none.
        general: for every system that has nothing of its own; None denies everything.
        systems: what single systems have, whole.
        values: what it says, resolved, for the record of a change.
    """

    version: str
    general: SystemPolicy | None
    systems: Mapping[str, SystemPolicy] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def of(self, system: str) -> SystemPolicy | None:
        """The policy for one system; None denies everything."""
        return self.systems.get(system, self.general)


NO_POLICY = DecisionPolicy(version="", general=None)
"""Where no policy could be read and none was good before."""


def _fault(where: str, ja: str, en: str) -> PolicyError:
    return PolicyError(Texts(f"{where}: {ja}", f"{where}: {en}"))


_Reader = Callable[[str, Any], Any]


def _one_of(*words: str) -> _Reader:
    def read(where: str, value: Any) -> str:  # noqa: ANN401 - whatever TOML holds
        if not isinstance(value, str) or value not in words:
            raise _fault(where, f"{'・'.join(words)} のいずれかです", f"must be one of {', '.join(words)}")
        return value

    return read


def _words(known: frozenset[str] | None) -> _Reader:
    def read(where: str, value: Any) -> frozenset[str]:  # noqa: ANN401
        if not isinstance(value, list) or not all(isinstance(word, str) and word for word in value):
            raise _fault(where, "文字列の配列でなければなりません", "must be a list of texts")
        if known is not None and (unknown := sorted(set(value) - known)):
            raise _fault(where, f"使えない値があります: {unknown[0]}", f"has an unknown word: {unknown[0]}")
        return frozenset(value)

    return read


def _number(least: int, most: int) -> _Reader:
    def read(where: str, value: Any) -> int:  # noqa: ANN401
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise _fault(where, f"{least} から {most} までの整数です", f"must be a whole number from {least} to {most}")
        return value

    return read


def _flag(where: str, value: Any) -> bool:  # noqa: ANN401
    if not isinstance(value, bool):
        raise _fault(where, "true か false です", "must be true or false")
    return value


def _approvals(where: str, value: Any) -> Mapping[str, int]:  # noqa: ANN401
    if not isinstance(value, dict) or set(value) - set(APPROVAL_KINDS.values()):
        raise _fault(where, "承認の種類ごとの件数です", "must give numbers by kind of approval")
    return MappingProxyType({kind: _number(0, 10**9)(f"{where}.{kind}", rows) for kind, rows in value.items()})


_READERS: Mapping[str, _Reader] = {
    "bind": _one_of("session_or_address", "session"),
    "terminals": _one_of("any", "known", "registered", "unit"),
    "hours": _one_of("free", "noted", "enforced"),
    "ask_for": _one_of("nothing", "purpose_or_case", "purpose", "case"),
    "purposes": _words(None),
    **dict.fromkeys(_SUBJECTS, _one_of(*_RELATED)),
    "two_persons": _words(frozenset(Activity)),
    "sensitive": _words(frozenset(FUNCTIONS)),
    "step_up_seconds": _number(1, _LONGEST_STEP_UP),
    "second_person_seconds": _number(1, _LONGEST_STEP_UP),
    "approval_from": _approvals,
    "life_seconds": _number(0, _LONGEST_LIFE),
    "break_glass": _flag,
    "break_glass_minutes": _number(1, _LONGEST_EMERGENCY),
    "break_glass_lifts": _words(LIFTS),
}
"""Each key and how it is read, in the order of `decisions.toml`."""


def _table(text: str) -> dict[str, Any]:
    if not text.strip():
        raise _fault("decisions.toml", "空です", "is empty")
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _fault("decisions.toml", "TOML として読めません", "is no TOML, or says one thing twice") from error
    if table.pop("version", None) != 1:
        raise _fault("version", "1 でなければなりません", "must be 1")
    return table


def _merged(where: str, base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The values of one place over those it builds on; `approval_from` is merged by its kinds."""
    if unknown := sorted(set(own) - set(_READERS)):
        raise _fault(f"{where}{unknown[0][:80]}", "知らない項目です", "is no key of a decision policy")
    read = {name: _READERS[name](where + name, value) for name, value in own.items()}
    if "approval_from" in read:
        read["approval_from"] = {**base.get("approval_from", {}), **read["approval_from"]}
    return {**base, **read}


def _system(where: str, values: Mapping[str, Any]) -> SystemPolicy:
    if values["ask_for"] == "case" and values["purposes"]:
        raise _fault(f"{where}purposes", 'ask_for = "case" と両立しません', 'contradicts ask_for = "case"')
    return SystemPolicy(**values)


def parse_policy(text: str = "") -> DecisionPolicy:
    """Read a town's policy over the shipped one.

    Args:
        text: the town's `decisions.toml`; empty for the shipped policy alone.

    Raises:
        PolicyError: it cannot be used, and where.
    """
    shipped = (resources.files("audit.access.decisions") / "decisions.toml").read_text(encoding="utf-8")
    base = _merged("", {}, _table(shipped))
    own = _table(text) if text else {}
    systems = own.pop("systems", {})
    if not isinstance(systems, dict) or not all(isinstance(table, dict) for table in systems.values()):
        raise _fault("systems", "表でなければなりません", "must be tables")
    general = _merged("", base, own)
    single = {name: _merged(f"systems.{name[:80]}.", general, table) for name, table in systems.items()}
    values = {"general": _plain(general), "systems": {name: _plain(one) for name, one in sorted(single.items())}}
    packed = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return DecisionPolicy(
        version=hashlib.sha256(packed.encode()).hexdigest()[:16],
        general=_system("", general),
        systems={name: _system(f"systems.{name[:80]}.", one) for name, one in single.items()},
        values=values,
    )


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    def plain(value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, frozenset):
            return sorted(value)
        return dict(value) if isinstance(value, Mapping) else value

    return {name: plain(value) for name, value in sorted(values.items())}
