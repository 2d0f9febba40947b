"""Rights: applied for, approved in order, applied, reconciled, revoked."""

from audit.access.rights.applications import Due
from audit.access.rights.chains import Chain, ChainError, Rules, Step, load_rules
from audit.access.rights.errors import (
    ApplicationRefusedError,
    DecisionRefusedError,
    DelegationRefusedError,
    PartRefusedError,
    ReconciliationRefusedError,
    RightsError,
    RightUnknownError,
)
from audit.access.rights.holdings import LedgerEntry, Swept
from audit.access.rights.model import (
    FUNCTION_OF,
    FUNCTIONS,
    Application,
    Approval,
    Change,
    Delegation,
    Doer,
    Entitlement,
    Kind,
    Status,
    Wish,
)
from audit.access.rights.people import People
from audit.access.rights.reconciling import Difference, Reconciliation
from audit.access.rights.service import RightsService

__all__ = [
    "FUNCTIONS",
    "FUNCTION_OF",
    "Application",
    "ApplicationRefusedError",
    "Approval",
    "Chain",
    "ChainError",
    "Change",
    "DecisionRefusedError",
    "Delegation",
    "DelegationRefusedError",
    "Difference",
    "Doer",
    "Due",
    "Entitlement",
    "Kind",
    "LedgerEntry",
    "PartRefusedError",
    "People",
    "Reconciliation",
    "ReconciliationRefusedError",
    "RightUnknownError",
    "RightsError",
    "RightsService",
    "Rules",
    "Status",
    "Step",
    "Swept",
    "Wish",
    "load_rules",
]
