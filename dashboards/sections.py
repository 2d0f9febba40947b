"""One event laid out for reading: every field in a section, none left out.

The sections follow the questions a reviewer asks (what, who, whose records, where, how proven). A field that
no section names goes to the last but one, so a newer producer's field is shown rather than lost.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dashboards.model import EventView, Texts

__all__ = ["Section", "event_sections"]

_UNMAPPED = Texts("そのほかの項目(元の記録のまま)", "Other fields (as the source wrote them)")
_RECORD = Texts("監査ログの控え", "Entry in the audit log")
_SECTIONS: tuple[tuple[Texts, frozenset[str]], ...] = (
    (
        Texts("何をしたか", "What was done"),
        frozenset(
            {
                "time",
                "activity",
                "operation_name",
                "outcome",
                "screen",
                "affair",
                "query",
                "reason",
                "case_id",
            }
        ),
    ),
    (Texts("だれが", "Who"), frozenset({"actor", "auth", "session"})),
    (Texts("だれの記録か", "Whose records"), frozenset({"subjects", "subject_count", "target"})),
    (Texts("どこで・どこへ", "Where"), frozenset({"terminal", "export", "counterparty"})),
    (Texts("元の記録", "At the source"), frozenset({"event_id", "sequence", "recorded_at"})),
)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its fields as (dotted path, value)."""

    title: Texts
    fields: tuple[tuple[str, str], ...]


def _flat(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and (value or not path):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        if any(isinstance(item, Mapping) for item in value):
            for position, item in enumerate(value):
                yield from _flat(item, f"{path}[{position}]")
        else:
            yield path, ", ".join(map(str, value))
    elif value is not None:
        yield path, str(value).lower() if isinstance(value, bool) else str(value)


def event_sections(event: EventView) -> list[Section]:
    """The sections of an event that have something to say."""
    left = dict(event.document)
    unmapped = left.pop("unmapped", None)
    sections = []
    for title, names in _SECTIONS:
        mine = {name: left.pop(name) for name in list(left) if name in names}
        sections.append(Section(title, tuple(_flat(mine))))
    # What the contract does not know stands beside what the source's profile did not map.
    foreign = _flat(unmapped, "" if isinstance(unmapped, Mapping) else "unmapped")
    sections.append(Section(_UNMAPPED, (*_flat(left), *foreign)))
    sections.append(Section(_RECORD, tuple(_flat(event.record))))
    return [section for section in sections if section.fields]
