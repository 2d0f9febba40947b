"""What is said of a source's gaps: health, sums of a look, and the detectors' own words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from audit.texts import Texts

__all__ = [
    "BACKDATING",
    "BATCH",
    "CLOCK",
    "DETECTORS",
    "SEQUENCE",
    "SILENCE",
    "VERSION",
    "GapDetector",
    "GapSummary",
    "Health",
    "SourceState",
]

BACKDATING = "source-backdating"
BATCH = "source-batch"
CLOCK = "source-clock"
SEQUENCE = "source-sequence"
SILENCE = "source-silence"
VERSION = "1.1.0"


class SourceState(StrEnum):
    """How a source is doing.

    `late`: more than half of the time it may be quiet has passed, or what was due is not here but may be under way.
    `gap`: heard, but something of it is missing, or its times are not to be trusted. `never`: nothing has come yet.
    """

    GAP = "gap"
    LATE = "late"
    NEVER = "never"
    OK = "ok"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Health:
    """How one source is doing.

    Attributes:
        source: its id.
        state: in one word.
        last_event: when its latest event happened.
        last_delivery: when it last delivered anything.
        today: events of this business day.
        week: events of the last seven business days, this one included.
        expected: how often it should be heard of, in words.
        due: by when the next event is owed; `None` when none is.
        open_gaps: the ids of its open findings about gaps.
    """

    source: str
    state: SourceState
    last_event: datetime | None
    last_delivery: datetime | None
    today: int
    week: int
    expected: Texts
    due: datetime | None
    open_gaps: tuple[str, ...]


@dataclass(slots=True)
class GapSummary:
    """What one look did.

    Attributes:
        events: how many new events it saw.
        opened: gaps that were not open before.
        filled: gaps that were open and are no more.
        withdrawn: gaps that never were, by a corrected calendar or rhythm.
    """

    events: int = 0
    opened: int = 0
    filled: int = 0
    withdrawn: int = 0


@dataclass(frozen=True, slots=True)
class GapDetector:
    """What people read about one kind of gap."""

    title: Texts
    runbook: Texts
    false_positives: Texts


DETECTORS: Mapping[str, GapDetector] = MappingProxyType(
    {
        SILENCE: GapDetector(
            Texts("ログの途絶", "Silent source"),
            Texts(
                "1. 発生元のシステムとログの送り手が動いているか確かめます。\n"
                "2. 止まっていた間のログが残っていれば送り直します。\n"
                "3. 残っていなければ、誰がいつ止めたかを調べます。",
                "1. See whether the system and what ships its log are running.\n2. If the log of the time still "
                "exists, deliver it.\n3. If it does not, find out who stopped it and when.",
            ),
            Texts(
                "臨時の閉庁、予定された停止。庁内カレンダーに閉庁を登録すると取り下げられます。",
                "A closure or an outage that was planned: a closed day in the calendar feed withdraws the finding.",
            ),
        ),
        SEQUENCE: GapDetector(
            Texts("通番の欠け", "Missing sequence numbers"),
            Texts(
                "1. 発生元に欠けた通番の記録が残っているか確かめ、残っていれば送り直します。\n"
                "2. 残っていなければ、削除の可能性があるものとして前後の操作を調べます。",
                "1. Look for the missing numbers at the source, and deliver them if they are there.\n2. If they are "
                "not, treat them as deleted: look at what was done before and after.",
            ),
            Texts("発生元の採番のやり直し。", "The source renumbered its events."),
        ),
        CLOCK: GapDetector(
            Texts("発生元の時計のずれ", "A source's clock is wrong"),
            Texts(
                "1. 発生元の時刻合わせ (NTP) を確かめて直します。\n"
                "2. ずれていた間のイベントの時刻は、受信時刻と合わせて読みます。",
                "1. Check the source's time synchronisation (NTP) and repair it.\n2. Read the times of that span "
                "together with the times of receipt.",
            ),
            Texts("いつも同じ時間だけ遅れて届く経路。", "A way that always takes the same time."),
        ),
        BACKDATING: GapDetector(
            Texts("さかのぼった日時の記録", "Backdated events"),
            Texts(
                "1. 記録した人に、後から記録した理由を確かめます。\n"
                "2. 通番と日時の順が合わないものは、書き換えがないか調べます。",
                "1. Ask whoever recorded them why they were recorded late.\n2. Where numbers and times disagree, look "
                "for tampering.",
            ),
            Texts("紙の台帳の後日の転記。", "A paper ledger that was typed in later."),
        ),
        BATCH: GapDetector(
            Texts("予告された一括データの不足", "An announced batch is missing"),
            Texts(
                "1. 送り手に、送信したか、件数はいくつだったか確かめます。\n2. 足りない分を送り直してもらいます。",
                "1. Ask the sender whether it was sent, and with how many rows.\n2. Have the rest delivered.",
            ),
            Texts("取りやめになった送信。", "A transfer that was called off."),
        ),
    }
)
