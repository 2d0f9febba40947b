"""What happens by itself: due windows are judged on a schedule."""

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from structlog import get_logger

from api.emergencies import remind_of_reviews
from api.installation import Installation

__all__ = ["start_scheduler"]

_log = get_logger("mimamori.jobs")
_GAP_MINUTES = 5
_RIGHTS_MINUTES = 5
_REVIEW_MINUTES = 15


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
        installation.sso.flush_refusals()
        installation.federation.flush_refusals()
        if watch:
            installation.gaps.run()
    except Exception as error:  # noqa: BLE001 - as above
        _log.error("the look for gaps failed", error=type(error).__name__)


def _sweep_rights(installation: Installation) -> None:
    """Write down which rights have ended; they ended by themselves, at their moment."""
    try:
        swept = installation.rights.sweep(installation.clock.now())
    except Exception as error:  # noqa: BLE001 - as above
        _log.error("the sweep of rights failed", error=type(error).__name__)
        return
    if swept.ended or swept.expired:
        _log.info("rights ended", rights=swept.ended, applications=swept.expired)


def _remind(installation: Installation) -> None:
    """Tell of emergencies that nobody has reviewed in time."""
    try:
        told = remind_of_reviews(installation)
    except Exception as error:  # noqa: BLE001 - as above
        _log.error("the look at emergencies failed", error=type(error).__name__)
        return
    if told:
        _log.info("reviews of emergencies overdue", count=told)


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
    scheduler.add_job(
        _sweep_rights,
        "interval",
        args=[installation],
        minutes=_RIGHTS_MINUTES,
        id="rights",
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
        next_run_time=installation.clock.now(),
    )
    scheduler.add_job(
        _remind,
        "interval",
        args=[installation],
        minutes=_REVIEW_MINUTES,
        id="reviews",
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
        next_run_time=installation.clock.now(),
    )
    scheduler.start()
    return scheduler
