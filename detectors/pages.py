"""The documentation page of each detector, written from what the detector says about itself.

A page that somebody writes beside the code is wrong after the second change. These are generated
(`python -m detectors.pages`), kept in `docs/detectors/`, and a test compares them.
"""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path

from audit.texts import Texts
from detectors.model import AnalyticType, Detector
from detectors.registry import DETECTORS

__all__ = ["page", "pages"]

_ANALYTIC_TYPES: Mapping[AnalyticType, Texts] = {
    AnalyticType.RULE: Texts("規則", "rule"),
    AnalyticType.BEHAVIORAL: Texts("行動", "behavioral"),
    AnalyticType.STATISTICAL: Texts("統計", "statistical"),
    AnalyticType.LEARNING: Texts("学習", "learning"),
}
_SEVERITIES: Mapping[str, str] = {"low": "低", "medium": "中", "high": "高", "critical": "重大"}


def _facts(detector: Detector) -> Iterable[tuple[Texts, Texts]]:
    meta = detector.meta
    firing = sum(bool(case.expect) for case in detector.cases)
    silent = len(detector.cases) - firing
    kind = _ANALYTIC_TYPES[meta.analytic_type]
    days = meta.look_back.days
    yield Texts("識別子", "Id"), Texts(f"`{meta.id}`", f"`{meta.id}`")
    yield Texts("版", "Version"), Texts(meta.version, meta.version)
    yield Texts("方式", "Kind"), Texts(f"{kind.ja}（`{meta.family}`）", f"{kind.en} (`{meta.family}`)")
    yield Texts("最高の重要度", "Highest severity"), Texts(_SEVERITIES[meta.severity], str(meta.severity))
    yield Texts("さかのぼる期間", "Look-back"), Texts(f"{days} 日", f"{days} days")
    for name, values in (
        (Texts("MITRE ATT&CK", "MITRE ATT&CK"), meta.techniques),
        (Texts("対応する統制", "Controls served"), meta.controls),
        (Texts("読む項目", "Fields read"), tuple(f"`{column}`" for column in meta.reads)),
        (Texts("参考", "References"), meta.references),
    ):
        if values:
            yield name, Texts("、".join(values), ", ".join(values))
    yield (
        Texts("自身の試験", "Its own cases"),
        Texts(f"検知する話 {firing}、検知しない話 {silent}", f"{firing} that fire, {silent} that stay silent"),
    )


def page(detector: Detector) -> str:
    """The page of one detector, in Markdown, Japanese first."""
    meta = detector.meta
    parts = [f"# {meta.title.ja} / {meta.title.en}", ""]
    for language, words in (
        ("ja", ("項目", "値", "設定", "既定値", "意味", "対応手順", "誤検知の例")),
        ("en", ("Item", "Value", "Parameter", "Default", "Meaning", "Runbook", "False positives")),
    ):
        item, value, parameter, default, meaning, runbook, false_positives = words
        parts += [f"## {meta.title.in_(language)}", "", meta.description.in_(language), ""]
        parts += [f"| {item} | {value} |", "|---|---|"]
        parts += [f"| {name.in_(language)} | {text.in_(language)} |" for name, text in _facts(detector)]
        parts += ["", f"| {parameter} | {default} | {meaning} |", "|---|---|---|"]
        parts += [
            f"| `{setting.name}` | {setting.default} | {setting.metadata['text'].in_(language)} |"
            for setting in fields(detector.parameters)
        ]
        parts += ["", f"### {runbook}", "", meta.runbook.in_(language)]
        parts += ["", f"### {false_positives}", "", meta.false_positives.in_(language), ""]
    return "\n".join(parts)


def pages() -> dict[str, str]:
    """Every detector's page by file name."""
    return {f"{name}.md": page(detector) for name, detector in DETECTORS.items()}


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/detectors")
    folder.mkdir(parents=True, exist_ok=True)
    for file_name, text in pages().items():
        (folder / file_name).write_text(text, "utf-8")
