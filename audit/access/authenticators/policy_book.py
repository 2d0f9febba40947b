"""The policy in force: read from the town's file, kept in the state database.

Rules:
- A file that cannot be used changes nothing: the last good policy stays, also over a restart. Without one, nothing is
  enrolled.
- A file that is taken away changes nothing either: a policy is loosened by writing so.
- Each change is a version of its own, and recorded with old and new values before it holds.
"""

import threading
from pathlib import Path

from audit.access.authenticators.errors import PolicyError
from audit.access.authenticators.journal import AuthenticatorJournal
from audit.access.authenticators.model import By
from audit.access.authenticators.policy import AuthenticatorPolicy, format_policy, parse_policy
from audit.access.authenticators.repository import AuthenticatorRepository, PolicyRow
from audit.clock import Clock
from audit.store.state import StateStore

__all__ = ["MAX_POLICY", "PolicyBook", "read_policy_file"]

MAX_POLICY = 256 << 10
_Stamp = tuple[int, int] | None


def read_policy_file(path: Path) -> AuthenticatorPolicy:
    """Read a policy from a file.

    Raises:
        FileNotFoundError: there is none.
        PolicyError: it cannot be used.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_POLICY + 1)
        text = raw.decode("utf-8")
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError("unreadable", "ファイルを読めません。", "The file cannot be read.") from error
    if len(raw) > MAX_POLICY:
        raise PolicyError("too_large", "ファイルが大きすぎます。", "The file is too large.")
    return parse_policy(text)


class PolicyBook:
    """The policy of one installation.

    Args:
        store: the state database.
        clock: the time.
        journal: the audit log.
        file: where the town writes its policy.
    """

    def __init__(self, store: StateStore, clock: Clock, journal: AuthenticatorJournal, file: Path) -> None:
        self._store = store
        self._clock = clock
        self._journal = journal
        self._file = file
        self._lock = threading.Lock()
        self._read = False
        self._stamp: _Stamp = None
        self._policy: AuthenticatorPolicy | None = None

    def current(self) -> AuthenticatorPolicy | None:
        """The policy in force now; None when there is a file, and neither it nor one before it could be used.

        Raises:
            StoreError: the file changed, and the log or the database cannot be written.
        """
        with self._lock:
            stamp = _stamp(self._file)
            if not self._read or stamp != self._stamp:
                self._policy = self._load()
                self._read, self._stamp = True, stamp
            return self._policy

    def _load(self) -> AuthenticatorPolicy | None:
        version, kept = self._kept()
        try:
            wanted = read_policy_file(self._file)
        except FileNotFoundError:
            return kept if version else AuthenticatorPolicy()
        except PolicyError as error:
            self._journal.write(
                "security_event",
                "authenticators.policy_broken",
                "denied",
                by=By(),
                reason=error.reason,
                kept=str(version) if kept else "",
            )
            return kept
        if version == 0 or kept is None or format_policy(wanted) != format_policy(kept):
            self._change(version, kept if version else AuthenticatorPolicy(), wanted)
        return wanted

    def _kept(self) -> tuple[int, AuthenticatorPolicy | None]:
        with self._store.unit() as unit:
            row = AuthenticatorRepository(unit).policy()
        if row is None:
            return 0, None
        try:
            return row.version, parse_policy(row.text)
        except PolicyError:  # written by a later version of this program
            return row.version, None

    def _change(self, version: int, old: AuthenticatorPolicy | None, new: AuthenticatorPolicy) -> None:
        text = format_policy(new)
        with self._store.unit() as unit:
            AuthenticatorRepository(unit).add(PolicyRow(version=version + 1, text=text, since=self._clock.now()))
            self._journal.write(
                "policy_change",
                "authenticators.policy_changed",
                by=By(),
                version=str(version + 1),
                old=format_policy(old).splitlines() if old else [],
                new=text.splitlines(),
            )


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
