"""Which detectors a story is expected to wake, by their ids: what a label says, not what a plot is written for."""

from typing import Final

__all__ = [
    "ABSENT",
    "AUDIT_SCOPE",
    "BACKDATED_ACTS",
    "BACKDATING",
    "BROWSING",
    "CELEBRITY",
    "CLOCK",
    "COLLEAGUE",
    "CONCURRENT",
    "CONTRACTOR_READS",
    "CONTRACTOR_WINDOW",
    "CONTRADICTED",
    "CROWD",
    "DECEASED",
    "DORMANT",
    "EXPORT",
    "EXPORT_ROWS",
    "FORMER_FAMILY",
    "GUESSING",
    "HAND_PROVISION",
    "HOUSEHOLD",
    "LEAVER",
    "LEDGER",
    "LENT",
    "LINKAGE",
    "LOG_CLEARED",
    "MISSING_NUMBERS",
    "NAMESAKE",
    "NEIGHBOUR",
    "NEW_TERMINAL",
    "OFF_HOURS",
    "OUTSIDE_AFFAIR",
    "OWN_RECORD",
    "PRINTS",
    "PROTECTED",
    "PROXY",
    "REPEATED",
    "RESET_USED",
    "SCAN",
    "SECOND_FACTOR",
    "SELF_GRANTED",
    "SEQUENCE",
    "SERIAL",
    "SHIFTED_CLOCK",
    "SILENCE",
    "SILENT_SOURCE",
    "SPRAYING",
    "STAGING",
    "TRANSFEREE",
    "UNACCOUNTED",
    "UNREQUESTED",
    "USED_REMOVED",
    "VOLUME",
]

ABSENT: Final = "absent-yet-active"
AUDIT_SCOPE: Final = "audit-scope-reduced"
BACKDATED_ACTS: Final = "backdated-acts"
BACKDATING: Final = "source-backdating"
BROWSING: Final = "name-browsing"
CELEBRITY: Final = "celebrity-record"
CLOCK: Final = "source-clock"
COLLEAGUE: Final = "colleague-record"
CONCURRENT: Final = "concurrent-sessions"
CONTRACTOR_READS: Final = "contractor-reads-residents"
CONTRACTOR_WINDOW: Final = "contractor-outside-window"
CONTRADICTED: Final = "contradicted-case"
CROWD: Final = "crowd-on-one-resident"
DECEASED: Final = "deceased-record"
DORMANT: Final = "dormant-account"
EXPORT: Final = "export-without-approval"
EXPORT_ROWS: Final = "export-over-approval"
FORMER_FAMILY: Final = "former-family"
GUESSING: Final = "sign-in-guessing"
HAND_PROVISION: Final = "automatic-answer-overridden"
HOUSEHOLD: Final = "household-record"
LEAVER: Final = "leaver-active"
LEDGER: Final = "media-without-ledger"
LENT: Final = "lent-id"
LINKAGE: Final = "inquiry-without-permit"
LOG_CLEARED: Final = "log-cleared"
MISSING_NUMBERS: Final = "missing-numbers"
NAMESAKE: Final = "namesake-record"
NEIGHBOUR: Final = "neighbour-record"
NEW_TERMINAL: Final = "new-terminal"
OFF_HOURS: Final = "off-hours-access"
OUTSIDE_AFFAIR: Final = "outside-affair"
OWN_RECORD: Final = "own-record"
PRINTS: Final = "print-spike"
PROTECTED: Final = "protected-record"
PROXY: Final = "proxy-through-colleague"
REPEATED: Final = "repeated-resident"
RESET_USED: Final = "credential-reset-then-use"
SCAN: Final = "sequential-scan"
SECOND_FACTOR: Final = "missing-second-factor"
SELF_GRANTED: Final = "self-granted"
SEQUENCE: Final = "source-sequence"
SERIAL: Final = "serial-look-ups"
SHIFTED_CLOCK: Final = "shifted-clock"
SILENCE: Final = "source-silence"
SILENT_SOURCE: Final = "silent-source"
SPRAYING: Final = "password-spraying"
STAGING: Final = "staging-before-leaving"
TRANSFEREE: Final = "transferee-active"
UNACCOUNTED: Final = "unaccounted-look-ups"
UNREQUESTED: Final = "grant-without-approval"
USED_REMOVED: Final = "granted-used-removed"
VOLUME: Final = "look-up-volume"
