"""Who may do a piece of work that only one node may do at a time, and whether a node's clock goes as it should."""

from audit.leases.model import FencedError, Lease, Step
from audit.leases.readings import ClockReadings
from audit.leases.service import LeaseService

__all__ = ["ClockReadings", "FencedError", "Lease", "LeaseService", "Step"]
