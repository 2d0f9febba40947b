"""What a request at a reverse proxy means: one reading of an address, or none."""

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.gateways import Act, Gateway, read_gateways
from ingest.sources.profile import ProfileError

FILE = """
[nhi-eligibility]
origin = "https://kiroku.example.lg.jp:9443"
affair = "nhi-eligibility"
subject = "[0-9]{10}"

[[nhi-eligibility.route]]
methods = ["GET"]
path = "/residents/new"
activity = "create"

[[nhi-eligibility.route]]
methods = ["GET"]
path = "/residents/{subject}"
query = { tab = "", case = "case_id" }
activity = "view"

[[nhi-eligibility.route]]
methods = ["GET"]
path = "/view"
query = { id = "subject", "*" = "" }
activity = "view"

[[nhi-eligibility.route]]
methods = ["GET", "POST"]
path = "/検索"
query = { q = "" }
activity = "search"

[[nhi-eligibility.route]]
methods = ["POST"]
path = "/lists/{}/export"
activity = "export"
function = "list"
affair = "nhi-levy"
"""
KEY = "0004512345"
VIEW = Act(activity="view", function="", affair="nhi-eligibility", subjects=(KEY,))


def read(folder: Path, text: str = FILE) -> Gateway:
    (folder / "gateways.toml").write_text(text, encoding="utf-8")
    return read_gateways(folder)["nhi-eligibility"]


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    return read(tmp_path)


def test_a_line_says_what_a_request_does(gateway: Gateway) -> None:
    with_case = Act(activity="view", function="", affair="nhi-eligibility", subjects=(KEY,), case_id="c-88123")
    assert gateway.act("GET", f"/residents/{KEY}?case=c-88123") == with_case
    assert gateway.act("GET", f"/residents/{KEY}?tab=levy&case=c-88123") == with_case
    assert gateway.act("HEAD", f"/view?id={KEY}") == VIEW
    assert gateway.act("GET", f"/view?page=2&id={KEY}&sort=name") == VIEW
    assert gateway.act("POST", "/lists/2026-10/export") == Act(activity="export", function="list", affair="nhi-levy")


def test_the_first_line_counts(gateway: Gateway) -> None:
    found = gateway.act("GET", "/residents/new")
    assert found is not None
    assert found.activity == "create"


def test_an_encoding_that_changes_nothing_is_undone(gateway: Gateway) -> None:
    assert gateway.act("GET", f"/vi%65w?id={KEY}") == VIEW
    searched = gateway.act("GET", f"/{quote('検索')}?q={quote('山田')}+a")
    assert searched is not None
    assert searched.activity == "search"
    assert searched.subjects == ()
    assert gateway.act("POST", f"/{quote('検索')}?q=50%25+off%2Fa%3Bb") == searched


@pytest.mark.parametrize(
    ("method", "uri"),
    [
        ("GET", "/nowhere"), ("GET", ""), ("GET", "*"), ("GET", f"residents/{KEY}?case=c"), ("POST", f"/view?id={KEY}"),
        ("get", f"/view?id={KEY}"), ("GET", f"http://x/view?id={KEY}"),
        # a parameter that a line needs, or does not know
        ("GET", f"/residents/{KEY}"), ("GET", f"/residents/{KEY}?case="), ("GET", f"/residents/{KEY}?case=c&x=1"),
        ("GET", "/view"), ("GET", "/view?id="), ("GET", "/view?page=2"), ("GET", "/residents/new?x=1"),
    ],
)  # fmt: skip
def test_what_no_line_matches_is_nothing(gateway: Gateway, method: str, uri: str) -> None:
    assert gateway.act(method, uri) is None


@pytest.mark.parametrize(
    "uri",
    [
        # dots, empty parts, encoded slashes, encoding twice
        f"/residents/../view?id={KEY}", f"/./view?id={KEY}", f"/%2e%2e/view?id={KEY}", f"/x/%2E%2e/view?id={KEY}",
        f"//view?id={KEY}", f"/view/?id={KEY}", f"/residents%2f{KEY}?case=c", f"/residents/{KEY}%2F..?case=c",
        f"/%76iew%3fid={KEY}", f"/%2576iew?id={KEY}", f"/residents/{KEY}%252f?case=c", f"/residents\\{KEY}?case=c",
        f"/residents/%5c{KEY}?case=c", f"/residents/{KEY}%00.png?case=c", f"/residents/{KEY}%0a?case=c",
        f"/view%?id={KEY}", f"/view%zz?id={KEY}", "/%c0%af", "/%ff", f"/view%c0%ae?id={KEY}",
        # other letters, parameters of a path, further endings
        f"/VIEW?id={KEY}", f"/View?id={KEY}", f"/view;v=1?id={KEY}", f"/residents/{KEY};x?case=c",
        f"/residents/{KEY}.json?case=c", f"/residents/{KEY}/?case=c", f"/view?id={KEY}#top",
        # the same resident in another writing
        "/view?id=4512345", f"/view?id=+{KEY}", f"/view?id={KEY}%20", f"/view?id={KEY}%0a",
        "/view?id=０００４５１２３４５",
        f"/view?id={quote('０００４５１２３４５')}", "/view?id=0x44D9F9",
        # a parameter that stands twice, or under another writing of its name
        f"/view?id={KEY}&id=0009999999", f"/view?id={KEY}&ID=0009999999", f"/view?id={KEY}&i%64=0009999999",
        f"/view?id={KEY}&id[]=0009999999", f"/view?id={KEY}&id%5B0%5D=0009999999", f"/view?id={KEY}&id.x=0009999999",
        f"/view?id={KEY}&id%20=0009999999", f"/view?id={KEY}&+id=0009999999", f"/view?id={KEY};id=0009999999",
        f"/view?a=1;id=0009999999&id={KEY}", f"/view?id={KEY}&&a=1", f"/view?id={KEY}&=1", f"/view?id={KEY}&",
        f"/view?id={KEY}&a=%2", f"/view?id={KEY}&a=%ff", f"/view?id={KEY}?id=0009999999", f"/view?ID={KEY}",
        f"/view?id={KEY}\t", f"/view?id={KEY} HTTP/1.1", "/view?id=" + "0" * 5000,
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_refused(gateway: Gateway, uri: str) -> None:
    assert gateway.act("GET", uri) is None


PIECES = st.sampled_from(
    ["/", "//", ".", "..", "%2f", "%2e", "%25", "%00", "view", "VIEW", "residents", KEY, "?", "&", ";", "=", "id", "ID",
     "[]", "case", "tab", "%", "+", "%20", "#", "\\", "検"]
)  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(pieces=st.lists(PIECES, max_size=9))
def test_whatever_is_asked_for_a_resident_is_named_once_and_in_full(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str]
) -> None:
    uri = "/" + "".join(pieces)
    gateway = _read_once(tmp_path_factory)
    act = gateway.act("GET", uri)
    if act is not None and act.activity == "view":
        assert act.subjects == (KEY,)
        assert uri.count(KEY) == 1
        assert not {"//", "..", "%2f", "%25", "%00", ";", "\\", "#"} & {
            uri[i : i + n] for n in (1, 2, 3) for i in range(len(uri))
        }


_gateways: list[Gateway] = []


def _read_once(folders: pytest.TempPathFactory) -> Gateway:
    if not _gateways:
        _gateways.append(read(folders.mktemp("gateways")))
    return _gateways[0]


def test_without_the_file_there_is_no_gateway(tmp_path: Path) -> None:
    assert read_gateways(tmp_path) == {}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('origin = "https://kiroku.example.lg.jp:9443"', ""),
        ("https://kiroku.example.lg.jp:9443", "https://kiroku.example.lg.jp/app"),
        ("https://kiroku.example.lg.jp:9443", "javascript:alert(1)"),
        ('"[0-9]{10}"', '"[0-9"'), ('"/view"', '"view"'), ('activity = "create"', 'activity = "look"'),
        ('methods = ["POST"]', "methods = []"), ('methods = ["POST"]', 'methods = ["post"]'),
        ('"case_id"', '"staff"'), ('case = "case_id"', 'case = "subject"'), ("affair =", "afair ="), ("[[", "["),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_refused_by_name(tmp_path: Path, old: str, new: str) -> None:
    assert old in FILE
    with pytest.raises(ProfileError, match=r"gateways\.toml"):
        read(tmp_path, FILE.replace(old, new))
