"""The intermediate server: OCSF 1.8.0 JSON Lines.

Sign-ins are class 3002 Authentication, inquiries class 6005 Datastore Activity. OCSF has no attribute for the
person whose record was seen, so the subjects stand under `unmapped`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from detectors.lab.model import Act, Person

__all__ = ["ocsf_lines"]

# Class, activity number and the system's own word. 6005: 1 Read, 2 Update, 4 Query; 3002: 1 Logon, 2 Logoff.
_CLASSES = {
    "login": (3002, 1, "ログイン"),
    "logout": (3002, 2, "ログアウト"),
    "search": (6005, 4, "情報照会"),
    "view": (6005, 1, "照会結果参照"),
    "update": (6005, 2, "副本更新"),
    "print": (6005, 1, "照会結果印刷"),
}
_CATEGORIES = {3002: 3, 6005: 6}
# What the inquiry is for, by unit.
_AFFAIRS = {
    "hoken-nenkin/shikaku": "nhi-eligibility",
    "hoken-nenkin/kyufu": "nhi-benefit",
    "zeimu/kazei": "local-tax",
    "fukushi/kaigo": "long-term-care",
    "fukushi/kosodate": "child-allowance",
}
_FACTORS = {"password": 11, "palm_vein": 4, "totp": 7}


def ocsf_lines(acts: Sequence[Act], people: Mapping[str, Person], _rng: Random) -> Iterator[str]:
    """One OCSF event per act."""
    for number, act in enumerate(acts, start=1):
        person = people[act.actor]
        class_uid, activity_id, word = _CLASSES[act.activity]
        user = {"uid": person.id, "name": person.name, "type_id": 1}
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
                "uid": f"is-{number:06}",
            },
            "actor": {"user": user, "session": {"uid": act.session}},
            "src_endpoint": {"name": act.terminal, "ip": act.address},
        }
        unmapped: dict[str, Any] = {"operation_name": word, "affair": _AFFAIRS[person.section.unit]}
        if act.outcome != "success":
            doc["status_detail"] = "権限なし" if act.outcome == "denied" else "異常終了"
        if class_uid == 3002:
            doc |= {"user": user, "service": {"name": "中間サーバー接続端末"}}
            if act.activity == "login":
                factors = person.factors if act.outcome == "success" else person.factors[:1]
                doc["auth_factors"] = [{"factor_type_id": _FACTORS[factor]} for factor in factors]
                doc["is_mfa"] = len(factors) > 1
        else:
            doc["database"] = {"name": "情報提供等記録", "type_id": 1}
            doc["query_info"] = {"query_string": f"by={act.by or 'number'}"}
            unmapped |= {"subjects": list(act.subjects), "case_id": act.case}
        doc["unmapped"] = {key: value for key, value in unmapped.items() if value}
        yield json.dumps(doc, ensure_ascii=False, separators=(",", ":"))
