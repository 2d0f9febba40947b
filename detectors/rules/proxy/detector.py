"""Data that one person takes out for another.

Two ways are seen. A file that one wrote out without approval is fetched, or written to a medium, by another to whom no
approval gives it either. And records that one looked at without a case are printed or copied by another, without a case
as well, within the same day: one such resident may be a question handed over the desk, several hardly are.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from audit.casework import LookUp, LookUpDimension, LookUpFilter, LookUpMeasure, Result
from audit.events import Activity
from audit.findings import Draft, Severity
from audit.texts import Texts
from detectors.evidence import evidence_of_look_ups
from detectors.model import AnalyticType, Detector, DetectorMeta, Reader, Window, setting
from detectors.rules.outputs.approvals import (
    OUTPUT_COLUMNS,
    Approvals,
    groups,
    outputs_of,
    size_of,
    takes_away,
    wanted_of,
)
from detectors.rules.outputs.casework import UNACCOUNTED_PRINTS, cases_delivered
from detectors.rules.proxy.cases import CASES
from detectors.telling import about_person, at_hour, named, severity_of

__all__ = ["DETECTOR", "Parameters"]

_A = Activity
_D, _M = LookUpDimension, LookUpMeasure
_FETCHES = (_A.DOWNLOAD, _A.MEDIA_WRITE, _A.UPLOAD)
_UNACCOUNTED = (Result.CONTRADICTED, Result.UNMATCHED)
_UNCOMMON = 100
"""Two outputs of exactly so many records or more are hardly two by chance."""
_MANY = 2000
"""Where so many records are printed without a case in a day, cases are not delivered, and nothing can be told."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of this detector."""

    days_between: int = setting(
        3, "何日前に書き出されたファイルまで結び付けるか", "how old the file of another may be", most=3
    )
    hours_between: int = setting(
        8, "照会から印刷まで何時間以内を結び付けるか", "how many hours may lie between the look and the print"
    )
    residents: int = setting(2, "何人以上の重なりで検知するか", "from how many residents in common")


def detect(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """One finding a day and person who carries something away for another."""
    found = {draft.entity: draft for draft in _printed(window, reader, params)}
    found |= {draft.entity: draft for draft in _files(window, reader, params)}
    for _, draft in sorted(found.items()):
        yield draft


def _files(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """Files that others wrote out."""
    fetched = _uncovered(reader, window, _FETCHES)
    fetched = [event for event in fetched if _names(event)]
    if not fetched:
        return
    earlier = Window(window.start - timedelta(days=params.days_between), window.end)
    written = defaultdict[str, list[dict[str, Any]]](list)
    for event in _uncovered(reader, earlier, (_A.DOWNLOAD, _A.EXPORT, _A.UPLOAD)):
        for name in _names(event):
            written[name].append(event)
    chains: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = defaultdict(list)
    for event in fetched:
        for name in _names(event):
            source = [
                one for one in written[name] if one["actor_id"] != event["actor_id"] and one["time"] <= event["time"]
            ]
            if source:
                chains[event["actor_id"]].append((source[-1], event))
                break
    for actor, pairs in sorted(chains.items()):
        yield _carried(reader, actor, pairs)


def _uncovered(reader: Reader, window: Window, activities: Sequence[str]) -> list[dict[str, Any]]:
    """The outputs of some kinds that no approval covers, or not with so many records."""
    wanted, approvals = wanted_of(window, activities), Approvals.of(reader.context)
    people = [row["actor"] for row in groups(reader, wanted)]
    return [event for event in outputs_of(reader, wanted, people) if not approvals.allow(event)]


def _names(event: Mapping[str, Any]) -> list[str]:
    """By what a file is recognised: its hash, its name, and its number of records where that is no common one."""
    rows = event["export_rows"] or 0
    number = f"{rows} records" if rows >= _UNCOMMON else ""
    return [one for one in (event["export_sha256"], event["export_file"], number) if one]


def _carried(reader: Reader, actor: str, pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Draft:
    events = {(one["source"], one["event_id"]): one for pair in pairs for one in pair}
    ordered = sorted(events.values(), key=lambda one: (one["time"], one["event_id"]))
    first, then = pairs[0]
    context, friend = reader.context, first["actor_id"]
    name, other = named(context, actor, then["time"]), named(context, friend, first["time"])
    away = any(takes_away(event) for _, event in pairs)
    big = size_of([one for _, one in pairs])
    score = 0.55 + 0.2 * away + (0.1 if big >= 1000 else 0.0)
    to, when, before = then["export_destination"], at_hour(then["time"]), at_hour(first["time"])
    return about_person(
        actor,
        ordered,
        score,
        Texts(f"{name} が {other} の書き出したデータを持ち出した疑い", f"{name} carried away what {other} took out"),
        [
            Texts(
                f"{before.ja} に {other} が {first['source']} から書き出したファイルを、"
                f"{name} が {when.ja} に {then['source']} で取り出しました{f'（{to} へ）' if to else ''}。",
                f"{other} wrote a file out of {first['source']} at {before.en}; "
                f"{name} fetched it in {then['source']} at {when.en}{f', to {to}' if to else ''}.",
            ),
            Texts(
                f"どちらについても、これを認める承認がありません（{big:,} 件のデータ）。",
                f"No approval in force allows it to either of them ({big:,} records).",
            ),
            *(
                [
                    Texts(
                        "庁外へ持ち出せる媒体や通信に渡っています。",
                        "It went to a medium or over a network out of the house.",
                    )
                ]
                if away
                else []
            ),
        ],
        Severity.CRITICAL,
        others=[one["actor_id"] for one, _ in pairs],
    )


def _printed(window: Window, reader: Reader, params: Parameters) -> Iterable[Draft]:
    """Residents whom another had looked at."""
    day = LookUpFilter(start=window.day, end=window.day + timedelta(days=1))
    weak = replace(day, because=UNACCOUNTED_PRINTS, printed=True)
    prints = reader.count_look_ups(weak, (_D.ACTOR,), (_M.PRINTED,), {_M.PRINTED: params.residents})
    if not prints or sum(row["printed"] for row in prints) > _MANY:
        return
    printed: dict[str, list[LookUp]] = defaultdict(list)
    for one in reader.look_ups(replace(weak, actors=tuple(sorted(row["actor"] for row in prints)))):
        printed[one.actor].append(one)
    subjects = tuple(sorted({one.subject for those in printed.values() for one in those}))
    looked: dict[str, list[LookUp]] = defaultdict(list)
    for one in reader.look_ups(replace(day, subjects=subjects, results=_UNACCOUNTED)):
        looked[one.subject].append(one)
    for actor, those in sorted(printed.items()):
        pairs: dict[str, list[tuple[LookUp, LookUp]]] = defaultdict(list)
        for one in those:
            for other in looked[one.subject]:
                if other.actor != actor and timedelta(0) <= one.last - other.first <= timedelta(
                    hours=params.hours_between
                ):
                    pairs[other.actor].append((other, one))
        friend = max(sorted(pairs), key=lambda name: len(_residents(pairs[name])), default="")
        if friend and len(_residents(pairs[friend])) >= params.residents and _tell(window, reader, pairs[friend]):
            yield _handed(reader, actor, friend, pairs[friend])


def _residents(pairs: Sequence[tuple[LookUp, LookUp]]) -> set[str]:
    return {one.subject for _, one in pairs}


def _tell(window: Window, reader: Reader, pairs: Sequence[tuple[LookUp, LookUp]]) -> bool:
    """Whether cases are delivered for both units, so that it means something that there is none."""
    return all(cases_delivered(window, reader, unit) for unit in sorted({one.unit for pair in pairs for one in pair}))


def _handed(reader: Reader, actor: str, friend: str, pairs: Sequence[tuple[LookUp, LookUp]]) -> Draft:
    context, (first, then) = reader.context, pairs[0]
    name, other = named(context, actor, then.first), named(context, friend, first.first)
    number = len(_residents(pairs))
    score = round(min(0.85, 0.3 + 0.15 * (number - 1) + 0.1 * (first.unit != then.unit)), 4)
    when, before = at_hour(then.last), at_hour(first.first)
    return Draft(
        entity=actor,
        severity=severity_of(score, Severity.HIGH),
        score=score,
        actors=(actor, friend),
        subjects=tuple(sorted(_residents(pairs)))[:20],
        source=then.source,
        title=Texts(f"{name} が {other} の見た住民の記録を印刷", f"{name} printed records that {other} had looked at"),
        reasons=(
            Texts(
                f"{before.ja} から {other} が見た住民のうち {number} 人の記録を、"
                f"{name} が {when.ja} に印刷または複写しました。",
                f"Of the residents whom {other} looked at from {before.en}, {name} printed or copied {number} "
                f"by {when.en}.",
            ),
            Texts(
                "どちらの職員についても、これらの住民の案件は見当たりません。",
                "Neither of them has a case that accounts for these residents.",
            ),
        ),
        **evidence_of_look_ups([one for pair in pairs for one in pair]),
    )


META = DetectorMeta(
    id="proxy-through-colleague",
    version="1.0.0",
    title=Texts("同僚を通じた持ち出し", "Taken out through a colleague"),
    description=Texts(
        "ある職員が承認なく書き出したファイルを別の職員が持ち出すこと、"
        "根拠なく見た住民の記録を別の職員が印刷することを見つけます。",
        "Finds files that one wrote out without approval and another carried away, and records that one looked at "
        "without a case and another printed.",
    ),
    family="rules",
    analytic_type=AnalyticType.RULE,
    severity=Severity.CRITICAL,
    techniques=("T1074", "T1052"),
    controls=("C-026", "C-085", "C-090"),
    reads=(
        "activity",
        "outcome",
        "actor_id",
        "source",
        "subjects",
        "case_id",
        *(one for one in OUTPUT_COLUMNS if one.startswith("export_")),
    ),
    look_back=timedelta(days=Parameters().days_between),
    runbook=Texts(
        "1. 二人に別々に、誰の依頼で何のために出力したか尋ねます。\n"
        "2. 二人のその前後の操作と、監査対象の設定の変更を調べます。\n"
        "3. ファイルと媒体の所在を確かめます。",
        "1. Ask both, apart, at whose request and for what it was taken out.\n"
        "2. Look at what they did before and after, and whether the scope of the audit was changed.\n"
        "3. Find out where the file and the medium are.",
    ),
    false_positives=Texts(
        "分担して行う作業で、承認や案件が取り込まれていないもの、窓口の引継ぎ。",
        "Work shared by two whose approval or case was not imported, a customer handed over at the counter.",
    ),
    references=("field G10",),
)

DETECTOR = Detector(META, Parameters(), detect, CASES)
