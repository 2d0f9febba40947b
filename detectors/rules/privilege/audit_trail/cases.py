"""Stories that these detectors must and must not find."""

from datetime import date
from typing import Any

from detectors.cases import act, case, clock, feeds

__all__ = ["CLEARED", "REDUCED"]

_DAY = date(2026, 10, 7)


def _does(activity: str, name: str = "", actor: str = "s1", at: str = "22:10", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    named = {"operation_name": name} if name else {}
    return act(clock(_DAY, at), actor, activity, source="server", **named, **more)


def _approved(note: str, by: str = "s9", kind: str = "maintenance") -> dict[str, str]:
    row = {
        "approval_id": "a-1",
        "kind": kind,
        "staff_id": "s1",
        "approved_by": by,
        "valid_from": "2020-01-01",
        "valid_to": "2030-01-01",
        "note": note,
    }
    return feeds(staff=[{"staff_id": "s1", "name": "職員 s1", "org_unit": "joho"}], approvals=[row])


_ROTATION, _GENERAL = _approved("ログ世代交代", kind="time_window"), _approved("定期保守", kind="time_window")

CLEARED = (
    # To be found.
    case("the log cleared", _DAY, _does("log_clear"), finds=["s1"]),
    case("by a contractor", _DAY, _does("log_clear", actor="s7", kind="contractor"), finds=["s7"]),
    case("during maintenance in general", _DAY, _does("log_clear"), finds=["s1"], given=_GENERAL),
    case("by a command", _DAY, _does("operation", "rm -rf /var/log/secure"), finds=["s1"]),
    case("by another command", _DAY, _does("operation", "wevtutil cl Security"), finds=["s1"]),
    case("in Japanese", _DAY, _does("operation", "監査ログ削除"), finds=["s1"]),
    case("approved by oneself", _DAY, _does("log_clear"), finds=["s1"], given=_approved("ログ整理", by="s1")),
    # To be left alone.
    case("an approved rotation", _DAY, _does("log_clear"), given=_ROTATION),
    case("by a job of the system", _DAY, _does("log_clear", actor="logrotate", kind="system")),
    case("refused", _DAY, _does("log_clear", outcome="denied")),
    case("a log read", _DAY, _does("operation", "tail /var/log/messages")),
    case("another file removed", _DAY, _does("operation", "rm /tmp/x.csv")),
    case("signed out", _DAY, _does("operation", "ログアウト")),
)

REDUCED = (
    # To be found.
    case("the audit stopped", _DAY, _does("config_change", "監査ログ出力の停止"), finds=["s1"]),
    case("a table left out", _DAY, _does("policy_change", "audit policy: exclude table juki"), finds=["s1"]),
    case("a setting of the audit, whatever it is", _DAY, _does("config_change", "監査設定変更"), finds=["s1"]),
    case("said in the reason", _DAY, _does("config_change", "設定変更", reason="ログ対象の縮小"), finds=["s1"]),
    case("by a command", _DAY, _does("operation", "systemctl stop auditd"), finds=["s1"]),
    case("during maintenance in general", _DAY, _does("config_change", "log level off"), finds=["s1"], given=_GENERAL),
    # To be left alone.
    case("more is recorded", _DAY, _does("config_change", "監査対象の追加")),
    case("another setting", _DAY, _does("config_change", "印刷余白の変更")),
    case("a login setting", _DAY, _does("config_change", "ログイン画面の文言を削除")),
    case("approved", _DAY, _does("config_change", "監査ログ出力の停止"), given=_ROTATION),
    case("refused", _DAY, _does("config_change", "監査ログ出力の停止", outcome="failure")),
    case("a record of a resident", _DAY, _does("update", "異動履歴の訂正", subjects=["k-1"])),
)
