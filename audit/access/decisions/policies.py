"""The policy in force: the town's file, read again when it changes, and the last good one when it cannot be used.

A file that is broken, empty or gone changes nothing: the last good policy stays, and the log says so. Where the town
has a file and none was ever good, everything is denied: nobody knows what was meant. Where there never was one, the
shipped policy holds. A change is in the log, with old and new values, before it takes effect.
"""

import hashlib
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from audit.access.decisions.journal import ActsJournal, GroupRecorder
from audit.access.decisions.policy import NO_POLICY, DecisionPolicy, PolicyError, parse_policy
from audit.access.decisions.repository import DecisionRepository, PolicyRow
from audit.clock import Clock
from audit.store.state import StateStore
from audit.texts import Texts

__all__ = ["PolicyBook"]

_MOST_BYTES = 1 << 20
_GONE = PolicyError(Texts("decisions.toml: なくなっています", "decisions.toml: is gone"))
_NOT_TEXT = PolicyError(Texts("decisions.toml: UTF-8 ではありません", "decisions.toml: is not UTF-8"))
_UNREADABLE = PolicyError(
    Texts("decisions.toml: 読めないか、大きすぎます", "decisions.toml: cannot be read, or is too large")
)
_Stamp = tuple[int, int, int] | None


class _Good(NamedTuple):
    """A policy in force and the town's words for it; none for the shipped one."""

    policy: DecisionPolicy
    text: str


class PolicyBook:
    """Knows the policy in force.

    Args:
        path: the town's `decisions.toml`; it may be missing.
        store: keeps every policy that was in force.
        recorder: the audit log.
        clock: the time.
    """

    def __init__(self, path: Path, store: StateStore, recorder: GroupRecorder, clock: Clock) -> None:
        self._path = path
        self._store = store
        self._journal = ActsJournal(recorder, clock)
        self._clock = clock
        self._lock = threading.Lock()
        self._good: _Good | None = None
        self._seen: _Stamp | str = "never"
        self._refused = ""
        self._trouble: PolicyError | None = None

    def current(self) -> DecisionPolicy:
        """The policy in force; it costs a look at the file's times.

        Raises:
            StoreError: a change cannot be recorded, so nothing may be decided by it, nor by what it replaces.
        """
        stamp = self._stamp()
        good = self._good
        if good is None or stamp != self._seen:
            with self._lock:
                good = self._good = self._read(self._good or self._last_good(), stamp)
                self._seen = stamp
        return good.policy

    def trouble(self) -> PolicyError | None:
        """Why the town's file is not the policy in force; None when it is, or there is none."""
        self.current()
        return self._trouble

    def _stamp(self) -> _Stamp:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _last_good(self) -> _Good | None:
        with self._store.unit() as unit:
            row = DecisionRepository(unit).last_policy()
        if row is None:
            return None
        try:
            return _Good(parse_policy(row.text), row.text)
        except PolicyError:  # a later version of Mimamori no longer knows a key that was good
            return _Good(NO_POLICY, row.text)

    def _read(self, last: _Good | None, stamp: _Stamp) -> _Good:
        """The policy that the file says, or the last good one, or none."""
        data = b""
        try:
            if stamp is None and (last is None or not last.text):
                text = ""
            elif stamp is None:
                raise _GONE
            else:
                data = self._bytes()
                text = data.decode() or "\n"  # an empty file is no policy, and not the shipped one either
            read = _Good(parse_policy(text), text)
        except (PolicyError, UnicodeDecodeError) as error:
            return self._refuse(error if isinstance(error, PolicyError) else _NOT_TEXT, data, last)
        if last is None or read.policy.version != last.policy.version:
            self._enter(read, last)
        self._trouble, self._refused = None, ""
        return read

    def _bytes(self) -> bytes:
        try:
            data = self._path.read_bytes()
        except OSError as error:
            raise _UNREADABLE from error
        if len(data) > _MOST_BYTES:
            raise _UNREADABLE
        return data

    def _refuse(self, fault: PolicyError, data: bytes, last: _Good | None) -> _Good:
        kept = last or _Good(NO_POLICY, "")
        digest = hashlib.sha256(data).hexdigest()[:16]
        if digest != self._refused:
            self._journal.write(
                "security_event",
                "policy.refused",
                outcome="denied",
                fault=fault.texts.en,
                sha256=digest,
                in_force=kept.policy.version or "none",
            )
        self._trouble, self._refused = fault, digest
        return kept

    def _enter(self, read: _Good, last: _Good | None) -> None:
        """Put a policy into force: in the log first."""
        old, new = last.policy if last else NO_POLICY, read.policy
        with self._store.unit() as unit:
            DecisionRepository(unit).add(PolicyRow(version=new.version, text=read.text, at=self._clock.now()))
            self._journal.write(
                "policy_change",
                "policy.decisions",
                old={"version": old.version, **_differing(old.values, new.values)},
                new={"version": new.version, **_differing(new.values, old.values)},
            )


def _differing(ours: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """What one policy says that the other does not, by place."""
    mine, theirs = _flat(ours), _flat(others)
    return {place: value for place, value in mine.items() if theirs.get(place) != value}


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    flat = dict(values.get("general", {}))
    for system, table in values.get("systems", {}).items():
        flat |= {f"systems.{system}.{name}": value for name, value in table.items()}
    return flat
