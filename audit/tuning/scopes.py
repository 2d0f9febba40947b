"""Whether a finding falls under an exception. What is not known for certain does not: it stays before reviewers."""

from collections.abc import Collection

from audit.clock import TOKYO, tokyo_date
from audit.findings import Finding
from audit.tuning.model import EVERY, Catalogue, ExceptionTerms, Scope, Surroundings

__all__ = ["covers", "names_person"]


def covers(
    terms: ExceptionTerms,
    finding: Finding,
    parties: Collection[str],
    catalogue: Catalogue,
    surroundings: Surroundings,
) -> bool:
    """Whether the terms cover a finding, whatever its day.

    Args:
        terms: of the exception.
        finding: any.
        parties: who proposed, confirmed and owns it; a finding about one of them is never covered.
        catalogue: the detectors.
        surroundings: people and events.
    """
    if not _concerns(terms.detector, finding.detector, catalogue):
        return False
    if not _fits(terms.scope, finding, surroundings):
        return False
    return not any(surroundings.same_natural_person(actor, party) for actor in finding.actors for party in parties)


def _concerns(wanted: str, detector: str, catalogue: Catalogue) -> bool:
    if wanted != EVERY:
        return wanted == detector
    return detector in catalogue.names() and detector not in catalogue.guarded


def _fits(scope: Scope, finding: Finding, surroundings: Surroundings) -> bool:
    if scope.weekdays and tokyo_date(finding.start).weekday() not in scope.weekdays:
        return False
    if scope.sources and not _sources(finding) <= set(scope.sources):
        return False
    if scope.actors and not _among(finding.actors, scope.actors):
        return False
    if scope.subjects and not _among(finding.subjects, scope.subjects):
        return False
    if scope.units and not _in_units(scope, finding, surroundings):
        return False
    return not scope.hours or _in_hours(scope, finding, surroundings)


def _among(found: Collection[str], allowed: Collection[str]) -> bool:
    """Whether there are any, and all of them are allowed."""
    return bool(found) and set(found) <= set(allowed)


def _sources(finding: Finding) -> set[str]:
    return {finding.source, *(ref.partition(":")[0] for ref in finding.evidence)}


def _in_units(scope: Scope, finding: Finding, surroundings: Surroundings) -> bool:
    units = [surroundings.units_of(actor, finding.start) for actor in finding.actors]
    return bool(units) and all(set(of_one) & set(scope.units) for of_one in units)


def _in_hours(scope: Scope, finding: Finding, surroundings: Surroundings) -> bool:
    if finding.evidence_total != len(finding.evidence):
        return False
    times = surroundings.times_of(finding.evidence)
    known = len(times) == len(finding.evidence)
    return known and all(at.astimezone(TOKYO).hour in scope.hours for at in times)


def names_person(terms: ExceptionTerms, staff_id: str, units: Collection[str], surroundings: Surroundings) -> bool:
    """Whether an exception is made for somebody: by name, under whatever id, or with their unit.

    Args:
        terms: of the exception.
        staff_id: who.
        units: the person's unit, and those above it.
        surroundings: people.
    """
    if terms.scope.actors:
        return any(surroundings.same_natural_person(staff_id, actor) for actor in terms.scope.actors)
    return bool(set(units) & set(terms.scope.units))
