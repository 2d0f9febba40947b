"""Contractors outside their window, or beyond what maintenance needs."""

from detectors.lab.incidents.expected import CONTRACTOR_READS, CONTRACTOR_WINDOW, OFF_HOURS
from detectors.lab.incidents.telling import Told, incident, told
from detectors.lab.stage import Stage
from detectors.lab.systems import ATENA, SERVER
from detectors.lab.timetable import at

__all__ = ["contractor_dump", "contractor_night"]


@incident(CONTRACTOR_WINDOW, OFF_HOURS)
def contractor_night(stage: Stage) -> Told | None:
    """A contractor works on the server at night; nobody ordered maintenance."""
    part = stage.cast(follows=1, fits=lambda person: person.kind == "contractor")
    if not part:
        return None
    person, day = part
    seat = stage.seat(person, SERVER, day)
    commands = ("/usr/bin/systemctl stop renkei", "/usr/bin/vi /etc/renkei.conf", "/usr/bin/systemctl start renkei")
    start = at(day, stage.rng.randint(20, 23), stage.rng.randint(5, 50))
    acts = [seat.act(start.replace(second=10 + n), "operation", detail=text) for n, text in enumerate(commands)]
    stage.plant(person.id, stage.session(seat, start, acts))
    ja = f"委託先の{person.name}が、承認された作業時間帯でない夜間にサーバーで作業した。"
    en = f"The contractor {person.id} worked on the server at night; no maintenance had been approved."
    return told(person, SERVER, [day], ja, en)


@incident(CONTRACTOR_READS)
def contractor_dump(stage: Stage) -> Told | None:
    """In the house by roster, a contractor reads the whole addressee table."""
    for person in stage.contractors():
        late = stage.timetable.days[len(stage.timetable.days) // 3 :]
        days = [day for day in late if stage.timetable.hours(person, day)]
        if not stage.free(person) or not days:
            continue
        stage.take([person])
        day = stage.rng.choice(days)
        seat = stage.seat(person, ATENA, day)
        start = at(day, stage.rng.randint(13, 15), stage.rng.randint(0, 50))
        texts = (
            "SELECT * FROM public.addressee",
            "SELECT atena_no, jusho FROM public.addressee WHERE shien_flag = '1'",
        )
        rows = (stage.rng.randint(20_000, 90_000), stage.rng.randint(10, 40))
        acts = [
            seat.act(start.replace(second=10 + 20 * n), "view", detail=text, hits=count)
            for n, (text, count) in enumerate(zip(texts, rows, strict=True))
        ]
        stage.plant(person.id, stage.session(seat, start, acts))
        ja = f"委託先の{person.name}が、保守に必要のない宛名情報{rows[0]}件を読み出した。"
        en = f"The contractor {person.id} read {rows[0]} addressee rows that no maintenance needs."
        return told(person, ATENA, [day], ja, en)
    return None
