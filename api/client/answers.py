"""Reading what came back, trusting none of it: whatever is not plainly an allow is a denial. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from api.client.model import UNREACHABLE, Decision

__all__ = ["NOBODY_ANSWERED", "read_decision"]

_ACR = re.compile(r"[a-z0-9-]{1,20}( [a-z0-9-]{1,20}){0,9}")
"""These words go into a header of the service's own answer."""
_LONGEST_LIFE = 10.0
"""Seconds; a longer one is none that Mimamori gives."""

NOBODY_ANSWERED = Decision(
    allowed=False,
    reason=UNREACHABLE,
    reason_ja="利用の可否を確認できません。しばらく待ってからやり直してください。",
    reason_en="It cannot be checked whether you may do this. Please try again shortly.",
)


def read_decision(said: object) -> Decision:
    """One decision of an AuthZEN answer; a denial when it is none."""
    if not isinstance(said, dict) or not isinstance(said.get("decision"), bool):
        return NOBODY_ANSWERED
    context = said.get("context", {})
    if not isinstance(context, dict):
        return NOBODY_ANSWERED
    notes = context.get("notes", [])
    words = context.get("reason_user", {})
    age, life = context.get("max_age"), context.get("life", 0)
    acr = _text(context, "acr_values")
    allowed: bool = said["decision"]
    return Decision(
        allowed=allowed,
        reason=_text(context, "reason") or ("allowed" if allowed else "denied"),
        reason_ja=_text(words, "ja") if isinstance(words, dict) else "",
        reason_en=_text(words, "en") if isinstance(words, dict) else "",
        acr_values=acr if _ACR.fullmatch(acr) else "",
        max_age=age if _is_number(age) and isinstance(age, int) and age >= 0 else None,
        life=float(min(life, _LONGEST_LIFE)) if allowed and _is_number(life) and life > 0 else 0.0,
        id=_text(context, "id"),
        notes=tuple(note for note in notes if isinstance(note, str)) if isinstance(notes, list) else (),
    )


def _is_number(value: Any) -> bool:  # noqa: ANN401 - whatever JSON holds
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text(values: Mapping[str, object], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""
