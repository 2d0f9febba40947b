"""Asking other bodies, and answering them, without a rule or a case that allows it."""

from detectors.lab.acts import Counterparty
from detectors.lab.incidents.expected import HAND_PROVISION, LINKAGE, OUTSIDE_AFFAIR, PROTECTED, UNACCOUNTED
from detectors.lab.incidents.telling import Told, days_of, incident, told
from detectors.lab.model import Person
from detectors.lab.stage import Stage
from detectors.lab.systems import INTERMEDIATE

__all__ = ["inquiry_without_case", "inquiry_without_permit", "provision_by_hand"]

_BODIES = ("甲市", "乙市", "丁県", "日本年金機構")


def _asks(person: Person) -> bool:
    return INTERMEDIATE in person.section.systems


def _ask(stage: Stage, person: Person, count: int, *, permit: str, days: int) -> Told | None:
    """Ask other bodies about residents without a case, and read what they answer."""
    when = days_of(stage, person, days, apart=2)
    if not when:
        return None
    for day in when:
        for _ in range(count):
            whom = stage.stranger(person, day)
            number = f"p-{stage.rng.randint(100, 999)}" if permit else ""
            other = Counterparty(stage.rng.choice(_BODIES), "情報提供ネットワーク", permit, number)
            stage.chore(
                person,
                day,
                INTERMEDIATE,
                ("inquiry", {"subjects": (whom,), "counterparty": other}),
                ("view", {"subjects": (whom,), "by": "number", "hits": 1}),
            )
    total = count * len(when)
    without = ("許可番号のない", "without a permit") if not permit else ("ケースのない", "without a case")
    ja = f"{person.name}が{without[0]}情報照会を{total}件行い、回答を閲覧した。"
    en = f"{person.id} made {total} inquiries to other bodies {without[1]} and read the answers."
    return told(person, INTERMEDIATE, when, ja, en)


@incident(LINKAGE)
def inquiry_without_permit(stage: Stage) -> Told | None:
    """Other bodies are asked about residents with the permit left blank."""
    part = stage.cast(fits=_asks)
    return _ask(stage, part[0], stage.rng.randint(2, 3), permit="", days=1) if part else None


@incident(LINKAGE, UNACCOUNTED, hard=True)
def inquiry_without_case(stage: Stage) -> Told | None:
    """Other bodies are asked in proper form about residents who applied for nothing."""
    part = stage.cast(fits=_asks)
    return _ask(stage, part[0], stage.rng.randint(2, 3), permit="9-20", days=2) if part else None


@incident(HAND_PROVISION, PROTECTED, OUTSIDE_AFFAIR)
def provision_by_hand(stage: Stage) -> Told | None:
    """What only the machine answers is answered by hand, for a resident whose record must not be sent."""
    if not (part := stage.cast(fits=_asks)):
        return None
    person, day = part
    free = stage.uninvolved(stage.residents.flagged("protected"), day, unit=person.unit)
    if not free:
        return None
    whom = stage.rng.choice(free)
    other = Counterparty(stage.rng.choice(_BODIES), "情報提供ネットワーク", "9-20", f"p-{stage.rng.randint(100, 999)}")
    stage.chore(
        person,
        day,
        INTERMEDIATE,
        ("view", {"subjects": (whom,), "by": "number", "hits": 1}),
        ("provision", {"subjects": (whom,), "counterparty": other}),
    )
    ja = f"{person.name}が、自動応答の対象でない支援措置の対象者について、手作業で情報提供した。"
    en = f"{person.id} provided by hand the data of a protected resident, which must not be answered automatically."
    return told(person, INTERMEDIATE, [day], ja, en)
