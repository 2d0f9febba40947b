"""Values of the pages about sources that any text can be put into."""

from datetime import UTC, datetime, timedelta

from audit.clock import tokyo_date
from audit.texts import Texts
from dashboards.source_model import (
    BindingRow,
    CredentialRow,
    CredentialsView,
    DeliveryRow,
    ExamplePart,
    ExampleRecord,
    GapRow,
    Issued,
    ListenerRow,
    ProfileView,
    RefusedRow,
    RetentionView,
    ReviewView,
    SendingView,
    SourceRow,
    SourceView,
)

STATES = ("silent", "gap", "late", "ok", "never")
AT = datetime(2026, 10, 5, 14, 40, tzinfo=UTC)
SECRET = "s3cretOnlyOnce"


def both(text: str) -> Texts:
    return Texts(f"国保{text}", f"NHI{text}")


def gap(text: str, number: int, status: str = "open") -> GapRow:
    filled = status != "open"
    settled = (AT, f"12 day.csv{text}") if filled else (None, "")
    return GapRow(f"f-{number}{text}", both(text), (both(text), both(text)), status, AT, AT, *settled)


def source_row(text: str, state: str = "silent") -> SourceRow:
    today = tokyo_date(AT)
    heard = state != "never"
    return SourceRow(
        id=f"{state}{text}",
        name=both(text),
        number=7,
        state=state,
        last_event=AT if heard else None,
        days=tuple((today - timedelta(days=6 - n), n * 1000 * heard) for n in range(7)),
        expected=both(text),
        waiting=1_200_000 if state == "gap" else 0,
        quarantined=12 if heard else 0,
        gaps=tuple(gap(text, n) for n in range(4)) if state in {"silent", "gap"} else (),
        note=both(text) if state == "late" else None,
    )


def profile(text: str, *, bare: bool = False) -> ProfileView:
    if bare:
        return ProfileView(
            kind="core", also=(), format="jsonl", envelope="none", encoding="utf-8", timezone="Asia/Tokyo",
            documented=(), fields=(), vocabulary=(), dropped=(), constants=(), sign_in=(), sign_in_stated=False,
            retention=RetentionView(0, 0, 1, "parquet", stated=False),
            review=ReviewView(None, "not_stated", stated=False), serves=(), in_catalogue=False,
        )  # fmt: skip
    return ProfileView(
        kind=f"core{text}",
        also=(f"国保{text}", "国保二"),
        format=f"csv{text}",
        envelope="syslog",
        encoding=f"cp932{text}",
        timezone=f"Asia/Tokyo{text}",
        documented=("actor.id", f"odd{text}"),
        fields=((f"職員{text}", "actor.id"), ("備考", f"unmapped.備考{text}")),
        vocabulary=(
            ("activity", f"照会{text}", "view"),
            ("activity", "*", "operation"),
            ("outcome", "OK", "success"),
            ("auth.factors", "静脈", "palm_vein"),
            ("auth.factors", "番号", ""),
            ("query.by", f"氏名{text}", f"name{text}"),
        ),
        dropped=(f"氏名{text}",),
        constants=(("affair", f"nhi{text}"),),
        sign_in=(("password", "palm_vein"), (f"odd{text}",)),
        sign_in_stated=True,
        retention=RetentionView(7, 90, 2, f"csv{text}", stated=True),
        review=ReviewView(both(text), "monthly", stated=True),
        serves=("C-001", f"C-2{text}"),
    )


def credentials(text: str, *, unlocked: bool) -> CredentialsView:
    ends = AT + timedelta(days=397)
    rows = (
        CredentialRow(f"a{text}", "active", AT, ends, None, AT),
        CredentialRow(f"b{text}", "revoked", AT, ends, AT, None),
        CredentialRow(f"c{text}", "expired", AT, AT, None, None),
    )
    bindings = (BindingRow(f"d{text}", "certificate", AT, ends), BindingRow(f"e{text}", "signing_key", AT, None))
    document = f'{{\n "client_secret": "{SECRET}{text}"\n}}'
    issued = Issued(document, f"one \\\n  | two{text}", ends) if unlocked else None
    return CredentialsView(rows, bindings, unlocked, issued, f"誤り{text}")


def source(text: str, *, unlocked: bool = True) -> SourceView:
    return SourceView(
        row=source_row(text, "gap"),
        events=88_000,
        last_delivery=AT,
        gaps=(gap(text, 1), gap(text, 2, "filled")),
        deliveries=(
            DeliveryRow(12, f"day.csv{text}", AT, True, 10, 7, 2, 1),
            DeliveryRow(13, f"http{text}", AT, False, 0, 0, 0, 0),
        ),
        refused=(RefusedRow(3, AT, 12, 4, 88, (f"time: none{text}", "activity")),),
        sending=SendingView(
            f"http://localhost:8000/x{text}", f"/data{text}/", (ListenerRow("tls", 6514, (f"10.0.0.0/8{text}",)),)
        ),
        profile=profile(text),
        examples=(
            ExampleRecord(
                1,
                f"2026-10-05,照会{text}",
                (
                    ExamplePart("activity", "区分", "view", "mapped"),
                    ExamplePart("outcome", "", "success", "format"),
                    ExamplePart(f"unmapped.備考{text}", f"備考{text}", f"値{text}", "unmapped"),
                    ExamplePart("affair", "", f"nhi{text}", "constant"),
                    ExamplePart("", f"氏名{text}", "", "dropped"),
                ),
            ),
            ExampleRecord(2, f"?{text}", (), (f"time: none{text}",)),
        ),
        credentials=credentials(text, unlocked=unlocked),
    )


def bare_source(text: str) -> SourceView:
    return SourceView(
        row=source_row(text, "never"),
        events=0,
        last_delivery=None,
        gaps=(),
        deliveries=(),
        refused=(),
        sending=SendingView(f"http://x{text}", f"/data{text}/", (), unreadable=True),
        profile=profile(text, bare=True),
        examples=(),
    )
