"""Being verified by the town's own product: there, back, and what it proves.

Rules:
- What was begun is kept by the browser, sealed: nobody who starts and never comes back leaves anything here.
- State and nonce are good once, for this verifier, in this browser, for a few minutes.
- What a verifier proved opens or strengthens a session in `audit.access` alone; this part opens none.
- Refusals are counted and told, for anybody may send anything: see `MachineJournal.refuse`.
"""

import base64
import binascii
import hmac
import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from audit.access.federation.errors import VerificationRefusedError
from audit.access.federation.model import Begun, Offer, Verified, Verifier
from audit.access.federation.remote import Metadata, Remote
from audit.access.federation.repository import FederationRepository, UsedStateError
from audit.access.federation.statements import judge_statement
from audit.access.journal import Recorder
from audit.access.machines.journal import MachineJournal
from audit.access.model import within
from audit.access.sealing import SecretBox, new_token, token_hash
from audit.clock import Clock
from audit.store.state import StateStore

__all__ = ["FederationService"]

LIFE = timedelta(minutes=5)
"""From setting out to coming back."""
REMEMBERED = timedelta(hours=1)
"""Used states are kept this much longer than they live, so that a clock set back does not revive them."""
_MAX_SEALED = 4096
_MAX_PLACE = 2048
_MAX_CODE = 2048


class FederationService:
    """The use cases.

    Args:
        store: the state database.
        clock: the time.
        recorder: the audit log.
        box: seals what the browser keeps.
        verifiers: by name.
        base: gives our own address; from a setting, never from the Host header.
    """

    def __init__(
        self,
        store: StateStore,
        clock: Clock,
        recorder: Recorder,
        box: SecretBox,
        verifiers: Mapping[str, Verifier],
        *,
        base: Callable[[], str],
    ) -> None:
        self._store = store
        self._clock = clock
        self._counted = MachineJournal(recorder, clock)
        self._box = box
        self._verifiers = dict(verifiers)
        self._base = base
        self._trust = ssl.create_default_context()

    def flush_refusals(self, *, everything: bool = False) -> None:
        """Tell the refusals that were counted."""
        self._counted.flush(everything=everything)

    def offers(self) -> Sequence[Offer]:
        """The verifiers that people may choose, in the order of the file."""
        return [Offer(each.name, each.texts, each.factors) for each in self._verifiers.values()]

    def begin(self, name: str, *, place: str, begun_for: str = "", address: str) -> Begun:
        """Set out to a verifier.

        Args:
            name: which.
            place: where the person wants to go afterwards, judged by whoever sends them there; `/` instead of one that
                is too long to keep.
            begun_for: a session to step up or the ticket of a sign-in, in the caller's words; empty for a sign-in from
                nothing. It comes back as it is.
            address: the peer's address.

        Raises:
            VerificationRefusedError: there is no such verifier, or it does not answer.
        """
        state, nonce, code_verifier = new_token(), new_token(), new_token()
        try:
            remote = self._remote(self._verifier(name))
            url = remote.way(remote.metadata(), state=state, nonce=nonce, code_verifier=code_verifier)
        except VerificationRefusedError as error:
            self.refuse(error.reason, address=address)
            raise
        kept = {
            "state": state,
            "nonce": nonce,
            "verifier": code_verifier,
            "for": begun_for,
            "place": place if len(place.encode()) <= _MAX_PLACE else "/",
            "at": self._clock.now().isoformat(),
        }
        sealed = self._box.seal(json.dumps(kept, ensure_ascii=False), _place(name))
        return Begun(url, base64.urlsafe_b64encode(sealed).decode().rstrip("="))

    def finish(self, name: str, parameters: Mapping[str, str], sealed: str, *, address: str) -> Verified:
        """Come back from a verifier.

        Args:
            name: which, by the address that was called.
            parameters: of the request.
            sealed: what the browser kept.
            address: the peer's address.

        Raises:
            VerificationRefusedError: nothing was proved.
        """
        try:
            return self._finish(name, parameters, sealed)
        except VerificationRefusedError as error:
            self.refuse(error.reason, address=address)
            raise

    def refuse(self, reason: str, *, address: str) -> VerificationRefusedError:
        """Tell the log of a refusal; the caller raises what comes back."""
        self._counted.refuse("login", "federation.refused", reason, source="", address=address)
        return VerificationRefusedError(reason)

    def _finish(self, name: str, parameters: Mapping[str, str], sealed: str) -> Verified:
        verifier, now = self._verifier(name), self._clock.now()
        kept = self._kept(name, sealed, parameters.get("state", ""), now)
        try:
            with self._store.unit() as unit:
                FederationRepository(unit).use(token_hash(kept["state"]), now + LIFE + REMEMBERED, now)
        except UsedStateError as error:
            raise VerificationRefusedError("state_replayed") from error
        remote = self._remote(verifier)
        metadata = remote.metadata()
        _judge_answer(parameters, verifier, metadata)
        id_token = remote.exchange(metadata, code=parameters["code"], code_verifier=kept["verifier"])
        found = judge_statement(id_token, verifier, remote.keys(metadata), nonce=kept["nonce"], now=now)
        return replace(found, begun_for=kept["for"], place=kept["place"])

    def _kept(self, name: str, sealed: str, state: str, now: datetime) -> dict[str, str]:
        """What this browser set out with."""
        try:
            raw = base64.urlsafe_b64decode(sealed[:_MAX_SEALED] + "=" * (-len(sealed) % 4))
            kept: dict[str, str] = json.loads(self._box.open(raw, _place(name)))
        except (binascii.Error, ValueError) as error:
            raise VerificationRefusedError("not_begun_here") from error
        if not hmac.compare_digest(kept["state"].encode(), state.encode("utf-8", "surrogatepass")):
            raise VerificationRefusedError("state_differs")
        if not within(datetime.fromisoformat(kept["at"]), now, LIFE):
            raise VerificationRefusedError("too_late")
        return kept

    def _verifier(self, name: str) -> Verifier:
        found = self._verifiers.get(name)
        if found is None:
            raise VerificationRefusedError("unknown_verifier")
        return found

    def _remote(self, verifier: Verifier) -> Remote:
        return Remote(verifier, f"{self._base()}/verify/{verifier.name}/callback", self._trust)


def _judge_answer(parameters: Mapping[str, str], verifier: Verifier, metadata: Metadata) -> None:
    """The answer that the person brought: from whom it is, and whether it is one (RFC 9207)."""
    named = parameters.get("iss")
    if named is None and metadata.names_itself:
        raise VerificationRefusedError("iss_missing")
    if named is not None and named != verifier.issuer:
        raise VerificationRefusedError("iss_differs")
    if "error" in parameters:
        raise VerificationRefusedError("verifier_refused")
    if not 1 <= len(parameters.get("code", "")) <= _MAX_CODE:
        raise VerificationRefusedError("no_code")


def _place(name: str) -> str:
    return f"verify:{name}"
