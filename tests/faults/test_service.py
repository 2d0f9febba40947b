"""The real service under load: killed, flooded, dribbled at, cut off. D2, D9, T2, T3, and every counter afterwards."""

# ruff: noqa: S311 - cases bear their names in security.md; chance, not secrecy

import random
import re
import select
import socket
import threading
import time
from pathlib import Path

import httpx
from lives import LONG, Hospital, Town
from middleman import Fate, middleman
from ports import free_port
from senders import DESK, DOOR, PIPE, Parcel, line, numbered
from served import Service, serving


def parcel(source: str, name: str, count: int = 40, **more: str) -> Parcel:
    lines = [*numbered(name, count), line(reason=name), line(reason=name), b'{"time": "never"}']
    return Parcel(name, source, b"".join(raw + b"\n" for raw in lines), **more)


def test_D2_the_service_is_killed_under_load(lives: Hospital) -> None:
    """Clients repeat what they heard no answer to, under the same key: nothing is lost, and nothing is there twice."""
    town, rounds = lives.fresh("load"), 20 if LONG else 2
    parcels = list[Parcel]()
    ended = threading.Event()
    with serving(town, DESK, DOOR, PIPE) as service:

        def client(source: str) -> None:
            n = 0
            while not ended.is_set():
                sent = parcel(source, f"{source} {n}", 200 if n % 7 else 1500, key=f"key-{n}")
                parcels.append(sent)
                service.send(sent)
                n += 1

        for source in (DESK, DOOR, PIPE):
            service.token(source)
        clients = [threading.Thread(target=client, args=(source,)) for source in (DESK, DOOR, PIPE)]
        for each in clients:
            each.start()
        for _ in range(rounds):
            time.sleep(random.uniform(0.5, 2))
            service.kill()
            service.start()
        ended.set()
        for each in clients:
            each.join()
        again = random.choice(parcels)
        assert service.post(again).document["repeated"] is True
        different = Parcel(again.name, again.source, again.data + b"\n", again.key)
        assert service.post(different).status == 409
        service.stop()
    assert {name for name, _ in town.acknowledged()} == {sent.name for sent in parcels}
    found = town.check(parcels)
    assert len(found["book"]) == len(parcels), "a repeated delivery is the same delivery"


def test_T2_T4_deliveries_come_again_and_out_of_order_and_a_second_process_is_refused(lives: Hospital) -> None:
    town = lives.fresh("again")
    parcels = [parcel(DESK, f"day {n}") for n in range(6)]
    again = [Parcel(f"{sent.name} again", sent.source, sent.data) for sent in random.sample(parcels, 4)]
    mixed_up = random.sample([*parcels, *again], 10)
    with serving(town, DESK) as service:
        for sent in mixed_up:
            service.send(sent)
        for words in (["serve", "--port", str(free_port())], ["ingest", "--source", DESK, "-"]):
            done = service.command(*words)
            assert done.returncode == 4, done.stderr
            assert str(service.process.pid) in done.stderr
        service.stop()
    found = town.check(mixed_up)
    assert sum(row["sums"][1] for row in found["book"]) == 6 * 42
    assert sum(row["sums"][2] for row in found["book"]) == 4 * 42


def _open(service: Service, source: str, body: bytes, *, length: int = 0, chunked: bool = False) -> socket.socket:
    """A request of which only so much is sent."""
    how = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {length}"
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=20)
    head = (
        f"POST /api/v1/events?source={source} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.token(source)}\r\n"
    )
    connection.sendall(f"{head}{how}\r\n\r\n".encode() + body)
    return connection


def _answered(connection: socket.socket) -> bool:
    waiting = select.poll()  # `select` knows no descriptor above 1023
    waiting.register(connection, select.POLLIN)
    return bool(waiting.poll(0))


def test_D9_slow_and_broken_clients_hold_up_nobody(lives: Hospital) -> None:
    town, whole = lives.fresh("slow"), parcel(DESK, "slow")
    with serving(town, DESK, DOOR) as service:
        for broken in (
            _open(service, DESK, whole.data[:500], length=len(whole.data)),
            _open(service, DESK, b"%x\r\n%b" % (len(whole.data), whole.data[:500]), chunked=True),
            _open(service, DESK, b"%x\r\n%b\r\n" % (len(whole.data), whole.data), chunked=True),
        ):
            broken.close()
        slow = [_open(service, DESK, whole.data[:1], length=len(whole.data)) for _ in range(40)]
        time.sleep(0.5)
        refused = service.post(parcel(DESK, "one too many"))
        assert refused.status == 429, "one source has so many bodies at once"
        assert int(refused.headers["retry-after"]) > 0
        began = time.monotonic()
        quick = [parcel(DOOR, f"quick {n}") for n in range(20)]
        for sent in quick:
            assert service.post(sent).status == 202
        assert time.monotonic() - began < 10
        let_in = next(one for one in slow if not _answered(one))  # the others were answered 429
        for at in range(1, len(whole.data), 997):  # dribbled
            let_in.sendall(whole.data[at : at + 997])
        answer = let_in.recv(1 << 16)
        assert b" 202 " in answer.split(b"\r\n")[0]
        town.hear("http", re.search(rb"deliveries/([^?]+)", answer)[1].decode())  # type: ignore[index]  # it is there
        for connection in slow:
            connection.close()
        time.sleep(0.5)
        last = parcel(DESK, "there is room again")
        service.send(last)
        service.stop()
    sent = [*quick, last, Parcel("http", DESK, whole.data)]
    found = town.check(sent)
    assert sorted(row["name"] for row in found["book"]) == sorted(each.name for each in sent)


def test_D9_twice_the_load_is_refused_in_part_and_the_rest_is_stored(lives: Hospital, tmp_path: Path) -> None:
    """One source floods while the log is slow: its quota fills, others go on, memory stays bounded."""
    seconds, parcels, refused = 60.0 if LONG else 3.0, list[Parcel](), list[str]()
    lives.count += 1
    with middleman(tmp_path / "engine") as server:
        town = Town(lives, lives.folder / f"flood-{lives.count}", server.url)
        with serving(town, DESK, DOOR, MIMAMORI_SPOOL_BYTES=str(64 << 20)) as service:
            service.send(first := parcel(DESK, "first"))
            service.send(calm := parcel(DOOR, "calm"))
            before = service.memory()
            server.plan = lambda _request: Fate.REFUSE
            end = time.monotonic() + seconds
            at_last = end + 60  # a slow machine takes longer to fill the quota

            def flood(number: int) -> None:
                n = 0
                while time.monotonic() < (end if refused else at_last):
                    sent = parcel(DESK, f"flood {number} {n}", 6000)
                    answer = service.post(sent)
                    assert answer.status in {202, 429}, answer
                    (parcels.append(sent) if answer.status == 202 else refused.append(sent.name))
                    n += 1

            floods = [threading.Thread(target=flood, args=(number,)) for number in range(4)]
            for each in floods:
                each.start()
            others, slowest = [parcel(DOOR, f"other {n}") for n in range(20)], 0.0
            for other in others:
                began = time.monotonic()
                assert service.post(other).status == 202, "another source is not affected"
                slowest = max(slowest, time.monotonic() - began)
                time.sleep(seconds / 25)
            for each in floods:
                each.join()
            grown = service.memory() - before
            address = f"http://127.0.0.1:{service.port}"
            assert httpx.get(f"{address}/healthz", timeout=30).status_code == 200
            assert httpx.get(f"{address}/readyz", timeout=30).status_code == 503
            server.plan = lambda _request: Fate.PASS
            service.send(last := parcel(DESK, "last"))
            service.stop()
        assert refused, "nothing was ever refused"
        assert slowest < 5
        assert grown < 400 << 20
        town.check([first, calm, *parcels, *others, last])
