"""What befalls a source: it falls silent, loses records, has a wrong clock, or is written after the fact."""

from datetime import date, timedelta

from detectors.lab.incidents.expected import (
    BACKDATED_ACTS,
    BACKDATING,
    CLOCK,
    MISSING_NUMBERS,
    SEQUENCE,
    SHIFTED_CLOCK,
    SILENCE,
    SILENT_SOURCE,
)
from detectors.lab.incidents.telling import Told, incident, told
from detectors.lab.stage import Stage
from detectors.lab.systems import NHI, PENSION, REGISTER
from detectors.lab.timetable import at

__all__ = ["backdated_changes", "lost_records", "silent_source", "wrong_clock"]


def _late_day(stage: Stage) -> date | None:
    days = stage.working_days()
    late = days[len(days) // 3 : -1]
    return stage.rng.choice(late) if late else None


@incident(SILENCE, SILENT_SOURCE)
def silent_source(stage: Stage) -> Told | None:
    """Nothing arrives from a busy system for most of a working day."""
    if not (day := _late_day(stage)):
        return None
    source = stage.rng.choice((NHI, REGISTER))
    stage.silence(source, at(day, 9, 40), at(day, 16, 20))
    ja, en = f"{source}の記録が半日以上届かなかった。", f"Nothing arrived from {source} for hours."
    return Told((), source, at(day, 9, 40), at(day, 16, 20), ja, en)


@incident(SEQUENCE, MISSING_NUMBERS)
def lost_records(stage: Stage) -> Told | None:
    """Some minutes of a source's records are missing; its numbers tell."""
    if not (day := _late_day(stage)):
        return None
    start = at(day, stage.rng.randint(9, 11), stage.rng.randint(0, 30))
    end = start + timedelta(minutes=stage.rng.randint(25, 60))
    stage.silence(NHI, start, end, counted=True)
    return Told(
        (), NHI, start, end, f"{NHI}の記録の番号が抜けている。", f"Numbers are missing in the records of {NHI}."
    )


@incident(CLOCK, BACKDATING, SHIFTED_CLOCK)
def wrong_clock(stage: Stage) -> Told | None:
    """A source's clock is wrong for some hours."""
    if not (day := _late_day(stage)):
        return None
    source = stage.rng.choice((NHI, PENSION))
    start, end = at(day, 10, 30), at(day, 15)
    stage.skew(source, start, end, timedelta(minutes=-stage.rng.randint(40, 75)))
    ja, en = f"{source}の時計が数時間ずれていた。", f"The clock of {source} was wrong for some hours."
    return Told((), source, start, end, ja, en)


@incident(BACKDATING, BACKDATED_ACTS)
def backdated_changes(stage: Stage) -> Told | None:
    """Changes are entered as if they had been made days before."""
    part = stage.cast(fits=lambda person: person.pace > 0 and person.section.main_system != REGISTER)
    if not part:
        return None
    person, day = part
    seat = stage.seat(person, person.section.main_system, day)
    start = at(day, stage.rng.randint(14, 16), stage.rng.randint(0, 50))
    by = timedelta(days=stage.rng.randint(3, 8))
    acts = []
    for number in range(stage.rng.randint(2, 4)):
        act = seat.act(start + timedelta(minutes=2 + number), "update", subjects=(stage.stranger(person, day),))
        acts.append(stage.backdated(act, by))
    entered = [*stage.sign_in(seat, start), seat.act(start + timedelta(minutes=9), "logout")]
    stage.plant(person.id, [entered[0], *acts, entered[1]])
    ja = f"{person.name}が{len(acts)}件の異動を{by.days}日前の日付で入力した。"
    en = f"{person.id} entered {len(acts)} changes as if they had been made {by.days} days before."
    return told(person, seat.system, [day - by, day], ja, en)
