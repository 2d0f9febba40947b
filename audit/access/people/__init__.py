"""The staff directory as access control sees it: who joins, moves and leaves, who leads whom, who is one person."""

from audit.access.people.errors import PeopleRefusedError, TakenError, UnknownPersonError
from audit.access.people.journal import By
from audit.access.people.model import Change, ChangeKind, Draft, PeopleRules, Person, Plan
from audit.access.people.service import PeopleService

__all__ = [
    "By",
    "Change",
    "ChangeKind",
    "Draft",
    "PeopleRefusedError",
    "PeopleRules",
    "PeopleService",
    "Person",
    "Plan",
    "TakenError",
    "UnknownPersonError",
]
