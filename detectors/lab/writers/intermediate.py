"""The intermediate server: OCSF 1.8.0 JSON Lines.

Sign-ins are class 3002 Authentication, inquiries class 6005 Datastore Activity. OCSF has no attribute for the
person whose record was seen, so the subjects stand under `unmapped`.
"""

import json
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

from detectors.lab.acts import Act
from detectors.lab.model import Person
from detectors.lab.systems import SYSTEMS
from detectors.lab.writers.contract import factors_of, name_of

__all__ = ["ocsf_lines"]

# Class, activity number and the system's own word. 6003: 2 Read, 99 Other; 6005: 1 Read, 2 Update, 4 Query, 7 Delete;
# 3002: 1 Logon, 2 Logoff.
_CLASSES = {
    "login": (3002, 1, "ログイン"),
    "logout": (3002, 2, "ログアウト"),
    "search": (6005, 4, "検索"),
    "view": (6005, 1, "照会結果参照"),
    "update": (6005, 2, "更新"),
    "print": (6005, 1, "照会結果印刷"),
    "export": (6003, 99, "副本突合データ出力"),
    "inquiry": (6003, 2, "情報照会"),
    "provision": (6003, 99, "情報提供"),
    "copy_register": (6003, 1, "副本登録"),
    "purge": (6005, 7, "保管期限切れ情報の削除"),
    "operation": (6003, 99, "操作内容"),
}
_CATEGORIES = {3002: 3, 6003: 6, 6005: 6}
_FACTORS = {"password": 11, "palm_vein": 4, "totp": 7}


def ocsf_lines(acts: Iterable[tuple[int, Act]], _rng: Random) -> Iterator[str]:
    """One OCSF event per act."""
    for number, act in acts:
        class_uid, activity_id, word = _CLASSES[act.activity]
        user = _user(act.actor, act.person)
        doc: dict[str, Any] = {
            "category_uid": _CATEGORIES[class_uid],
            "class_uid": class_uid,
            "activity_id": activity_id,
            "type_uid": class_uid * 100 + activity_id,
            "severity_id": 1,
            "time": int(act.at.timestamp() * 1000),
            "timezone_offset": 540,
            "status_id": 1 if act.outcome == "success" else 2,
            "metadata": {
                "version": "1.8.0",
                "product": {"name": "中間サーバー", "vendor_name": "自治体クラウド"},
                "uid": name_of(act.system, number),
                "sequence": number,
            },
            "actor": {"user": user, "session": {"uid": act.session}},
            "src_endpoint": {"name": act.terminal, "ip": act.address},
        }
        unmapped: dict[str, Any] = {"operation_name": word, "affair": _affair(act.person)}
        if act.outcome != "success":
            doc["status_detail"] = "権限なし" if act.outcome == "denied" else "異常終了"
        if class_uid == 3002:
            doc |= {"user": user, "service": {"name": "中間サーバー接続端末"}}
            if act.activity == "login":
                factors = factors_of(act)
                doc["auth_factors"] = [{"factor_type_id": _FACTORS[factor]} for factor in factors]
                doc["is_mfa"] = len(factors) > 1
        else:
            doc["activity_name"] = word
            doc["database"] = {"name": "情報提供等記録", "type_id": 1}
            doc["query_info"] = {"query_string": f"by={act.by or 'number'}"}
            unmapped |= {"subjects": list(act.subjects), "case_id": act.case}
            if other := act.counterparty:
                unmapped["counterparty"] = {"body": other.body, "permit": other.permit, "purpose_no": other.purpose}
        doc["unmapped"] = {key: value for key, value in unmapped.items() if value}
        yield json.dumps(doc, ensure_ascii=False, separators=(",", ":"))


def _user(account: str, person: Person | None) -> dict[str, Any]:
    return {"uid": account, "name": person.name if person else account, "type_id": 1 if person else 3}


def _affair(person: Person | None) -> str:
    """What the inquiry is for."""
    return SYSTEMS[person.section.main_system].affair if person else ""
