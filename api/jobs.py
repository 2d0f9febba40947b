"""What happens by itself, each job at its own pace: one run at a time, missed turns made up for by one."""

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial

from apscheduler.events import EVENT_SCHEDULER_SHUTDOWN
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler
from structlog import get_logger

from api.emergencies import remind_of_reviews
from api.installation import Installation
from api.watch import tell_of_step, watch_detectors

__all__ = ["look_at_clock", "start_scheduler"]

_log = get_logger("mimamori.jobs")

_Job = Callable[[Installation], Mapping[str, int]]
"""Does its work and says what came of it, by name; the operational log hears of it where anything did."""
_GAP_MINUTES = 5
_RIGHTS_MINUTES = 5
_REVIEW_MINUTES = 15
_OUTPUT_MINUTES = 24 * 60
_KEY_MINUTES = 24 * 60
_WATCH_MINUTES = 60
_CLOCK_SECONDS = 60


def _detect(installation: Installation) -> Mapping[str, int]:
    """Judge what is due."""
    summary = installation.runner.run()
    return {
        "windows": summary.windows,
        "late": summary.late,
        "findings_new": summary.findings_new,
        "failed": len(summary.failed),
    }


def _watch(installation: Installation) -> Mapping[str, int]:
    """See whether the detectors still see."""
    done = watch_detectors(installation)
    return {"alarms": done["alarms"]}


def _look_for_gaps(installation: Installation, *, watch: bool) -> Mapping[str, int]:
    """See what should have arrived and did not; refused senders are told as well."""
    installation.machines.flush_refusals()
    installation.sso.flush_refusals()
    installation.federation.flush_refusals()
    installation.authenticators.flush_refusals()
    if watch:
        installation.gaps.run()
    return {}


def _sweep_rights(installation: Installation) -> Mapping[str, int]:
    """Write down which rights have ended; they ended by themselves, at their moment."""
    swept = installation.rights.sweep(installation.clock.now())
    return {"rights": swept.ended, "applications": swept.expired}


def _remind(installation: Installation) -> Mapping[str, int]:
    """Tell of emergencies that nobody has reviewed in time."""
    return {"overdue": remind_of_reviews(installation)}


def _drop_keys(installation: Installation) -> Mapping[str, int]:
    """Forget the signing keys of single sign-on that were replaced long ago."""
    return {"keys": installation.sso.drop_former_keys()}


def _forget_outputs(installation: Installation) -> Mapping[str, int]:
    """Drop outputs that nobody can confirm any more."""
    after = timedelta(days=installation.settings.output_days)
    return {"outputs": installation.decisions.service.forget(after)}


def _turn(name: str, job: _Job, installation: Installation) -> None:
    """One turn of a job; a failure is told and tried again at the next turn, never the end of the schedule."""
    try:
        done = job(installation)
    except Exception as error:  # noqa: BLE001 - whatever it was, the next turn must come
        _log.error("a job failed", job=name, error=type(error).__name__)
        return
    if any(done.values()):
        _log.info("a job ran", job=name, **done)


def start_scheduler(installation: Installation, *, watch: bool = True) -> BackgroundScheduler:
    """Start the schedule.

    Args:
        installation: whose.
        watch: whether to notice what does not arrive.
    """
    jobs: Mapping[str, tuple[_Job, int]] = {
        "detect": (_detect, installation.settings.detect_minutes),
        "watch": (_watch, _WATCH_MINUTES),
        "gaps": (partial(_look_for_gaps, watch=watch), _GAP_MINUTES),
        "rights": (_sweep_rights, _RIGHTS_MINUTES),
        "reviews": (_remind, _REVIEW_MINUTES),
        "outputs": (_forget_outputs, _OUTPUT_MINUTES),
        "keys": (_drop_keys, _KEY_MINUTES),
    }
    scheduler = BackgroundScheduler(timezone="Asia/Tokyo", executors={"default": ThreadPoolExecutor(2)})
    for name, (job, minutes) in jobs.items():
        scheduler.add_job(
            _turn,
            "interval",
            args=[name, job, installation],
            minutes=minutes,
            id=name,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
            next_run_time=installation.clock.now() + _FIRST_AFTER.get(name, timedelta(0)),
        )
    scheduler.start()
    _guard_clock(installation, scheduler)
    return scheduler


_FIRST_AFTER = {"watch": timedelta(minutes=30)}
"""What was missed while nothing ran is caught up before anybody is blamed for it."""


def look_at_clock(installation: Installation, scheduler: BaseScheduler) -> bool:
    """Read our own clock; if it was set, tell of it and bring every turn forward to now. Whether it was.

    Turns are due by the clock: one that was set back by a day would put them all off by a day.
    """
    step = installation.readings.look()
    if step is None:
        return False
    for job in scheduler.get_jobs():
        job.modify(next_run_time=installation.clock.now())
    _log.warning("the clock was set", minutes=round(step.by / timedelta(minutes=1)))
    tell_of_step(installation, step)
    installation.readings.keep()  # not before it is told: else nobody would hear of it when telling fails
    return True


def _guard_clock(installation: Installation, scheduler: BaseScheduler) -> None:
    """Look at the clock once a minute, by a clock that nobody sets, for as long as the schedule runs."""
    over = threading.Event()
    scheduler.add_listener(lambda _event: over.set(), EVENT_SCHEDULER_SHUTDOWN)

    def watch() -> None:
        while not over.wait(_CLOCK_SECONDS):
            try:
                look_at_clock(installation, scheduler)
            except Exception as error:  # noqa: BLE001 - whatever it was, the next look must come
                _log.error("a job failed", job="clock", error=type(error).__name__)

    threading.Thread(target=watch, name="clock", daemon=True).start()
