"""What reviewers make of cases: one disposition a case, two people where it is grave, undone but never deleted."""

from audit.dispositions.errors import DispositionError, DispositionRefusedError
from audit.dispositions.model import (
    CaseSeen,
    Disposition,
    DispositionKind,
    DispositionState,
    Judged,
    Surroundings,
)
from audit.dispositions.service import DispositionService

__all__ = [
    "CaseSeen",
    "Disposition",
    "DispositionError",
    "DispositionKind",
    "DispositionRefusedError",
    "DispositionService",
    "DispositionState",
    "Judged",
    "Surroundings",
]
