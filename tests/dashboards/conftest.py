"""One page of each kind, made of values that any text can be put into."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dashboards.access_pages import AccountView, Asked, KeyRow, ResetRow, UserRow
from dashboards.figures import activity_heatmap, alerts_over_time, events_by_source
from dashboards.model import (
    AlertFilters,
    AlertRow,
    AlertSummary,
    AlertView,
    BaselineRow,
    BoardSpan,
    Choice,
    DetectorState,
    EnrolForm,
    EventFilters,
    EventRow,
    EventView,
    Figure,
    Language,
    PageContext,
    Texts,
    Viewer,
)
from dashboards.pages import Pages
from dashboards.source_model import SourcesView

sys.path.insert(0, str(Path(__file__).parent))

from source_values import STATES, bare_source, source, source_row

PERMISSIONS = frozenset({"alerts:alert:read", "events:event:search", "boards:board:read", "sources:source:read"})
AT = datetime(2026, 10, 5, 14, 40, tzinfo=UTC)
SPAN = BoardSpan(date(2026, 10, 1), date(2026, 10, 5))
VOID = frozenset({"meta", "link", "input", "br", "hr", "img"})


@dataclass
class Tag:
    name: str
    attributes: dict[str, str]
    text: str = ""
    children: list["Tag"] = field(default_factory=list)

    def walk(self) -> Iterator["Tag"]:
        yield self
        for child in self.children:
            yield from child.walk()

    def all(self, name: str) -> list["Tag"]:
        return [tag for tag in self.walk() if tag.name == name]

    def words(self) -> str:
        return self.text + "".join(child.words() for child in self.children)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Tag("#page", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice"
        made = Tag(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(made)
        if tag not in VOID:
            self.open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Tag(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].name == tag, f"</{tag}> closes <{self.open[-1].name}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].text += data


def parse(html: str) -> Tag:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert len(reader.open) == 1, f"left open: {[tag.name for tag in reader.open[1:]]}"
    return reader.root


def context(language: Language, path: str = "/alerts", *, signed_in: bool = True, text: str = "") -> PageContext:
    return PageContext(
        language=language,
        viewer=Viewer(f"情報係 0007{text}", ("administrator",)) if signed_in else None,
        path=path,
        csrf=f"c-5{text}",
        notice=f"保存しました{text}",
        last_sign_in=f"前回{text}",
        permissions=PERMISSIONS,
    )


def both(text: str) -> Texts:
    return Texts(f"国保{text}", f"NHI{text}")


def event_row(text: str = "") -> EventRow:
    return EventRow(
        log_index=88123,
        time=AT,
        source=f"nhi{text}",
        source_name=both(text),
        event_id=f"e-1{text}",
        activity="view",
        operation_name=f"照会画面{text}",
        outcome="denied",
        actor_id=f"s0412{text}",
        actor_name=f"職員{text}",
        actor_unit=f"資格係{text}",
        terminal=f"T-1{text}",
        subjects=(f"0004512345{text}", "0004512346"),
        summary="",
    )


def alert_row(text: str = "") -> AlertRow:
    return AlertRow(
        id=f"f-1{text}",
        severity="high",
        detector=f"off-hours-access{text}",
        detector_title=both(text),
        title=both(text),
        actors=((f"s0412{text}", f"職員{text}"),),
        source_name=both(text),
        window_from=AT,
        window_to=AT + timedelta(minutes=20),
        status="open",
        score=0.914,
        opened=AT,
    )


def figures(text: str = "") -> list[Figure]:
    return [
        activity_heatmap([(0, 9, 1200), (0, 9, 3), (6, 23, 2)], span=SPAN),
        events_by_source([("nhi", both(text), 4100), (f"x{text}", both(text), 7)], span=SPAN),
        alerts_over_time([(date(2026, 10, 2), "high", 2), (date(2026, 10, 5), f"odd{text}", 1)], span=SPAN),
    ]


def missing_alert(text: str = "") -> AlertView:
    return AlertView(
        row=replace(alert_row(text), actors=(), status="filled"),
        reasons=(both(text),),
        evidence=[],
        more_evidence=0,
        search_url="/events?source=nhi",
        log_index=(0, 7),
        runbook=both(text),
        false_positives=both(text),
        detector_version=f"1{text}",
        settled_at=AT,
        settled_by=f"12 day.csv{text}",
        source_page=f"nhi{text}",
    )


def account(text: str) -> AccountView:
    key = KeyRow(f"k{text}", f"鍵{text}", f"Model{text}", ("fingerprint",), False, AT, AT, True, True)
    keys = (key, replace(key, model="", modalities=(), device_bound=True, last_used_at=None, refused=False))
    return AccountView(f"s{text}", True, True, keys, 7, AT, AT, AT, f"10.3.1.31{text}", ("password", "totp"), True)


def users(text: str) -> list[UserRow]:
    row = UserRow(f"s0412{text}", f"名{text}", ("staff",), "active", AT, False)
    return [row, replace(row, state="disabled", last_sign_in_at=None), replace(row, state="rebind", oneself=True)]


def resets(text: str) -> list[ResetRow]:
    return [ResetRow(f"s0412{text}", f"s1{text}", AT, mine, mine) for mine in (True, False)]


def every_page(pages: Pages, language: Language, text: str = "") -> dict[str, str]:
    ctx = context(language, text=text)
    out = context(language, "/sign-in", signed_in=False, text=text)
    choice = (Choice(f"v{text}", both(text)),)
    event = event_row(text)
    document = {
        "time": "2026-10-05T23:40:00+09:00",
        "activity": "view",
        "actor": {"id": f"s0412{text}"},
        "subjects": [f"0004512345{text}"],
        "auth": {"user_verified": True},
        f"later{text}": [{"deep": text}],
        "unmapped": {f"備考{text}": f"値{text}"},
    }
    alert = AlertView(
        row=alert_row(text),
        reasons=(both(text),),
        evidence=[event],
        more_evidence=1200,
        search_url="/events?actor=s0412",
        log_index=(88120, 88131),
        runbook=Texts(f"一行目\n二行目{text}", f"one\ntwo{text}"),
        false_positives=both(text),
        detector_version=f"1{text}",
        baseline=[BaselineRow(both(text), 0), BaselineRow(both(text), 12.5, is_this=True)],
        baseline_title=both(text),
        subject_count=12,
    )
    late = DetectorState(both(text), "late", AT)
    ready = DetectorState(both(text), "ok", AT)
    filters = EventFilters(f"a{text}", f"b{text}", f"v{text}", text, text, "view", "failure", "0", "9", choice)
    uri = "otpauth://totp/Mimamori:s0007?secret=JBSWY3DPEHPK3PXP"
    form = EnrolForm(f"t{text}", uri, "JBSWY3DPEHPK3PXP", f"s0007{text}", display_name=f"名{text}")
    asked = Asked(("key", "totp", "recovery_code"), f"/a{text}", "uv", f"k{text}")
    wanted = AlertFilters("open", "high", f"v{text}", text, text, choice)
    return {
        "sign_in": pages.sign_in(out, asked=asked, error=f"違います{text}"),
        "sign_in_for": pages.sign_in(out, asked=Asked(place="/a", acr="bio")),
        "second_factor": pages.second_factor(out, asked=asked, error=f"違います{text}"),
        "second_factor_none": pages.second_factor(out, asked=Asked(acr="uv", ticket="k")),
        "second_session": pages.second_session(out, asked=asked, since=AT, address=f"10.3.1.31{text}"),
        "second_session_kept": pages.second_session(out, asked=Asked(), since=AT, address="", decided=True),
        "second_session_refused": pages.second_session(out, asked=Asked(), since=AT, address=""),
        "overdue": pages.overdue(out, asked=asked, error=f"短い{text}"),
        "locked": pages.locked(out, asked=asked, name=f"名{text}", refused=True),
        "codes": pages.recovery_codes(out, codes=[f"ABCD{text}"], place="/sign-in"),
        "account": pages.account(ctx, view=account(text), error=f"違います{text}", done="removed"),
        "account_stale": pages.account(ctx, view=replace(account(text), fresh=False, app=False, keys=())),
        "account_app": pages.account_app(ctx, secret="JBSWY3DP", uri=uri, sealed=f"ab{text}", error=None),
        "users": pages.users(
            ctx,
            rows=users(text),
            resets=resets(text),
            roles=("staff", "auditor"),
            link=f"http://x/{text}",
            done="asked",
        ),
        "users_none": pages.users(ctx, rows=[], resets=[], roles=(), error=f"違います{text}"),
        "enrol": pages.enrol(out, form=form, error=f"違います{text}"),
        "alerts": pages.alerts(
            ctx,
            rows=[alert_row(text)],
            filters=wanted,
            summary=AlertSummary(3, {"high": 3}, (late,)),
            next_page="/alerts?cursor=1",
        ),
        "alerts_one": pages.alerts(
            ctx, rows=[], filters=wanted, summary=AlertSummary(1, {"low": 1}, (ready,)), next_page=None
        ),
        "alerts_none": pages.alerts(ctx, rows=[], filters=AlertFilters(), summary=AlertSummary(0, {}), next_page=None),
        "alert": pages.alert(ctx, alert=alert),
        "events": pages.events(
            ctx, filters=filters, rows=[event], total=1234, next_page="/events?cursor=1", error=None
        ),
        "events_none": pages.events(ctx, filters=filters, rows=[], total=0, next_page=None, error=None),
        "events_error": pages.events(ctx, filters=filters, rows=[], total=None, next_page=None, error=f"誤り{text}"),
        "event": pages.event(ctx, event=EventView(event, document, {"log_index": 88123})),
        "board": pages.board(ctx, figures=figures(text), span=SPAN),
        "board_none": pages.board(ctx, figures=[activity_heatmap([], span=SPAN)], span=SPAN),
        "sources": pages.sources(
            ctx, view=SourcesView([source_row(text, state) for state in STATES], both(text), "late", AT)
        ),
        "sources_quiet": pages.sources(ctx, view=SourcesView([source_row(text, "ok")], None, "ok", AT)),
        "sources_none": pages.sources(ctx, view=SourcesView([], None, "never", None)),
        "source": pages.source(ctx, view=source(text), lives=(30, 397), done=True),
        "source_locked": pages.source(ctx, view=source(text, unlocked=False), lives=(30, 397)),
        "source_bare": pages.source(ctx, view=bare_source(text), lives=(30, 397)),
        "step_up": pages.step_up(ctx, asked=Asked(("key", "totp"), "/sources/nhi"), refused=True),
        "alert_missing": pages.alert(ctx, alert=missing_alert(text)),
        "message": pages.message(ctx, title=f"ありません{text}", text=f"本文{text}", status=403),
        "message_out": pages.message(out, title=f"止まっています{text}", text=f"本文{text}", status=503),
    }


@pytest.fixture(scope="session")
def pages() -> Pages:
    return Pages()


@pytest.fixture(params=["ja", "en"])
def language(request: pytest.FixtureRequest) -> Language:
    chosen: Language = request.param
    return chosen


@pytest.fixture
def render(pages: Pages) -> Callable[[Language, str], dict[str, str]]:
    return lambda language, text: every_page(pages, language, text)


@pytest.fixture(scope="session")
def read_page() -> Callable[[str], Tag]:
    return parse


@pytest.fixture(scope="session")
def draw() -> Callable[[str], list[Figure]]:
    return figures


@pytest.fixture(scope="session")
def ctx_in() -> Callable[..., PageContext]:
    return context
