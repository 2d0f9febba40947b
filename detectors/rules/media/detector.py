"""Data written to a medium that neither the media ledger nor an approval accounts for.

A medium is lent by the ledger, written, given back and erased. Ledgers are often kept by hand and by somebody else than
who writes, so a medium's number links the two, and an entry made some hours later still counts. In a town that keeps
no ledger of media the approvals alone account for them, and where there are neither, hardly anything can be said.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from audit.clock import tokyo_date
from audit.events import Activity
from audit.findings import Draft, Severity
from audit.log import Filter, Measure
from audit.texts import Texts
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.media.cases import CASES
from detectors.rules.outputs.approvals import OUTPUT_COLUMNS, Approvals, groups, outputs_of, wanted_of, what
from detectors.telling import about_person, at_hour, named

__all__ = ["DETECTOR", "Parameters"]

_A = Activity
_BACK = (_A.MEDIA_DISPOSE, _A.MEDIA_ERASE, _A.MEDIA_RETURN)
_LEDGER = tuple(sorted((_A.MEDIA_CHECKOUT, *_BACK)))
_WORDS = ("usb", "sd", "dvd", "cd-r", "hdd", "媒体", "外付", "removable")
_LOOK_BACK = timedelta(days=28)
_PRIOR = 2.0
_ENOUGH = 3
_CUSTOM = 0.8


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    lent_days: int = setting(14, "貸出しの記録を何日前まで有効とみるか", "how long a medium that was lent stays lent")
    late_hours: int = setting(8, "何時間後までの台帳への記入を認めるか", "how late an entry in the ledger still counts")
    least_score: float = setting(0.25, "この確からしさに満たなければ検知しない", "what is less likely is left out")


@dataclass(frozen=True, slots=True)
class _Ledger:
    """What is written in the media ledgers: by medium, and by person where an entry names none."""

    entries: Mapping[str, Sequence[Mapping[str, Any]]]
    params: Parameters

    @classmethod
    def of(cls, window: Window, reader: Reader, params: Parameters) -> "_Ledger":
        wanted = Filter(start=window.start - _LOOK_BACK, end=window.end, activities=_LEDGER, outcomes=("", "success"))
        entries: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for event in reader.columns(wanted, ("time", "activity", "actor_id", "export_medium_id")):
            entries[event["export_medium_id"]].append(event)
            entries[f"{event['actor_id']} "].append(event)
        return cls(entries, params)

    def knows(self, medium: str) -> bool:
        """Whether a medium is one of the house."""
        return bool(medium) and medium in self.entries

    def back(self, medium: str, since: datetime) -> bool:
        """Whether a medium came back after some moment."""
        return any(one["activity"] in _BACK and one["time"] >= since for one in self.entries.get(medium, ()))

    def same_day(self, until: datetime) -> float:
        """The share of the media lent before that came back on the same day; 0 where too few were lent to tell."""
        lent, back = set[tuple[str, date]](), set[tuple[str, date]]()
        for medium, entries in self.entries.items():
            for one in entries:
                if one["export_medium_id"] == medium and medium and one["time"] < until:
                    into = lent if one["activity"] == _A.MEDIA_CHECKOUT else back
                    into.add((medium, tokyo_date(one["time"])))
        return len(lent & back) / len(lent) if len(lent) >= _ENOUGH else 0.0

    def lent(self, event: Mapping[str, Any]) -> bool:
        """Whether the medium of an output was lent out at that time."""
        medium, at = event["export_medium_id"], event["time"]
        found = self.entries.get(medium or f"{event['actor_id']} ", ())
        if medium:
            own = [one for one in self.entries.get(f"{event['actor_id']} ", ()) if not one["export_medium_id"]]
            found = sorted((*found, *own), key=lambda one: one["time"])
        earliest, latest = at - timedelta(days=self.params.lent_days), at + timedelta(hours=self.params.late_hours)
        out = False
        for one in found:
            if one["activity"] == _A.MEDIA_CHECKOUT and earliest <= one["time"] <= latest:
                out = True
            elif one["activity"] in _BACK and one["time"] < at:
                out = False
        return out


def _on_medium(event: Mapping[str, Any]) -> bool:
    to = event["export_destination"].lower()
    return bool(event["activity"] == _A.MEDIA_WRITE or event["export_medium_id"] or any(w in to for w in _WORDS))


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a person and day."""
    wanted = wanted_of(window)
    people = [row["actor"] for row in groups(reader, wanted)]
    today = [event for event in outputs_of(reader, wanted, people) if _on_medium(event)]
    if not today:
        return
    ledger, approvals = _Ledger.of(window, reader, params), Approvals.of(reader.context)
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in today:
        approved_export = event["activity"] != _A.MEDIA_WRITE and approvals.covering(event)
        if not ledger.lent(event) and not approved_export:
            found[event["actor_id"]].append(event)
    yield from _not_returned(window, reader, ledger, [event for event in today if event["actor_id"] not in found])
    past = _past(window, reader) if found else []
    for actor, events in sorted(found.items()):
        others = [event for event in past if event["actor_id"] != actor]
        bare = [event for event in events if not approvals.covering(event)]
        kept = _share([ledger.lent(event) for event in others], 0.7 if ledger.entries else 0.0)
        some = _share(
            [ledger.lent(event) or bool(approvals.covering(event)) for event in others],
            0.7 if ledger.entries or approvals.any else 0.4,
        )
        strange = {one for event in bare if (one := event["export_medium_id"]) and not ledger.knows(one)}
        score = 0.8 * some + 0.1 * bool(strange and ledger.entries) if bare else 0.45 * kept
        if score >= params.least_score:
            yield _draft(reader, actor, bare or events, score, sorted(strange), approved=not bare)


def _not_returned(window: Window, reader: Reader, ledger: _Ledger, today: Sequence[dict[str, Any]]) -> Iterable[Draft]:
    """Media that were lent and written and are still out in the evening, where media come back on the same day."""
    out: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in today:
        medium = event["export_medium_id"]
        if ledger.knows(medium) and not ledger.back(medium, event["time"]):
            out[event["actor_id"]].append(event)
    kept = ledger.same_day(window.start)
    if not out or kept < _CUSTOM:
        return
    latest = reader.aggregate(Filter(start=window.start, end=window.end), (), (Measure.LAST,))[0]["last"]
    for actor, events in sorted(out.items()):
        unit = reader.context.unit_of(actor, window.start, events[0]["actor_org_unit"])
        open_hours = reader.context.hours(unit, window.day)
        if open_hours is None or latest >= open_hours[1]:
            yield _still_out(reader, actor, events, kept)


def _still_out(reader: Reader, actor: str, events: Sequence[Mapping[str, Any]], kept: float) -> Draft:
    at = events[0]["time"]
    name = named(reader.context, actor, at)
    media = ", ".join(sorted({event["export_medium_id"] for event in events}))
    return about_person(
        actor,
        events,
        0.4 * kept,
        Texts(f"{name} が書き出した媒体が返却されていない", f"{name} has not returned a medium with data on it"),
        [
            what(name, at_hour(at), events),
            Texts(
                f"媒体（{media}）は、その日のうちに返却も消去もされていません。",
                f"The medium ({media}) was neither returned nor erased that day.",
            ),
            Texts(
                f"過去 28 日では、貸し出された媒体の {kept:.0%} がその日のうちに戻っています。",
                f"In the last 28 days, {kept:.0%} of the media lent came back on the same day.",
            ),
        ],
    )


def _past(window: Window, reader: Reader) -> list[dict[str, Any]]:
    """What was written to media in the weeks before."""
    wanted = wanted_of(Window(window.start - _LOOK_BACK, window.start), (_A.MEDIA_WRITE,))
    return list(reader.columns(wanted, OUTPUT_COLUMNS))


def _share(facts: Sequence[bool], before: float) -> float:
    return (sum(facts) + _PRIOR * before) / (len(facts) + _PRIOR)


def _draft(
    reader: Reader,
    actor: str,
    events: Sequence[Mapping[str, Any]],
    score: float,
    strange: Sequence[str],
    *,
    approved: bool,
) -> Draft:
    at = events[0]["time"]
    name = named(reader.context, actor, at)
    media = ", ".join(sorted({event["export_medium_id"] for event in events if event["export_medium_id"]}))
    reasons = [
        what(name, at_hour(at), events),
        Texts(
            f"媒体（{media or '番号の記録なし'}）の貸出しが、台帳にありません。",
            f"No ledger says that the medium ({media or 'no number on record'}) was lent out.",
        ),
        Texts(
            "媒体の使用は承認されていますが、この町では貸出しを台帳に記すのが通例です。",
            "The use of a medium was approved, but here media are usually lent by the ledger.",
        )
        if approved
        else Texts("媒体の使用の承認もありません。", "No approval for a medium was in force either."),
    ]
    if strange:
        reasons.append(
            Texts(
                "この番号の媒体は台帳に一度も現れていません。私物や未登録の媒体かもしれません。",
                "No ledger has ever named this medium: it may be a private one.",
            )
        )
    title = Texts(f"{name} による台帳にない媒体への書出し", f"{name} wrote data to a medium that no ledger names")
    return about_person(actor, events, score, title, reasons, Severity.CRITICAL)


META = DetectorMeta(
    id="media-without-ledger",
    version="1.0.0",
    title=Texts("台帳にない媒体への書出し", "Data on a medium that no ledger accounts for"),
    description=Texts(
        "貸出しの記録も承認もない媒体へデータが書き出されたことを見つけます。返却済みや登録のない媒体、"
        "その日のうちに戻らない媒体を含みます。",
        "Finds data written to a medium that was neither lent by the ledger nor approved; "
        "a medium that had been given back, or that nobody knows, is one, and so is one that "
        "stays out where all others come back on the same day.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.CRITICAL,
    techniques=("T1052", "T1025"),
    controls=("C-033", "C-088", "C-089", "C-090"),
    reads=("activity", "outcome", "actor_id", "source", *(one for one in OUTPUT_COLUMNS if one.startswith("export_"))),
    look_back=_LOOK_BACK,
    runbook=Texts(
        "1. 媒体管理者に、その番号の媒体の所在と貸出簿を確かめます。\n"
        "2. 何を何件書き出したか、暗号化したか本人に確かめます。\n"
        "3. 私物や未登録の媒体なら、ただちに回収し、写しがないか確かめます。",
        "1. Ask the keeper of media where that medium is, and look at the paper ledger.\n"
        "2. Ask what was written and whether it was encrypted.\n"
        "3. A private or unknown medium is taken in at once; see whether copies were made.",
    ),
    false_positives=Texts(
        "紙の台帳にだけ記した貸出し、媒体番号の書き間違い。",
        "A loan that only the paper ledger has, a mistyped number.",
    ),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
