"""The menu: what a person may open, in groups, so that it stays one line.

Who may open few pages has them all in that line. Who may open more has the groups there, each leading to its first
page, and the pages of the group they are in on a line below.
"""

from collections.abc import Collection
from dataclasses import dataclass

from audit.texts import Texts

__all__ = ["Entry", "Menu", "menu"]

_NO_GROUP = Texts.same("")
_FLAT = 4
"""So many pages stand in one line without groups."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A word of the menu.

    Attributes:
        url: where it leads.
        label: its name.
        current: `page` on that very page, `true` on one below it or of its group; else empty.
    """

    url: str
    label: Texts
    current: str = ""


@dataclass(frozen=True, slots=True)
class Menu:
    """The lines of the menu; `group` names the second."""

    first: tuple[Entry, ...]
    second: tuple[Entry, ...] = ()
    group: Texts = _NO_GROUP


_GROUPS: tuple[tuple[Texts, tuple[tuple[str, str, Texts], ...]], ...] = (
    (
        Texts("監視", "Watch"),
        (
            ("alerts:alert:read", "/alerts", Texts("警告", "Alerts")),
            ("events:event:search", "/events", Texts("記録の検索", "Search the log")),
            ("boards:board:read", "/board", Texts("全体のようす", "Overview")),
            ("alerts:alert:read", "/detectors", Texts("検知器", "Detectors")),
            ("detectors:change:read", "/tuning", Texts("検知の調整", "Tuning")),
        ),
    ),
    (
        Texts("人と権限", "People and rights"),
        (
            ("rights:application:create", "/rights", Texts("利用権限", "Rights")),
            ("approvals:request:create", "/approvals", Texts("承認の申請", "Approvals")),
            ("emergencies:emergency:declare", "/emergencies", Texts("緊急利用", "Emergencies")),
            ("admin:user:manage", "/users", Texts("利用者", "Users")),
        ),
    ),
    (Texts("システム", "Systems"), (("sources:source:read", "/sources", Texts("システム", "Systems")),)),
)
"""Each group with the pages in it: who may open one, where it is, and its name."""


def menu(permissions: Collection[str], path: str) -> Menu:
    """The menu of one person on one page.

    Args:
        permissions: what they may do.
        path: the page, with whatever follows its question mark.
    """
    here = path.partition("?")[0]
    groups = [
        (name, tuple(Entry(url, label, _current(url, here)) for need, url, label in pages if need in permissions))
        for name, pages in _GROUPS
    ]
    groups = [(name, entries) for name, entries in groups if entries]
    every = tuple(entry for _, entries in groups for entry in entries)
    if len(every) <= _FLAT:
        return Menu(every)
    inside = [(name, entries) for name, entries in groups if any(entry.current for entry in entries)]
    first = tuple(
        # The only page of a group stands for itself.
        entries[0] if len(entries) == 1 else Entry(entries[0].url, name, "true" if (name, entries) in inside else "")
        for name, entries in groups
    )
    name, second = inside[0] if inside else (_NO_GROUP, ())
    return Menu(first, second, name) if len(second) > 1 else Menu(first)


def _current(url: str, here: str) -> str:
    if here == url:
        return "page"
    return "true" if here.startswith(f"{url}/") else ""
