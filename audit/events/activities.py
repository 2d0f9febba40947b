"""The closed vocabulary of activities, and its OCSF 1.8.0 numbers.

The vocabulary is DESIGN 4.3. Each activity has one OCSF class and activity number; where OCSF has no word for what
municipal systems do, the number is 99 (Other) and the source's own word stands beside it in `operation_name`.
`class_uid` = category × 1000 + number, `type_uid` = `class_uid` × 100 + `activity_id`. A later OCSF is a change of
this table and a decision record, nothing else.
"""

from enum import StrEnum
from typing import NamedTuple

__all__ = ["ACTIVITY_CLASS", "LOOKUPS", "OCSF_VERSION", "Activity", "ActorKind", "OcsfClass", "Outcome"]

OCSF_VERSION = "1.8.0"


class Activity(StrEnum):
    """What was done."""

    ANSWER = "answer"
    APPLY = "apply"
    APPROVE = "approve"
    AUTHORIZE = "authorize"
    BACKUP = "backup"
    BIND_NUMBER = "bind_number"
    CONFIG_CHANGE = "config_change"
    COPY_REGISTER = "copy_register"
    CREATE = "create"
    CREDENTIAL_ISSUE = "credential_issue"
    CREDENTIAL_RESET = "credential_reset"
    DELETE = "delete"
    DOWNLOAD = "download"
    ENTRY = "entry"
    EXIT = "exit"
    EXPORT = "export"
    GRANT = "grant"
    HEARTBEAT = "heartbeat"
    IMPORT = "import"
    INQUIRY = "inquiry"
    JOB_RUN = "job_run"
    LEDGER_ENTRY = "ledger_entry"
    LOCK = "lock"
    LOGIN = "login"
    LOGOUT = "logout"
    LOG_CLEAR = "log_clear"
    MAINTENANCE = "maintenance"
    MEDIA_CHECKOUT = "media_checkout"
    MEDIA_DISPOSE = "media_dispose"
    MEDIA_ERASE = "media_erase"
    MEDIA_RETURN = "media_return"
    MEDIA_WRITE = "media_write"
    OPERATION = "operation"
    POLICY_CHANGE = "policy_change"
    PRINT = "print"
    PROVISION = "provision"
    PURGE = "purge"
    RECEIVE = "receive"
    RESTORE = "restore"
    REVOKE = "revoke"
    SCREEN_COPY = "screen_copy"
    SEARCH = "search"
    SECURITY_EVENT = "security_event"
    TRANSFER = "transfer"
    UNLOCK = "unlock"
    UPDATE = "update"
    UPLOAD = "upload"
    VIEW = "view"


class Outcome(StrEnum):
    """How it ended."""

    DENIED = "denied"
    FAILURE = "failure"
    SUCCESS = "success"


class ActorKind(StrEnum):
    """Who acts."""

    CONTRACTOR = "contractor"
    STAFF = "staff"
    SYSTEM = "system"


class OcsfClass(NamedTuple):
    """An OCSF class and the activity within it."""

    class_uid: int
    activity_id: int

    @property
    def category_uid(self) -> int:
        """The category a class belongs to."""
        return self.class_uid // 1000

    @property
    def type_uid(self) -> int:
        """Class and activity in one number."""
        return self.class_uid * 100 + self.activity_id


_A = Activity
ACTIVITY_CLASS: dict[Activity, OcsfClass] = {
    _A.ANSWER: OcsfClass(6005, 99),
    _A.APPLY: OcsfClass(3005, 99),
    _A.APPROVE: OcsfClass(3005, 99),
    _A.AUTHORIZE: OcsfClass(3003, 1),
    _A.BACKUP: OcsfClass(1006, 99),
    _A.BIND_NUMBER: OcsfClass(6005, 5),
    _A.CONFIG_CHANGE: OcsfClass(3004, 3),
    _A.COPY_REGISTER: OcsfClass(6003, 1),
    _A.CREATE: OcsfClass(6005, 6),
    _A.CREDENTIAL_ISSUE: OcsfClass(3001, 1),
    _A.CREDENTIAL_RESET: OcsfClass(3001, 4),
    _A.DELETE: OcsfClass(6005, 7),
    _A.DOWNLOAD: OcsfClass(6001, 7),
    _A.ENTRY: OcsfClass(3004, 99),
    _A.EXIT: OcsfClass(3004, 99),
    _A.EXPORT: OcsfClass(6001, 7),
    _A.GRANT: OcsfClass(3005, 1),
    _A.HEARTBEAT: OcsfClass(1006, 99),
    _A.IMPORT: OcsfClass(6001, 6),
    _A.INQUIRY: OcsfClass(6003, 2),
    _A.JOB_RUN: OcsfClass(1006, 6),
    _A.LEDGER_ENTRY: OcsfClass(3004, 1),
    _A.LOCK: OcsfClass(3002, 99),
    _A.LOGIN: OcsfClass(3002, 1),
    _A.LOGOUT: OcsfClass(3002, 2),
    _A.LOG_CLEAR: OcsfClass(1008, 1),
    _A.MAINTENANCE: OcsfClass(1006, 99),
    _A.MEDIA_CHECKOUT: OcsfClass(3004, 99),
    _A.MEDIA_DISPOSE: OcsfClass(3004, 4),
    _A.MEDIA_ERASE: OcsfClass(3004, 4),
    _A.MEDIA_RETURN: OcsfClass(3004, 99),
    _A.MEDIA_WRITE: OcsfClass(3004, 3),
    _A.OPERATION: OcsfClass(6003, 99),
    _A.POLICY_CHANGE: OcsfClass(3004, 3),
    _A.PRINT: OcsfClass(6001, 7),
    _A.PROVISION: OcsfClass(6003, 99),
    _A.PURGE: OcsfClass(6005, 7),
    _A.RECEIVE: OcsfClass(6003, 99),
    _A.RESTORE: OcsfClass(1006, 99),
    _A.REVOKE: OcsfClass(3005, 2),
    _A.SCREEN_COPY: OcsfClass(6001, 7),
    _A.SEARCH: OcsfClass(6005, 4),
    _A.SECURITY_EVENT: OcsfClass(2004, 1),
    _A.TRANSFER: OcsfClass(6003, 99),
    _A.UNLOCK: OcsfClass(3002, 99),
    _A.UPDATE: OcsfClass(6005, 2),
    _A.UPLOAD: OcsfClass(6001, 6),
    _A.VIEW: OcsfClass(6005, 1),
}

LOOKUPS = frozenset({_A.VIEW, _A.UPDATE, _A.PRINT, _A.SCREEN_COPY, _A.INQUIRY, _A.ANSWER})
"""Acts in which a person's record is seen. Hits of a search are no look-up until one is viewed (DESIGN 4.3)."""
