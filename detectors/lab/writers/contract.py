"""A system that speaks the event contract (DESIGN 4.3): JSON Lines, numbered, recorded a moment after the act."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from detectors.lab.acts import Act, Counterparty, Export
from detectors.lab.systems import SYSTEMS, System

__all__ = ["contract_lines", "factors_of", "name_of"]

# Screen number and operation word by activity.
_SCREENS = {
    "login": ("0001", "ログイン"),
    "logout": ("0001", "ログアウト"),
    "search": ("0100", "検索"),
    "view": ("0101", "照会"),
    "create": ("0200", "登録"),
    "update": ("0201", "異動"),
    "delete": ("0209", "削除"),
    "print": ("0301", "証発行"),
    "export": ("0401", "データ出力"),
    "inquiry": ("0501", "情報照会"),
    "provision": ("0502", "情報提供"),
    "answer": ("0503", "回答"),
}
_PREFIXES = {"nhi-eligibility": "nhi", "intermediate-server": "is"}
_BIOMETRIC = ("palm_vein", "finger_vein", "fingerprint", "face", "biometric")


def name_of(source: str, number: int) -> str:
    """The id that a source gives to its event of a number."""
    return f"{_PREFIXES.get(source, source)}-{number:06}"


def factors_of(act: Act) -> tuple[str, ...]:
    """What a sign-in was made with: a failed one never reaches the second factor."""
    if act.factors is not None:
        return act.factors
    system = SYSTEMS.get(act.system)
    if act.person is None or system is None:
        return ("password",)
    allowed = [tuple(way.split("+")) for way in system.require.split("|")]
    used = act.person.factors if act.person.factors in allowed else allowed[0]
    return used if act.outcome == "success" else used[:1]


def contract_lines(acts: Iterable[tuple[int, Act]], rng: Random) -> Iterator[str]:
    """One event per act, with its number."""
    for number, act in acts:
        recorded = act.recorded or act.at + timedelta(milliseconds=rng.randint(3, 400))
        yield json.dumps(_event(number, act, recorded), ensure_ascii=False, separators=(",", ":"))


def _event(number: int, act: Act, recorded: datetime) -> dict[str, Any]:
    system = SYSTEMS.get(act.system) or System(act.system, "", "")
    screen, word = _SCREENS.get(act.activity, ("", act.activity))
    doc: dict[str, Any] = {
        "time": act.at.isoformat(timespec="milliseconds"),
        "event_id": name_of(act.system, number),
        "sequence": number,
        "recorded_at": recorded.isoformat(timespec="milliseconds"),
        "activity": act.activity,
        "operation_name": act.detail or word,
        "outcome": act.outcome,
        "actor": _actor(act),
    }
    terminal = {"id": act.terminal, "ip": act.address}
    if any(terminal.values()):
        doc["terminal"] = {name: value for name, value in terminal.items() if value}
    if act.session:
        doc["session"] = act.session
    if system.screens and screen:
        doc["screen"] = f"{system.screens}{screen}"
    if affair := system.affair or (SYSTEMS[act.person.section.main_system].affair if act.person else ""):
        doc["affair"] = affair
    if act.subjects:
        doc |= {"subjects": list(act.subjects), "subject_count": len(act.subjects)}
    if act.by or act.hits:
        doc["query"] = {"by": act.by, "hits": act.hits} if act.by else {"hits": act.hits}
    if act.case:
        doc |= {"case_id": act.case, "reason": "window"}
    if act.activity == "login":
        factors = factors_of(act)
        biometric = any(factor in _BIOMETRIC for factor in factors)
        doc["auth"] = {"factors": list(factors), "user_verified": act.outcome == "success" and biometric}
    if act.export:
        doc["export"] = _export(act.export)
    if act.counterparty:
        doc["counterparty"] = _counterparty(act.counterparty)
    if act.target:
        target = {"id": act.target.id, "affair": act.target.affair, "system": act.target.system}
        doc["target"] = {name: value for name, value in target.items() if value}
    return doc


def _actor(act: Act) -> dict[str, str]:
    person = act.person
    if person is None:
        # An address that tries names is nobody yet; what runs by itself is the system.
        unknown = act.activity == "login" and act.outcome != "success"
        return {"id": act.actor} if unknown else {"id": act.actor, "kind": "system"}
    return {
        "id": person.id,
        "name": person.name,
        "org_unit": person.section.unit,
        "role": person.section.role,
        "kind": person.kind,
    }


def _export(export: Export) -> dict[str, object]:
    found = {
        "file": export.file,
        "rows": export.rows,
        "sha256": export.sha256,
        "destination": export.destination,
        "medium_id": export.medium,
        "approval_id": export.approval,
    }
    return {name: value for name, value in found.items() if value}


def _counterparty(other: Counterparty) -> dict[str, str]:
    found = {"body": other.body, "system": other.system, "permit": other.permit, "purpose_no": other.purpose}
    return {name: value for name, value in found.items() if value}
