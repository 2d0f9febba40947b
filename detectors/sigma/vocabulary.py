"""What Sigma's words mean here: fields, log sources, levels."""

from collections.abc import Mapping

from audit.events import FIELDS, LOOKUPS, Activity
from audit.findings import Severity

__all__ = ["CATEGORIES", "COLUMNS", "LEVELS", "PRODUCT"]

_A = Activity
PRODUCT = "mimamori"
"""The only product there are tables of; a rule for another's log would silently find nothing."""
COLUMNS: Mapping[str, str] = {
    **{one.path: one.column for one in FIELDS if one.path != "unmapped"},
    "source": "source",
    "class_uid": "class_uid",
    "activity_id": "activity_id",
    "type_uid": "type_uid",
    "actor.session.uid": "session",
    "actor.user.full_name": "actor_name",
    "actor.user.org.ou_uid": "actor_org_unit",
    "actor.user.uid": "actor_id",
    "api.operation": "operation_name",
    "device.ip": "terminal_ip",
    "device.uid": "terminal_id",
    "file.name": "export_file",
    "metadata.logged_time": "recorded_at",
    "metadata.product.name": "source",
    "metadata.sequence": "sequence",
    "metadata.uid": "event_id",
    "session.uid": "session",
    "src_endpoint.ip": "terminal_ip",
    "src_endpoint.uid": "terminal_id",
    "status": "outcome",
    "user.uid": "target_id",
}
"""The contract's dotted names, and the OCSF attributes from which our fields are taken."""
CATEGORIES: Mapping[str, frozenset[Activity]] = {
    **{str(activity): frozenset({activity}) for activity in Activity},
    "authentication": frozenset({_A.LOGIN, _A.LOGOUT, _A.LOCK, _A.UNLOCK}),
    "look_up": frozenset(LOOKUPS),
    "media": frozenset({_A.MEDIA_CHECKOUT, _A.MEDIA_DISPOSE, _A.MEDIA_ERASE, _A.MEDIA_RETURN, _A.MEDIA_WRITE}),
    "output": frozenset({_A.DOWNLOAD, _A.EXPORT, _A.PRINT, _A.SCREEN_COPY, _A.MEDIA_WRITE}),
    "rights": frozenset({_A.APPLY, _A.APPROVE, _A.GRANT, _A.REVOKE}),
}
"""`logsource.category`: an activity, or several that are usually asked about together."""
LEVELS: Mapping[str, tuple[Severity, float]] = {
    "informational": (Severity.LOW, 0.1),
    "low": (Severity.LOW, 0.2),
    "medium": (Severity.MEDIUM, 0.4),
    "high": (Severity.HIGH, 0.6),
    "critical": (Severity.CRITICAL, 0.8),
}
"""A rule's level as severity, and the score that its findings begin with; a rule without a level is `medium`."""
