"""Why a decision came out as it did: a closed table of words, each with what to do next in both languages.

Programs are given the word, people the sentence. A sentence names no resident, and nothing that helps to get around it.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from audit.texts import Texts

__all__ = ["TEXTS", "Reason"]


class Reason(StrEnum):
    """The word of a decision."""

    ALLOWED = "allowed"
    APPROVAL_LATE = "approval_late"
    APPROVAL_MEDIUM = "approval_medium"
    APPROVAL_NEEDED = "approval_needed"
    APPROVAL_OWN = "approval_own"
    APPROVAL_ROWS = "approval_rows"
    APPROVAL_USED = "approval_used"
    CASE_MISSING = "case_missing"
    COLLEAGUE = "colleague"
    DECEASED = "deceased"
    EMERGENCY_ELSEWHERE = "emergency_elsewhere"
    FAMILY = "family"
    MEDIUM_MISSING = "medium_missing"
    NO_POLICY = "no_policy"
    NO_POST = "no_post"
    NO_RIGHT = "no_right"
    NO_SESSION = "no_session"
    NOT_JUDGED = "not_judged"
    NOT_RECORDED = "not_recorded"
    ON_LEAVE = "on_leave"
    OTHER_ADDRESS = "other_address"
    OTHER_SESSION = "other_session"
    OTHER_TERMINAL = "other_terminal"
    OUTSIDE_HOURS = "outside_hours"
    PROOF_OLD = "proof_old"
    PROOF_WEAK = "proof_weak"
    PROTECTED = "protected"
    PURPOSE_MISSING = "purpose_missing"
    PURPOSE_UNKNOWN = "purpose_unknown"
    SECOND_PERSON_NEEDED = "second_person_needed"
    SECOND_PERSON_OLD = "second_person_old"
    SECOND_PERSON_REFUSED = "second_person_refused"
    SELF = "self"
    SESSION_LOCKED = "session_locked"
    STAFF = "staff"
    TERMINAL_OTHER_UNIT = "terminal_other_unit"
    TERMINAL_UNREGISTERED = "terminal_unregistered"
    UNKNOWN_ACTIVITY = "unknown_activity"
    VIP = "vip"


TEXTS: Mapping[Reason, Texts] = MappingProxyType(
    {
        Reason.ALLOWED: Texts("許可しました。", "Allowed."),
        Reason.APPROVAL_LATE: Texts(
            "承認の登録が操作より後です。承認を受けてから操作してください。",
            "The approval was entered after the act. Act only once it is approved.",
        ),
        Reason.APPROVAL_MEDIUM: Texts(
            "承認された媒体ではありません。承認された媒体を使うか、この媒体の承認を申請してください。",
            "This is not the approved medium. Use the approved one, or ask for an approval of this one.",
        ),
        Reason.APPROVAL_NEEDED: Texts(
            "この操作には事前の承認が必要です。所属長に承認を申請してください。",
            "This needs an approval beforehand. Ask your section head for one.",
        ),
        Reason.APPROVAL_OWN: Texts(
            "自分で自分に出した承認は使えません。別の承認者に申請してください。",
            "An approval given by oneself does not count. Ask another approver.",
        ),
        Reason.APPROVAL_ROWS: Texts(
            "承認された件数を超えています。件数を減らすか、必要な件数で承認を申請してください。",
            "More records than were approved. Reduce them, or ask for an approval of as many as you need.",
        ),
        Reason.APPROVAL_USED: Texts(
            "承認された回数を使い終えています。新しい承認を申請してください。",
            "The approval has been used up. Ask for a new one.",
        ),
        Reason.CASE_MISSING: Texts(
            "受付番号または事案番号を入力してください。",
            "Enter the number of the ticket or case that this is for.",
        ),
        Reason.COLLEAGUE: Texts(
            "同じ所属の職員の記録は扱えません。所属長に申し出て、他の職員に依頼してください。",
            "A colleague's record is not for you to handle. Tell your section head: somebody else will.",
        ),
        Reason.DECEASED: Texts(
            "この方の記録は扱えません。所属長に申し出てください。",
            "This record is not for you to handle. Speak to your section head.",
        ),
        Reason.EMERGENCY_ELSEWHERE: Texts(
            "封緘された証明でのサインインは、宣言したシステムだけに使えます。",
            "A sign-in with a sealed credential is for the system that it was declared for.",
        ),
        Reason.FAMILY: Texts(
            "同一世帯の方の記録は扱えません。所属長に申し出て、他の職員に依頼してください。",
            "A record of your own household is not for you to handle. Tell your section head: somebody else will.",
        ),
        Reason.MEDIUM_MISSING: Texts(
            "媒体の番号を入力してください。",
            "Enter the number of the medium.",
        ),
        Reason.NO_POLICY: Texts(
            "判定の設定が読めないため、すべて停止しています。システム管理者に連絡してください。",
            "The decision policy cannot be read, so everything is stopped. Tell the administrator.",
        ),
        Reason.NO_POST: Texts(
            "現在の在籍が確認できません。人事担当または所属長に確認してください。",
            "You hold no post at present. Ask personnel or your section head.",
        ),
        Reason.NO_RIGHT: Texts(
            "この業務の利用権限がありません。必要な場合は所属長を通じて申請してください。",
            "You do not hold the right for this. If you need it, apply through your section head.",
        ),
        Reason.NO_SESSION: Texts(
            "サインインしていません。サインインしてからやり直してください。",
            "You are not signed in. Sign in and try again.",
        ),
        Reason.NOT_JUDGED: Texts(
            "判定に必要な情報を確認できないため、許可できません。しばらく待ってやり直し、続く場合は管理者に連絡してください。",
            "What this is judged by cannot be read, so it is not allowed. If it goes on, tell the administrator.",
        ),
        Reason.NOT_RECORDED: Texts(
            "記録を残せないため、許可できません。しばらく待ってやり直し、続く場合は管理者に連絡してください。",
            "This cannot be recorded, so it is not allowed. If it goes on, tell the administrator.",
        ),
        Reason.ON_LEAVE: Texts(
            "休暇中のため利用できません。勤務する場合は所属長に勤務予定の訂正を依頼してください。",
            "You are on leave. If you are working, ask your section head to correct the roster.",
        ),
        Reason.OTHER_ADDRESS: Texts(
            "サインインした端末と異なる場所からの操作です。この端末でサインインし直してください。",
            "This comes from another place than where you signed in. Sign in again here.",
        ),
        Reason.OTHER_SESSION: Texts(
            "サインインの状態を確認できません。サインインし直してください。",
            "This does not belong to your present session. Sign in again.",
        ),
        Reason.OTHER_TERMINAL: Texts(
            "サインインした端末と異なる端末です。この端末でサインインし直してください。",
            "This is another terminal than the one where you signed in. Sign in again here.",
        ),
        Reason.OUTSIDE_HOURS: Texts(
            "勤務時間外です。時間外に必要な場合は、所属長に時間外勤務の登録または承認を依頼してください。",
            "This is outside your working time. If you must work now, ask your section head to enter or approve it.",
        ),
        Reason.PROOF_OLD: Texts(
            "重要な操作のため、もう一度本人確認をしてください。",
            "This is a sensitive act. Prove again that it is you.",
        ),
        Reason.PROOF_WEAK: Texts(
            "より確実な方法での本人確認が必要です。案内に従って本人確認をしてください。",
            "A stronger proof of who you are is needed. Follow the page that asks for it.",
        ),
        Reason.PROTECTED: Texts(
            "この方の記録は扱えません。所属長に申し出てください。",
            "This record is not for you to handle. Speak to your section head.",
        ),
        Reason.PURPOSE_MISSING: Texts("利用目的を選んでください。", "Choose what this is for."),
        Reason.PURPOSE_UNKNOWN: Texts(
            "利用目的が一覧にありません。一覧から選び直してください。",
            "The purpose is not on the list. Choose one that is.",
        ),
        Reason.SECOND_PERSON_NEEDED: Texts(
            "この操作には、権限を持つ別の職員の確認が必要です。同席して確認してもらってください。",
            "Somebody else with the right must confirm this together with you. Ask a colleague to do so.",
        ),
        Reason.SECOND_PERSON_OLD: Texts(
            "確認者の本人確認から時間が経っています。確認者にもう一度本人確認をしてもらってください。",
            "The one who confirms has not proved their identity of late. Ask them to do so again.",
        ),
        Reason.SECOND_PERSON_REFUSED: Texts(
            "確認者として認められません。サインイン中で権限を持つ、別の職員に依頼してください。",
            "That person cannot confirm this. Ask somebody else who is signed in and holds the right.",
        ),
        Reason.SELF: Texts(
            "自分の記録は扱えません。所属長に申し出て、他の職員に依頼してください。",
            "Your own record is not for you to handle. Tell your section head: somebody else will.",
        ),
        Reason.SESSION_LOCKED: Texts(
            "画面がロックされています。ロックを解除してからやり直してください。",
            "Your screen is locked. Unlock it and try again.",
        ),
        Reason.STAFF: Texts(
            "職員の記録は扱えません。所属長に申し出てください。",
            "A record of a member of staff is not for you to handle. Speak to your section head.",
        ),
        Reason.TERMINAL_OTHER_UNIT: Texts(
            "他の所属の端末です。自分の所属の端末を使ってください。",
            "This terminal belongs to another unit. Use one of your own.",
        ),
        Reason.TERMINAL_UNREGISTERED: Texts(
            "登録されていない端末です。登録された端末を使うか、管理者に登録を依頼してください。",
            "This terminal is not registered. Use one that is, or ask the administrator to register it.",
        ),
        Reason.UNKNOWN_ACTIVITY: Texts(
            "操作の種類を判定できません。システムの担当者に連絡してください。",
            "The kind of act is not known. Tell whoever runs the system.",
        ),
        Reason.VIP: Texts(
            "この方の記録は扱えません。所属長に申し出てください。",
            "This record is not for you to handle. Speak to your section head.",
        ),
    }
)
"""The sentences: what is the matter, and what to do next. Those about a resident's flags are the same for each flag."""
