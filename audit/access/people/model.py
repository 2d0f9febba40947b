"""People, their posts in turn, and what a feed changes about them. Values only."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from audit.context import FeedRow, Post, post_held
from audit.texts import Texts

__all__ = ["Change", "ChangeKind", "Draft", "PeopleRules", "Person", "Plan", "post_of", "row_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleRules:
    """What a town may say otherwise about its directory.

    Attributes:
        head_posts: posts that lead their unit, the most senior first.
        head_role: the role that says the same, whatever the post is called.
        temporary: kinds of employment that must have an end.
        most_leaving: a larger part of the people in office is ended by a file only when somebody confirms it.
        few_leaving: so many may always leave at once, however small the town is.
    """

    head_posts: tuple[str, ...] = ("部長", "局長", "所長", "室長", "課長", "係長")
    head_role: str = "head"
    temporary: frozenset[str] = frozenset({"contractor", "fixed_term"})
    most_leaving: float = 0.2
    few_leaving: int = 5


@dataclass(frozen=True, slots=True)
class Person:
    """One member of staff: posts in turn, past and future ones too, the first one first.

    Attributes:
        external_id: what the personnel system calls the person; empty when it has said nothing.
    """

    staff_id: str
    posts: tuple[Post, ...]
    external_id: str = ""

    def shown(self, at: datetime) -> Post:
        """The post to show: the one held at a moment, else the next one, else the last one."""
        held = post_held(self.posts, at)
        if held is not None:
            return held
        ahead = [post for post in self.posts if post.start is not None and post.start > at and not post.empty]
        return ahead[0] if ahead else self.posts[-1]

    def active(self, at: datetime) -> bool:
        """Whether a post is held at a moment."""
        return post_held(self.posts, at) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a personnel system says of one person. Times are in RFC 3339, empty where nothing is said.

    Attributes:
        start: from when the post named here is held; empty for now.
        end: until when, exclusive; empty for without end.
    """

    staff_id: str
    org_unit: str
    name: str = ""
    kana: str = ""
    post: str = ""
    role: str = ""
    employment: str = ""
    manager_id: str = ""
    start: str = ""
    end: str = ""
    active: bool = True
    external_id: str = ""


class ChangeKind(StrEnum):
    """What becomes of one person."""

    JOINED = "joined"
    MOVED = "moved"
    LEFT = "left"
    EXTENDED = "extended"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """What changes about one person: the posts that differ, as they were and as they will be."""

    staff_id: str
    kind: ChangeKind
    before: tuple[Post, ...]
    after: tuple[Post, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a feed would do.

    Attributes:
        read: rows read.
        changes: one for each person about whom something changes.
        faults: why it cannot be done; empty when it can.
        endless: of those who should have an end and have none.
        warnings: what somebody should look at.
        in_office: people with a post now or later, before it.
        many_leave: whether it ends so many of them that somebody must confirm it.
    """

    read: int
    changes: tuple[Change, ...]
    faults: tuple[str, ...]
    endless: tuple[Texts, ...]
    warnings: tuple[Texts, ...]
    in_office: int
    many_leave: bool

    @property
    def remarks(self) -> tuple[Texts, ...]:
        """All that somebody should look at."""
        return (*self.endless, *self.warnings)

    def count(self, kind: ChangeKind) -> int:
        """About how many people this changes."""
        return sum(change.kind is kind for change in self.changes)


def post_of(row: FeedRow) -> Post:
    """A row of the staff feed as a post."""
    return Post(
        staff_id=row["staff_id"],
        name=row["name"],
        org_unit=row["org_unit"],
        post=row["post"],
        role=row["role"],
        employment=row["employment"],
        manager_id=row["manager_id"],
        subject_id=row["subject_id"],
        start=row["valid_from"],
        end=row["valid_to"],
        kana=row["kana"],
    )


def row_of(post: Post) -> FeedRow:
    """A post as a row of the staff feed."""
    return {
        "staff_id": post.staff_id,
        "name": post.name,
        "kana": post.kana,
        "org_unit": post.org_unit,
        "post": post.post,
        "role": post.role,
        "employment": post.employment,
        "manager_id": post.manager_id,
        "valid_from": post.start,
        "valid_to": post.end,
        "subject_id": post.subject_id,
    }
