"""What findings about look-ups without a case say, and what beside the look-ups speaks for intent."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from audit.casework import LookUp, Result
from audit.clock import TOKYO
from audit.context import WorkContext
from audit.texts import Texts
from detectors.rules.kind import Kind

__all__ = ["circumstances", "listed", "main_source", "rarity", "what", "why_not"]

_GRACE = timedelta(minutes=30)


def circumstances(context: WorkContext, look_ups: Sequence[LookUp]) -> tuple[float, list[Texts]]:
    """What beside the look-ups themselves speaks for intent: how much more likely it makes it, and why."""
    factor, why = 1.0, []
    if late := [one for one in look_ups if not _at_work(context, one)]:
        factor *= 3
        at = min(one.first for one in late).astimezone(TOKYO)
        why.append(Texts(f"勤務時間外（{at:%H:%M}）です。", f"It was outside working time ({at:%H:%M})."))
    if printed := sum(one.prints > 0 for one in look_ups):
        factor *= 2
        why.append(Texts(f"{printed} 人分を印刷または画面複写しています。", f"Prints or copies were made: {printed}."))
    if any(one.by_name for one in look_ups):
        factor *= 1.5
        why.append(Texts("名前で検索して見つけています。", "The record was found by name."))
    return factor, why


def _at_work(context: WorkContext, look_up: LookUp) -> bool:
    if context.window_at(look_up.actor, look_up.source, look_up.first) is not None:
        return True
    spans = context.working(look_up.actor, look_up.unit, look_up.day)
    return any(span.start - _GRACE <= look_up.first < span.end + _GRACE for span in spans)


def main_source(look_ups: Sequence[LookUp]) -> str:
    """Where most of them were made; the first by name when several tie."""
    sources = [one.source for one in look_ups]
    return min(sources, key=lambda source: (-sources.count(source), source))


def listed(keys: Iterable[str], limit: int = 3) -> Texts:
    """Some keys, and how many more."""
    found = list(dict.fromkeys(keys))
    more = len(found) - limit
    shown = found[:limit]
    return Texts(
        "、".join(shown) + (f" ほか {more}" if more > 0 else ""),
        ", ".join(shown) + (f" and {more} more" if more > 0 else ""),
    )


def what(kind: Kind, context: WorkContext, actor: str, look_ups: Sequence[LookUp]) -> tuple[Texts, Texts]:
    """The title and the first sentence."""
    at = min(one.first for one in look_ups).astimezone(TOKYO)
    name = context.name_of(actor, at) or actor
    people = listed(one.subject for one in look_ups)
    number = len({one.subject for one in look_ups})
    ja, en = (kind.whom.in_(language).format(n=number) for language in ("ja", "en"))
    source = main_source(look_ups)
    return (
        Texts(f"{name} が業務上の根拠なく{ja}の記録を照会", f"{name} looked up {en} without a case"),
        Texts(
            f"{name}（{actor}）が {at.month}月{at.day}日 {at:%H:%M} から、"
            f"{ja}の記録を {source} で照会しました（{people.ja}）。",
            f"From {at:%H:%M} on {at:%-d %B}, {name} ({actor}) looked up {en} in {source}: {people.en}.",
        ),
    )


def why_not(kind: Kind, look_ups: Sequence[LookUp]) -> Texts:
    """What was looked for and not found."""
    if any(one.result == Result.CONTRADICTED for one in look_ups):
        return Texts(
            "根拠として記された案件は、別の世帯や所属のものか、すでに終わったもので、ほかに根拠も見当たりません。",
            "The case that was cited is another household's or unit's, or long closed; nothing else accounts for it.",
        )
    if kind.own_affair:
        return Texts(
            "本人に割り当てられた案件も、承認された作業もありません。所属の業務は本人や家族の照会の根拠になりません。",
            "No case was assigned to them and no list work approved; the unit's work does not cover one's own affairs.",
        )
    return Texts(
        "その世帯について、所属が扱う案件も、承認された作業も、記録の変更も見当たりません。",
        "No case of that household in their unit, no approved work and no change of the record accounts for it.",
    )


def rarity(chance: float, group: float, residents: int) -> Texts:
    """How many residents are like that, and how often chance would have hit one of them.

    Args:
        chance: the probability that it has on such a day.
        group: how many residents are like that.
        residents: of how many.
    """
    size = max(1, round(group))
    days = 1 / max(chance, 1e-6)
    often_ja = f"たまたまなら {days:,.0f} 日に 1 回ほど" if days >= 2 else "たまたまでもよくあること"
    often_en = f"by chance once in about {days:,.0f} such days" if days >= 2 else "by chance often enough"
    return Texts(
        f"住民約 {residents:,} 人のうち、あてはまるのは約 {size:,} 人です。本人のほかの照会からみて、{often_ja}です。",
        f"About {size:,} of {residents:,} residents are like that; going by their other look-ups, {often_en}.",
    )
