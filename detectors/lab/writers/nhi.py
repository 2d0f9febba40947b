"""National health insurance eligibility: a system that already speaks the event contract."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from detectors.lab.model import Act, Person

__all__ = ["contract_lines"]

# Screen and operation word by activity.
_SCREENS = {
    "login": ("SKK0001", "ログイン"),
    "logout": ("SKK0001", "ログアウト"),
    "search": ("SKK0100", "検索"),
    "view": ("SKK0101", "照会"),
    "update": ("SKK0201", "異動"),
    "print": ("SKK0301", "証発行"),
}


def contract_lines(acts: Sequence[Act], people: Mapping[str, Person], rng: Random) -> Iterator[str]:
    """JSON Lines, numbered without a gap, recorded a moment after the act."""
    for number, act in enumerate(acts, start=1):
        person = people[act.actor]
        screen, word = _SCREENS[act.activity]
        recorded = act.at + timedelta(milliseconds=rng.randint(3, 400))
        doc: dict[str, Any] = {
            "time": act.at.isoformat(timespec="milliseconds"),
            "event_id": f"nhi-{number:06}",
            "sequence": number,
            "recorded_at": recorded.isoformat(timespec="milliseconds"),
            "activity": act.activity,
            "operation_name": word,
            "outcome": act.outcome,
            "actor": {
                "id": person.id,
                "name": person.name,
                "org_unit": person.section.unit,
                "role": person.section.role,
                "kind": person.kind,
            },
            "terminal": {"id": act.terminal, "ip": act.address},
            "session": act.session,
            "screen": screen,
            "affair": "nhi-eligibility",
        }
        if act.subjects:
            doc |= {"subjects": list(act.subjects), "subject_count": len(act.subjects)}
        if act.by:
            doc["query"] = {"by": act.by, "hits": act.hits}
        if act.case:
            doc |= {"case_id": act.case, "reason": "window"}
        if act.activity == "login":
            verified = act.outcome == "success" and "palm_vein" in person.factors
            # A sign-in that fails at the password never reaches the second factor.
            factors = person.factors if act.outcome == "success" else person.factors[:1]
            doc["auth"] = {"factors": list(factors), "user_verified": verified}
        yield json.dumps(doc, ensure_ascii=False, separators=(",", ":"))
