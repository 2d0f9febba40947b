"""The staff directory with everything that may be done to it, in one class."""

from audit.access.people.provisioning import Provisioning

__all__ = ["PeopleService"]


class PeopleService(Provisioning):
    """The questions of access control, the staff feed, and what a personnel system says of people one at a time."""
