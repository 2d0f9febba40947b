"""Stories that this detector must and must not find."""

from datetime import date, datetime
from typing import Any

from detectors.cases import act, case, clock, feeds, sign_in, weekdays_before

__all__ = ["CASES"]

_DAY = date(2026, 10, 7)
_SOURCE = "nhi-eligibility"


def _policy(*rows: tuple[str, str]) -> dict[str, str]:
    return feeds(policies=[{"source": _SOURCE, "valid_from": since, "require": asked} for since, asked in rows])


_VEIN = _policy(("2020-04-01", "password+palm_vein|password+totp"))


def _in(at: datetime, actor: str, *factors: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    return sign_in(at, actor, "10.3.1.31", auth={"factors": list(factors)}, **more)


_TWO_KINDS = [
    _in(clock(day, f"08:{20 + n}"), f"s{n}", "password", "palm_vein")
    for day in weekdays_before(_DAY, 10)
    for n in range(6)
]

CASES = (
    # To be found.
    case("password only", _DAY, _in(clock(_DAY, "08:31"), "s1", "password"), finds=["s1"], given=_VEIN),
    case(
        "palm vein without the password", _DAY, _in(clock(_DAY, "08:31"), "s1", "palm_vein"), finds=["s1"], given=_VEIN
    ),
    case(
        "another second factor than the system asks for",
        _DAY,
        _in(clock(_DAY, "08:31"), "s1", "password", "ic_card"),
        finds=["s1"],
        given=_VEIN,
    ),
    case(
        "enough yesterday, too little since the policy changed",
        _DAY,
        _in(clock(_DAY, "08:31"), "s1", "password", "totp"),
        finds=["s1"],
        given=_policy(("2020-04-01", "password+totp"), ("2026-10-07", "password+palm_vein")),
    ),
    case(
        "one of two people",
        _DAY,
        _in(clock(_DAY, "08:31"), "s1", "password", "palm_vein"),
        _in(clock(_DAY, "08:32"), "s2", "password"),
        finds=["s2"],
        given=_VEIN,
    ),
    case(
        "a look-up in a session that was opened by password",
        _DAY,
        act(clock(_DAY, "10:00"), "s1", auth={"factors": ["password"]}),
        finds=["s1"],
        given=_VEIN,
    ),
    case(
        "no policy, but everybody else uses two kinds",
        _DAY,
        _TWO_KINDS,
        _in(clock(_DAY, "08:31"), "s1", "password"),
        finds=["s1"],
    ),
    # To be left alone.
    case("what is asked for", _DAY, _in(clock(_DAY, "08:31"), "s1", "password", "palm_vein"), given=_VEIN),
    case("the alternative", _DAY, _in(clock(_DAY, "08:31"), "s1", "totp", "password"), given=_VEIN),
    case("more than is asked for", _DAY, _in(clock(_DAY, "08:31"), "s1", "password", "totp", "ic_card"), given=_VEIN),
    case(
        "a log that says biometric only",
        _DAY,
        _in(clock(_DAY, "08:31"), "s1", "password", "biometric"),
        given=_VEIN,
    ),
    case("a log that does not say with what", _DAY, sign_in(clock(_DAY, "08:31"), "s1"), given=_VEIN),
    case(
        "refused for want of the second factor",
        _DAY,
        _in(clock(_DAY, "08:31"), "s1", "password", outcome="failure"),
        given=_VEIN,
    ),
    case(
        "one's own screen unlocked",
        _DAY,
        act(clock(_DAY, "13:00"), "s1", "unlock", auth={"factors": ["password"]}),
        given=_VEIN,
    ),
    case(
        "a system without a policy, where passwords are usual",
        _DAY,
        [_in(clock(day, "08:31"), f"s{n}", "password") for day in weekdays_before(_DAY, 10) for n in range(6)],
        _in(clock(_DAY, "08:31"), "s1", "password"),
    ),
    case(
        "while the reader is broken the policy asks for another way",
        _DAY,
        _in(clock(_DAY, "08:31"), "s1", "password", "totp"),
        given=_policy(("2020-04-01", "password+palm_vein"), ("2026-10-06", "password+totp")),
    ),
)
