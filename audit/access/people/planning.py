"""What a feed would do to the directory, told before it is done. Pure."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from heapq import heappop, heappush

from audit.access.people.model import Change, ChangeKind, PeopleRules, Plan
from audit.context import Post, post_held
from audit.texts import Texts

__all__ = ["PostsOf", "plan"]

_InTurn = Mapping[datetime | None, Post]
PostsOf = Callable[[str], Sequence[Post]]
"""Every post of one person; none of somebody whom the directory does not know."""

_FOREVER = datetime.max.replace(tzinfo=UTC)
_ALWAYS = datetime.min.replace(tzinfo=UTC)
_MOMENTS = 100
"""At so many moments managers in a circle are looked for: now, and when posts begin or end; a year has a dozen."""


def plan(posts: Sequence[Post], known: PostsOf, in_office: int, now: datetime, rules: PeopleRules) -> Plan:
    """What some posts would change.

    Args:
        posts: as a feed has them; of two of one person that begin together the later one holds.
        known: the directory as it is.
        in_office: people with a post now or later.
        now: the moment.
        rules: the town's.
    """
    wanted: dict[str, dict[datetime | None, Post]] = defaultdict(dict)
    for post in posts:
        wanted[post.staff_id][post.start] = post
    before = {person: {post.start: post for post in known(person)} for person in wanted}
    after = {person: before[person] | wanted[person] for person in wanted}
    changes = tuple(change for person in wanted if (change := _change(person, before[person], after[person])))

    def posts_of(person: str) -> Sequence[Post]:
        return tuple(after[person].values()) if person in after else known(person)

    leaving = sum(change.kind is ChangeKind.LEFT for change in changes)
    return Plan(
        read=len(posts),
        changes=changes,
        faults=tuple(_circles(wanted, posts_of, now)),
        endless=tuple(_endless(posts, rules)),
        warnings=tuple(_strange_managers(posts, posts_of)),
        in_office=in_office,
        many_leave=leaving > max(rules.few_leaving, rules.most_leaving * in_office),
    )


def _change(
    person: str, before: Mapping[datetime | None, Post], after: Mapping[datetime | None, Post]
) -> Change | None:
    differing = sorted((at for at in after if before.get(at) != after[at]), key=lambda at: at or _ALWAYS)
    if not differing:
        return None
    old = tuple(before[at] for at in differing if at in before)
    new = tuple(after[at] for at in differing)
    return Change(person, _kind(tuple(before.values()), tuple(after.values())), old, new)


def _kind(before: Sequence[Post], after: Sequence[Post]) -> ChangeKind:
    were, will_be = ([post for post in posts if not post.empty] for posts in (before, after))
    if not were:
        return ChangeKind.JOINED if will_be or not before else ChangeKind.CHANGED
    ended, ending = (max((post.end or _FOREVER for post in posts), default=_ALWAYS) for posts in (were, will_be))
    if ending < ended:
        return ChangeKind.LEFT
    last, next_ = (max(posts, key=lambda post: post.start or _ALWAYS) for posts in (were, will_be))
    if (next_.start or _ALWAYS) > ended:
        return ChangeKind.JOINED
    if (last.org_unit, last.post, last.role) != (next_.org_unit, next_.post, next_.role):
        return ChangeKind.MOVED
    return ChangeKind.EXTENDED if ending > ended else ChangeKind.CHANGED


def _endless(posts: Iterable[Post], rules: PeopleRules) -> Iterator[Texts]:
    """Those who should have an end. The directory is taken all the same; no right is given to them without one."""
    for post in posts:
        if post.employment in rules.temporary and post.end is None:
            yield Texts(
                f"{post.staff_id}（{post.employment}）には終了日（valid_to）が必要です。それまで権限は付与できません",
                f"{post.staff_id}, {post.employment}, needs an end (valid_to); until then they can be given no right",
            )


def _circles(people: Collection[str], posts_of: PostsOf, now: datetime) -> Iterator[str]:
    """Everybody of the file who would be their own manager, now or later, through however many others."""
    told, seen, ahead = set[str](), set[datetime](), [now]
    while ahead and len(seen) < _MOMENTS:
        at = heappop(ahead)
        if at in seen:
            continue
        seen.add(at)
        straight = set[str]()
        for person in people:
            circle = _circle(person, posts_of, at, straight)
            if person in circle and not told & set(circle):
                told.update(circle)
                chain = " > ".join((*circle, circle[0]))
                yield f"{person}, manager_id: managers in a circle / 上司が循環しています: {chain}"
        # Who is above somebody changes with the posts of those on the way up, whether the file names them or not.
        for moment in {moment for person in straight for post in posts_of(person) for moment in (post.start, post.end)}:
            if moment is not None and moment > at and moment not in seen:
                heappush(ahead, moment)


def _circle(person: str, posts_of: PostsOf, at: datetime, straight: set[str]) -> list[str]:
    """The circle that the managers above a person end in; empty, and all of them noted, when they end at a top."""
    path: dict[str, None] = {}
    above = person
    while above not in straight:
        if above in path:
            return list(path)[list(path).index(above) :]
        path[above] = None
        held = post_held(posts_of(above), at)
        if held is None or held.manager_id in ("", above):  # some directories name the top their own manager
            break
        above = held.manager_id
    straight.update(path)
    return []


def _strange_managers(posts: Iterable[Post], posts_of: PostsOf) -> Iterator[Texts]:
    for manager in sorted({post.manager_id for post in posts if post.manager_id}):
        if not posts_of(manager):
            yield Texts(f"上司 {manager} は職員名簿にいません", f"manager {manager} is not in the directory")
