"""Who lives in the town: households, the buildings they share, surnames, and who needs care with their record.

Residents are keys only; they have no name, address or birthday. Surnames are as unevenly spread as in Japan, where
the commonest is borne by about 1.5 % of all people, so that sharing one says little, and sharing a rare one much.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate
from random import Random

from detectors.lab.model import Resident

__all__ = ["Residents", "settle_households"]

_SURNAMES = 3000
_SIZES = ((1, 2, 3, 4, 5), (38, 28, 16, 13, 5))
_PROTECTED = 0.0012
_DECEASED = 0.008
_STAFF = 0.6
"""Of the staff, those who live in the town they work for."""
_REMARRIED = 0.03
"""Of the households of two or more, those with somebody who bears another surname than before."""


class Residents:
    """Everybody who lives in the town, and the questions that casework and plots ask.

    Attributes:
        by_id: every resident.
        households: members by household, at least one each.
        celebrity: a resident everybody has heard of.
    """

    def __init__(self, residents: Iterable[Resident], celebrity: str) -> None:
        self.by_id = {resident.id: resident for resident in residents}
        self.celebrity = celebrity
        households: dict[str, list[str]] = defaultdict(list)
        self._at_address: dict[str, list[str]] = defaultdict(list)
        self._named: dict[str, list[str]] = defaultdict(list)
        self._once_named: dict[str, list[str]] = defaultdict(list)
        for one in self.by_id.values():
            households[one.household].append(one.id)
            self._at_address[one.address].append(one.id)
            self._named[one.name].append(one.id)
            if one.former_name:
                self._once_named[one.former_name].append(one.id)
        self.households = {key: tuple(members) for key, members in households.items()}
        self.homes: Sequence[tuple[str, ...]] = tuple(self.households.values())
        self.ids: Sequence[str] = tuple(self.by_id)

    def household(self, resident: str) -> tuple[str, ...]:
        """Everybody of a resident's household, the resident among them; nobody for an unknown number."""
        known = self.by_id.get(resident)
        return self.households[known.household] if known else ()

    def family(self, resident: str) -> tuple[str, ...]:
        """The others of the household."""
        return tuple(one for one in self.household(resident) if one != resident)

    def neighbours(self, resident: str) -> tuple[str, ...]:
        """Those of other households in the same building or on the same lot."""
        known = self.by_id.get(resident)
        own = set(self.household(resident))
        return tuple(one for one in self._at_address[known.address] if one not in own) if known else ()

    def namesakes(self, resident: str) -> tuple[str, ...]:
        """Those of other households with the same surname."""
        known = self.by_id.get(resident)
        own = set(self.household(resident))
        return tuple(one for one in self._named[known.name] if one not in own) if known else ()

    def namesake(self, rng: Random, resident: str) -> str:
        """One of those with the same surname, seldom the resident; empty for an unknown number."""
        known = self.by_id.get(resident)
        return rng.choice(self._named[known.name]) if known else ""

    def former_family(self, resident: str) -> tuple[str, ...]:
        """Those elsewhere who once bore the resident's surname, or bear the one that the resident once bore."""
        known = self.by_id.get(resident)
        if not known:
            return ()
        own = set(self.household(resident))
        found = [*self._once_named.get(known.name, ()), *self._named.get(known.former_name, ())]
        return tuple(one for one in found if one not in own)

    def flagged(self, flag: str) -> tuple[str, ...]:
        """Residents with a flag."""
        return tuple(one.id for one in self.by_id.values() if flag in one.flags)


def settle_households(rng: Random, count: int, *, staff: int) -> Residents:
    """Settle a town.

    Args:
        rng: randomness of its own.
        count: residents in all, or a few more.
        staff: how many people work for the town; the first households are theirs, and some of these lie in one
            building. Whoever lives in the town is the first member and flagged `staff`.
    """
    numbers = iter(rng.sample(range(1_000_000, 90_000_000), count + 5))
    names = rng.sample(range(10_000, 99_999), _SURNAMES)
    weights = list(accumulate(1 / (rank + 10.5) for rank in range(1, _SURNAMES + 1)))

    def surname() -> str:
        return f"n{names[rng.choices(range(_SURNAMES), cum_weights=weights)[0]]}"

    people: list[Resident] = []
    building, room = 0, 0
    home = 0
    while len(people) < count:
        size = rng.choices(*_SIZES)[0]
        if home < staff:
            size = max(size, rng.choice((1, 2, 3)))
        if room == 0:
            building += 1
            # Half of the buildings hold one household; the others are blocks of flats.
            room = 1 if rng.random() < 0.5 else rng.randint(3, 12)
        room -= 1
        name = surname()
        members = [Resident(f"{next(numbers):010}", f"h{home:06}", f"a{building:06}", name) for _ in range(size)]
        if home < staff and rng.random() < _STAFF:
            members[0] = replace(members[0], flags=frozenset({"staff"}))
        if size > 1 and rng.random() < _REMARRIED:
            members[1] = replace(members[1], former_name=surname())
        people += members
        home += 1
    people = [_flagged(rng, one) for one in people]
    _part_couples(rng, people, staff)
    celebrity = rng.randrange(len(people) // 2, len(people))
    for place in (celebrity, *(rng.randrange(len(people) // 2, len(people)) for _ in range(2))):
        people[place] = replace(people[place], flags=frozenset({"vip"}))
    for place in rng.sample(range(len(people) // 2, len(people)), 4):
        if not people[place].flags:
            people[place] = replace(people[place], flags=frozenset({"protected"}))
    return Residents(people, people[celebrity].id)


def _flagged(rng: Random, one: Resident) -> Resident:
    if one.flags:
        return one
    chance = rng.random()
    flag = "protected" if chance < _PROTECTED else "deceased" if chance < _PROTECTED + _DECEASED else ""
    return replace(one, flags=frozenset({flag})) if flag else one


def _part_couples(rng: Random, people: list[Resident], staff: int) -> None:
    """Some of the staff are divorced: somebody elsewhere bore their surname, a child of theirs still bears it."""
    homes: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(people):
        homes[one.household].append(place)
    order = list(homes.values())
    far = [home for home in order[staff:] if len(home) > 1]
    if not far:
        return
    for home in order[:staff]:
        if rng.random() < 0.08:
            own = people[home[0]]
            partner, *children = rng.choice(far)
            if not people[partner].former_name:
                people[partner] = replace(people[partner], former_name=own.name)
                people[children[0]] = replace(people[children[0]], name=own.name)
