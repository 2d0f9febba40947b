"""Incidents, second part: sign-ins that are not what they seem, and rights that nobody should have had."""

from foreign_model import DAY, HOUR, MINUTE, Act, Person, Town
from foreign_plot import Missing, Plot
from foreign_routine import sources_of_jobs

__all__ = ["KINDS"]


def _views(plot: Plot, person: Person, at: float, source: str, count: int, terminal: str = "") -> list[Act]:
    """Look-ups that nothing accounts for."""
    return [
        plot.town.look(person, at + 30 + n * plot.rng.uniform(40, 200), source, one, terminal=terminal)
        for n, one in enumerate(plot.strangers(person, at, count))
    ]


def _failed(town: Town, person: Person, at: float, source: str, terminal: str) -> Act:
    return town.sign_in(person, at, source, terminal, outcome="failure", auth={"factors": ["password"]})


def _elsewhere(plot: Plot, person: Person) -> str:
    found = plot.terminals(other_than=person.site)
    return plot.rng.choice([one for one in found if not one.startswith("V")] or plot.terminals(person.site))


def guessing(plot: Plot, hard: bool) -> None:
    """One account, many wrong passwords, then the right one."""
    town = plot.town
    day = plot.workday()
    person = plot.clerk(day)
    at, source = plot.moment(person, day), plot.system(person, day)
    terminal = plot.rng.choice([one for one in plot.terminals(person.site) if one != person.desk_on(day)])
    count, step = (9, 110) if hard else (30, 12)
    acts = [_failed(town, person, at + n * step, source, terminal) for n in range(count)]
    acts.append(town.sign_in(person, at + count * step + 20, source, terminal))
    acts += _views(plot, person, at + count * step + 60, source, 2, terminal)
    town.label("password_guessing", acts, actors=[person], hard=hard)


def spraying(plot: Plot, hard: bool) -> None:
    """One terminal, many accounts, a wrong password or two each."""
    town = plot.town
    day = plot.workday()
    source = plot.system(plot.clerk(day), day)
    people = plot.rng.sample(sorted(one.id for one in town.people.values() if one.unit(day)), 10 if hard else 24)
    at, terminal = town.when(day, plot.rng.uniform(9, 16)), plot.rng.choice(plot.terminals())
    named = [town.people[one] for one in people]
    acts = [_failed(town, one, at + n * (70 if hard else 15), source, terminal) for n, one in enumerate(named)]
    town.label("password_spraying", acts, actors=named, source=source, hard=hard)


def dormant(plot: Plot, hard: bool) -> None:
    town = plot.town
    day = plot.workday(0.8, 0.95)
    person = town.choose(
        town.when(day, 0), town.when(day + 1, 0), lambda one: day in one.asleep and bool(one.unit(day))
    )
    if person is None:
        raise Missing
    at, source = town.when(day, 10.3), plot.system(person, day)
    acts = [town.sign_in(person, at, source), *_views(plot, person, at, source, 2 if hard else 6)]
    town.label("dormant_account_awake", acts, actors=[person], hard=hard)


def leaver(plot: Plot, hard: bool) -> None:
    town = plot.town
    day = plot.workday(0.5, 0.95)
    person = town.choose(
        town.when(day, 0),
        town.when(day + 1, 0),
        lambda one: one.posts[-1].last is not None and 1 <= day - one.posts[-1].last <= 25,
    )
    if person is None or person.posts[-1].last is None:
        raise Missing
    at, source = town.when(day, 11.2), plot.system(person, person.posts[-1].last)
    acts = [town.sign_in(person, at, source), *_views(plot, person, at, source, 1 if hard else 5)]
    town.label("leaver_still_active", acts, actors=[person], hard=hard)


def transferee(plot: Plot, hard: bool) -> None:
    """The old section's system, weeks after the transfer."""
    town = plot.town
    moved = [one for one in town.people.values() if len(one.posts) == 2]
    plot.rng.shuffle(moved)
    for person in moved:
        turn = person.posts[1].first or 0
        old, new = (town.sections[post.unit].systems for post in person.posts)
        gone = [one for one in old if one not in new]
        days = plot.days_there(person, min(town.days - 4, turn + 6), town.days - 2)
        if not gone or not days:
            continue
        at = plot.moment(person, plot.rng.choice(days))
        if not town.free(person, at, at + HOUR):
            continue
        acts = [town.sign_in(person, at, gone[0]), *_views(plot, person, at, gone[0], 2 if hard else 6)]
        town.label("transferee_keeps_old_right", acts, actors=[person], hard=hard)
        return
    raise Missing


def concurrent(plot: Plot, hard: bool) -> None:
    """One id at work in two places at once."""
    town = plot.town
    day = plot.workday()
    person = plot.clerk(day)
    at, source, there = plot.moment(person, day), plot.system(person, day), _elsewhere(plot, person)
    acts = [town.sign_in(person, at, source, there)]
    here, away = plot.strangers(person, at, 2 if hard else 4), plot.strangers(person, at, 2 if hard else 4)
    for n, (one, other) in enumerate(zip(here, away, strict=True)):
        acts.append(town.look(person, at + 60 + n * 120, source, one))
        acts.append(town.look(person, at + 75 + n * 120, source, other, terminal=there))
    town.label("two_places_at_once", acts, actors=[person], hard=hard)


def impossible_move(plot: Plot, hard: bool) -> None:
    """A sign-in across the town two minutes after work at one's desk."""
    town = plot.town
    day = plot.workday()
    person = plot.clerk(day)
    at, source, there = plot.moment(person, day), plot.system(person, day), _elsewhere(plot, person)
    (first,) = plot.strangers(person, at, 1)
    acts = [
        town.sign_in(person, at - 60, source),
        town.look(person, at, source, first),
        town.sign_in(person, at + (200 if hard else 70), source, there),
    ]
    acts += _views(plot, person, at + 220, source, 2 if hard else 4, there)
    town.label("impossible_move", acts, actors=[person], hard=hard)


def lent_id(plot: Plot, hard: bool) -> None:
    """Somebody on leave is at work, at a colleague's desk."""
    town = plot.town
    day = plot.workday()
    owner = plot.clerk(day, absent=True)
    user = plot.clerk(day, None, lambda one: one is not owner and one.unit(day) == owner.unit(day))
    at, source = plot.moment(user, day), plot.system(user, day)
    acts = [town.sign_in(owner, at, source, user.desk_on(day))]
    acts += _views(plot, owner, at, source, 2 if hard else 5, user.desk_on(day))
    town.label("lent_id", acts, actors=[owner, user], hard=hard)


def missing_factor(plot: Plot, hard: bool) -> None:
    """Signed in with a password where the policy asks for more."""
    town = plot.town
    first = plot.workday(0.5, 0.85)
    person = plot.clerk(
        first, first + 3, lambda one: len(town.factors(plot.system(one, first), town.when(first, 9))) > 1
    )
    source = plot.system(person, first)
    days = plot.days_there(person, first, first + 3)[: 1 if hard else 3]
    acts = [town.sign_in(person, plot.moment(person, day), source, auth={"factors": ["password"]}) for day in days]
    town.label("missing_second_factor", acts, actors=[person], hard=hard)


def unknown_terminal(plot: Plot, hard: bool) -> None:
    town = plot.town
    day = plot.workday()
    person = plot.clerk(day)
    at, source, terminal = plot.moment(person, day), plot.system(person, day), f"ZZ{plot.rng.randint(100, 999)}"
    acts = [town.sign_in(person, at, source, terminal)]
    acts += _views(plot, person, at, source, 1 if hard else 5, terminal)
    town.label("unknown_terminal", acts, actors=[person], hard=hard)


def self_grant(plot: Plot, hard: bool) -> None:
    """An administrator gives themselves a right, uses it, takes it away."""
    town = plot.town
    day = plot.workday()
    admin = plot.admin(day)
    at, source, system = plot.moment(admin, day), town.style.admin_source, next(iter(town.style.policies))
    target = {"id": admin.id, "system": system}
    acts = [
        town.act(admin, at, source, "grant", target=target),
        town.sign_in(admin, at + 120, system),
        *_views(plot, admin, at + 200, system, 2 if hard else 6),
    ]
    acts.append(town.act(admin, at + (5 * HOUR if hard else 1500), source, "revoke", target=target))
    town.label("self_granted", acts, actors=[admin], hard=hard)


def passing_grant(plot: Plot, hard: bool) -> None:
    """A right for a friend, without application or approval, gone the same day."""
    town = plot.town
    day = plot.workday()
    admin = plot.admin(day)
    friend = plot.clerk(day)
    system = plot.rng.choice([one for one in sources_of_jobs(town) if one not in plot.records(friend, day).systems])
    at, target = plot.moment(friend, day) - 2 * HOUR, {"id": friend.id, "system": system}
    acts = [
        town.act(admin, at, town.style.admin_source, "grant", target=target),
        town.sign_in(friend, at + 600, system),
        *_views(plot, friend, at + 700, system, 2 if hard else 5),
        town.act(admin, at + 1.4 * HOUR, town.style.admin_source, "revoke", target=target),
    ]
    town.label("granted_used_removed", acts, actors=[admin, friend], hard=hard)


def takeover(plot: Plot, hard: bool) -> None:
    """An administrator resets another's password without a request and goes in under that name, from their own desk."""
    town = plot.town
    day = plot.workday()
    admin = plot.admin(day)
    victim = plot.clerk(day)
    at, source = plot.moment(admin, day), plot.system(victim, day)
    acts = [
        town.act(admin, at, town.style.admin_source, "credential_reset", target={"id": victim.id, "system": source}),
        town.sign_in(victim, at + 300, source, admin.desk),
        *_views(plot, victim, at + 330, source, 2 if hard else 5, admin.desk),
    ]
    town.label("credential_takeover", acts, actors=[admin, victim], hard=hard)


def audit_scope(plot: Plot, hard: bool) -> None:
    """Somebody is taken out of what is watched."""
    town = plot.town
    day = plot.workday()
    admin = plot.admin(day)
    at = plot.moment(admin, day)
    doing = "config_change" if hard else "policy_change"
    words = "ログ出力対象の変更" if hard else "監査対象から除外"
    target = {"id": plot.clerk(day).id, "system": plot.rng.choice(sorted(town.style.policies))}
    acts = [town.act(admin, at, town.style.admin_source, doing, operation_name=words, target=target)]
    town.label("audit_scope_reduced", acts, actors=[admin], hard=hard)


def unapproved_grants(plot: Plot, hard: bool) -> None:
    """Rights that nobody applied for."""
    town = plot.town
    day = plot.workday()
    admin = plot.admin(day)
    at = plot.moment(admin, day)
    people = plot.rng.sample(sorted(town.people), 1 if hard else 4)
    acts = [
        town.act(
            admin,
            at + n * MINUTE,
            town.style.admin_source,
            "grant",
            target={"id": one, "system": plot.rng.choice(sorted(town.style.policies))},
        )
        for n, one in enumerate(people)
    ]
    town.label("granted_without_application", acts, actors=[admin], hard=hard, span=(at, at + 0.1 * DAY))


KINDS = (
    guessing,
    spraying,
    dormant,
    leaver,
    transferee,
    concurrent,
    impossible_move,
    lent_id,
    missing_factor,
    unknown_terminal,
    self_grant,
    passing_grant,
    takeover,
    audit_scope,
    unapproved_grants,
)
"""Every kind of this part; each plants one incident, or raises `Missing`."""
