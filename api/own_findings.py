"""Findings that are opened where something happens, without a detector of their own: what they are called and mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from api.decisions import BREAK_GLASS_DETECTOR
from api.emergencies import OVERDUE_DETECTOR
from api.installation import CONFLICT_DETECTOR
from api.watch import CLOCK_DETECTOR, SILENT_DETECTOR
from audit.texts import Texts

__all__ = ["OWN_DETECTORS", "OwnDetector"]


@dataclass(frozen=True, slots=True)
class OwnDetector:
    """What whoever reads such a finding is told.

    Attributes:
        title: what it is called.
        runbook: what to do.
        false_positives: what usually explains it.
    """

    title: Texts
    runbook: Texts
    false_positives: Texts


OWN_DETECTORS: Mapping[str, OwnDetector] = MappingProxyType(
    {
        CONFLICT_DETECTOR: OwnDetector(
            Texts("識別子の重複（内容が異なる）", "Known id with other content"),
            Texts(
                "1. 発生元の管理者に、ログの書き直しや再採番がなかったか確かめます。\n"
                "2. 隔離された原文を取り出して比べます（mimamori quarantine show）。",
                "1. Ask whoever runs the source whether its log was rewritten or renumbered.\n"
                "2. Take the bytes out of quarantine and compare (mimamori quarantine show).",
            ),
            Texts("発生元の採番のやり直し、訂正済みファイルの再送。", "Renumbering, or a corrected file sent again."),
        ),
        BREAK_GLASS_DETECTOR: OwnDetector(
            Texts("緊急利用の宣言", "Emergency access declared"),
            Texts(
                "1. 本人と所属長に、何があったかを電話で確かめます。\n"
                "2. 「緊急利用の確認」で、その間の利用を 1 件ずつ見て、結果を記入します。",
                "1. Call the person and the section head: what happened?\n"
                "2. Look at each use made under it on the page of reviews, and enter the result.",
            ),
            Texts("実際に起きた災害や障害。", "A disaster or failure that did happen."),
        ),
        OVERDUE_DETECTOR: OwnDetector(
            Texts("緊急利用の確認の遅れ", "Emergency not reviewed in time"),
            Texts(
                "「緊急利用の確認」で、宣言した本人以外の人が結果を記入します。",
                "Somebody other than the one who declared it enters the result on the page of reviews.",
            ),
            Texts("確認者の不在。", "The reviewer was away."),
        ),
        SILENT_DETECTOR: OwnDetector(
            Texts("検知が働いていない", "A detector does not see"),
            Texts(
                "1. 「設定で黙っている」なら、誰が何のために変えたか確かめ、戻します（mimamori tuning list）。\n"
                "2. エラーや未実行なら、サービスのログを見ます。直ると、期限の来た区間は自動で順に調べ直されます。\n"
                "3. その間の区間は mimamori detect --from --to で調べ直せます。",
                "1. Where a change of settings silenced it: ask who made it and why, and take it back "
                "(mimamori tuning list).\n"
                "2. Where it failed or was not run: look at the service's log; once put right, due windows are caught "
                "up in order by themselves.\n"
                "3. The windows in between can be judged again with mimamori detect --from --to.",
            ),
            Texts("負荷や停止のあとの追いつき。", "Catching up after load or a stop."),
        ),
        CLOCK_DETECTOR: OwnDetector(
            Texts("見守りの時計の変更", "Mimamori's own clock was set"),
            Texts(
                "1. 時刻同期（NTP）の状態を確かめます。\n"
                "2. 誰かが手で変えたなら、いつ・なぜかを確かめ、その間の受信時刻を信用しません。",
                "1. Check the machine's time synchronisation (NTP).\n"
                "2. Where somebody set it by hand: ask when and why, and do not trust times of receipt in between.",
            ),
            Texts("仮想マシンの移動、停電後の起動。", "A virtual machine that was moved; a start after a power cut."),
        ),
    }
)
