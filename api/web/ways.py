"""Where a sign-in or step-up leads, how strong it must be, and which ways of the person and the town reach that."""

from typing import Annotated

from fastapi import Depends, Form, Request

from api.web.security import installation_of, return_address
from audit.access.strength import Acr, Proof
from dashboards.access_pages import Asked, VerifierRow

__all__ = ["FormWay", "Way", "asked_acr", "methods_for", "verifiers_for", "way"]


class Way:
    """Where a sign-in or step-up leads: what its forms carry from step to step."""

    def __init__(self, place: str, acr: str, ticket: str) -> None:
        self.place = place
        self.acr = acr
        self.ticket = ticket

    def asked(
        self, methods: tuple[str, ...] = (), ticket: str | None = None, verifiers: tuple[VerifierRow, ...] = ()
    ) -> Asked:
        """What a page asks, leading the same way."""
        held = methods_for(self.acr, methods)
        return Asked(held, self.place, self.acr, self.ticket if ticket is None else ticket, verifiers)


def asked_acr(text: str) -> str:
    """A strength that somebody asks for; what is none is nothing."""
    return text if text in set(Acr) else ""


def methods_for(acr: str, methods: tuple[str, ...]) -> tuple[str, ...]:
    """Those of a person's methods that reach a strength; whether a key verifies by a biometric is the key's to show."""
    return tuple(word for word in methods if word == "key") if acr in {Acr.USER_VERIFIED, Acr.BIOMETRIC} else methods


def verifiers_for(request: Request, acr: str, beside: frozenset[str] = frozenset()) -> tuple[VerifierRow, ...]:
    """The town's own products that may reach a strength; two factors of any kind, where none is asked for.

    Args:
        request: what is answered.
        acr: the strength.
        beside: what was proved before.
    """
    installation = installation_of(request)
    weakest = max(Acr.OTP.rank, Acr(acr).rank if acr else 0)
    proofs = (
        (offer, Proof(factors=offer.factors | beside, at=installation.clock.now()))
        for offer in installation.federation.offers()
    )
    return tuple(VerifierRow(offer.name, offer.texts) for offer, proof in proofs if proof.acr.rank >= weakest)


def way(
    request: Request,
    next: Annotated[str, Form()] = "",  # noqa: A002 - the form's name
    acr: Annotated[str, Form()] = "",
    ticket: Annotated[str, Form()] = "",
) -> Way:
    """A dependency: the way that a form goes."""
    return Way(return_address(request, next), asked_acr(acr), ticket)


FormWay = Annotated[Way, Depends(way)]
