"""A look-up and what is known about it: why it was made, and how whoever made it is related to the resident."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

__all__ = [
    "Because",
    "LookUp",
    "LookUpDimension",
    "LookUpFilter",
    "LookUpMeasure",
    "LookUpSummary",
    "Relation",
    "Result",
]


class Result(StrEnum):
    """Whether something accounts for a look-up.

    `contradicted`: it cites a case that is on record and does not account for it (another household's, another unit's,
    long closed), and nothing else accounts for it.
    """

    CONTRADICTED = "contradicted"
    MATCHED = "matched"
    UNMATCHED = "unmatched"


class Because(StrEnum):
    """What accounts for a look-up, the strongest first.

    `cited`: the case that the event itself names. `assigned`: a case of the household assigned to this person.
    `case`: a case of the household that this person's unit handles. `approval`: approved list work. `change`: this
    person changed the household's record that day. `colleague`: somebody else of the unit did. `print`: a certificate
    printed by a unit whose work is printing them.
    """

    CITED = "cited"
    ASSIGNED = "assigned"
    CASE = "case"
    APPROVAL = "approval"
    CHANGE = "change"
    COLLEAGUE = "colleague"
    PRINT = "print"


class Relation(StrEnum):
    """What the resident is to whoever looks, as far as the feeds tell.

    `address`: another household in the same building or lot. `surname`: of another household. `former_surname`: one
    bears or bore the name that the other bore or bears. `colleague`: staff of the same unit; `staff`: of any.
    """

    ADDRESS = "address"
    COLLEAGUE = "colleague"
    FORMER_SURNAME = "former_surname"
    HOUSEHOLD = "household"
    MANAGER = "manager"
    SELF = "self"
    STAFF = "staff"
    SURNAME = "surname"


@dataclass(frozen=True, slots=True)
class LookUp:
    """All looks of one person at one resident's record in one system on one day.

    Attributes:
        actor: staff id or account.
        actor_kind: staff, contractor or blank.
        unit: the actor's, by the directory, else as the events say.
        subject: the resident's pseudonym.
        household: the resident's; `=` and the pseudonym where the feed does not say.
        first: the first of these acts, UTC.
        last: the last.
        looks: how many of them are look-ups.
        changes: how many changed the record.
        prints: how many printed or copied it.
        by_name: whether it was found by name, as far as the events say.
        relations: what the resident is to the actor.
        namesakes: how many residents bear the surname by which the two are related; 0 where they are not.
        at_address: how many residents live at the resident's address.
        flags: the resident's: protected, vip, staff, deceased.
        subject_staff: the resident's staff id, where one works here.
        event_id: of the first act.
        first_index: the lowest log index of these acts.
        last_index: the highest.
        reference: the case or approval that accounts for it, or the unit's colleague; blank where none is needed.
    """

    day: date
    actor: str
    actor_kind: str
    unit: str
    source: str
    subject: str
    household: str
    first: datetime
    last: datetime
    looks: int
    changes: int
    prints: int
    by_name: bool
    relations: tuple[str, ...]
    namesakes: int
    at_address: int
    flags: tuple[str, ...]
    subject_staff: str
    event_id: str
    first_index: int
    last_index: int
    result: str
    because: str
    reference: str

    @property
    def evidence(self) -> str:
        """The first act as findings name it."""
        return f"{self.source}:{self.event_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpFilter:
    """Which look-ups. Empty fields do not restrict; `end` is exclusive; of several relations or flags any is enough.

    `no_relations` leaves those out that have one of these. `because` names what accounts for them, blank for nothing;
    `printed` asks for those only that were printed or copied, `by_name` for those found by name.
    """

    start: date
    end: date
    actors: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    households: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    becauses: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()
    no_relations: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    printed: bool = False
    by_name: bool = False


class LookUpDimension(StrEnum):
    """What look-ups can be counted by; hours are those of Asia/Tokyo in which the first look falls."""

    ACTOR = "actor"
    ACTOR_KIND = "actor_kind"
    BECAUSE = "because"
    DAY = "day"
    HOUR = "hour"
    HOUSEHOLD = "household"
    RESULT = "result"
    SOURCE = "source"
    SUBJECT = "subject"
    UNIT = "unit"


class LookUpMeasure(StrEnum):
    """What is counted. `looks` are acts; the others are distinct residents, households, people, units and days.

    `matched` and the like are distinct residents with such a look-up.
    `visits` are distinct households of a person and a day. `steps` are look-ups that follow another one within ten
    minutes and go from its resident's number a little upward or downward to that of another household.
    """

    ACTORS = "actors"
    CONTRADICTED = "contradicted"
    DAYS = "days"
    FIRST = "first"
    HOUSEHOLDS = "households"
    LAST = "last"
    LAST_INDEX = "last_index"
    LOOKS = "looks"
    MATCHED = "matched"
    PRINTED = "printed"
    STEPS = "steps"
    SUBJECTS = "subjects"
    UNMATCHED = "unmatched"
    VISITS = "visits"


@dataclass(frozen=True, slots=True)
class LookUpSummary:
    """How many look-ups of a span are accounted for."""

    matched: int
    unmatched: int
    contradicted: int
