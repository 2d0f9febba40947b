"""What every use case of this package shares: its parts, and how secrets and tokens are looked up."""

from audit.access.journal import Recorder
from audit.access.machines.journal import MachineJournal
from audit.access.machines.model import MachineRules
from audit.access.machines.repository import CredentialRow, MachineRepository, TokenRow
from audit.access.model import within
from audit.access.sealing import SecretBox, token_hash
from audit.clock import Clock
from audit.store.state import StateStore

__all__ = ["MAX_HEADER", "UseCases", "secret_place"]

MAX_HEADER = 1024
"""Characters of an Authorization header that are looked at; ours have fewer than a hundred."""


def secret_place(client_id: str) -> str:
    """The place a client secret is sealed for."""
    return f"machine:{client_id}"


class UseCases:
    """The parts.

    Args:
        store: the state database.
        clock: the time.
        recorder: the audit log.
        box: seals client secrets.
        rules: how senders may prove themselves.
    """

    def __init__(
        self,
        store: StateStore,
        clock: Clock,
        recorder: Recorder,
        box: SecretBox,
        rules: MachineRules | None = None,
    ) -> None:
        self.rules = rules or MachineRules()
        self._store = store
        self._clock = clock
        self._journal = MachineJournal(recorder, clock)
        self._box = box

    def flush_refusals(self, *, everything: bool = False) -> None:
        """Tell the refusals that were counted: what is due from the schedule, everything before the service stops."""
        self._journal.flush(everything=everything)

    def _live_token(self, token: str) -> tuple[TokenRow, CredentialRow] | None:
        """A token that is good for something now."""
        now = self._clock.now()
        with self._store.unit() as unit:
            found = MachineRepository(unit).token(token_hash(token))
        if found is None:
            return None
        row, credential = found
        live = within(row.issued_at, now, row.expires_at - row.issued_at)
        return found if live and credential.live(now) and row.audience == self.rules.issuer else None
