"""What systems administrators, maintenance contractors and the machines themselves do."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random

from detectors.lab.acts import Act, Errand
from detectors.lab.days import is_ordinary_working_day
from detectors.lab.habits import Habits, signed_in
from detectors.lab.handling import counterparty
from detectors.lab.model import Person
from detectors.lab.residents import Residents
from detectors.lab.seat import Seat
from detectors.lab.systems import ATENA, DOOR, INTERMEDIATE, SERVER
from detectors.lab.timetable import at

__all__ = ["BATCH", "machine_day", "technician_day"]

BATCH = "batch_atena"
"""The service account of the night's jobs. Service accounts never look like staff ids."""

_COMMANDS = (
    "/usr/bin/systemctl status postgresql",
    "/usr/bin/tail -n 200 /var/log/postgresql/postgresql.log",
    "/usr/bin/journalctl -u renkei --since today",
    "/usr/bin/systemctl restart renkei",
    "/usr/bin/df -h",
    "/usr/bin/apt-get -s upgrade",
)
_STATEMENTS = (
    "SELECT count(*) FROM public.renkei_queue WHERE state = 'error'",
    "SELECT atena_no, updated_at FROM public.addressee ORDER BY updated_at DESC LIMIT 50",
    "UPDATE public.renkei_queue SET state = 'retry' WHERE state = 'error'",
    "SELECT relname, n_dead_tup FROM pg_catalog.pg_stat_user_tables",
)
_NIGHT = (
    "SELECT atena_no, setai_no\nFROM public.juki_delta\nWHERE torikomi_date = CURRENT_DATE",
    "INSERT INTO public.addressee_work SELECT * FROM public.juki_delta",
    "UPDATE public.addressee SET updated_at = now() WHERE atena_no IN (SELECT atena_no FROM addressee_work)",
    "INSERT INTO public.renkei_queue (atena_no, kind) SELECT atena_no, 'juki' FROM public.addressee_work",
    "DELETE FROM public.addressee_work",
)
_ACTIVITIES = {"SELECT": "view", "INSERT": "create", "UPDATE": "update", "DELETE": "delete"}


def technician_day(rng: Random, habits: Habits, person: Person, day: date, errands: Sequence[Errand]) -> list[Act]:
    """What a systems administrator or maintenance contractor does on a day."""
    acts: list[Act] = []
    blocks = habits.blocks(rng, person, day, errands)
    for number, block in enumerate(blocks):
        for visit in range(rng.randint(0, 2)):
            seat = Seat.of(person, SERVER, day, f"{number}s{visit}")
            moments = sorted(_moment(rng, *block) for _ in range(rng.randint(1, 4)))
            work = [seat.act(moment, "operation", detail=rng.choice(_COMMANDS)) for moment in moments]
            acts += signed_in(rng, seat, work, block[1] + timedelta(minutes=8))
        if person.kind == "staff" and rng.random() < 0.4:
            seat = Seat.of(person, ATENA, day, f"{number}a")
            moments = sorted(_moment(rng, *block) for _ in range(rng.randint(1, 5)))
            work = [statement(rng, seat, moment, rng.choice(_STATEMENTS)) for moment in moments]
            acts += signed_in(rng, seat, work, block[1] + timedelta(minutes=8))
    if person.kind == "contractor" and blocks:
        door = Seat.of(person, DOOR, day, "d")
        acts += [
            door.act(blocks[0][0] + timedelta(minutes=rng.uniform(0, 3)), "entry", detail="サーバー室"),
            door.act(blocks[-1][1] + timedelta(minutes=rng.uniform(8, 11)), "exit", detail="サーバー室"),
        ]
    return acts


def machine_day(rng: Random, day: date, residents: Residents) -> list[Act]:
    """What runs by itself: cron on the server, the night's batch, copies and automatic answers to other bodies."""
    cron = Seat(SERVER, "root", "", "", "cron")
    acts = [cron.act(at(day, hour, 17, 1.0 + rng.random()), "job_run") for hour in range(24)]
    batch = Seat(ATENA, BATCH, "", "10.9.1.10", f"batch-{day:%m%d}")
    moment = at(day, 2, 0, rng.uniform(0.1, 3))
    acts.append(batch.act(moment, "login"))
    for text in _NIGHT:
        moment += timedelta(seconds=rng.uniform(2, 90))
        acts.append(statement(rng, batch, moment, text))
    acts.append(batch.act(moment + timedelta(seconds=rng.uniform(0.2, 2)), "logout"))
    linkage = Seat(INTERMEDIATE, "batch_renkei", "", "10.9.1.11", f"renkei-{day:%m%d}")
    acts.append(linkage.act(at(day, 3, 5, rng.uniform(0, 30)), "copy_register"))
    acts.append(linkage.act(at(day, 4, 0, rng.uniform(0, 30)), "purge"))
    for _ in range(rng.randint(2, 8) if is_ordinary_working_day(day) else 0):
        moment = at(day, 9) + timedelta(hours=rng.uniform(0, 8))
        other = counterparty(rng, "local-tax")
        acts.append(linkage.act(moment, "provision", subjects=(rng.choice(residents.ids),), counterparty=other))
    return acts


def statement(rng: Random, seat: Seat, moment: datetime, text: str) -> Act:
    """A statement in the addressee database."""
    return seat.act(moment, _ACTIVITIES[text.split(maxsplit=1)[0]], detail=text, hits=rng.randint(0, 180))


def _moment(rng: Random, start: datetime, end: datetime) -> datetime:
    """A moment in a block, seldom in the lunch hour."""
    span = (end - start).total_seconds()
    moment = start + timedelta(seconds=rng.random() * span)
    if moment.hour == 12 and rng.random() < 0.75:
        moment = start + timedelta(seconds=rng.random() * span)
    return moment
