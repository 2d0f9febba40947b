"""What can be applied for: a wish in its stored form, and why it cannot be met.

It is judged when it is made and again at every approval, because people move in between.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from audit.access.rights.errors import ApplicationRefusedError
from audit.access.rights.model import Entitlement, Kind, Wish
from audit.access.rights.people import People
from audit.context import post_held
from audit.events import mask

__all__ = ["LONGEST_REASON", "cleaned", "fault", "words_of"]

LONGEST_REASON = 500
_NAME = re.compile(r"[^\W_][\w.@/-]{0,99}")
_FUNCTION = re.compile(r"[^\W_][\w.-]{0,49}")
_REFERENCE = re.compile(r"[\w.()（）/-]{0,100}")
_MOST_FUNCTIONS = 30
_TEMPORARY = frozenset({"contractor", "fixed_term"})


def words_of(text: str) -> str | None:
    """Words that a person wrote, without any individual number; None when there are none, or too many."""
    words = "".join(character if character.isprintable() else " " for character in text).strip()
    return mask(words)[0] if 1 <= len(words) <= LONGEST_REASON else None


def cleaned(wish: Wish, now: datetime) -> Wish:
    """A wish in its stored form.

    Raises:
        ApplicationRefusedError: it has no such form.
    """
    functions = tuple(dict.fromkeys(wish.functions))
    typed = (wish.person, wish.system, wish.unit, *([wish.affair] if wish.affair else []), *wish.replaces)
    if not all(_NAME.fullmatch(text) for text in typed) or not _REFERENCE.fullmatch(wish.decision_ref):
        raise ApplicationRefusedError("shape")
    if not 1 <= len(functions) <= _MOST_FUNCTIONS or not all(_FUNCTION.fullmatch(name) for name in functions):
        raise ApplicationRefusedError("function")
    if mask(" ".join((*typed, *functions, wish.decision_ref)))[1]:
        raise ApplicationRefusedError("number")
    reason = words_of(wish.reason)
    if reason is None:
        raise ApplicationRefusedError("reason")
    if (wish.kind is Kind.GRANT) != (not wish.replaces):
        raise ApplicationRefusedError("replaces")
    if wish.end is not None and wish.end <= max(wish.start, now):
        raise ApplicationRefusedError("past" if wish.end <= now else "period")
    return replace(wish, functions=functions, reason=reason)


def fault(wish: Wish, people: People, present: Sequence[Entitlement], now: datetime) -> str | None:
    """Why a wish cannot be met now, as a word; None when it can.

    Args:
        wish: in its stored form.
        people: the staff directory.
        present: those of the rights to be changed that are still there.
        now: the moment.
    """
    mine = {right.id for right in present if (right.person, right.system) == (wish.person, wish.system)}
    if mine != set(wish.replaces):
        return "replaces"
    if wish.kind is Kind.REVOKE:
        return None
    start = max(wish.start, now)
    if wish.end is not None and wish.end <= start:
        return "past"
    post = post_held(people.posts(wish.person), start)
    if post is None or post.org_unit != wish.unit:
        return "unit"
    if post.employment in _TEMPORARY and (wish.end is None or post.end is None or wish.end > post.end):
        return "fixed_term"
    return None
