"""Incidents, third part: data carried out, linked without ground, worked on by contractors; logs that are not whole."""

from collections.abc import Callable

from foreign_model import DAY, HOUR, MINUTE, Act, Person
from foreign_plot import Missing, Plot
from foreign_routine import approve, export, medium_source, sources_of_jobs

__all__ = ["KINDS", "LOGS"]


def _exporter(plot: Plot, day: int, fits: Callable[[Person], bool] = lambda _: True) -> Person:
    at = plot.town.when(day, 12)
    return plot.clerk(day, None, lambda one: not plot.approved(one, at, ("export", "media", "print")) and fits(one))


def unapproved(plot: Plot, hard: bool) -> None:
    town, day = plot.town, plot.workday()
    person = _exporter(plot, day)
    rows = plot.rng.randint(60, 150) if hard else plot.rng.randint(3000, 20000)
    acts = [export(town, person, plot.moment(person, day), plot.system(person, day), rows)]
    town.label("export_without_approval", acts, actors=[person], hard=hard)


def over_approved(plot: Plot, hard: bool) -> None:
    town, day = plot.town, plot.workday()
    person = _exporter(plot, day)
    source, limit = plot.system(person, day), plot.rng.choice((200, 500))
    start, end = plot.span(day, 8.5, 17.25)
    approval = approve(town, "export", person, start, end, source=source, max_rows=limit, note="抽出")
    rows = round(limit * (1.6 if hard else 12))
    acts = [export(town, person, plot.moment(person, day), source, rows, approval)]
    town.label("export_over_approved_rows", acts, actors=[person], hard=hard)


def at_night(plot: Plot, hard: bool) -> None:
    """What was approved for the day is written out at night."""
    town, day = plot.town, plot.workday()
    person = _exporter(plot, day, lambda one: town.duty[one.id, day][1] < town.when(day, 18))
    source = plot.system(person, day)
    start, end = plot.span(day, 9, 17)
    approve(town, "export", person, start, end, source=source, max_rows=20000, note="抽出")
    at = town.when(day, 20.5 if hard else 23.2)
    acts = [town.sign_in(person, at - 60, source), export(town, person, at, source, 4000)]
    town.label("export_at_night", acts, actors=[person], hard=hard)


def drip(plot: Plot, _hard: bool) -> None:
    """Small lists, day after day."""
    town, rng = plot.town, plot.rng
    first = plot.workday(0.1, 0.6)
    person = plot.clerk(first, first + 18)
    acts = [
        export(town, person, at, plot.system(person, town.day_of(at)), rng.randint(40, 120), destination="local")
        for at in plot.spread(person, first, 2.6, 7)
        if not plot.approved(person, at, ("export",))
    ]
    if len(acts) < 4:
        raise Missing
    town.label("export_drip", acts, actors=[person], hard=True)


def medium(plot: Plot, hard: bool) -> None:
    """A private medium: no ledger, no approval."""
    town, day = plot.town, plot.workday()
    person = _exporter(plot, day)
    at, rows = plot.moment(person, day), (40 if hard else 5200)
    sheet = {"medium_id": f"M-{plot.rng.randint(800, 999)}", "rows": rows, "destination": "usb", "file": "data.csv"}
    acts = [town.act(person, at, medium_source(town), "media_write", export=sheet)]
    town.label("media_without_ledger", acts, actors=[person], hard=hard)


def _sheets(plot: Plot, kind: str, activity: str, hard: bool, count: int) -> None:
    town, day = plot.town, plot.workday()
    person = _exporter(plot, day)
    start, source = plot.moment(person, day) - HOUR, plot.system(person, day)
    seen = plot.strangers(person, start, count)
    acts = [town.look(person, start + n * 50, source, one, activity) for n, one in enumerate(seen)]
    town.label(kind, acts, actors=[person], subjects=seen, hard=hard)


def prints(plot: Plot, hard: bool) -> None:
    _sheets(plot, "print_spike", "print", hard, 20 if hard else 60)


def copies(plot: Plot, hard: bool) -> None:
    _sheets(plot, "screen_copy_spike", "screen_copy", hard, 10 if hard else 35)


def proxy(plot: Plot, hard: bool) -> None:
    """A friend writes everything out, another carries it off, and the friend leaves the audit's scope."""
    town, day = plot.town, plot.workday()
    friend = _exporter(plot, day)
    admin = plot.admin(day)
    at, rows = plot.moment(friend, day) - HOUR, plot.rng.randint(9000, 30000)
    file = f"all_{day:03d}.csv"
    source = plot.system(friend, day)
    sheet = {"file": file, "rows": rows, "destination": "file_share"}
    acts = [
        town.act(friend, at, source, "export", export=sheet),
        town.act(
            admin, at + (3 if hard else 0.3) * HOUR, "file-share", "download", export={**sheet, "destination": "pc"}
        ),
        town.act(
            admin,
            at + (3.5 if hard else 0.6) * HOUR,
            medium_source(town),
            "media_write",
            export={**sheet, "medium_id": "M-991", "destination": "usb"},
        ),
        town.act(
            admin,
            at + (4 if hard else 1) * HOUR,
            town.style.admin_source,
            "policy_change",
            operation_name="監査対象者の変更",
            target={"id": friend.id, "system": source},
        ),
    ]
    town.label("proxy_export", acts, actors=[friend, admin], hard=hard)


def staging(plot: Plot, hard: bool) -> None:
    """Before leaving, more is taken every time."""
    town = plot.town
    found = [one for one in town.people.values() if (one.posts[-1].last or 0) > 11]
    plot.rng.shuffle(found)
    for person in found:
        last = person.posts[-1].last or 0
        days = plot.days_there(person, last - 9, last)[-4:]
        if len(days) < 3 or not town.free(person, town.when(days[0], 0), town.when(last, 24)):
            continue
        acts = [
            export(
                town,
                person,
                plot.moment(person, day),
                plot.system(person, day),
                (n + 1) * (70 if hard else 900),
                activity="download" if n % 2 else "export",
                destination="local",
            )
            for n, day in enumerate(days)
        ]
        town.label("staging_before_leaving", acts, actors=[person], hard=hard)
        return
    raise Missing


def inquiry(plot: Plot, hard: bool) -> None:
    """Other bodies are asked without permit and without case."""
    town, day = plot.town, plot.workday()
    person = plot.clerk(day)
    at = plot.moment(person, day)
    seen = plot.strangers(person, at, 1 if hard else 4)
    acts = [town.sign_in(person, at - 60, "intermediate-server")]
    acts += [
        town.look(person, at + n * 90, "intermediate-server", one, "inquiry", counterparty={"body": "県外の市"})
        for n, one in enumerate(seen)
    ]
    town.label("inquiry_without_permit", acts, actors=[person], subjects=seen, hard=hard)


def one_sided(plot: Plot, hard: bool) -> None:
    """A linkage of which only one side is on record."""
    town, day = plot.town, plot.workday()
    sources = sources_of_jobs(town)
    one, other = plot.rng.sample(sources, 2)
    at = town.when(day, 13)
    sheet = {"file": f"adhoc_{day:03d}.dat", "rows": 30 if hard else 2600}
    doing = plot.rng.choice(("transfer", "receive"))
    acts = [town.act(None, at, one, doing, export=sheet, counterparty={"system": other})]
    town.label("one_sided_linkage", acts, source=one, partner=other, hard=hard)


def auto_answer(plot: Plot, hard: bool) -> None:
    """The flag that keeps a record from being answered by itself is overridden."""
    town, day = plot.town, plot.workday()
    person = plot.clerk(day)
    at = plot.moment(person, day)
    flagged = [one for one in town.residents if "protected" in one.flags]
    (resident,) = plot.strangers(person, at, 1, flagged)
    words = {"operation_name": "自動応答不可フラグ解除"}
    acts = [town.sign_in(person, at - 60, "intermediate-server")]
    acts.append(town.act(person, at, "intermediate-server", "config_change", [resident], **words))
    if not hard:
        party = {"body": "県外の市", "purpose_no": "9"}
        acts.append(town.act(person, at + 120, "intermediate-server", "provision", [resident], counterparty=party))
    town.label("auto_answer_overridden", acts, actors=[person], subjects=[resident], hard=hard)


def _engineer(plot: Plot, day: int) -> Person:
    town = plot.town
    found = town.choose(
        town.when(day, 0),
        town.when(day + 1, 0),
        lambda one: one.role == "engineer" and not plot.approved(one, town.when(day, 12), ("maintenance",)),
    )
    if found is None:
        raise Missing
    return found


def outside_window(plot: Plot, hard: bool) -> None:
    """A contractor works when nothing was approved."""
    town, day = plot.town, plot.workday()
    person = _engineer(plot, day)
    at = town.when(day, 14.5 if hard else 22.6)
    acts = [
        town.sign_in(person, at, "contractor-terminal"),
        town.act(person, at + 900, "contractor-terminal", "maintenance", operation_name="データ修正"),
    ]
    town.label("contractor_outside_window", acts, actors=[person], hard=hard)


def contractor_copy(plot: Plot, hard: bool) -> None:
    """A contractor, inside an approved window, takes data out."""
    town, day = plot.town, plot.workday()
    person = _engineer(plot, day)
    start, end = plot.span(day, 18, 21)
    chief = next(one.id for one in town.people.values() if one.role == "manager")
    approve(town, "maintenance", person, start, end, chief, source="contractor-terminal", note="障害対応")
    at = start + 40 * MINUTE
    signed = town.sign_in(person, at - 300, "contractor-terminal")
    acts = [signed, export(town, person, at, "contractor-terminal", 90 if hard else 12000, destination="usb")]
    town.label("contractor_take_out", acts, actors=[person], hard=hard)


def contractor_views(plot: Plot, hard: bool) -> None:
    """A contractor looks at residents' records."""
    town, day = plot.town, plot.workday()
    person = _engineer(plot, day)
    at, source = town.when(day, 15), sources_of_jobs(town)[0]
    seen = plot.strangers(person, at, 2 if hard else 7)
    acts = [town.sign_in(person, at - 60, source)]
    acts += [town.look(person, at + n * 70, source, one) for n, one in enumerate(seen)]
    town.label("contractor_reads_records", acts, actors=[person], subjects=seen, hard=hard)


def log_cleared(plot: Plot, hard: bool) -> None:
    town, day = plot.town, plot.workday()
    admin = plot.admin(day)
    at = plot.moment(admin, day) if hard else town.when(day, 21)
    acts = [town.act(admin, at, town.style.admin_source, "log_clear", operation_name="ログ消去")]
    town.label("log_cleared", acts, actors=[admin], source=town.style.admin_source, hard=hard)


def backdating(plot: Plot, hard: bool) -> None:
    """Entered today as if it had been done days ago."""
    town, day = plot.town, plot.workday(0.3, 0.93)
    person = plot.clerk(day, None, lambda one: plot.system(one, day) in town.style.stamped)
    written, source = plot.moment(person, day), plot.system(person, day)
    seen = plot.strangers(person, written, 2 if hard else 4)
    acts = []
    for n, one in enumerate(seen):
        past = written - (2 if hard else 6) * DAY + n * 60
        if not plot.unaccounted(person, one, past):
            raise Missing
        acts.append(town.look(person, past, source, one, "update", written=written + n * 60))
    town.label("backdated", acts, actors=[person], subjects=seen, source=source, hard=hard, span=(acts[0].at, written))


def _quiet_source(plot: Plot, sources: list[str]) -> tuple[str, int]:
    """A busy source and a working day on which nothing else is wrong with it."""
    taken = plot.labelled_days()
    days = [day for day in plot.workdays[6:-3] if plot.town.on(day).weekday() < 5]
    pairs = [(one, day) for one in sources for day in days if (one, day) not in taken]
    if not pairs:
        raise Missing
    return plot.rng.choice(pairs)


def _acts(plot: Plot, source: str, start: float, end: float) -> list[Act]:
    return sorted(
        (act for act in plot.town.acts if act.source == source and start <= act.at < end), key=lambda act: act.written
    )


def silence(plot: Plot, hard: bool) -> None:
    """A system is at work, its log says nothing."""
    town = plot.town
    busy = [max(one.systems, key=lambda system: one.systems[system]) for one in town.style.sections[:3]]
    source, day = _quiet_source(plot, busy)
    start, end = plot.span(day, 10, 15 if hard else 17.5)
    for act in _acts(plot, source, start, end):
        act.gone = True
    town.label("source_silent", [], source=source, hard=hard, span=(start, end))


def gap(plot: Plot, hard: bool) -> None:
    """Numbers are missing in the middle of a day."""
    town = plot.town
    sources = sorted(town.style.sequenced - {"common-platform", "gov-cloud"})
    source, day = _quiet_source(plot, sources)
    start, end = plot.span(day, 9, 16)
    found = _acts(plot, source, start, end)
    count = 12 if hard else 60
    if len(found) < count * 2:
        raise Missing
    first = plot.rng.randrange(len(found) - count)
    for act in found[first : first + count]:
        act.lost = True
    town.label(
        "sequence_gap", [], source=source, hard=hard, span=(found[first].at - 1, found[first + count - 1].at + 1)
    )


def skew(plot: Plot, hard: bool) -> None:
    """A system's clock is wrong for a day; what people did meanwhile is honest, so the label names no event."""
    town = plot.town
    source, day = _quiet_source(plot, sorted(town.style.stamped - {"common-platform", "gov-cloud"}))
    start, end = plot.span(day, 9, 17)
    found = _acts(plot, source, start, end)
    if len(found) < 20:
        raise Missing
    for act in found:
        act.at += (4 if hard else 23) * MINUTE
    town.label("clock_skew", [], source=source, hard=hard, span=(start, end))


KINDS = (
    unapproved,
    over_approved,
    at_night,
    drip,
    medium,
    prints,
    copies,
    proxy,
    staging,
    inquiry,
    one_sided,
    auto_answer,
    outside_window,
    contractor_copy,
    contractor_views,
    log_cleared,
    backdating,
)
"""Every kind of this part; each plants one incident, or raises `Missing`."""
LOGS = (silence, gap, skew)
"""What happens to logs; last, because it must not touch what is labelled."""
