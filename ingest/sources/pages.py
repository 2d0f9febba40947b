"""The page of all sources, row by row, written from the catalogue and from what its examples become.

A table that somebody writes beside the data is wrong after the second change. This one is generated
(`python -m ingest.sources.pages`), kept in `docs/sources.md`, and a test compares them. Whether the documented fields
are all there is not copied from anywhere either: each example goes through its own format and the same check as every
delivery, and the page says what came out.
"""

import io
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from audit.events import FIELDS, MAX_RECORD_BYTES, check, parse_json
from audit.texts import Texts
from ingest.formats.registry import decode
from ingest.model import Record, Refused
from ingest.reader import Block, read_blocks
from ingest.sources.catalogue_reader import cities, load_catalogue
from ingest.sources.profile import KINDS, Profile, ProfileError, Retention, Review, Rhythm

__all__ = ["missing_fields", "page"]

_READ_AT = datetime(2027, 4, 1, tzinfo=UTC)
"""When the examples are taken to arrive: a fixed moment after all of them, so that the page is always the same."""
_COLUMNS = {field.path: field.column for field in FIELDS}
_KIND_NAMES: Mapping[str, Texts] = {
    "core": Texts("基幹業務", "Core records"),
    "linkage": Texts("連携", "Linkage"),
    "national": Texts("国・連合会", "National and federation"),
    "terminal": Texts("端末", "Terminals"),
    "platform": Texts("基盤・保管・複製", "Platforms, stores and copies"),
    "security": Texts("セキュリティ機器", "Security tools"),
    "physical": Texts("施設", "Physical"),
    "ledger": Texts("台帳・管理簿", "Ledgers and registers"),
}
_EVERY: Mapping[str, Texts] = {
    "daily": Texts("毎日", "daily"),
    "monthly": Texts("毎月", "monthly"),
    "quarterly": Texts("四半期ごと", "quarterly"),
    "yearly": Texts("毎年", "yearly"),
    "regularly": Texts("定期的", "regularly"),
    "as_needed": Texts("必要時", "as needed"),
    "not_stated": Texts("頻度の記載なし", "interval not stated"),
}
_INTRO = """\
# ログの発生源の一覧 / Catalogue of sources

`python -m ingest.sources.pages` が書き出したもの。手で直さないこと。
Written by `python -m ingest.sources.pages`; not to be edited by hand.

- 「操作 → 種別」は発生源の語と Mimamori の種別の対応。「その他」は挙げていない語すべて。
  形式が語彙を持つもの（監査ログの形式など）は形式の名で示す。
  Operations → activities: the source's own words and what they are here; "the rest" is every word not named.
  Where the format brings its own words, it says so.
- 「すべてあり」は、記載例をその形式で読み、文書にある項目がすべて事象に現れたことを示す。
  All there: the example was read in its format, and every documented field occurs in its events.
- 市ごとの表の **太字** は文書に書かれているもの。それ以外は既定値で、設定で変えられる。
  In the tables by city, **bold** is what the city's document says; the rest is a default and a setting.
"""


def page() -> str:
    """The page, in Markdown, both languages side by side."""
    catalogue = load_catalogue()
    parts = [_INTRO, *_table(_BY_KIND, _kind_rows(catalogue))]
    for kind in KINDS:
        profiles = [profile for profile in catalogue.values() if profile.kind == kind]
        parts += [f"\n## {_heading(_KIND_NAMES[kind])}\n", *_table(_BY_SOURCE, map(_source_row, profiles))]
    parts.append("\n## 市ごとの違い / City by city")
    for city, name in cities().items():
        having = sorted(load_catalogue(city=city).values(), key=lambda profile: (profile.number or 1000, profile.id))
        parts += [f"\n### {_heading(name)} ({len(having)})\n", *_table(_BY_CITY, map(_city_row, having))]
    return "\n".join(parts) + "\n"


def missing_fields(profile: Profile) -> tuple[str, ...]:
    """The documented fields that its example's events do not have.

    Raises:
        ProfileError: the example cannot be read: naming source, line and reasons.
    """
    there: set[str] = set()
    for record in _read(profile):
        if isinstance(record, Refused):
            raise ProfileError(f"{profile.id}: line {record.line}: {'; '.join(record.reasons)}")
        checked = check(record.doc, _READ_AT)
        if checked.faults:
            raise ProfileError(f"{profile.id}: line {record.line}: {'; '.join(map(str, checked.faults))}")
        there |= checked.columns.keys()
    return tuple(path for path in profile.documented if _COLUMNS[path] not in there)


def _read(profile: Profile) -> Iterable[Record | Refused]:
    stream = io.BytesIO(profile.example.strip("\n").encode(profile.encoding))
    blocks = read_blocks(stream, MAX_RECORD_BYTES, as_written=True, encoding=profile.encoding)
    lines = [line for block in blocks if isinstance(block, Block) for line in block.lines]
    if profile.format != "jsonl":
        return decode(profile.format, lines, profile, _READ_AT)
    return [_read_json(number, raw) for number, raw in lines]


def _read_json(number: int, raw: bytes) -> Record | Refused:
    doc, fault = parse_json(raw)
    return Refused(number, raw, (str(fault),)) if doc is None else Record(number, raw, doc)


_BY_KIND = (Texts("分類", "Kind"), Texts("件数", "Sources"))
_BY_SOURCE = (
    Texts("識別子", "Id"),
    Texts("名称", "Names"),
    Texts("形式", "Format"),
    Texts("操作 → 種別", "Operations → activities"),
    Texts("文書にある項目", "Documented fields"),
    Texts("すべてあり", "All there"),
    Texts("途絶の見方", "Expected rhythm"),
    Texts("都市（番号）", "Cities (number)"),
    Texts("統制", "Controls served"),
)
_BY_CITY = (
    Texts("番号", "No."),
    Texts("識別子", "Id"),
    Texts("この市での名称", "Name there"),
    Texts("形式", "Format"),
    Texts("サインインの要素", "Sign-in factors"),
    Texts("保存", "Retention"),
    Texts("確認", "Review"),
    Texts("文書にある項目", "Documented fields"),
    Texts("すべてあり", "All there"),
)


def _kind_rows(catalogue: Mapping[str, Profile]) -> Iterable[tuple[str, ...]]:
    for kind, name in _KIND_NAMES.items():
        yield _heading(name), str(sum(profile.kind == kind for profile in catalogue.values()))
    yield "**計 / All**", f"**{len(catalogue)}**"


def _source_row(profile: Profile) -> tuple[str, ...]:
    also = [name for name in profile.also if name != profile.name_ja]
    having = [
        f"{name.ja} {name.en}" + (f" ({number})" if (number := profile.in_city(city).number) else "")
        for city, name in cities().items()
        if city in profile.cities
    ]
    return (
        f"`{profile.id}`",
        "<br>".join((f"**{profile.name_ja}**", profile.name_en, *also)),
        _format(profile),
        _operations(profile),
        _fields(profile),
        _all_there(profile),
        _rhythm(profile.rhythm),
        "<br>".join(having),
        ", ".join(profile.serves),
    )


def _city_row(profile: Profile) -> tuple[str, ...]:
    return (
        str(profile.number or "—"),
        f"`{profile.id}`",
        f"{profile.name_ja}<br>{profile.name_en}",
        _format(profile),
        _bold(_sign_in(profile.authentication), profile.authentication_stated),
        _bold(_retention(profile.retention), profile.retention.stated),
        _review(profile.review),
        _fields(profile),
        _all_there(profile),
    )


def _format(profile: Profile) -> str:
    text = f"`{profile.format}`" + (f" ({profile.encoding})" if profile.encoding != "utf-8" else "")
    return text if profile.envelope == "none" else f"{text}<br>`{profile.envelope}`"


def _operations(profile: Profile) -> str:
    words: dict[str, list[str]] = {}
    for word, activity in profile.activities.items():
        words.setdefault(activity, []).append("その他 the rest" if word == "*" else word.replace("*", "…"))
    found = [f"{'、'.join(said)} → `{activity}`" for activity, said in words.items()]
    if profile.format not in {"csv", "fixed", "key_value", "jsonl"}:
        found.append(f"`{profile.format}` の語彙 its own words")
    elif profile.format == "jsonl":
        found.append("契約どおりの種別 the contract's activities")
    return "<br>".join(found)


def _fields(profile: Profile) -> str:
    return ", ".join(f"`{path}`" for path in sorted(profile.documented)) or "記載なし not stated"


def _all_there(profile: Profile) -> str:
    missing = missing_fields(profile)
    if not profile.documented:
        return "—"
    return f"いいえ no: {', '.join(missing)}" if missing else "はい yes"


def _rhythm(rhythm: Rhythm) -> str:
    if rhythm.expected == "irregular":
        text = Texts("不定期", "irregular")
    elif rhythm.expected == "daily":
        text = Texts("開庁日ごと", "every working day")
    elif rhythm.around_the_clock:
        text = Texts(f"常時（{rhythm.silence_hours:g} 時間）", f"around the clock ({rhythm.silence_hours:g} h)")
    else:
        text = Texts(f"業務時間中（{rhythm.silence_hours:g} 時間）", f"in working time ({rhythm.silence_hours:g} h)")
    return f"{text.ja}<br>{text.en}" + ("<br>連番 numbered" if rhythm.sequence else "")


def _sign_in(authentication: str) -> str:
    return "<br>".join(way.replace("+", " + ") for way in authentication.split("|")) or "—"


def _retention(retention: Retention) -> str:
    text = f"{retention.years} 年 years" if retention.years else "無期限 without limit"
    if retention.online_days:
        text += (
            f"<br>{retention.online_days} 日後から {retention.archive}"
            f"<br>{retention.archive} after {retention.online_days} days"
        )
    return text if retention.copies == 1 else f"{text}<br>{retention.copies} 部 copies"


def _review(review: Review) -> str:
    every = _EVERY[review.every]
    if not review.ja:
        return "記載なし not stated" if review.every == "not_stated" else f"{every.ja} {every.en}"
    return _bold(f"{review.ja}<br>{review.en}<br>{every.ja} {every.en}", review.stated)


def _bold(text: str, stated: bool) -> str:
    return "<br>".join(f"**{line}**" for line in text.split("<br>")) if stated else text


def _heading(text: Texts) -> str:
    return f"{text.ja} / {text.en}"


def _table(columns: tuple[Texts, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = ["| " + " | ".join(_heading(column) for column in columns) + " |", "|---" * len(columns) + "|"]
    # A bar inside a cell would end it.
    return lines + ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else "docs/sources.md").write_text(page(), "utf-8")
