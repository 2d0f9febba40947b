"""Watching the watchers: a detector that does not see, and a clock that does not go on as time does, are told of."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import partial

from api.installation import Installation
from api.stories import DATABASE, Stage, open_stage
from audit.clock import TOKYO, tokyo_date
from audit.findings import Alarm, Canary, DetectorRun, Draft, FindingStatus, Severity, Verdict
from audit.leases import Lease, Step
from audit.log import OWN_SOURCE
from audit.texts import Texts
from detectors.model import Detector
from detectors.schedule.canary import Tried, try_out
from detectors.schedule.due import Installed

__all__ = ["CANARY_LEASE", "CLOCK_DETECTOR", "SILENT_DETECTOR", "tell_of_step", "watch_detectors"]

SILENT_DETECTOR = "detector-silent"
"""Under this name detectors that do not see are reported."""
CLOCK_DETECTOR = "clock-stepped"
"""Under this name a clock of ours that was set is reported."""
CANARY_LEASE = "canaries"
_UNSEEN = timedelta(days=1)
"""A detector that has not looked through its windows for so long, and for three turns, is silent."""
_VERSION = "1.0.0"
_NOT_RUN = "not-run"
_UNREADABLE = "unreadable"
_TROUBLES: Mapping[str, Texts] = {
    Verdict.BLIND: Texts(
        "自分の試験用の話を、既定の設定でも検知できませんでした。",
        "It found none of its own stories, not even with its own settings.",
    ),
    Verdict.BROKEN: Texts("試験中にエラーで止まりました。", "It stopped with an error while it was tried."),
    Verdict.REFUSED: Texts(
        "町で決めた設定を受け付けないため、動いていません。",
        "It does not take the settings that the town has made, and therefore does not run.",
    ),
    Verdict.SILENCED: Texts(
        "町で決めた設定では、自分の試験用の話をどれも検知できません。既定の設定なら検知できます。設定の変更で黙っています。",
        "With the settings that the town has made it finds none of its own stories; with its own settings it does: "
        "a change of settings has silenced it.",
    ),
    _UNREADABLE: Texts(
        "取り込んだルールを、今の版では読めないため、動いていません。直したルールを取り込み直してください。",
        "This imported rule can no longer be read by the version installed, and therefore does not run: "
        "import it again, put right.",
    ),
    _NOT_RUN: Texts(
        "1 日以上、期限の来た区間を調べていません。", "It has not looked through its due windows for more than a day."
    ),
}


def watch_detectors(installation: Installation) -> Mapping[str, int]:
    """Tell each detector its story of the day, where that was not done yet, and tell of those that do not see.

    Returns:
        How many canaries there were, and how many alarms are new or have ended.
    """
    lease = installation.leases.take(CANARY_LEASE)
    if lease is None:
        return {"canaries": 0, "alarms": 0}
    try:
        installed = installation.runner.installed()
        told = _canaries(installation, installed, lease)
        changed = _alarms(installation, installed)
    except Exception:
        installation.leases.release(lease)
        raise
    installation.leases.release(lease)
    return {"canaries": told, "alarms": changed}


def _canaries(installation: Installation, installed: Installed, lease: Lease) -> int:
    last, today = installation.canaries.last(), tokyo_date(installation.clock.now())
    due = {
        name: (edition.detector.meta.version, edition.digest)
        for name, edition in installed.current.items()
        if (one := last.get(name)) is None
        or (one.day, one.version, one.parameters) != (today, edition.detector.meta.version, edition.digest)
    }
    refused = [
        name
        for name in installed.refused
        if (one := last.get(name)) is None or (one.day, one.verdict) != (today, Verdict.REFUSED)
    ]
    for name in refused:
        _enter(installation, lease, name, ("", ""), Tried(Verdict.REFUSED, "", installed.refused[name][:200]))
    if due:
        with _open_stage(installation) as stage:
            for name, judged_with in due.items():
                edition = installed.current[name]
                tried = try_out(partial(_tell, stage), edition.detector, edition.parameters, today)
                _enter(installation, lease, name, judged_with, tried)
    return len(due) + len(refused)


def _open_stage(installation: Installation) -> AbstractContextManager[Stage]:
    """A stage of this node on the engine of the installation."""
    settings, database = installation.settings, f"{DATABASE}_{installation.leases.node[:8]}"
    data = settings.data.resolve()
    if settings.clickhouse_url:
        return open_stage(url=settings.clickhouse_url, folder=data, database=database)
    return open_stage(path=settings.events_path or data / "events", folder=data, database=database)


def _tell(stage: Stage, detector: Detector) -> frozenset[str]:
    """Play a detector's one story.

    Raises:
        ValueError: it cannot be told: it is no longer made of events and feeds as they are now.
    """
    (played,) = stage.play(detector)
    if played.faults:
        raise ValueError("; ".join(fault.en for fault in played.faults))
    return played.found


def _enter(installation: Installation, lease: Lease, name: str, judged_with: tuple[str, str], tried: Tried) -> None:
    now = installation.clock.now()
    version, parameters = judged_with
    canary = Canary(name, tokyo_date(now), version, parameters, tried.story, tried.verdict, tried.error, now)
    installation.canaries.enter(canary, installation.leases.guard(lease))


# Alarms ---------------------------------------------------------------------------------------------------------


def _alarms(installation: Installation, installed: Installed) -> int:
    """Open and end alarms; how many have changed."""
    standing, changed = installation.canaries.alarms(), 0
    troubles = _troubles(installation, installed)
    for name in sorted({*standing, *troubles}):
        alarm, trouble = standing.get(name), troubles.get(name, "")
        if alarm is not None and alarm.trouble != trouble:
            sees_again = Texts("再び検知できるようになりました。", "It sees again.")
            otherwise = Texts("別の理由で検知できていません。", "It does not see for another reason now.")
            installation.findings.settle(
                alarm.finding, FindingStatus.FILLED, otherwise if trouble else sees_again, end=installation.clock.now()
            )
            installation.canaries.end_alarm(name)
            changed += 1
        if trouble and (alarm is None or alarm.trouble != trouble):
            _raise(installation, name, installed.detectors.get(name), trouble)
            changed += 1
    return changed


def _troubles(installation: Installation, installed: Installed) -> dict[str, str]:
    """What is wrong with detectors, by detector; one that was taken away is not missed."""
    canaries, known_since = installation.canaries.last(), installation.canaries.first_days()
    unseen = max(_UNSEEN, timedelta(minutes=3 * installation.settings.detect_minutes))
    looks, since = installation.findings.last_looks(), installation.clock.now() - unseen
    found = {}
    for name in (*installed.detectors, *installed.refused):
        canary = canaries.get(name)
        looked = looks.get(name) or known_since.get(name)
        if canary is not None and canary.verdict is not Verdict.SEES:
            found[name] = str(canary.verdict)
        elif looked is not None and looked < since:
            found[name] = _NOT_RUN
    return found | dict.fromkeys(installation.imported.broken(), _UNREADABLE)


def _raise(installation: Installation, name: str, detector: Detector | None, trouble: str) -> None:
    title = detector.meta.title if detector is not None else Texts(name, name)
    draft = _draft(
        installation,
        f"detector.{trouble}",
        {"detector": name, "trouble": trouble},
        entity=name,
        severity=Severity.HIGH,
        title=Texts(f"検知が働いていません: {title.ja}", f"A detector does not see: {title.en}"),
        reasons=(
            _TROUBLES[trouble],
            Texts(f"検知の識別子: {name}", f"The detector's id: {name}"),
        ),
    )
    now = installation.clock.now()
    run = DetectorRun(SILENT_DETECTOR, _VERSION, "", now, now, 0, 1, draft.last_index)
    finding, _ = installation.findings.open(run, draft)
    installation.canaries.raise_alarm(Alarm(name, trouble, finding))


def tell_of_step(installation: Installation, step: Step) -> bool:
    """Open a finding about a clock of ours that was set; whether it is new."""
    minutes = round(abs(step.by) / timedelta(minutes=1))
    back = step.by < timedelta(0)
    draft = _draft(
        installation,
        "clock.stepped",
        {"before": step.before.isoformat(), "after": step.after.isoformat(), "minutes": str(minutes)},
        entity=installation.leases.node,
        severity=Severity.HIGH if back else Severity.MEDIUM,
        title=Texts(
            f"見守りの時計が約 {minutes} 分{'戻され' if back else '進め'}られました",
            f"Mimamori's own clock was set {'back' if back else 'forward'} by about {minutes} min",
        ),
        reasons=(
            Texts(
                f"{_said(step.before)} の次に {_said(step.after)} を示しました。",
                f"After {_said(step.before)} it said {_said(step.after)}.",
            ),
            Texts(
                "検知の区間はイベントの時刻で決まるので、結果は変わりません。受信時刻の記録はこの間ずれています。",
                "Windows go by the time of events, so no result changes; times of receipt are off in between.",
            ),
        ),
    )
    first, last = sorted((step.before, step.after))
    run = DetectorRun(CLOCK_DETECTOR, _VERSION, "", first, last, 0, 1, draft.last_index)
    return installation.findings.add(run, draft)


def _said(at: datetime) -> str:
    return f"{at.astimezone(TOKYO):%Y-%m-%d %H:%M:%S}"


def _draft(
    installation: Installation,
    operation: str,
    details: Mapping[str, str],
    *,
    entity: str,
    severity: Severity,
    title: Texts,
    reasons: tuple[Texts, ...],
) -> Draft:
    """What a finding about ourselves says; the act that is its evidence goes into the log first."""
    told = installation.told(operation, details, target=details.get("detector", ""), outcome="failure")
    return Draft(
        entity=entity,
        severity=severity,
        score=0.8,
        actors=(),
        subjects=(),
        source=OWN_SOURCE,
        title=title,
        reasons=reasons,
        evidence=(told.ref,),
        evidence_total=1,
        first_index=told.log_index,
        last_index=told.log_index,
    )
