"""A verifier, and what it says. Values only."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from audit.access.strength import MODALITIES, Proof
from audit.texts import Texts

__all__ = ["Begun", "Offer", "Verified", "Verifier"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """An OpenID provider of the town's own that knows a factor we do not.

    Attributes:
        name: ours for it, as it stands in addresses and in `authenticator` (`oidc:NAME`).
        texts: the name that people read.
        issuer: its own, compared letter by letter.
        client_id: ours there.
        secret: ours there.
        staff_ids: what it may say about whom: it can name no other account (ASVS 6.8.1).
        claim: the claim that holds the staff id.
        amr: what each of its `amr` words is to us.
        acr: the same for its `acr`.
        max_age: how old its check of the person may be.
        algorithms: what it may sign with.
        metadata: its discovery document, where that was given as a file; None: fetched from the issuer.
        keys: its keys, where they are pinned; None: fetched from the issuer.
    """

    name: str
    texts: Texts
    issuer: str
    client_id: str
    secret: str = field(repr=False)
    staff_ids: re.Pattern[str]
    claim: str = "sub"
    amr: Mapping[str, frozenset[str]] = field(default_factory=dict)
    acr: Mapping[str, frozenset[str]] = field(default_factory=dict)
    max_age: timedelta = timedelta(minutes=5)
    algorithms: tuple[str, ...] = ("ES256",)
    metadata: Mapping[str, Any] | None = None
    keys: Mapping[str, Any] | None = None

    @property
    def factors(self) -> frozenset[str]:
        """Everything that it may vouch for."""
        return frozenset().union(*self.amr.values(), *self.acr.values())


@dataclass(frozen=True, slots=True)
class Offer:
    """A verifier as the pages offer it: a form that posts to `/verify/NAME/start`, with `next`."""

    name: str
    texts: Texts
    factors: frozenset[str]


@dataclass(frozen=True, slots=True)
class Begun:
    """The way to a verifier.

    Attributes:
        url: where the person goes.
        sealed: for the browser to keep until they come back; nobody can read or change it.
    """

    url: str
    sealed: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a verifier said, judged and translated.

    Attributes:
        login_id: whom it named; one that its configuration allows.
        factors: what was proved, in our words.
        authenticator: `oidc:NAME`.
        at: when.
        begun_for: what the way was begun for, as whoever began it named it; empty for a sign-in from nothing.
        place: where the person wanted to go.
    """

    login_id: str
    factors: frozenset[str]
    authenticator: str
    at: datetime
    begun_for: str = ""
    place: str = "/"

    @property
    def proof(self) -> Proof:
        """The same as a proof."""
        return Proof(
            factors=self.factors,
            at=self.at,
            user_verified=bool(self.factors & MODALITIES),
            authenticator=self.authenticator,
        )
