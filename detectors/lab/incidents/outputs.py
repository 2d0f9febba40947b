"""Data that leaves: exports, media, prints, copies of the screen, with or through somebody."""

from datetime import date, timedelta

from detectors.lab.acts import Export, Target
from detectors.lab.incidents.expected import (
    AUDIT_SCOPE,
    EXPORT,
    EXPORT_ROWS,
    LEDGER,
    OFF_HOURS,
    PRINTS,
    PROXY,
    STAGING,
    UNACCOUNTED,
)
from detectors.lab.incidents.telling import Told, days_of, half_day, incident, told
from detectors.lab.model import Person
from detectors.lab.sections import SYSTEMS_UNIT
from detectors.lab.stage import HISTORY, Stage
from detectors.lab.systems import MEDIA, PLATFORM, REGISTER
from detectors.lab.timetable import at

__all__ = [
    "export_over_approval",
    "export_without_approval",
    "medium_not_returned",
    "night_export",
    "printed_by_colleague",
    "private_medium",
    "proxy_export",
    "screen_copies",
    "sent_outside",
    "staging_before_leaving",
]


def _exports(person: Person) -> bool:
    """The resident register is too old to export anything."""
    return person.pace > 0 and person.section.main_system != REGISTER


def _sheet(stage: Stage, day: date, rows: int, destination: str = "share", medium: str = "") -> dict[str, Export]:
    return {"export": Export(rows, f"list-{day:%m%d}-{stage.rng.randint(100, 999)}.csv", "", destination, medium)}


@incident(EXPORT)
def export_without_approval(stage: Stage) -> Told | None:
    """Somebody takes a list out that nobody approved."""
    if not (part := stage.cast(fits=_exports)):
        return None
    person, day = part
    system, rows = person.section.main_system, stage.rng.randint(150, 900)
    stage.chore(person, day, system, ("export", _sheet(stage, day, rows)))
    ja = f"{person.name}が承認のないまま{rows}件の一覧を出力した。"
    en = f"{person.id} exported a list of {rows} rows that nobody had approved."
    return told(person, system, [day], ja, en)


@incident(EXPORT_ROWS)
def export_over_approval(stage: Stage) -> Told | None:
    """A list was approved for some hundred rows; several times as many go out."""
    if not (part := stage.cast(fits=_exports)):
        return None
    person, day = part
    system, limit = person.section.main_system, stage.rng.choice((50, 100, 200))
    rows = round(limit * stage.rng.uniform(3, 9))
    stage.approve(person, system, at(day, 0), at(day, 24), "帳票・データの出力", kind="export", max_rows=limit)
    stage.chore(person, day, system, ("export", _sheet(stage, day, rows)))
    ja = f"{person.name}が{limit}件まで承認された出力で{rows}件を出力した。"
    en = f"{person.id} had approval for {limit} rows and exported {rows}."
    return told(person, system, [day], ja, en)


@incident(EXPORT, OFF_HOURS)
def night_export(stage: Stage) -> Told | None:
    """Late in the evening, alone, somebody exports everything at once."""
    if not (part := stage.cast(fits=_exports)):
        return None
    person, day = part
    seat = stage.seat(person, person.section.main_system, day)
    rows = stage.rng.randint(4_000, 30_000)
    start = at(day, stage.rng.randint(20, 22), stage.rng.randint(0, 59))
    act = seat.act(start + timedelta(minutes=3), "export", **_sheet(stage, day, rows))
    stage.plant(person.id, stage.session(seat, start, [act]))
    ja = f"{person.name}が夜間に1人で{rows}件を出力した。"
    en = f"Late in the evening {person.id} exported {rows} rows."
    return told(person, seat.system, [day], ja, en)


@incident(LEDGER, EXPORT)
def private_medium(stage: Stage) -> Told | None:
    """Data goes onto a stick of one's own, which no ledger knows."""
    if not (part := stage.cast(fits=_exports)):
        return None
    person, day = part
    system, medium, rows = person.section.main_system, f"P-{stage.rng.randint(1, 99):02}", stage.rng.randint(80, 2_500)
    spot = stage.rng.uniform(0.2, 0.7)
    stage.chore(person, day, system, ("export", _sheet(stage, day, rows, "usb", medium)), spot=spot)
    written = {"export": Export(rows, medium=medium, destination="usb")}
    stage.chore(person, day, MEDIA, ("media_write", written), spot=spot + 0.02)
    ja = f"{person.name}が台帳にない媒体{medium}に{rows}件を書き出した。"
    en = f"{person.id} wrote {rows} rows to {medium}, a medium that no ledger knows."
    return told(person, system, [day], ja, en)


@incident(LEDGER, hard=True)
def medium_not_returned(stage: Stage) -> Told | None:
    """An approved medium is taken out and written to, and never comes back."""
    if not (part := stage.cast(fits=_exports, follows=12)):
        return None
    person, day = part
    system, medium, rows = person.section.main_system, f"M-{stage.rng.randint(40, 60):03}", stage.rng.randint(60, 300)
    span = at(day, 0), at(day, 24)
    stage.approve(person, system, *span, "データの出力", kind="export", max_rows=rows, medium=medium)
    stage.approve(person, MEDIA, *span, "外部媒体の使用", kind="media", medium=medium)
    spot = stage.rng.uniform(0.2, 0.7)
    taken, written = {"export": Export(medium=medium)}, {"export": Export(rows, medium=medium, destination="usb")}
    stage.chore(person, day, MEDIA, ("media_checkout", taken), spot=spot - 0.05)
    stage.chore(person, day, system, ("export", _sheet(stage, day, rows, "usb", medium)), spot=spot)
    stage.chore(person, day, MEDIA, ("media_write", written), spot=spot + 0.02)
    ja = f"{person.name}が持ち出した媒体{medium}が、返却も消去もされていない。"
    en = f"{person.id} took out {medium}, wrote {rows} rows to it, and never returned or erased it."
    return told(person, MEDIA, [day], ja, en)


@incident(PRINTS, UNACCOUNTED)
def screen_copies(stage: Stage) -> Told | None:
    """Somebody copies one screen after the other, of residents without a case."""
    if not (part := stage.cast(fits=_exports, history=HISTORY)):
        return None
    person, day = part
    seat = stage.seat(person, person.section.main_system, day)
    start = moment = at(day, stage.rng.randint(13, 15), stage.rng.randint(0, 30))
    acts = []
    whom = stage.strangers(stage.rng.randint(25, 45), person, day)
    for one in whom:
        moment += timedelta(seconds=stage.rng.uniform(15, 50))
        acts += stage.look(seat, moment, one)
        moment += timedelta(seconds=stage.rng.uniform(4, 12))
        acts.append(seat.act(moment, "screen_copy", subjects=(one,)))
    stage.plant(person.id, stage.session(seat, start, acts))
    ja = f"{person.name}が{len(whom)}人の画面を続けて複写した。"
    en = f"{person.id} copied the screens of {len(whom)} residents one after the other."
    return told(person, seat.system, [day], ja, en)


@incident(PROXY, EXPORT, LEDGER, AUDIT_SCOPE)
def proxy_export(stage: Stage) -> Told | None:
    """Somebody without rights has a colleague export everything, and takes the colleague out of the audit (Iwate)."""
    if not (asker := stage.cast(SYSTEMS_UNIT, fits=lambda person: person.kind == "staff")):
        return None
    one, day = asker
    others = [p for p in stage.people if _exports(p) and stage.free(p) and stage.timetable.ordinary(p, day)]
    if not others:
        return None
    other = stage.rng.choice(others)
    stage.take([other])
    system, rows, medium = other.section.main_system, stage.rng.randint(8_000, 40_000), "P-77"
    spot = half_day(stage)
    stage.chore(other, day, system, ("export", _sheet(stage, day, rows)), spot=spot)
    written = {"export": Export(rows, medium=medium, destination="usb")}
    stage.chore(one, day, MEDIA, ("media_write", written), spot=spot + 0.1)
    scope = {"target": Target(other.id, system=system), "detail": "監査対象から職員を除外"}
    stage.chore(one, day, PLATFORM, ("config_change", scope), spot=spot + 0.2)
    ja = f"{one.name}が権限のない全住民の一覧を{other.name}に出力させ、媒体に写し、{other.name}を監査対象から外した。"
    en = f"{one.id} had {other.id} export {rows} rows, copied them, and took {other.id} out of the audit's scope."
    return told((one, other), system, [day], ja, en)


@incident(PROXY, hard=True)
def printed_by_colleague(stage: Stage) -> Told | None:
    """Somebody finds residents of interest; a colleague who owes a favour prints their records soon after."""
    if not (part := stage.cast(history=HISTORY)):
        return None
    one, day = part
    system = one.section.main_system
    team = [p for p in stage.colleagues_of(one, day) if p.pace and stage.free(p) and stage.timetable.ordinary(p, day)]
    if not team:
        return None
    other = stage.rng.choice(team)
    stage.take([other])
    spot = half_day(stage)
    for number in range(stage.rng.randint(3, 5)):
        whom = stage.stranger(one, day)
        stage.slip(one, day, whom, by="name", spot=spot + number / 50)
        view = {"subjects": (whom,), "by": "number", "hits": 1}
        stage.chore(
            other, day, system, ("view", view), ("print", {"subjects": (whom,)}), spot=spot + 0.15 + number / 50
        )
    ja = f"{one.name}が業務と関係なく照会した住民の記録を、同じ係の{other.name}が続けて印刷した。"
    en = f"{one.id} looked residents up for no reason; {other.id}, of the same section, printed their records."
    return told((one, other), system, [day], ja, en)


@incident(STAGING, EXPORT, hard=True)
def staging_before_leaving(stage: Stage) -> Told | None:
    """In the last weeks of a job, small lists and look-ups that no work needs pile up."""
    span = stage.timetable.days
    part = stage.cast(follows=1, fits=lambda p: _exports(p) and p.post == "主事" and p.until is None)
    if not part or len(span) < 25:
        return None
    person, _ = part
    days = days_of(stage, person, 4, apart=2, first=span[len(span) // 2])
    if not days:
        return None
    person = stage.retire(person, max(days) + timedelta(days=stage.rng.randint(1, 9)))
    system = person.section.main_system
    for number, day in enumerate(days, start=1):
        stage.slip(person, day, *(stage.stranger(person, day) for _ in range(1 + number)))
        stage.chore(person, day, system, ("export", _sheet(stage, day, 30 * number + stage.rng.randint(0, 20))))
    ja = f"退職を控えた{person.name}が、{len(days)}日にわたり承認のない一覧の出力と照会を重ねた。"
    en = f"Before leaving, {person.id} piled up unapproved lists and look-ups on {len(days)} days."
    return told(person, system, days, ja, en)


@incident(EXPORT)
def sent_outside(stage: Stage) -> Told | None:
    """A list goes to a mailbox or a storage service outside."""
    if not (part := stage.cast(fits=_exports)):
        return None
    person, day = part
    system, rows = person.section.main_system, stage.rng.randint(120, 1_500)
    where = stage.rng.choice(("mail", "cloud"))
    stage.chore(person, day, system, ("export", _sheet(stage, day, rows, where)))
    ja = f"{person.name}が{rows}件の一覧を承認なく庁外に送った。"
    en = f"{person.id} sent a list of {rows} rows outside without approval."
    return told(person, system, [day], ja, en)
