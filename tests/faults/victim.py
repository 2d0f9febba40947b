"""A process that is killed: run as a program, it forks one life after the other, as told on standard input.

Each line is a JSON object that says what a life does; one line on standard output says how it ended. Forking saves
the second that the imports cost; the engine is loaded by the child alone. A life counts the boundaries that it passes
(before and after each write, fsync, rename, unlink, statement and commit, and within each write) and dies by SIGKILL
at the one that it was told.
"""

import gc
import json
import os
import pathlib
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))

import pyotp
import structlog
from senders import Parcel
from sqlalchemy import event
from sqlalchemy.orm import Session

import ingest.reader
import ingest.spool.service
import ingest.spool.shared
import ingest.spool.writer
from api.installation import Installation, open_installation
from api.settings import Settings
from audit.access import NeedsSecondFactor, Role, SignedIn, new_secret
from audit.access.rights import Doer, Wish
from audit.log import OWN_SOURCE, Filter
from audit.store.clickhouse import EventStore

_PASSWORD = "朝霧 correct staple 42"
_STAFF = """staff_id,org_unit,post,role,employment,manager_id,valid_from
s0011,hoken/shikaku,係長,head,regular,,2020-04-01
s0014,hoken/shikaku,主事,,regular,s0011,2020-04-01
s0091,soumu/joho-system,係長,head,regular,,2020-04-01
"""
_FILES = "SELECT source, event_id, log_index, delivery FROM events WHERE source != 'mimamori' ORDER BY log_index"


class Boundaries:
    """Counts what could be the last thing that happens."""

    def __init__(self, die_at: int) -> None:
        self._die_at = die_at
        self._lock = threading.Lock()
        self.passed: list[str] = []

    def install(self) -> None:
        """Stand at every boundary of this process."""
        for owner, names in (
            (os, ("fdatasync", "fsync", "ftruncate", "truncate")),
            (pathlib.Path, ("rename", "replace", "unlink")),
            (EventStore, ("insert", "command")),
        ):
            for name in names:
                setattr(owner, name, self._around(name, getattr(owner, name)))
        for module in (ingest.spool.shared, ingest.spool.service):
            module.write = self._writing(module.write)  # type: ignore[attr-defined]  # imported there by name
        event.listen(Session, "before_commit", lambda _session: self.stand("commit before"))
        event.listen(Session, "after_commit", lambda _session: self.stand("commit after"))

    def stand(self, where: str) -> None:
        """Die here, or go on."""
        with self._lock:
            self.passed.append(where)
            if len(self.passed) == self._die_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def _around(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def around(*args: Any, **kwargs: Any) -> Any:
            self.stand(f"{name} before")
            found = act(*args, **kwargs)
            self.stand(f"{name} after")
            return found

        return around

    def _writing(self, write: Callable[[Any, list[bytes]], None]) -> Callable[[Any, list[bytes]], None]:
        def writing(file: Any, parts: list[bytes]) -> None:
            self.stand("write before")
            data = b"".join(parts)
            middle = len(data) // 2
            write(file, [data[:middle]])
            self.stand("write within")
            write(file, [data[middle:]])
            self.stand("write after")

        return writing


def _small_world() -> None:
    """Bounds so small that a few kilobytes pass every one of them."""
    ingest.spool.service._SMALL = 1 << 13
    ingest.spool.service._PART = 1 << 12
    ingest.spool.writer._LARGE = 1 << 13
    ingest.spool.writer._PART = 1 << 11
    ingest.spool.writer._PAUSES = (0.02, 0.05, 0.1)
    ingest.reader.BLOCK_BYTES = 1 << 12


def _live(task: dict[str, Any]) -> dict[str, Any]:
    """Open an installation, take in parcels, bring them to the log."""
    _small_world()
    boundaries = Boundaries(task.get("die_at", 0))
    boundaries.install()
    if "after" in task:
        threading.Thread(target=_die_after, args=(task["after"],), daemon=True).start()
    told = os.open(task["told"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with open_installation(_settings(task)) as installation:
        opened = len(boundaries.passed)
        waiting = [parcel | {"data": bytes.fromhex(parcel["data"])} for parcel in task["parcels"]]
        if task.get("threads"):
            _accept_at_once(installation, waiting, told)
        else:
            for parcel in waiting:
                _accept(installation, Parcel(**parcel), told)
            installation.writer().drain()
    return {"passed": boundaries.passed, "opened": opened}


def _accept(installation: Installation, parcel: Parcel, told: int) -> None:
    # In pieces, as a receiver hands over.
    pieces = (parcel.data[at : at + 3000] for at in range(0, len(parcel.data), 3000))
    receipt = installation.inbox.accept(
        parcel.source, parcel.name, pieces, fmt=parcel.fmt, key=parcel.key, stream=parcel.stream
    )
    os.write(told, f"{json.dumps([parcel.name, receipt.name])}\n".encode())


def _accept_at_once(installation: Installation, parcels: list[dict[str, Any]], told: int) -> None:
    """Several senders at a time, while the writer drains."""
    writer = installation.writer()
    writer.start()
    sources = {parcel["source"] for parcel in parcels}

    def send(source: str) -> None:
        for parcel in parcels:
            if parcel["source"] == source:
                _accept(installation, Parcel(**parcel), told)

    senders = [threading.Thread(target=send, args=(source,)) for source in sorted(sources)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    while installation.spool.state().entries:
        time.sleep(0.01)
    writer.stop()


def _die_after(seconds: float) -> None:
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGKILL)


def _settings(task: dict[str, Any]) -> Settings:
    more = {"clickhouse_url": task["url"]} if "url" in task else {}
    return Settings(data=Path(task["data"]), reserve_bytes=0, **more)


def _look(task: dict[str, Any]) -> dict[str, Any]:
    """Open an installation, send what was not heard of, bring what waits to the log, and say all that there is."""
    told = os.open(task["told"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with open_installation(_settings(task)) as installation:
        torn = [torn.size for torn in installation.spool.torn]
        for parcel in task["parcels"]:
            _accept(installation, Parcel(**parcel | {"data": bytes.fromhex(parcel["data"])}), told)
        installation.writer().drain()
        state = installation.spool.state()
        store = installation.log._repository._store
        totals = installation.book.totals()
        sources = [source for source in totals if source != "mimamori"]
        booked = [booked for source in sources for booked in installation.book.deliveries(source, limit=10_000)]
        quarantined = [
            {"source": row.source, "delivery": row.delivery, "raw": b"".join(installation.book.raw(row.id)).hex()}
            for row in installation.book.listing(limit=100_000)
        ]
        last = store.rows("SELECT count() AS n, max(log_index) AS last, uniqExact(log_index) AS u FROM events")[0]
        found = {
            "events": [list(row.values()) for row in store.rows(_FILES)],
            "log": [last["n"], last["last"], last["u"]],
            "book": [
                {
                    "number": row.number,
                    "name": row.name,
                    "source": row.source,
                    "receipt": row.receipt,
                    "finished": row.finished_at is not None,
                    "sums": [row.outcome.read, row.outcome.stored, row.outcome.duplicates, row.outcome.quarantined],
                }
                for row in sorted(booked, key=lambda row: row.number)
            ],
            "quarantined": quarantined,
            "waiting": [state.entries, state.size, state.aside],
            "torn": torn,
        }
    found["files"] = sorted(path.name for path in (Path(task["data"]) / "spool").glob("*.*"))
    return found


def _credentials(task: dict[str, Any]) -> dict[str, Any]:
    """Give sources what they prove themselves with."""
    with open_installation(_settings(task)) as installation:
        made = [installation.machines.register(source, expires_at=None, by="test") for source in task["sources"]]
    return {each.source: [each.client_id, each.client_secret] for each in made}


def _clerk(task: dict[str, Any]) -> dict[str, Any]:
    """A clerk who may view residents and nothing else, at any hour, signed in."""
    Path(task["data"]).mkdir(exist_ok=True)
    (Path(task["data"]) / "decisions.toml").write_text('version = 1\nhours = "free"\n', encoding="utf-8")
    with open_installation(_settings(task)) as installation:
        installation.context.import_feed("staff", _STAFF.encode())
        policy = "source,valid_from,require\nnhi-eligibility,2020-01-01,password+totp\n"
        installation.context.import_feed("policies", policy.encode())
        access, secret = installation.access, new_secret()
        access.create_account("s0014", "見本", frozenset({Role.STAFF}), _PASSWORD, secret)
        rights, now = installation.rights, installation.clock.now()
        wish = Wish(
            person="s0014", system="nhi-eligibility", functions=("view",), unit="hoken/shikaku", start=now, end=None,
            reason="資格審査",
        )  # fmt: skip
        application = rights.apply(wish, Doer(id="s0014"))
        for approver in ("s0011", "s0091"):
            rights.approve(application.id, Doer(id=approver))
        begun = access.begin_sign_in("s0014", _PASSWORD, address="127.0.0.1")
        assert isinstance(begun, NeedsSecondFactor)
        opened = access.finish_sign_in(
            begun.ticket, pyotp.TOTP(secret).at(installation.clock.now()), address="127.0.0.1"
        )
        assert isinstance(opened, SignedIn)
    return {"session": opened.session.id}


def _decided(task: dict[str, Any]) -> dict[str, Any]:
    """Every decision that the log holds."""
    with open_installation(_settings(task)) as installation:
        found = installation.log.each(Filter(sources=(OWN_SOURCE,), actors=("s0014",), activities=("authorize",)))
        events = [event.to_contract() for event in found]
    named = {"id": "event_id", "case": "case_id", "reason": "operation_name", "outcome": "outcome"}
    return {"events": [{name: event.get(ours, "") for name, ours in named.items()} for event in events]}


_ACTS = {"clerk": _clerk, "credentials": _credentials, "decided": _decided, "live": _live, "look": _look}


def main() -> None:
    """Live as told until standard input ends."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    gc.freeze()  # a child's collections leave alone, and so do not copy, what is its parent's
    for asked in sys.stdin:
        task = json.loads(asked)
        answer = Path(task["answer"])
        child = os.fork()
        if not child:
            try:
                answer.write_text(json.dumps(_ACTS[task["act"]](task)))
                status = 0
            except BaseException as error:  # noqa: BLE001 - a child must end here, whatever happened
                import traceback

                answer.write_text(json.dumps({"error": repr(error), "trace": traceback.format_exc()}))
                status = 1
            os._exit(status)
        _, ended = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(ended), flush=True)  # noqa: T201 - the parent reads how it ended


if __name__ == "__main__":
    main()
