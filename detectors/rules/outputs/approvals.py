"""Outputs, and the approvals that cover them.

An approval covers an output of its person and system while it is in force, if somebody else gave it and it was entered
before; the output need not quote it. One that names a medium covers that medium only. What was approved in the past
tells how much an output without approval means here: in some towns, every list has its paper, in others hardly any.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from audit.clock import tokyo_date
from audit.context import Approval, WorkContext
from audit.events import Activity
from audit.log import Dimension, Filter, Measure
from audit.texts import Texts
from detectors.evidence import EVIDENCE_COLUMNS
from detectors.model import Reader, Window

__all__ = [
    "OUTPUTS",
    "OUTPUT_COLUMNS",
    "Approvals",
    "Practice",
    "groups",
    "is_job",
    "outputs_of",
    "rows_of",
    "size_of",
    "takes_away",
    "wanted_of",
    "what",
]

_A = Activity
OUTPUTS = tuple(sorted((_A.DOWNLOAD, _A.EXPORT, _A.MEDIA_WRITE, _A.UPLOAD)))
OUTPUT_COLUMNS = (
    *EVIDENCE_COLUMNS,
    "activity",
    "actor_id",
    "actor_kind",
    "actor_org_unit",
    "export_rows",
    "export_destination",
    "export_file",
    "export_sha256",
    "export_medium_id",
    "subject_count",
)
_KINDS = ("export", "media", "transfer")
_GRACE = timedelta(minutes=30)
_AWAY = (
    "usb",
    "sd",
    "dvd",
    "cd",
    "hdd",
    "disc",
    "disk",
    "媒体",
    "外付",
    "removable",
    "mail",
    "メール",
    "cloud",
    "クラウド",
)
"""Words of destinations that lie outside the house."""
_JOB_DAYS = 8
"""An account outside the directory that takes data out on so many of 28 days is a job that somebody set up."""
_PRIOR = 4.0
"""How many outputs of the past weigh as much as what was supposed before seeing any."""


def wanted_of(window: Window, activities: Sequence[str] = OUTPUTS, **more: Any) -> Filter:  # noqa: ANN401 - any field
    """The outputs of people in a window that succeeded."""
    return Filter(
        start=window.start,
        end=window.end,
        activities=tuple(activities),
        outcomes=("", "success"),
        staff_only=True,
        **more,
    )


def groups(reader: Reader, wanted: Filter, *more: Dimension) -> list[dict[str, Any]]:
    """Outputs by person, system and kind, and how many rows the largest of them has; first of all, whether any."""
    if not reader.aggregate(wanted, (), (Measure.EVENTS,))[0]["events"]:
        return []
    by = (Dimension.ACTOR, Dimension.SOURCE, Dimension.ACTIVITY, *more)
    rows = reader.aggregate(wanted, by, (Measure.EVENTS, Measure.FIRST, Measure.LAST, Measure.MOST_ROWS))
    return sorted(rows, key=lambda row: tuple(str(row[name]) for name in by))


def outputs_of(reader: Reader, wanted: Filter, actors: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The outputs of some people. What is uploaded without a word of where to or what came in, it did not go out."""
    if actors:
        for event in reader.columns(replace(wanted, actors=tuple(sorted(set(actors)))), OUTPUT_COLUMNS):
            if event["activity"] != _A.UPLOAD or event["export_destination"] or event["export_file"]:
                yield event


def rows_of(event: Mapping[str, Any]) -> int:
    """How many records an output holds, as far as its event says."""
    return int(event["export_rows"] or event["subject_count"] or len(event["subjects"]))


def takes_away(event: Mapping[str, Any]) -> bool:
    """Whether an output leaves the house, on a medium or by the network."""
    to = event["export_destination"].lower()
    return event["activity"] == _A.MEDIA_WRITE or any(word in to for word in _AWAY)


@dataclass(frozen=True, slots=True)
class Approvals:
    """The approvals of a span.

    Attributes:
        context: where they stand.
        prompt_since: from when on approvals were entered before they began; None while nothing tells. Only from then
            on does it mean anything that one was entered after the act.
    """

    context: WorkContext
    prompt_since: datetime | None

    @classmethod
    def of(cls, context: WorkContext) -> "Approvals":
        """Those of a context."""
        entered = [one for given in context.approvals.values() for one in given if one.entered_at is not None]
        since = min((one.entered_at for one in entered if one.entered_at), default=None)
        later = [one for one in entered if since and one.start and one.start >= since]
        prompt = sum(one.entered_at <= one.start for one in later if one.entered_at and one.start)
        return cls(context, since if later and 2 * prompt > len(later) else None)

    @property
    def any(self) -> bool:
        """Whether outputs are approved in this town at all."""
        return any(one.kind in _KINDS for given in self.context.approvals.values() for one in given)

    def in_force(self, actor: str, source: str, at: datetime, kinds: Sequence[str] = _KINDS) -> Iterator[Approval]:
        """The approvals in force for somebody's outputs of a system, whatever the medium and the number of rows."""
        for kind in kinds:
            for grace in (timedelta(0), _GRACE, -_GRACE):
                for one in self.context.approved(kind, actor, source, at - grace):
                    if not self.late(one, at) and not self._own_word(one, actor, at):
                        yield one

    def covering(self, event: Mapping[str, Any]) -> tuple[Approval, ...]:
        """The approvals that cover an output, whatever the number of rows."""
        kinds = (*_KINDS, "print") if event["activity"] == _A.PRINT else _KINDS
        found = self.in_force(event["actor_id"], event["source"], event["time"], kinds)
        return tuple(dict.fromkeys(one for one in found if _fits(one, event)))

    def allow(self, event: Mapping[str, Any]) -> bool:
        """Whether an approval covers an output and its number of rows."""
        return any(one.max_rows is None or rows_of(event) <= one.max_rows for one in self.covering(event))

    def late(self, approval: Approval, at: datetime) -> bool:
        """Whether an approval was entered after an act."""
        entered = approval.entered_at
        return entered is not None and self.prompt_since is not None and self.prompt_since <= at < entered

    def _own_word(self, approval: Approval, actor: str, at: datetime) -> bool:
        """Whether who approved it is the same human being under another id."""
        own, other = self.context.post_at(actor, at), self.context.post_at(approval.approved_by, at)
        return own is not None and other is not None and own.subject_id == other.subject_id != ""

    def why_none(self, event: Mapping[str, Any]) -> Texts:
        """What there is instead of an approval that covers an output."""
        actor, source, at = event["actor_id"], event["source"], event["time"]
        own = [one for one in self.context.approvals.get(actor, ()) if one.kind in _KINDS]
        for one in sorted(own, key=lambda one: one.approval_id):
            here = one.source in ("", source)
            now = (one.start is None or one.start <= at) and (one.end is None or at < one.end)
            ja, en = f"承認 {one.approval_id} は", f"Approval {one.approval_id} "
            if here and now and not _fits(one, event):
                return Texts(f"{ja}別の媒体についてのものです。", f"{en}is for another medium.")
            if here and now and self.late(one, at):
                return Texts(f"{ja}出力の後に登録されました。", f"{en}was entered after the output.")
            if here and now:
                return Texts(f"{ja}本人自身によるものです。", f"{en}is their own word.")
            if now:
                return Texts(f"{ja}別のシステムについてのものです。", f"{en}is for another system.")
            if here and one.end is not None and tokyo_date(one.end) == tokyo_date(at):
                return Texts(f"{ja}その時刻には有効でありません。", f"{en}was not in force at that time.")
        return Texts(
            "本人のこのシステムの出力を認める承認は、その時点でありません。",
            "No approval for their outputs of this system was in force.",
        )


def _fits(approval: Approval, event: Mapping[str, Any]) -> bool:
    """Whether an approval is for this kind of output and this medium."""
    medium = event["export_medium_id"]
    if approval.kind == "media" and not (medium or takes_away(event)):
        return False
    return not approval.medium_id or not medium or approval.medium_id == medium


@dataclass(frozen=True, slots=True)
class Practice:
    """How the outputs of the last weeks were approved.

    Attributes:
        rows: outputs by person, system, kind and day, each with whether an approval covered the first.
        before: the share that is supposed where there were none.
    """

    rows: Sequence[tuple[dict[str, Any], bool]]
    before: float

    @classmethod
    def of(cls, window: Window, reader: Reader, approvals: Approvals, days: int) -> "Practice":
        """That of so many days before a window."""
        earlier = Window(window.start - timedelta(days=days), window.start)
        rows = groups(reader, wanted_of(earlier), Dimension.DAY)
        judged = [(row, any(approvals.in_force(row["actor"], row["source"], row["first"]))) for row in rows]
        return cls(judged, 0.8 if approvals.any else 0.4)

    def share(self, source: str, without: str) -> float:
        """How likely an honest output of a system is approved, judged by what others than one person did."""
        others = [(row, covered) for row, covered in self.rows if row["actor"] != without]
        town = _share(others, self.before)
        return _share([(row, covered) for row, covered in others if row["source"] == source], town)


def _share(rows: Sequence[tuple[Mapping[str, Any], bool]], before: float) -> float:
    """The share that is approved. Somebody who goes without approval again and again is no custom of the house."""
    covered = sum(approved for _, approved in rows)
    without = Counter(row["actor"] for row, approved in rows if not approved)
    return (covered + _PRIOR * before) / (covered + sum(map(math.sqrt, without.values())) + _PRIOR)


def is_job(context: WorkContext, actor: str, practice: Practice) -> bool:
    """Whether an account that the directory does not know does this all the time."""
    if not context.posts or context.knows(actor):
        return False
    return len({row["day"] for row, _ in practice.rows if row["actor"] == actor}) >= _JOB_DAYS


def size_of(outputs: Sequence[Mapping[str, Any]]) -> int:
    """How many records some outputs hold together; a file that was exported and then fetched counts once."""
    largest: dict[str, int] = {}
    for number, event in enumerate(outputs):
        name = event["export_file"] or str(number)
        largest[name] = max(largest.get(name, 0), rows_of(event))
    return sum(largest.values())


def what(name: str, when: Texts, outputs: Sequence[Mapping[str, Any]]) -> Texts:
    """The sentence that says who took what out of which system, and where to."""
    first, rows = outputs[0], size_of(outputs)
    to = first["export_destination"] or first["export_medium_id"]
    records = (f"（計 {rows:,} 件のデータ）", f" ({rows:,} records in all)") if rows else ("", "")
    return Texts(
        f"{name} が {when.ja} から {first['source']} のデータを{f' {to} へ' if to else ''} {len(outputs)} 回"
        f"出力しました{records[0]}。",
        f"From {when.en}, {name} took data out of {first['source']}{f' to {to}' if to else ''}, "
        f"{len(outputs)} time(s){records[1]}.",
    )
