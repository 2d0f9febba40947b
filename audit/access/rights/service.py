"""The door to rights: every use case in one class."""

from audit.access.rights.batches import BatchUseCases
from audit.access.rights.delegations import DelegationUseCases
from audit.access.rights.holdings import HoldingUseCases
from audit.access.rights.reconciling import ReconcilingUseCases

__all__ = ["RightsService"]


class RightsService(BatchUseCases, HoldingUseCases, DelegationUseCases, ReconcilingUseCases):
    """Rights in the systems that hold residents' records: applied for, approved, held, reconciled, ended."""
