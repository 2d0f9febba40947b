"""Where accounts act: at whose terminals, since when, beside whom. Taken from the log, and from the registered ones."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from audit.context import Terminal, WorkContext
from audit.events import Activity
from audit.log import Dimension, Filter, Measure
from detectors.evidence import EVIDENCE_COLUMNS
from detectors.model import Reader, Window

__all__ = ["HISTORY", "Places", "Stay", "acts_of", "approved_there", "related", "whereabouts"]

HISTORY = timedelta(days=28)
_A = Activity
_BY_HAND = tuple(
    sorted(set(_A) - {_A.LOGOUT, _A.LOCK, _A.HEARTBEAT, _A.LEDGER_ENTRY, _A.ENTRY, _A.EXIT, _A.JOB_RUN, _A.BACKUP})
)
_AT_HOME_DAYS = 3
"""Whoever acts somewhere on so many days is at home there."""
_MANY = 3
"""A terminal at which so many are at home belongs to nobody."""
_FOR_ALL = frozenset({"counter", "shared", "server"})


@dataclass(frozen=True, slots=True)
class Stay:
    """What one account did at one place on the day."""

    actor: str
    place: str
    unit: str
    first: datetime
    last: datetime
    events: int


@dataclass(frozen=True, slots=True)
class Places:
    """Who is at home where, by the four weeks before.

    Attributes:
        homes: on how many days each account acted at each place, by account.
        guests: the same, by place.
        registered: the registered terminal of a place, where it has one.
        aliases: the terminal behind an address.
    """

    homes: Mapping[str, Mapping[str, int]]
    guests: Mapping[str, Mapping[str, int]]
    registered: Mapping[str, Terminal]
    aliases: Mapping[str, str]

    def at_home(self, actor: str, place: str) -> bool:
        """Whether an account has acted somewhere on some days before."""
        return self.homes.get(actor, {}).get(place, 0) >= _AT_HOME_DAYS

    def seen(self, actor: str, place: str) -> bool:
        """Whether an account has acted somewhere before."""
        return self.homes.get(actor, {}).get(place, 0) > 0

    def settled(self, actor: str) -> bool:
        """Whether an account has a home anywhere, so that another place says something."""
        return any(days >= _AT_HOME_DAYS for days in self.homes.get(actor, {}).values())

    def owners(self, place: str) -> tuple[str, ...]:
        """The accounts that are at home somewhere."""
        return tuple(sorted(actor for actor, days in self.guests.get(place, {}).items() if days >= _AT_HOME_DAYS))

    def for_all(self, place: str) -> bool:
        """Whether a place belongs to nobody: a counter, a server, a terminal at which many are at home."""
        terminal = self.registered.get(place)
        if terminal is not None and terminal.kind in _FOR_ALL:
            return True
        return len(self.owners(place)) >= _MANY or len(self.guests.get(place, {})) >= 2 * _MANY


def _within(address: str, ranges: str) -> bool:
    try:
        return ip_address(address) in ip_network(ranges, strict=False)
    except ValueError:
        return False


def _registered(context: WorkContext, places: Iterable[tuple[str, str]]) -> dict[str, Terminal]:
    """Registered terminals by place: by id, else by the first whose addresses include this one."""
    by_id = {terminal.terminal_id: terminal for terminal in context.terminals}
    ranges = [terminal for terminal in context.terminals if terminal.ip_range]
    found = {}
    for place, address in places:
        terminal = by_id.get(place)
        if terminal is None and place == address:
            terminal = next((other for other in ranges if _within(address, other.ip_range)), None)
        if terminal is not None:
            found[place] = terminal
    return found


def _aliases(context: WorkContext, rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The terminal behind an address, where there is one only: some sources write the one, some the other."""
    behind: dict[str, set[str]] = defaultdict(set)
    for terminal in context.terminals:
        if terminal.ip_range and "/" not in terminal.ip_range:
            behind[terminal.ip_range].add(terminal.terminal_id)
    for row in rows:
        if row["terminal"] and row["address"]:
            behind[row["address"]].add(row["terminal"])
    return {address: next(iter(ids)) for address, ids in behind.items() if len(ids) == 1}


def _wanted(start: datetime, end: datetime, actors: Collection[str] = ()) -> Filter:
    return Filter(
        start=start,
        end=end,
        activities=_BY_HAND,
        outcomes=("", "success"),
        staff_only=True,
        actors=tuple(sorted(actors)),
    )


def whereabouts(window: Window, reader: Reader) -> tuple[Places, list[Stay]]:
    """Who is at home where, and every account's stays of the day; acts from nowhere are left out."""
    by = (Dimension.ACTOR, Dimension.TERMINAL, Dimension.ADDRESS)
    before = reader.aggregate(_wanted(window.start - HISTORY, window.start), by, (Measure.DAYS,))
    today = reader.aggregate(
        _wanted(window.start, window.end), (*by, Dimension.ORG_UNIT), (Measure.FIRST, Measure.LAST, Measure.EVENTS)
    )
    aliases = _aliases(reader.context, (*before, *today))
    homes: dict[str, dict[str, int]] = defaultdict(dict)
    guests: dict[str, dict[str, int]] = defaultdict(dict)
    for row in before:
        if place := row["terminal"] or aliases.get(row["address"], row["address"]):
            days = max(row["days"], homes[row["actor"]].get(place, 0))
            homes[row["actor"]][place] = guests[place][row["actor"]] = days
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in today:
        if place := row["terminal"] or aliases.get(row["address"], row["address"]):
            found[row["actor"], place].append(row)
    addresses = {(row["terminal"] or aliases.get(row["address"], row["address"]), row["address"]) for row in today}
    places = Places(homes, guests, _registered(reader.context, sorted(addresses)), aliases)
    return places, sorted(
        (_stay(reader.context, actor, place, parts) for (actor, place), parts in found.items()),
        key=lambda stay: (stay.actor, stay.first, stay.place),
    )


def _stay(context: WorkContext, actor: str, place: str, parts: Sequence[Mapping[str, Any]]) -> Stay:
    first = min(part["first"] for part in parts)
    return Stay(
        actor,
        place,
        context.unit_of(actor, first, max(part["org_unit"] for part in parts)),
        first,
        max(part["last"] for part in parts),
        sum(part["events"] for part in parts),
    )


def acts_of(window: Window, reader: Reader, places: Places, actor: str) -> list[dict[str, Any]]:
    """An account's acts of the day in the order of time, each with its `place`."""
    columns = (*EVIDENCE_COLUMNS, "activity", "session", "terminal_id", "terminal_ip")
    events = list(reader.columns(_wanted(window.start, window.end, (actor,)), columns))
    for event in events:
        event["place"] = event["terminal_id"] or places.aliases.get(event["terminal_ip"], event["terminal_ip"])
    return [event for event in events if event["place"]]


def approved_there(context: WorkContext, actor: str, event: Mapping[str, Any]) -> bool:
    """Whether somebody else approved work at another terminal, or work at that time."""
    source, at = event["source"], event["time"]
    return (
        bool(context.approved("terminal", actor, source, at))
        or bool(context.approved("maintenance", actor, source, at))
        or context.window_at(actor, source, at) is not None
    )


def related(unit: str, other: str) -> bool:
    """Whether two units are the same, or one is part of the other."""
    return f"{unit}/".startswith(f"{other}/") or f"{other}/".startswith(f"{unit}/")
