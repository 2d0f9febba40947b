"""Documentation that can drift is held to the code."""

import importlib.util
import re
from pathlib import Path

import pytest

from api.settings import Settings
from audit.context import FEEDS
from ingest.formats.registry import DECODERS

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def _events_page() -> str:
    spec = importlib.util.spec_from_file_location("pages", Path(__file__).with_name("pages.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page: str = module.events_page()
    return page


def test_events_page_is_what_the_code_says() -> None:
    assert (ROOT / "docs" / "events.md").read_text(encoding="utf-8") == _events_page()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_setting_is_documented() -> None:
    text = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    missing = [name for name in Settings.model_fields if f"MIMAMORI_{name.upper()}" not in text]
    assert missing == []


def test_every_format_is_documented() -> None:
    text = (ROOT / "docs" / "ingest.md").read_text(encoding="utf-8")
    assert [name for name in ("jsonl", *DECODERS) if f"| `{name}` |" not in text] == []


def test_every_feed_is_documented_with_its_columns() -> None:
    text = (ROOT / "docs" / "context.md").read_text(encoding="utf-8")
    for kind, columns in FEEDS.items():
        assert f"| `{kind}` | `{','.join(columns)}` |" in text


def test_every_decision_is_listed() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    records = sorted(path.name for path in (ROOT / "docs" / "adr").glob("0*.md"))
    assert [name for name in records if name not in index] == []


def test_both_readmes_name_the_same_commands() -> None:
    def commands(name: str) -> list[str]:
        return re.findall(r"^make \w+$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)

    assert commands("README.md") == commands("README.ja.md") == ["make run", "make serve"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(f"\n{command.removeprefix('make ')}:" in makefile for command in commands("README.md"))
