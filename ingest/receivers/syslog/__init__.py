"""Syslog as it comes: over TCP, TLS and UDP, from rsyslog, syslog-ng, network devices and what imitates them."""

from ingest.receivers.syslog.framing import Framing
from ingest.receivers.syslog.model import (
    Health,
    Limits,
    Listener,
    Notice,
    NoticeKind,
    SourceHealth,
    Tls,
    Transport,
    Unsent,
)
from ingest.receivers.syslog.server import SyslogServer

__all__ = [
    "Framing",
    "Health",
    "Limits",
    "Listener",
    "Notice",
    "NoticeKind",
    "SourceHealth",
    "SyslogServer",
    "Tls",
    "Transport",
    "Unsent",
]
