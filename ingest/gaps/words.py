"""What findings about gaps say: titles and reasons in both languages, with numbers and spans."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from audit.clock import TOKYO
from audit.findings import Draft, Severity
from audit.log.announcements import Announced, Delivered
from audit.texts import Texts
from ingest.gaps.clocks import Episode
from ingest.gaps.memory import NumberGap
from ingest.gaps.silence import Silence, score
from ingest.sources.profile import Profile

__all__ = [
    "arrived_late",
    "backdated",
    "batch",
    "batch_met",
    "clock",
    "clock_right",
    "heard_again",
    "never_was",
    "numbers",
    "numbers_filled",
    "silence",
    "stepped_back",
    "uncounted",
]

_RAREST = 10_000
"""Days: nothing rarer is told from so few."""
_NAMED = 20
"""Ranges of missing numbers named in a sentence; more are counted."""


def _draft(
    profile: Profile, entity: str, severity: Severity, score: float, title: Texts, reasons: Sequence[Texts]
) -> Draft:
    return Draft(
        entity=entity,
        severity=severity,
        score=score,
        actors=(),
        subjects=(),
        source=profile.id,
        title=Texts(f"{profile.name_ja}: {title.ja}", f"{profile.name_en}: {title.en}"),
        reasons=tuple(reasons),
        evidence=(),
        first_index=0,
        last_index=0,
        evidence_total=0,
    )


def _moment(at: datetime) -> Texts:
    there = at.astimezone(TOKYO)
    return Texts(f"{there.year}年{there.month}月{there.day}日 {there:%H:%M}", f"{there:%-d %B %Y} at {there:%H:%M}")


def _day(day: date) -> Texts:
    return Texts(f"{day.year}年{day.month}月{day.day}日", f"{day:%-d %B %Y}")


def _length(span: timedelta) -> Texts:
    minutes = round(abs(span).total_seconds() / 60)
    if minutes < 120:
        return Texts(f"{minutes} 分", f"{minutes} minutes")
    if minutes < 48 * 60:
        return Texts(f"{minutes // 60} 時間 {minutes % 60} 分", f"{minutes // 60} h {minutes % 60} min")
    return Texts(f"{minutes // 1440} 日", f"{minutes // 1440} days")


def _ranges(ranges: Sequence[tuple[int, int]]) -> Texts:
    named = [f"{first}" if first == last else f"{first}–{last}" for first, last in ranges[:_NAMED]]
    more = len(ranges) - len(named)
    return Texts(
        "、".join(named) + (f" ほか {more} 区間" if more else ""),
        ", ".join(named) + (f" and {more} more ranges" if more else ""),
    )


def _by(arrival: Delivered | None) -> Texts:
    if arrival is None:
        return Texts("", "")
    at = _moment(arrival.received_at)
    return Texts(
        f"（配信 {arrival.number}「{arrival.name}」、{at.ja} 受信）",
        f" (delivery {arrival.number}, {arrival.name}, received on {at.en})",
    )


def silence(profile: Profile, found: Silence, expected: Texts, by_chance: float | None) -> Draft:
    """A source is not heard; so likely by chance alone, where its days are known."""
    heard, due = _moment(found.heard), _moment(found.due)
    rare = _RAREST if not by_chance else min(_RAREST, int(1 / by_chance))
    days = Texts(
        f"このシステムのこれまでの日から見て、これほど長い途絶が偶然に起きるのは {rare:,} 日に 1 度以下です。",
        f"By the system's own days, chance makes a silence so long on one day in {rare:,} or fewer.",
    )
    return _draft(
        profile,
        profile.id,
        Severity.HIGH if profile.rhythm.around_the_clock else Severity.MEDIUM,
        score(by_chance),
        Texts(f"{due.ja} からログが途絶", f"silent since {due.en}"),
        [
            Texts(f"最後のイベントは {heard.ja} です。", f"The last event happened on {heard.en}."),
            Texts(
                f"このシステムのログは「{expected.ja}」に届くはずで、{due.ja} までに次のイベントが必要でした。",
                f"It should be heard {expected.en}: the next event was due by {due.en}.",
            ),
            *([] if by_chance is None else [days]),
        ],
    )


def heard_again(found: Silence, again: datetime, arrival: Delivered | None) -> Texts:
    """A silence has ended; nothing has come of the time itself."""
    at, length, by = _moment(again), _length(again - found.heard), _by(arrival)
    return Texts(
        f"{at.ja} のイベントで途絶は終わりました{by.ja}。その間の {length.ja} のイベントは届いていません。",
        f"The silence ended with an event on {at.en}{by.en}. Of the {length.en} between, no event has arrived.",
    )


def arrived_late(count: int, arrival: Delivered | None) -> Texts:
    """Events of the silent time have arrived."""
    by = _by(arrival)
    return Texts(
        f"その間のイベント {count} 件が後から届きました{by.ja}。",
        f"{count} events of that time have arrived since{by.en}.",
    )


def never_was() -> Texts:
    """A corrected calendar or rhythm: nothing was owed."""
    return Texts(
        "カレンダーまたは想定間隔の変更により、この時間にイベントは必要ありませんでした。",
        "By the calendar or rhythm as corrected, no event was owed in that time.",
    )


def numbers(profile: Profile, gap: NumberGap) -> Draft:
    """Numbers are missing."""
    count, left = gap.count, gap.left
    still = sum(last - first + 1 for first, last in left)
    spans, first, last = _ranges(left), _moment(gap.after), _moment(gap.before)
    reasons = [
        Texts(f"届いていない通番: {spans.ja}（{still} 件）。", f"Numbers that have not arrived: {spans.en} ({still})."),
        Texts(
            f"前後のイベントは {first.ja} と {last.ja} のものです。",
            f"The events before and after happened on {first.en} and on {last.en}.",
        ),
    ]
    if still < count:
        reasons.append(
            Texts(
                f"{count} 件のうち {count - still} 件は後から届きました。",
                f"{count - still} of {count} have arrived since.",
            )
        )
    return _draft(
        profile,
        f"{profile.id}/{gap.first}",
        Severity.HIGH,
        0.8,
        Texts(f"通番 {count} 件の欠け", f"{count} sequence numbers are missing"),
        reasons,
    )


def numbers_filled(count: int, arrival: Delivered | None) -> Texts:
    """The missing numbers have arrived."""
    by = _by(arrival)
    return Texts(
        f"欠けていた {count} 件はすべて届きました{by.ja}。", f"All {count} missing numbers have arrived{by.en}."
    )


def uncounted(profile: Profile) -> Draft:
    """What should be a sequence is none."""
    return _draft(
        profile,
        f"{profile.id}/uncounted",
        Severity.LOW,
        0.3,
        Texts("通番が増えていません", "its sequence numbers do not grow"),
        [
            Texts(
                "通番が 0 または 1 に戻ることが多すぎるため、欠けを調べられません。",
                "The numbers fall back to 0 or 1 so often that a missing one cannot be told.",
            )
        ],
    )


def clock(profile: Profile, found: Episode) -> Draft:
    """A source's clock is wrong."""
    worst, start = found.worst, _moment(found.start)
    reasons: list[Texts] = []
    title = Texts("あり得ない時刻の記録", "records with impossible times")
    if worst.ahead:
        by = _length(timedelta(seconds=worst.ahead_by))
        title = Texts("時計が進んでいます", "its clock is ahead")
        reasons.append(
            Texts(
                f"{start.ja} 以降、受信より進んだ時刻のイベントがあります"
                f"（1 時間に {worst.ahead} 件、中央値 {by.ja}）。",
                f"Since {start.en} events are ahead of their receipt ({worst.ahead} in an hour, "
                f"by {by.en} in the median).",
            )
        )
    elif worst.behind:
        by = _length(timedelta(seconds=worst.delay))
        title = Texts("時計が遅れています", "its clock is behind")
        reasons.append(
            Texts(
                f"{start.ja} 以降、{worst.deliveries} 回の配信のイベント {worst.events} 件の時刻が、"
                f"そろって約 {by.ja}遅れています。",
                f"Since {start.en} the {worst.events} events of {worst.deliveries} deliveries are all late "
                f"by about {by.en}.",
            )
        )
    if found.refused:
        reasons.append(
            Texts(
                f"時刻があり得ない記録 {found.refused} 件を隔離しました。",
                f"{found.refused} records with impossible times are in quarantine.",
            )
        )
    reasons.append(Texts("時刻は書き換えずに保存しています。", "The times are stored as they came."))
    return _draft(profile, profile.id, Severity.MEDIUM, 0.5, title, reasons)


def clock_right(at: datetime) -> Texts:
    """The clock is right again."""
    moment = _moment(at)
    return Texts(
        f"{moment.ja} 以降のイベントの時刻は受信時刻と合っています。",
        f"Since {moment.en} times agree with their receipt.",
    )


def backdated(profile: Profile, day: date, count: int, after: timedelta, longest: timedelta) -> Draft:
    """Events were recorded long after their own time."""
    on, limit, most = _day(day), _length(after), _length(longest)
    return _draft(
        profile,
        f"{profile.id}/recorded",
        Severity.MEDIUM,
        0.5,
        Texts(f"さかのぼった記録 {count} 件", f"{count} events were backdated"),
        [
            Texts(
                f"{on.ja} の出来事とするイベント {count} 件が、"
                f"{limit.ja}以上後に記録されています（最長 {most.ja}後）。",
                f"{count} events dated {on.en} were recorded more than {limit.en} later (at most {most.en}).",
            )
        ],
    )


def stepped_back(profile: Profile, day: date, count: int) -> Draft:
    """Numbers and times disagree."""
    on = _day(day)
    return _draft(
        profile,
        f"{profile.id}/sequence",
        Severity.HIGH,
        0.8,
        Texts(f"通番と日時の順が合わないイベント {count} 件", f"{count} events are out of order"),
        [
            Texts(
                f"{on.ja} の日時を持つイベント {count} 件は、通番では、"
                f"それより 1 時間以上新しいイベントの後に書かれています。",
                f"{count} events dated {on.en} were, by their numbers, written after events that are "
                "over an hour newer.",
            )
        ],
    )


def batch(profile: Profile, owed: Announced, arrival: Delivered | None) -> Draft:
    """An announced batch is missing, or short."""
    due, said = _moment(owed.due), _moment(owed.announced_at)
    reasons = [
        Texts(
            f"{said.ja} に予告された「{owed.name}」（{owed.rows} 件）の期限は {due.ja} でした。",
            f"{owed.name} ({owed.rows} rows), announced on {said.en}, was due by {due.en}.",
        )
    ]
    if arrival is None:
        title = Texts(f"予告された「{owed.name}」が届いていません", f"{owed.name} was announced and is missing")
        reasons.append(Texts("その名前の配信はありません。", "No delivery of that name has come."))
    elif arrival.rows >= owed.rows:
        by = _by(arrival)
        title = Texts(f"「{owed.name}」が予告と異なる内容です", f"{owed.name} is not what was announced")
        reasons.append(
            Texts(
                f"届いたもの{by.ja}の SHA-256 は予告と異なります。",
                f"The SHA-256 of what has come{by.en} is another one.",
            )
        )
    else:
        short, by = owed.rows - arrival.rows, _by(arrival)
        title = Texts(f"「{owed.name}」が予告より {short} 件少ない", f"{owed.name} is {short} rows short")
        reasons.append(Texts(f"届いたのは {arrival.rows} 件です{by.ja}。", f"{arrival.rows} rows have come{by.en}."))
    if owed.sha256:
        reasons.append(Texts(f"予告された SHA-256: {owed.sha256}", f"The announced SHA-256: {owed.sha256}"))
    severity = Severity.MEDIUM if arrival is None else Severity.HIGH
    return _draft(profile, f"{profile.id}/{owed.name}", severity, 0.7, title, reasons)


def batch_met(owed: Announced, arrival: Delivered) -> Texts:
    """The batch has arrived whole."""
    by = _by(arrival)
    return Texts(
        f"予告された {owed.rows} 件がそろいました{by.ja}。", f"All {owed.rows} announced rows have come{by.en}."
    )
