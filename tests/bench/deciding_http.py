"""What a decision costs a records service: AuthZEN over HTTP, service and callers on the same cores."""

import json
import random
import threading
from datetime import datetime, timedelta
from http.client import HTTPConnection
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter

from api.installation import Installation, open_installation
from api.settings import Settings
from audit.access import Role, SignedIn
from audit.access.rights import Doer, Wish
from audit.access.strength import Proof
from tests.bench.receiving import Service, serving
from tests.bench.tables import table

__all__ = ["run"]

_SYSTEM = "nhi-eligibility"
_CLERKS = [f"clerk-{n}" for n in range(8)]
_RESIDENTS = 100_000
_ASKED = 1_500
_DENIED = 0.2
_HERE = "10.3.1.31"
_POLICY = 'version = 1\nterminals = "any"\nhours = "free"\n'


def run(folder: Path, *, full: bool) -> None:
    """Measure the way over HTTP."""
    del full
    data = folder / "town"
    preparing = get_context("spawn").Process(target=_prepare, args=(data,))  # an engine is held for a process's life
    preparing.start()
    preparing.join()
    with serving(data) as service:
        _ask(service, 1)
        rows = [_ask(service, callers) for callers in (1, 4, 8)]
    table(
        f"Deciding over HTTP: `POST /access/v1/evaluation`, {_RESIDENTS:,} residents, event fsynced, writer at work",
        ("callers", "decisions/s", "median ms", "99 % ms", "denied %", "processor ms each"),
        rows,
    )


def _prepare(data: Path) -> None:
    """A town whose clerks are signed in and hold the right to view."""
    settings = Settings(data=data)
    with open_installation(settings) as installation:
        (data / "decisions.toml").write_text(_POLICY, encoding="utf-8")
        now = installation.clock.now()
        systems = installation.rights.rules.chains[-1].steps[-1].head_of
        posts = [
            *((clerk, "counter", "主事") for clerk in _CLERKS),
            ("chief", "counter", "係長"),
            ("head", systems, "係長"),
        ]
        staff = "staff_id,org_unit,post,valid_from\n" + "".join(f"{w},{u},{p},2020-04-01\n" for w, u, p in posts)
        subjects = "subject_id,household_id\n" + "".join(f"r{n:06d},h{n // 3:06d}\n" for n in range(_RESIDENTS))
        policies = f"source,valid_from,require\n{_SYSTEM},2020-01-01,password+totp\n"
        for kind, feed in (("staff", staff), ("subjects", subjects), ("policies", policies)):
            installation.context.import_feed(kind, feed.encode())
        for clerk in _CLERKS:
            _sign_in(installation, clerk, now)


def _sign_in(installation: Installation, clerk: str, now: datetime) -> None:
    access, rights = installation.access, installation.rights
    access.create_account(clerk, "見本", frozenset({Role.STAFF}), "朝霧 correct staple 42", "JBSWY3DPEHPK3PXPJBSWY3DP")
    opened = access.open_verified_session(clerk, Proof(factors=frozenset({"password", "totp"}), at=now), address=_HERE)
    if not isinstance(opened, SignedIn):
        raise TypeError(opened)
    wish = Wish(
        person=clerk, system=_SYSTEM, functions=("view",), unit="counter", start=now - timedelta(minutes=1), end=None,
        reason="窓口",
    )  # fmt: skip
    number = rights.apply(wish, Doer(id=clerk)).id
    for by in ("chief", "head"):
        rights.approve(number, Doer(id=by))


def _ask(service: Service, callers: int) -> list[object]:
    """A row: so many callers, each with a connection, one question after the other."""
    taken, denied, lock = list[float](), 0, threading.Lock()

    def call(seed: int) -> None:
        nonlocal denied
        drawn = random.Random(seed)
        with service.line() as line:
            answers = [_one(service, line, drawn) for _ in range(_ASKED // callers)]
        with lock:
            taken.extend(seconds for seconds, _ in answers)
            denied += sum(not said for _, said in answers)

    began, busy = perf_counter(), service.processor_seconds()
    threads = [threading.Thread(target=call, args=(callers * 100 + n,)) for n in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, busy = perf_counter() - began, service.processor_seconds() - busy
    worst = sorted(taken)[round(0.99 * (len(taken) - 1))]
    count = len(taken)
    return [callers, round(count / seconds), median(taken) * 1e3, worst * 1e3, 100 * denied / count, busy * 1e3 / count]


def _one(service: Service, line: HTTPConnection, drawn: random.Random) -> tuple[float, bool]:
    question = {
        "subject": {"type": "staff", "id": drawn.choice(_CLERKS)},
        "action": {"name": "delete" if drawn.random() < _DENIED else "view"},
        "resource": {"type": "record", "id": f"r{drawn.randrange(_RESIDENTS):06d}"},
        "context": {"purpose": "eligibility", "address": _HERE},
    }
    began = perf_counter()
    line.request(
        "POST", "/access/v1/evaluation", json.dumps(question), service.headers | {"content-type": "application/json"}
    )
    answer = line.getresponse()
    said = json.loads(answer.read())
    seconds = perf_counter() - began
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {said}")
    return seconds, bool(said["decision"])
