"""The door to rights: every use case in one class."""

from audit.access.rights.applications import ApplicationUseCases
from audit.access.rights.delegations import DelegationUseCases
from audit.access.rights.holdings import HoldingUseCases
from audit.access.rights.reconciling import ReconcilingUseCases

__all__ = ["RightsService"]


class RightsService(ApplicationUseCases, HoldingUseCases, DelegationUseCases, ReconcilingUseCases):
    """Rights in the systems that hold residents' records: applied for, approved, held, reconciled, ended."""
