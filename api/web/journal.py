"""Nobody reads the log unseen: every look at it is an event, written before the answer is given."""

from fastapi import Request

from api.web.security import address_of, installation_of
from audit.access import Viewer

__all__ = ["record_look"]


def record_look(request: Request, viewer: Viewer, operation: str, **details: str) -> None:
    """Record that somebody looks at something; if that cannot be done, they do not see it.

    Raises:
        StoreError: the log cannot be written.
    """
    installation = installation_of(request)
    kept = {name.rstrip("_"): value for name, value in details.items() if value}
    installation.log.record(
        {
            "time": installation.clock.now().isoformat(),
            "activity": "search" if operation.endswith(".search") else "view",
            "operation_name": operation,
            "outcome": "success",
            "actor": {"id": viewer.login_id, "kind": "staff"},
            "terminal": {"ip": address_of(request)},
            "session": viewer.session_id,
            "unmapped": kept,
        }
    )
