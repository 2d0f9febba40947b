"""Stories of outputs with and without approval."""

from datetime import timedelta

from detectors.cases import case, feeds
from detectors.rules.outputs.stories import DAY, approval, output, staff, weekly_lists

__all__ = ["OVER", "UNAPPROVED"]

_WEEKS = [DAY - timedelta(days=7 * week) for week in range(1, 4)]
_STAFF = staff("s1", "s2", "s3", "s9")
_PAPERS = [approval("s2", day, f"p-{day}") for day in _WEEKS]
_TOWN = feeds(staff=_STAFF, approvals=_PAPERS)
"""A town whose lists have their paper."""
_HABIT = list(weekly_lists("s2"))


def _given(*more: dict[str, str]) -> dict[str, str]:
    return feeds(staff=_STAFF, approvals=[*_PAPERS, *more])


UNAPPROVED = (
    case("a list without its paper", DAY, _HABIT, output("s1", 3000), finds=["s1"], given=_TOWN),
    case("nothing was ever taken out, and now it goes to a stick", DAY, output("s1", 800, to="usb"), finds=["s1"]),
    case(
        "the approval ended in the afternoon", DAY, output("s1", at="20:40"), finds=["s1"], given=_given(approval("s1"))
    ),
    case(
        "approved for another system",
        DAY,
        output("s1"),
        finds=["s1"],
        given=_given(approval("s1", source="nhi-levy")),
    ),
    case("approved for a colleague", DAY, output("s1"), finds=["s1"], given=_given(approval("s3"))),
    case("approved by oneself", DAY, output("s1"), finds=["s1"], given=_given(approval("s1", approved_by="s1"))),
    case(
        "approved by oneself under another id",
        DAY,
        output("s1"),
        finds=["s1"],
        given=feeds(
            staff=[*staff("s1", "s9", subject_id="r-1"), *staff("s2")],
            approvals=[*[one | {"approved_by": "s3"} for one in _PAPERS], approval("s1")],
        ),
    ),
    case(
        "applied for and not yet approved",
        DAY,
        output("s1"),
        finds=["s1"],
        given=_given(approval("s1", approved_by="")),
    ),
    case(
        "a medium, and an approval for another one",
        DAY,
        output("s1", activity="media_write", medium="M-9", to="usb", source="device-control"),
        finds=["s1"],
        given=_given(approval("s1", kind="media", source="", medium_id="M-1")),
    ),
    case(
        "maintenance is approved, taking data away is not",
        DAY,
        output("v1", 90, kind="contractor", to="usb"),
        finds=["v1"],
        given=_given(approval("v1", kind="maintenance", source="")),
    ),
    case(
        "somebody else's is approved, one's own is not",
        DAY,
        output("s1"),
        output("s3"),
        finds=["s1"],
        given=_given(approval("s3")),
    ),
    # To be left alone.
    case("approved, and not quoted", DAY, _HABIT, output("s1"), given=_given(approval("s1"))),
    case("a few minutes after the approval ended", DAY, output("s1", at="17:30"), given=_given(approval("s1"))),
    case("approved for every system", DAY, output("s1"), given=_given(approval("s1", source=""))),
    case("approved for whoever does it", DAY, output("s1"), given=_given(approval(""))),
    case(
        "a medium with its approval",
        DAY,
        output("s1", activity="media_write", medium="M-1", to="usb", source="device-control"),
        given=_given(approval("s1", kind="media", source="", medium_id="M-1")),
    ),
    case(
        "taken out and written to the approved medium",
        DAY,
        output("s1", medium="M-1", to="usb"),
        given=_given(approval("s1", kind="export", medium_id="M-1")),
    ),
    case("handed to another office by approval", DAY, output("s1"), given=_given(approval("s1", kind="transfer"))),
    case("refused", DAY, _HABIT, output("s1", outcome="denied"), given=_TOWN),
    case("the nightly job", DAY, output("batch", kind="system", at="02:00"), given=_TOWN),
    case(
        "a service account that does it every day",
        DAY,
        [output("svc-renkei", day=DAY - timedelta(days=back), at="02:00") for back in range(10)],
        given=_TOWN,
    ),
    case(
        "nobody's outputs are approved in this system",
        DAY,
        [output(f"s{n}", 100, DAY - timedelta(days=back)) for n in (2, 3) for back in range(3, 24, 3)],
        output("s1"),
        given=feeds(staff=_STAFF),
    ),
    case("a form comes in", DAY, output("s1", activity="upload", to="", rows=0), given=_TOWN),
)

OVER = (
    case("twelve times the approved rows", DAY, output("s1", 6000), finds=["s1"], given=_given(approval("s1"))),
    case("half as many again", DAY, output("s1", 750), finds=["s1"], given=_given(approval("s1"))),
    case(
        "one of three is too large",
        DAY,
        output("s1", 100),
        output("s1", 900, at="11:00"),
        output("s1", 100, at="12:00"),
        finds=["s1"],
        given=_given(approval("s1")),
    ),
    case(
        "over the larger of two approvals",
        DAY,
        output("s1", 1500),
        finds=["s1"],
        given=_given(approval("s1"), approval("s1", number="a-2", max_rows="1000")),
    ),
    case(
        "a medium that holds more than was approved",
        DAY,
        output("s1", 2000, activity="media_write", medium="M-1", to="usb", source="device-control"),
        finds=["s1"],
        given=_given(approval("s1", kind="media", source="", medium_id="M-1")),
    ),
    case(
        "counted by the people in it",
        DAY,
        output("s1", 0, subject_count=800),
        finds=["s1"],
        given=_given(approval("s1")),
    ),
    # To be left alone.
    case("exactly the approved rows", DAY, output("s1", 500), given=_given(approval("s1"))),
    case("a heading more", DAY, output("s1", 501), given=_given(approval("s1"))),
    case(
        "each within its bounds, together beyond",
        DAY,
        output("s1", 400),
        output("s1", 450, at="11:00"),
        given=_given(approval("s1")),
    ),
    case(
        "within the larger of two approvals",
        DAY,
        output("s1", 900),
        given=_given(approval("s1"), approval("s1", number="a-2", max_rows="1000")),
    ),
    case("approved without a number", DAY, output("s1", 9000), given=_given(approval("s1", max_rows=""))),
    case("without approval, which is another detector's", DAY, output("s1", 9000), given=_TOWN),
    case("refused", DAY, output("s1", 9000, outcome="failure"), given=_given(approval("s1"))),
)
