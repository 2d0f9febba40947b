"""The rules in force as detectors."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType

from audit.clock import tokyo_date
from audit.rulebook import ImportedRule, RuleBook
from detectors.model import Detector
from detectors.sigma.detector import PREFIX, detector_of
from detectors.sigma.errors import SigmaRefusedError
from detectors.sigma.rules import read_rule
from detectors.sigma.stories import read_stories

__all__ = ["ImportedDetectors"]


class ImportedDetectors:
    """Makes detectors of the rules in force, each once.

    A rule that was fine when it was imported and is refused now, say after an upgrade, is left out and told; it must
    not keep the others from running.

    Args:
        book: the rules.
    """

    def __init__(self, book: RuleBook) -> None:
        self.book = book
        self._made: dict[int, Detector | SigmaRefusedError] = {}

    def detectors(self) -> Mapping[str, Detector]:
        """The detectors of what is in force now, by id."""
        made = (self._of(rule) for rule in self.book.in_force())
        return MappingProxyType({one.meta.id: one for one in made if isinstance(one, Detector)})

    def before(self) -> Mapping[str, Sequence[tuple[date, Detector]]]:
        """What rules in force were before, in order, by id, each with the day on which it was replaced or removed.

        Windows before that day are still judged with it: a rule that is changed takes back nothing that it has found.
        """
        in_force = {rule.rule for rule in self.book.in_force()}
        found: dict[str, list[tuple[date, Detector]]] = defaultdict(list)
        for rule in self.book.ended():
            made = self._of(rule) if rule.rule in in_force else None
            if isinstance(made, Detector) and rule.ended_at is not None:
                found[made.meta.id].append((tokyo_date(rule.ended_at), made))
        return found

    def broken(self) -> Mapping[str, SigmaRefusedError]:
        """The rules in force that cannot be used any more, by the id that their detector would have."""
        made = {f"{PREFIX}{rule.rule}": self._of(rule) for rule in self.book.in_force()}
        return MappingProxyType({name: one for name, one in made.items() if isinstance(one, SigmaRefusedError)})

    def _of(self, rule: ImportedRule) -> Detector | SigmaRefusedError:
        """What becomes of an import; its bytes never change."""
        if rule.number not in self._made:
            try:
                self._made[rule.number] = detector_of(read_rule(rule.content), read_stories(rule.stories))
            except SigmaRefusedError as error:
                self._made[rule.number] = error
        return self._made[rule.number]
