"""The words of closed vocabularies in both languages: activities, outcomes, severities, states, fields.

A value outside its vocabulary (a newer detector, an older page) is shown as it is rather than hidden.
"""

from dashboards.detector_words import DETECTOR_WORDS
from dashboards.model import Language, Texts

__all__ = [
    "ACTIVITIES",
    "APPROVAL_KINDS",
    "APPROVAL_STATES",
    "BINDINGS",
    "CHANGE_KINDS",
    "CHANGE_STATES",
    "CREDENTIAL_STATES",
    "DONE",
    "ENCODINGS",
    "FACTORS",
    "FIELDS",
    "FORMATS",
    "HOWS",
    "INTERVALS",
    "KINDS",
    "LIFTS",
    "MEDIUM_STATES",
    "OUTCOMES",
    "RIGHT_DIFFERENCES",
    "RIGHT_FUNCTIONS",
    "RIGHT_KINDS",
    "RIGHT_STATUSES",
    "ROLES",
    "SEVERITIES",
    "STATES",
    "STATUSES",
    "TALLIES",
    "TUNING_EFFECTS",
    "USER_STATES",
    "VERDICTS",
    "WEEKDAYS",
    "word",
]

ACTIVITIES = {
    "login": Texts("ログイン", "Log-in"),
    "logout": Texts("ログアウト", "Log-out"),
    "lock": Texts("ロック", "Lock"),
    "unlock": Texts("ロック解除", "Unlock"),
    "search": Texts("検索", "Search"),
    "view": Texts("照会", "View"),
    "create": Texts("登録", "Create"),
    "update": Texts("更新", "Update"),
    "delete": Texts("削除", "Delete"),
    "answer": Texts("回答", "Answer"),
    "bind_number": Texts("番号の紐付け", "Number binding"),
    "print": Texts("印刷", "Print"),
    "screen_copy": Texts("画面の複写", "Screen copy"),
    "export": Texts("出力", "Export"),
    "import": Texts("取込", "Import"),
    "upload": Texts("アップロード", "Upload"),
    "download": Texts("ダウンロード", "Download"),
    "inquiry": Texts("情報照会", "Inquiry"),
    "provision": Texts("情報提供", "Provision"),
    "transfer": Texts("データ送付", "Transfer"),
    "receive": Texts("データ受領", "Receipt"),
    "copy_register": Texts("副本登録", "Register copy"),
    "media_checkout": Texts("媒体の持出し", "Media check-out"),
    "media_write": Texts("媒体への書込み", "Media write"),
    "media_return": Texts("媒体の返却", "Media return"),
    "media_erase": Texts("媒体の消去", "Media erasure"),
    "media_dispose": Texts("媒体の廃棄", "Media disposal"),
    "apply": Texts("申請", "Application"),
    "approve": Texts("承認", "Approval"),
    "grant": Texts("権限の付与", "Grant"),
    "revoke": Texts("権限の取消し", "Revocation"),
    "credential_issue": Texts("認証情報の発行", "Credential issue"),
    "credential_reset": Texts("認証情報の再設定", "Credential reset"),
    "policy_change": Texts("方針の変更", "Policy change"),
    "config_change": Texts("設定の変更", "Configuration change"),
    "authorize": Texts("利用可否の判定", "Authorisation"),
    "entry": Texts("入室", "Entry"),
    "exit": Texts("退室", "Exit"),
    "job_run": Texts("ジョブの実行", "Job run"),
    "backup": Texts("バックアップ", "Backup"),
    "restore": Texts("復元", "Restore"),
    "maintenance": Texts("保守", "Maintenance"),
    "purge": Texts("保存期限による消去", "Purge"),
    "log_clear": Texts("ログの消去", "Log clearing"),
    "heartbeat": Texts("動作確認", "Heartbeat"),
    "ledger_entry": Texts("台帳の記入", "Ledger entry"),
    "security_event": Texts("セキュリティ事象", "Security event"),
    "operation": Texts("操作", "Operation"),
}
OUTCOMES = {
    "success": Texts("成功", "Success"),
    "failure": Texts("失敗", "Failure"),
    "denied": Texts("拒否", "Denied"),
}
# Worst first: the order of every list and legend.
SEVERITIES = {
    "critical": Texts("緊急", "Critical"),
    "high": Texts("高", "High"),
    "medium": Texts("中", "Medium"),
    "low": Texts("低", "Low"),
}
STATUSES = {
    "open": Texts("未確認", "Open"),
    "in_review": Texts("確認中", "In review"),
    "excepted": Texts("例外", "Excepted"),
    "filled": Texts("解消", "Filled"),
    "withdrawn": Texts("取り下げ", "Withdrawn"),
    "closed": Texts("確認済み", "Closed"),
}
STATES = {
    "ok": Texts("正常", "In order"),
    "late": Texts("遅れ", "Late"),
    "gap": Texts("欠けあり", "Events missing"),
    "silent": Texts("途絶", "Silent"),
    "failed": Texts("失敗", "Failed"),
    "never": Texts("実績なし", "Never yet"),
}
# The same states in a sentence that counts systems.
TALLIES = {
    "silent": Texts("途絶", "silent"),
    "gap": Texts("欠けあり", "with missing events"),
    "late": Texts("遅れ", "late"),
    "ok": Texts("正常", "in order"),
    "never": Texts("実績なし", "never heard"),
}
KINDS = {
    "core": Texts("基幹業務システム", "Core records system"),
    "linkage": Texts("連携", "Linkage"),
    "national": Texts("国・連合会のシステム", "National or federation system"),
    "terminal": Texts("端末", "Terminals"),
    "platform": Texts("基盤・保管・複製", "Platform, store or copy"),
    "security": Texts("セキュリティ機器", "Security tool"),
    "physical": Texts("施設の設備", "Physical security"),
    "ledger": Texts("台帳・管理簿", "Ledger or register"),
}
FORMATS = {
    "access_log": Texts("Web サーバーのアクセスログ", "Web server access log"),
    "auth_log": Texts("Linux の認証ログ", "Linux authentication log"),
    "cef": Texts("CEF", "CEF"),
    "csv": Texts("CSV・TSV(区切り文字つき)", "CSV or TSV"),
    "fixed": Texts("固定長", "Fixed width"),
    "jsonl": Texts("JSON Lines(見守りの形式)", "JSON Lines in Mimamori's form"),
    "key_value": Texts("「項目=値」の並び", "Key=value pairs"),
    "keycloak": Texts("Keycloak のイベント", "Keycloak events"),
    "leef": Texts("LEEF", "LEEF"),
    "mysql": Texts("MySQL・MariaDB の監査ログ", "MySQL or MariaDB audit log"),
    "ocsf": Texts("OCSF の JSON", "OCSF JSON"),
    "oracle": Texts("Oracle の統合監査", "Oracle unified audit"),
    "otlp": Texts("OpenTelemetry のログ(JSON)", "OpenTelemetry logs (JSON)"),
    "pgaudit": Texts("PostgreSQL の pgAudit", "PostgreSQL with pgAudit"),
    "w3c": Texts("W3C 拡張ログ", "W3C extended log"),
    "windows": Texts("Windows のセキュリティログ", "Windows security log"),
}
ENCODINGS = {
    "utf-8": Texts("UTF-8", "UTF-8"),
    "cp932": Texts("Shift_JIS (CP932)", "Shift_JIS (CP932)"),
    "euc_jp": Texts("EUC-JP", "EUC-JP"),
    "utf-16": Texts("UTF-16", "UTF-16"),
    "utf-16-le": Texts("UTF-16 LE", "UTF-16 LE"),
    "utf-16-be": Texts("UTF-16 BE", "UTF-16 BE"),
}
FACTORS = {
    "password": Texts("パスワード", "Password"),
    "pin": Texts("暗証番号", "PIN"),
    "totp": Texts("ワンタイムコード", "One-time code"),
    "webauthn": Texts("パスキー", "Passkey"),
    "ic_card": Texts("IC カード", "IC card"),
    "card_key": Texts("カードキー", "Card key"),
    "security_card": Texts("セキュリティカード", "Security card"),
    "key": Texts("鍵", "Key"),
    "biometric": Texts("生体認証", "Biometric"),
    "palm_vein": Texts("手のひら静脈", "Palm vein"),
    "finger_vein": Texts("指静脈", "Finger vein"),
    "vein": Texts("静脈", "Vein"),
    "fingerprint": Texts("指紋", "Fingerprint"),
    "face": Texts("顔", "Face"),
    "iris": Texts("虹彩", "Iris"),
    "voice": Texts("声", "Voice"),
}
INTERVALS = {
    "daily": Texts("毎日", "Daily"),
    "monthly": Texts("毎月", "Monthly"),
    "quarterly": Texts("四半期ごと", "Quarterly"),
    "yearly": Texts("毎年", "Yearly"),
    "regularly": Texts("定期的", "Regularly"),
    "as_needed": Texts("必要なとき", "As needed"),
    "not_stated": Texts("頻度の定めなし", "No interval stated"),
}
HOWS = {
    "mapped": Texts("項目から", "from its field"),
    "constant": Texts("このシステムでは固定", "fixed for this system"),
    "format": Texts("形式の決まりから", "by the format"),
    "unmapped": Texts("そのまま保存", "kept as it is"),
    "dropped": Texts("保存しない", "not kept"),
}
CREDENTIAL_STATES = {
    "active": Texts("有効", "Valid"),
    "expired": Texts("期限切れ", "Expired"),
    "revoked": Texts("取り消し済み", "Revoked"),
}
BINDINGS = {
    "certificate": Texts("クライアント証明書", "Client certificate"),
    "signing_key": Texts("署名鍵", "Signing key"),
}
RIGHT_FUNCTIONS = {
    "view": Texts("照会", "View"),
    "update": Texts("登録・更新", "Update"),
    "print": Texts("印刷", "Print"),
    "export": Texts("ファイル出力", "Export"),
    "media": Texts("媒体の取扱い", "Media"),
    "backup": Texts("バックアップ・保守", "Backup and maintenance"),
    "inquiry": Texts("情報照会", "Inquiry"),
    "provision": Texts("情報提供", "Provision"),
    "number_view": Texts("個人番号の表示", "Show My Number"),
    "administer": Texts("管理者の操作", "Administer"),
}
RIGHT_KINDS = {
    "grant": Texts("新しい権限", "New right"),
    "change": Texts("権限の変更", "Change"),
    "revoke": Texts("権限の取消し", "End of a right"),
}
RIGHT_STATUSES = {
    "waiting": Texts("承認待ち", "Waiting"),
    "approved": Texts("承認済み", "Approved"),
    "refused": Texts("不承認", "Refused"),
    "withdrawn": Texts("取り下げ", "Withdrawn"),
    "expired": Texts("期限切れ", "Expired"),
}
RIGHT_DIFFERENCES = {
    "unapproved": Texts("承認のない設定", "without approval"),
    "missing": Texts("未設定", "missing there"),
    "validity": Texts("期間の違い", "with another time"),
}
CHANGE_KINDS = {
    "exception": Texts("例外", "Exception"),
    "parameters": Texts("しきい値", "Values"),
}
CHANGE_STATES = {
    "proposed": Texts("確認待ち", "Proposed"),
    "in_force": Texts("有効", "In force"),
    "replaced": Texts("次の変更で置き換え", "Replaced"),
    "ended": Texts("終了させた", "Ended"),
    "dropped": Texts("取り下げ", "Dropped"),
    "over": Texts("期限切れ", "Over"),
}
TUNING_EFFECTS = {
    "hidden": Texts("隠れる", "Hidden"),
    "appears": Texts("増える", "Appears"),
    "disappears": Texts("消える", "Disappears"),
}
APPROVAL_KINDS = {
    "export": Texts("ファイル出力", "File export"),
    "print": Texts("大量の印刷", "Print in numbers"),
    "media": Texts("媒体の取扱い", "Handling of a medium"),
    "transfer": Texts("データの送付", "Transfer"),
    "maintenance": Texts("保守作業", "Maintenance"),
    "time_window": Texts("時間外の利用", "Work outside hours"),
    "second_person": Texts("2 人目の確認", "Second person"),
}
APPROVAL_STATES = {
    "asked": Texts("承認待ち", "Waiting"),
    "in_force": Texts("有効", "In force"),
    "used": Texts("使い切り", "Used up"),
    "over": Texts("期間終了", "Over"),
    "closed": Texts("途中で終了", "Ended early"),
    "refused": Texts("不承認", "Refused"),
    "withdrawn": Texts("取り下げ", "Withdrawn"),
}
MEDIUM_STATES = {
    "stored": Texts("保管中(消去済み)", "Stored, empty"),
    "out": Texts("持出し中", "Taken out"),
    "returned": Texts("返却済み(未消去)", "Brought back, not erased"),
    "disposed": Texts("廃棄済み", "Disposed of"),
}
VERDICTS = {
    "justified": Texts("やむを得なかった", "Justified"),
    "unjustified": Texts("適切でなかった", "Not justified"),
}
LIFTS = {
    "entitlement": Texts("利用権限", "the right"),
    "factors": Texts("認証の強さ", "the strength of the proof"),
    "second_person": Texts("2 人目の確認", "the second person"),
    "terminal": Texts("端末の制限", "the terminal"),
    "time": Texts("時間の制限", "the hour"),
}
ROLES = {
    "administrator": Texts("システム管理者", "Administrator"),
    "security_administrator": Texts("セキュリティ管理者", "Security administrator"),
    "manager": Texts("所属長", "Manager"),
    "auditor": Texts("監査担当", "Auditor"),
    "detection_engineer": Texts("検知調整担当", "Detection engineer"),
    "staff": Texts("職員", "Staff"),
}
NEWCOMER_STATES: dict[str, Texts] = {
    "none": Texts("未配布", "No sheet"),
    "sheet": Texts("用紙を配布済み", "Has a sheet"),
    "over": Texts("用紙の期限切れ", "Sheet out of date"),
    "enrolled": Texts("登録済み", "Enrolled"),
}
USER_STATES = {
    "active": Texts("利用中", "Active"),
    "disabled": Texts("停止中", "Disabled"),
    "rebind": Texts("再設定が必要", "Needs a reset"),
}
DONE = {
    "key_added": Texts("セキュリティキーを追加しました。", "The security key was added."),
    "removed": Texts("認証手段を削除しました。", "The authenticator was removed."),
    "app_bound": Texts("認証アプリを登録しました。", "The authenticator app was bound."),
    "password_changed": Texts("パスワードを変更しました。", "The password was changed."),
    "asked": Texts(
        "再設定を依頼しました。別の管理者が確認するとリンクができます。",
        "The reset was asked for. Another administrator's confirmation makes the link.",
    ),
    "dropped": Texts("再設定を取りやめました。", "The reset was dropped."),
    "disabled": Texts("利用者を停止しました。", "The user was disabled."),
    "enabled": Texts("利用者を再開しました。", "The user was enabled."),
    "closed": Texts("利用者を廃止しました。", "The user was closed."),
    "signed_out": Texts("サインアウトさせました。", "The user was signed out."),
    "roles_changed": Texts("役割を変更しました。", "The roles were changed."),
}
"""What has just been done, above the page it was done on."""
WEEKDAYS = {
    "0": Texts("月曜日", "Monday"),
    "1": Texts("火曜日", "Tuesday"),
    "2": Texts("水曜日", "Wednesday"),
    "3": Texts("木曜日", "Thursday"),
    "4": Texts("金曜日", "Friday"),
    "5": Texts("土曜日", "Saturday"),
    "6": Texts("日曜日", "Sunday"),
}
FIELDS = {
    "log_index": Texts("監査ログの番号", "Log index"),
    "leaf_hash": Texts("ハッシュ値", "Hash"),
    "received_at": Texts("受け取った日時", "Received at"),
    "time": Texts("日時", "Time"),
    "event_id": Texts("記録の番号", "Event id"),
    "activity": Texts("種別", "Activity"),
    "operation_name": Texts("元の操作名", "Source's own word"),
    "outcome": Texts("結果", "Outcome"),
    "screen": Texts("画面", "Screen"),
    "affair": Texts("事務", "Affair"),
    "session": Texts("セッション", "Session"),
    "sequence": Texts("通番", "Sequence"),
    "recorded_at": Texts("記録された日時", "Recorded at"),
    "reason": Texts("理由", "Reason"),
    "case_id": Texts("案件番号", "Case"),
    "actor.id": Texts("職員番号", "Staff id"),
    "actor.name": Texts("氏名", "Name"),
    "actor.org_unit": Texts("所属", "Unit"),
    "actor.role": Texts("役割", "Role"),
    "actor.kind": Texts("区分", "Kind"),
    "terminal.id": Texts("端末番号", "Terminal"),
    "terminal.ip": Texts("IP アドレス", "IP address"),
    "subjects": Texts("対象者(仮名の番号)", "Subjects (pseudonymous keys)"),
    "subject_count": Texts("対象者の数", "Number of subjects"),
    "query.by": Texts("検索の方法", "Search by"),
    "query.hits": Texts("検索の件数", "Hits"),
    "auth.factors": Texts("認証の要素", "Factors"),
    "auth.user_verified": Texts("本人の確認", "User verified"),
    "auth.authenticator": Texts("認証器", "Authenticator"),
    "export.file": Texts("ファイル", "File"),
    "export.rows": Texts("行数", "Rows"),
    "export.sha256": Texts("SHA-256", "SHA-256"),
    "export.destination": Texts("出力先", "Destination"),
    "export.medium_id": Texts("媒体番号", "Medium"),
    "export.approval_id": Texts("承認番号", "Approval"),
    "counterparty.body": Texts("相手の機関", "Other body"),
    "counterparty.system": Texts("相手のシステム", "Other system"),
    "counterparty.permit": Texts("許可番号", "Permit"),
    "counterparty.purpose_no": Texts("事務手続の番号", "Purpose number"),
    "target.id": Texts("相手の職員番号", "Target"),
    "target.affair": Texts("対象の事務", "Target affair"),
    "target.system": Texts("対象のシステム", "Target system"),
}
_GROUPS = {
    **DETECTOR_WORDS,
    "activity": ACTIVITIES,
    "approval_kind": APPROVAL_KINDS,
    "approval_state": APPROVAL_STATES,
    "binding": BINDINGS,
    "credential": CREDENTIAL_STATES,
    "encoding": ENCODINGS,
    "factor": FACTORS,
    "field": FIELDS,
    "format": FORMATS,
    "how": HOWS,
    "interval": INTERVALS,
    "kind": KINDS,
    "lift": LIFTS,
    "medium_state": MEDIUM_STATES,
    "outcome": OUTCOMES,
    "right_difference": RIGHT_DIFFERENCES,
    "right_function": RIGHT_FUNCTIONS,
    "right_kind": RIGHT_KINDS,
    "right_status": RIGHT_STATUSES,
    "role": ROLES,
    "severity": SEVERITIES,
    "state": STATES,
    "status": STATUSES,
    "done": DONE,
    "tally": TALLIES,
    "change_kind": CHANGE_KINDS,
    "change_state": CHANGE_STATES,
    "tuning_effect": TUNING_EFFECTS,
    "user": USER_STATES,
    "newcomer": NEWCOMER_STATES,
    "verdict": VERDICTS,
    "weekday": WEEKDAYS,
}


def word(group: str, value: str, language: Language) -> str:
    """The word for a value of a vocabulary, or the value itself when it is not in it."""
    texts = _GROUPS[group].get(value)
    return texts.in_(language) if texts else value
