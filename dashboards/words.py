"""The words of closed vocabularies in both languages: activities, outcomes, severities, states, fields.

A value outside its vocabulary (a newer detector, an older page) is shown as it is rather than hidden.
"""

from dashboards.model import Language, Texts

__all__ = [
    "ACTIVITIES",
    "FIELDS",
    "OUTCOMES",
    "ROLES",
    "SEVERITIES",
    "STATES",
    "STATUSES",
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
    "filled": Texts("解消", "Filled"),
    "withdrawn": Texts("取り下げ", "Withdrawn"),
    "closed": Texts("確認済み", "Closed"),
}
STATES = {
    "ok": Texts("正常", "Working"),
    "late": Texts("遅れ", "Late"),
    "silent": Texts("届いていません", "Silent"),
    "failed": Texts("失敗", "Failed"),
    "never": Texts("実績なし", "Never yet"),
}
ROLES = {
    "administrator": Texts("システム管理者", "Administrator"),
    "security_administrator": Texts("セキュリティ管理者", "Security administrator"),
    "manager": Texts("所属長", "Manager"),
    "auditor": Texts("監査担当", "Auditor"),
    "staff": Texts("職員", "Staff"),
}
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
    "activity": ACTIVITIES,
    "field": FIELDS,
    "outcome": OUTCOMES,
    "role": ROLES,
    "severity": SEVERITIES,
    "state": STATES,
    "status": STATUSES,
    "weekday": WEEKDAYS,
}


def word(group: str, value: str, language: Language) -> str:
    """The word for a value of a vocabulary, or the value itself when it is not in it."""
    texts = _GROUPS[group].get(value)
    return texts.in_(language) if texts else value
