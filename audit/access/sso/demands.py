"""What an authorization request demands of the sign-in: how fresh, how strong, with or without asking. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.access.model import within
from audit.access.strength import Acr, FactorPolicy, Proof

__all__ = ["Demand", "DemandError", "Need", "read_demand"]

_PROMPTS = frozenset({"login", "none"})
_UNSUPPORTED = {"request": "request_not_supported", "request_uri": "request_uri_not_supported"}
MAX_NONCE = 255
MAX_STATE = 1024


class DemandError(Exception):
    """A demand that cannot be read or met by anybody.

    Args:
        error: the standards' code.
        description: ASCII without quotes.
    """

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error


@dataclass(frozen=True, slots=True)
class Need:
    """What is missing.

    Attributes:
        acr: at least this strong.
        fresh: it is the age that is wrong, not the strength.
    """

    acr: Acr
    fresh: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """The demand.

    Attributes:
        silent: nobody may be asked anything (`prompt=none`).
        again: a new sign-in whatever there is (`prompt=login`, or an age of nothing).
        acceptable: any of these levels will do; empty when the request names none.
        max_age: how old the proof may be.
    """

    silent: bool = False
    again: bool = False
    acceptable: tuple[Acr, ...] = ()
    max_age: timedelta | None = None

    def missing(self, proof: Proof, policy: FactorPolicy, now: datetime, since: datetime | None) -> Need | None:
        """What a proof lacks; None when it is enough.

        Args:
            proof: what the session was opened with.
            policy: what the system asks for, whatever the request says.
            now: the present moment.
            since: when this request was first seen; what was proved after it is fresh.
        """
        met = policy.met_by(proof)
        levels = [min(self.acceptable, key=_rank)] if self.acceptable else []
        least = max([*levels, *([] if met else [policy.acr])], key=_rank, default=proof.acr)
        if proof.acr.rank < least.rank or not met:
            return Need(least, fresh=False)
        if since is not None and proof.at >= since:
            return None
        aged = self.max_age is not None and not within(proof.at, now, self.max_age + timedelta(seconds=1))
        return Need(proof.acr, fresh=True) if self.again or aged else None

    def claim(self, proof: Proof) -> Acr:
        """The level to claim: the strongest of those asked for that was proved, or what was proved."""
        proved = [level for level in self.acceptable if level.rank <= proof.acr.rank]
        return max(proved, key=_rank, default=proof.acr)


def _rank(level: Acr) -> int:
    return level.rank


def read_demand(parameters: Mapping[str, str], default_max_age: timedelta | None) -> Demand:
    """Read the demand of a request.

    Args:
        parameters: of the request.
        default_max_age: the system's own, where the request names none.

    Raises:
        DemandError: it cannot be read or met.
    """
    for name, error in _UNSUPPORTED.items():
        if name in parameters:
            raise DemandError(error, f"{name} is not supported")
    if parameters.get("response_mode", "query") != "query":
        raise DemandError("invalid_request", "response_mode must be query")
    if len(parameters.get("nonce", "")) > MAX_NONCE or len(parameters.get("state", "")) > MAX_STATE:
        raise DemandError("invalid_request", "nonce or state is too long")
    if "\0" in parameters.get("nonce", ""):
        raise DemandError("invalid_request", "nonce cannot be kept")  # PostgreSQL takes no such text
    prompts = set(parameters.get("prompt", "").split())
    if not prompts <= _PROMPTS or prompts == _PROMPTS:
        raise DemandError("invalid_request", "prompt must be login or none")
    age = parameters.get("max_age", "")
    if age and not (age.isascii() and age.isdecimal() and len(age) <= 9):
        raise DemandError("invalid_request", "max_age must be a number of seconds")
    words = parameters.get("acr_values", "").split()
    acceptable = tuple(Acr(word) for word in words if word in set(Acr))
    if words and not acceptable:
        raise DemandError("unmet_authentication_requirements", "none of the acr_values is known here")
    max_age = timedelta(seconds=int(age)) if age else default_max_age
    return Demand(
        silent="none" in prompts,
        again="login" in prompts or max_age == timedelta(0),
        acceptable=acceptable,
        max_age=max_age,
    )
