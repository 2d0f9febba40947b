"""The resident register: a Japanese legacy system, CP932 CSV with 和暦 times, no ids and no sessions.

Quirks kept from the real kind: terminals of an older make write full-width digits, the unit is written by its
name, and a row is now and then written twice (both are events; nothing tells them apart).
"""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from random import Random

from detectors.lab.acts import Act

__all__ = ["register_lines"]

_HEADER = "処理日時,職員番号,所属,端末番号,操作画面,アクセス区分,宛名番号,検索区分,件数,結果"
_OPERATIONS = {
    "login": ("メニュー", "ログイン"),
    "logout": ("メニュー", "ログアウト"),
    "search": ("異動者検索", "検索"),
    "view": ("世帯照会", "照会"),
    "update": ("住民異動", "異動"),
    "print": ("証明書発行", "発行"),
}
_RESULTS = {"success": "正常", "failure": "異常", "denied": "権限なし"}
_BY = {
    "": "",
    "number": "番号",
    "name": "氏名",
    "name_birth": "氏名生年月日",
    "household": "世帯",
    "address": "住所",
}
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
_REPEATED = 0.004


def _wareki(at: datetime) -> str:
    return f"令和{at.year - 2018}年{at.month}月{at.day}日 {at.hour}時{at.minute:02}分{at.second:02}秒"


def register_lines(acts: Iterable[tuple[int, Act]], rng: Random) -> Iterator[str]:
    """A header and one row per act."""
    yield _HEADER
    for _, act in acts:
        screen, word = _OPERATIONS[act.activity]
        time, hits = _wareki(act.at), str(act.hits) if act.by else ""
        # Every sixth terminal is of the older make.
        if int(act.terminal[2:]) % 6 == 0:
            time, hits = time.translate(_FULL_WIDTH), hits.translate(_FULL_WIDTH)
        row = (
            time,
            act.actor,
            act.person.section.name if act.person else "",
            act.terminal,
            screen,
            word,
            ";".join(act.subjects),
            _BY[act.by],
            hits,
            _RESULTS[act.outcome],
        )
        out = io.StringIO()
        csv.writer(out, lineterminator="").writerow(row)
        yield out.getvalue()
        if rng.random() < _REPEATED:
            yield out.getvalue()
