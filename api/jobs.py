"""What happens by itself: due windows are judged on a schedule."""

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from structlog import get_logger

from api.installation import Installation

__all__ = ["start_scheduler"]

_log = get_logger("mimamori.jobs")
_GAP_MINUTES = 5


def _detect(installation: Installation) -> None:
    """Judge what is due; a failure is told and tried again at the next turn, never the end of the schedule."""
    try:
        summary = installation.runner.run()
    except Exception as error:  # noqa: BLE001 - whatever it was, the next turn must come
        _log.error("detection failed", error=type(error).__name__)
        return
    if summary.windows:
        _log.info("detection ran", windows=summary.windows, findings_new=summary.findings_new)


def _look_for_gaps(installation: Installation, *, watch: bool) -> None:
    """See what should have arrived and did not; refused senders are told as well."""
    try:
        installation.machines.flush_refusals()
        if watch:
            installation.gaps.run()
    except Exception as error:  # noqa: BLE001 - as above
        _log.error("the look for gaps failed", error=type(error).__name__)


def start_scheduler(installation: Installation, *, watch: bool = True) -> BackgroundScheduler:
    """Start the schedule: one run at a time, missed turns made up for by one.

    Args:
        installation: whose.
        watch: whether to notice what does not arrive.
    """
    scheduler = BackgroundScheduler(timezone="Asia/Tokyo", executors={"default": ThreadPoolExecutor(2)})
    scheduler.add_job(
        _detect,
        "interval",
        args=[installation],
        minutes=installation.settings.detect_minutes,
        id="detect",
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
        next_run_time=installation.clock.now(),
    )
    scheduler.add_job(
        _look_for_gaps,
        "interval",
        args=[installation],
        kwargs={"watch": watch},
        minutes=_GAP_MINUTES,
        id="gaps",
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
        next_run_time=installation.clock.now(),
    )
    scheduler.start()
    return scheduler
