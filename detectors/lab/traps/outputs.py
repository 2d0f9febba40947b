"""Data that leaves and rights that change, as somebody applied for and somebody else approved."""

from datetime import timedelta

from detectors.lab.acts import Export, Target
from detectors.lab.incidents.expected import EXPORT, EXPORT_ROWS, GUESSING, LEDGER, PRINTS, RESET_USED, UNREQUESTED
from detectors.lab.incidents.telling import Told, told, trap
from detectors.lab.sections import SYSTEMS_UNIT
from detectors.lab.stage import Stage
from detectors.lab.systems import LEVY, MEDIA, PLATFORM, REGISTER, SYSTEMS
from detectors.lab.timetable import at

__all__ = ["forgotten_password", "month_end_bulk", "notice_run", "password_reset", "requested_grant"]


@trap(EXPORT, EXPORT_ROWS, LEDGER)
def month_end_bulk(stage: Stage) -> Told | None:
    """The month's reconciliation list goes out on a registered medium, larger than anything else, and approved."""
    if not (part := stage.cast(fits=lambda person: person.pace > 0 and person.section.main_system != REGISTER)):
        return None
    person, day = part
    system, rows, medium = (
        person.section.main_system,
        stage.rng.randint(3_000, 12_000),
        f"M-{stage.rng.randint(31, 39):03}",
    )
    span = at(day, 0) - timedelta(days=1), at(day, 24)
    given = stage.approve(person, system, *span, "月次の突合データ", kind="export", max_rows=rows + 100, medium=medium)
    stage.approve(person, MEDIA, *span, "外部媒体の使用", kind="media", medium=medium)
    sheet = Export(rows, f"{system}-{day:%y%m}.csv", "", "usb", medium, given.id)
    spot = stage.rng.uniform(0.1, 0.7)
    stage.chore(person, day, system, ("export", {"export": sheet, "detail": "月次突合"}), spot=spot)
    stage.ledger(person, day, medium, rows, spot=spot)
    ja = f"{person.name}が承認を得て月次の突合データ{rows}件を登録媒体に出力した。"
    en = f"{person.id} exported the month's {rows} rows to a registered medium, as approved."
    return told(person, system, [day], ja, en)


@trap(PRINTS, EXPORT)
def notice_run(stage: Stage) -> Told | None:
    """Hundreds of notices are printed, as ordered."""
    if not (part := stage.cast(fits=lambda person: person.pace > 0 and person.section.main_system != REGISTER)):
        return None
    person, day = part
    system, rows = person.section.main_system, stage.rng.randint(400, 2_000)
    stage.approve(person, system, at(day, 0), at(day, 24), "通知書の一括印刷", kind="print", max_rows=rows)
    sheet = {"export": Export(rows, destination="printer"), "detail": "通知書一括印刷"}
    stage.chore(person, day, system, ("print", sheet))
    ja = f"{person.name}が承認を得て通知書{rows}件を一括印刷した。"
    return told(person, system, [day], ja, f"{person.id} printed {rows} notices, as ordered.")


@trap(GUESSING)
def forgotten_password(stage: Stage) -> Told | None:
    """Two or three mistyped passwords on the own terminal, then the right one."""
    if not (part := stage.cast()):
        return None
    person, day = part
    seat = stage.seat(person, person.section.main_system, day)
    subjects = [stage.client_of(person, day) for _ in range(2)]
    clients = [found[0] for found in subjects if found]
    stage.visit(seat, at(day, 8, 41), subjects=clients, gap=(30, 90), failures=stage.rng.choice((2, 3)))
    ja = f"{person.name}が自席の端末でパスワードを数回間違えた後にサインインした。"
    en = f"{person.id} mistyped the password a few times at the own terminal, then signed in."
    return told(person, seat.system, [day], ja, en)


@trap(RESET_USED, GUESSING)
def password_reset(stage: Stage) -> Told | None:
    """A password is really forgotten: it is reset on request, and its owner signs in at the own terminal."""
    if not (part := stage.cast(fits=lambda person: person.pace > 0)):
        return None
    person, day = part
    setters = [one for one in stage.technicians() if stage.timetable.ordinary(one, day) and stage.free(one)]
    if not setters or not (client := stage.client_of(person, day)):
        return None
    one = stage.rng.choice(setters)
    stage.take([one])
    system = person.section.main_system
    start = at(day, 9, stage.rng.randint(0, 30))
    seat, console = stage.seat(person, system, day), stage.seat(one, PLATFORM, day)
    tries = stage.sign_in(seat, start, failures=4)[:-1]
    stage.plant(person.id, tries)
    reset = console.act(start + timedelta(minutes=9), "credential_reset", target=Target(person.id, system=system))
    stage.plant(one.id, stage.session(console, start + timedelta(minutes=8), [reset]))
    stage.visit(stage.seat(person, system, day, "x2"), start + timedelta(minutes=14), subjects=[client[0]])
    ja = f"{person.name}の依頼で{one.name}がパスワードを初期化し、本人が自席でサインインした。"
    en = f"{one.id} reset the forgotten password of {person.id}, who then signed in at the own terminal."
    return told((person, one), system, [day], ja, en)


@trap(UNREQUESTED)
def requested_grant(stage: Stage) -> Told | None:
    """A right is applied for, approved by the head, and set."""
    part = stage.cast(SYSTEMS_UNIT, fits=lambda person: person.kind == "staff")
    if not part:
        return None
    setter, day = part
    there = [p for p in stage.people if p.pace and stage.free(p) and stage.timetable.ordinary(p, day)]
    heads = [p for p in there if p.post == "係長"]
    pairs = [
        (head, one) for head in heads for one in there if one.manager == head.id and LEVY not in one.section.systems
    ]
    if not pairs:
        return None
    head, one = stage.rng.choice(pairs)
    stage.take([head])
    target = {"target": Target(one.id, SYSTEMS[LEVY].affair, LEVY)}
    stage.chore(head, day, PLATFORM, ("apply", target), ("approve", target), spot=0.15)
    stage.chore(setter, day, PLATFORM, ("grant", target), spot=0.5)
    ja = f"{head.name}が申請・承認した{LEVY}の権限を、{setter.name}が{one.name}に付けた。"
    en = f"{setter.id} granted {LEVY} to {one.id}, as {head.id} had applied for and approved."
    return told((setter, head), PLATFORM, [day], ja, en)
