"""Rights given to oneself or for an hour, passwords reset and used, the audit made to look away."""

from datetime import date, timedelta

from detectors.lab.acts import Target
from detectors.lab.incidents.expected import (
    AUDIT_SCOPE,
    LOG_CLEARED,
    NEW_TERMINAL,
    RESET_USED,
    SELF_GRANTED,
    UNREQUESTED,
    USED_REMOVED,
)
from detectors.lab.incidents.telling import Told, half_day, incident, told
from detectors.lab.model import Person
from detectors.lab.sections import SYSTEMS_UNIT
from detectors.lab.stage import Stage
from detectors.lab.systems import CARE, LEVY, PLATFORM, SERVER, SYSTEMS, TAX, WELFARE
from detectors.lab.timetable import at

__all__ = [
    "audit_scope_reduced",
    "log_cleared",
    "reset_then_used",
    "right_for_an_hour",
    "self_granted",
    "unrequested_grant",
]


def _technician(stage: Stage) -> tuple[Person, date] | None:
    return stage.cast(SYSTEMS_UNIT, fits=lambda person: person.kind == "staff")


def _right(person: Person, system: str) -> dict[str, Target]:
    return {"target": Target(person.id, SYSTEMS[system].affair, system)}


@incident(SELF_GRANTED, UNREQUESTED)
def self_granted(stage: Stage) -> Told | None:
    """A systems administrator gives a right to the own account, and looks."""
    if not (part := _technician(stage)):
        return None
    person, day = part
    system = stage.rng.choice((TAX, WELFARE, CARE))
    spot = half_day(stage)
    stage.chore(person, day, PLATFORM, ("grant", _right(person, system)), spot=spot)
    whom = stage.strangers(stage.rng.randint(2, 4), person, day)
    stage.slip(person, day, *whom, system=system, by="name", spot=spot + 0.1)
    ja = f"{person.name}が自分自身に{system}の権限を付け、{len(whom)}人を照会した。"
    en = f"{person.id} granted {system} to the own account and looked up {len(whom)} residents."
    return told(person, PLATFORM, [day], ja, en)


@incident(USED_REMOVED, UNREQUESTED)
def right_for_an_hour(stage: Stage) -> Told | None:
    """A friend gets a right, uses it for an hour, and it is gone again."""
    if not (part := _technician(stage)):
        return None
    one, day = part
    system = stage.rng.choice((TAX, WELFARE, LEVY))
    there = [p for p in stage.people if p.pace and stage.free(p) and stage.timetable.ordinary(p, day)]
    friends = [p for p in there if system not in p.section.systems]
    if not friends:
        return None
    other = stage.rng.choice(friends)
    stage.take([other])
    spot = half_day(stage)
    stage.chore(one, day, PLATFORM, ("grant", _right(other, system)), spot=spot)
    whom = [stage.stranger(other, day) for _ in range(stage.rng.randint(2, 4))]
    stage.slip(other, day, *whom, system=system, by="name", spot=spot + 0.12)
    stage.chore(one, day, PLATFORM, ("revoke", _right(other, system)), spot=spot + 0.25)
    ja = f"{one.name}が{other.name}に{system}の権限を付け、{other.name}が照会した後に外した。"
    en = f"{one.id} granted {system} to {other.id}, who looked residents up; then the right was removed."
    return told((one, other), PLATFORM, [day], ja, en)


@incident(UNREQUESTED, hard=True)
def unrequested_grant(stage: Stage) -> Told | None:
    """A right is set that nobody applied for and nobody approved."""
    if not (part := _technician(stage)):
        return None
    person, day = part
    others = [p for p in stage.people if p.pace and p.holds(day) and LEVY not in p.section.systems]
    if not others:
        return None
    other = stage.rng.choice(others)
    stage.chore(person, day, PLATFORM, ("grant", _right(other, LEVY)))
    ja = f"{person.name}が、申請も承認もない{LEVY}の権限を{other.name}に付けた。"
    en = f"{person.id} granted {LEVY} to {other.id}; nobody had applied for it or approved it."
    return told(person, PLATFORM, [day], ja, en)


@incident(RESET_USED, NEW_TERMINAL)
def reset_then_used(stage: Stage) -> Told | None:
    """A systems administrator resets somebody's password and signs in with it."""
    if not (part := _technician(stage)):
        return None
    one, day = part
    there = [p for p in stage.people if p.pace and stage.free(p) and stage.timetable.ordinary(p, day)]
    if not there:
        return None
    other = stage.rng.choice(there)
    stage.take([other])
    system = other.section.main_system
    moment = at(day, stage.rng.randint(13, 15), stage.rng.randint(0, 50))
    console = stage.seat(one, PLATFORM, day)
    reset = console.act(moment, "credential_reset", target=Target(other.id, system=system))
    stage.plant(one.id, stage.session(console, moment - timedelta(minutes=1), [reset]))
    seat = stage.seat(other, system, day, terminal_of=one)
    stage.visit(seat, moment + timedelta(minutes=3), looks=stage.rng.randint(3, 6), instead=False)
    ja = f"{one.name}が{other.name}のパスワードを初期化し、自分の端末から{other.name}として入った。"
    en = f"{one.id} reset the password of {other.id} and signed in with it at the own terminal."
    return told((one, other), PLATFORM, [day], ja, en)


@incident(AUDIT_SCOPE)
def audit_scope_reduced(stage: Stage) -> Told | None:
    """A systems administrator narrows what the audit records."""
    if not (part := _technician(stage)):
        return None
    person, day = part
    system = stage.rng.choice((TAX, WELFARE, CARE))
    detail = stage.rng.choice(("監査対象の縮小", "監査ログ取得設定の変更（照会を除外）", "操作ログの取得停止"))
    stage.chore(person, day, PLATFORM, ("policy_change", {"target": Target("", system=system), "detail": detail}))
    ja = f"{person.name}が{system}の監査ログの取得範囲を狭めた。"
    en = f"{person.id} narrowed what the audit records of {system}."
    return told(person, PLATFORM, [day], ja, en)


@incident(LOG_CLEARED)
def log_cleared(stage: Stage) -> Told | None:
    """A systems administrator clears a log, on the platform and on the server."""
    if not (part := _technician(stage)):
        return None
    person, day = part
    spot = stage.rng.uniform(0.3, 0.8)
    stage.chore(person, day, PLATFORM, ("log_clear", {"detail": "操作ログの消去"}), spot=spot)
    gone = "/usr/bin/truncate -s 0 /var/log/auth.log.1"
    stage.chore(person, day, SERVER, ("operation", {"detail": gone}), spot=spot + 0.03)
    ja = f"{person.name}が操作ログを消去した。"
    en = f"{person.id} cleared the operation log."
    return told(person, PLATFORM, [day], ja, en)
