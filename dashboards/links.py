"""Addresses of the pages, built in one place so that a drill-down and its page cannot drift apart."""

from datetime import date, datetime, timedelta
from urllib.parse import quote, urlencode

from audit.clock import TOKYO

__all__ = [
    "alert_url",
    "alerts_url",
    "around_url",
    "day_span",
    "detector_url",
    "detectors_url",
    "enrol_url",
    "event_url",
    "events_url",
    "local",
    "source_url",
    "user_url",
]


def _query(path: str, parameters: dict[str, str]) -> str:
    kept = {key.rstrip("_"): value for key, value in parameters.items() if value}
    # A lone surrogate may come out of a JSON log; it must not break the page that shows it.
    return f"{path}?{urlencode(kept, errors='replace')}" if kept else path


def alert_url(alert_id: str) -> str:
    """The page of one alert."""
    return f"/alerts/{quote(alert_id, safe='', errors='replace')}"


def alerts_url(**filters: str) -> str:
    """The list of alerts with these filters (`from_` for `from`); empty ones are left out."""
    return _query("/alerts", filters)


def detector_url(detector: str) -> str:
    """The page of one detector."""
    return f"/detectors/{quote(detector, safe='', errors='replace')}"


def detectors_url(**filters: str) -> str:
    """The list of detectors with these filters; empty ones are left out."""
    return _query("/detectors", filters)


def enrol_url(token: str) -> str:
    """The page behind a one-time link."""
    return f"/enrol/{quote(token, safe='', errors='replace')}"


def event_url(source: str, event_id: str) -> str:
    """The page of one event."""
    return f"/events/{quote(source, safe='', errors='replace')}/{quote(event_id, safe='', errors='replace')}"


def events_url(**filters: str) -> str:
    """The search of the log with these filters (`from_` for `from`); empty ones are left out."""
    return _query("/events", filters)


def day_span(first_day: date, last_day: date) -> dict[str, str]:
    """Whole days as the search's moments, the end exclusive."""
    return {"from_": f"{first_day}T00:00", "to": f"{last_day + timedelta(days=1)}T00:00"}


def around_url(at: datetime, *, minutes: int = 30, **filters: str) -> str:
    """The search of the log around a moment."""
    local_at, margin = at.astimezone(TOKYO), timedelta(minutes=minutes)
    bounds = {"from_": f"{local_at - margin:%Y-%m-%dT%H:%M}", "to": f"{local_at + margin:%Y-%m-%dT%H:%M}"}
    return events_url(**bounds, **filters)


def source_url(source: str) -> str:
    """The page of one source."""
    return f"/sources/{quote(source, safe='', errors='replace')}"


def user_url(login_id: str, act: str) -> str:
    """Where an act on a user is sent to."""
    return f"/users/{quote(login_id, safe='', errors='replace')}/{act}"


def local(url: str) -> str:
    """The same address, if it stays on this site.

    Raises:
        ValueError: It leads elsewhere, or is a script.
    """
    if not url.startswith("/") or url.startswith(("//", "/\\")):
        raise ValueError("a link must stay on this site")
    return url
