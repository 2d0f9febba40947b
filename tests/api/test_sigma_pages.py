"""What the pages say of a rule that the town has imported."""

import json
from typing import Any

from audit.access import Role

RULE = {
    "title": "an odd word", "id": "5a4b8c1e-6d0f-4a3b-9e2c-7f1d2a3b4c5d", "logsource": {"product": "mimamori"},
    "detection": {"sel": {"reason|contains": "odd"}, "condition": "sel"},
    "mimamori": {
        "title": {"ja": "変わった理由", "en": "An odd reason"},
        "runbook": {"ja": "電話で尋ねます。", "en": "Call them."},
    },
}  # fmt: skip
EVENT = {"source": "x", "time": "2026-09-01T10:00:00+09:00", "activity": "view", "actor": {"id": "s9"}, "reason": "odd"}
STORIES = [
    {"name": "one", "day": "2026-09-01", "finds": ["s9"], "events": [EVENT]},
    {"name": "two", "day": "2026-09-02", "events": [EVENT]},
]


def test_an_imported_rule_is_among_the_detectors_and_its_runbook_with_its_alerts(house: Any) -> None:
    installation = house.installation
    staff = b"staff_id,org_unit,subject_id\nsig1,zeimu,k-991\nsig2,zeimu,k-992\n"
    installation.context.import_feed("staff", staff)
    book = installation.imported.book
    two = {"by": "sig1", "confirmed_by": "sig2", "operator": "uid 0"}
    book.bring_in(RULE["id"], "変わった理由", json.dumps(RULE).encode(), json.dumps(STORIES).encode(), **two)
    try:
        browser = house.signed_in(Role.AUDITOR)
        assert f'<option value="sigma-{RULE["id"]}"' in browser.get("/alerts").text
        assert "変わった理由" in browser.get("/alerts").text
        name = f"sigma-{RULE['id']}"
        assert name in installation.runner.known()
    finally:
        book.remove(RULE["id"], **two)
    assert name not in installation.runner.known()
