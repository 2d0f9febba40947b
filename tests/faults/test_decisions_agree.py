"""INV1 in the real service: no allow without its event, and as many events as answers, whatever fails meanwhile."""

# ruff: noqa: S311 - cases bear their names in security.md; chance, not secrecy

import random
import time
from pathlib import Path

from asked import SYSTEM, Inquirer, at_work
from lives import LONG, Hospital, Town
from middleman import Fate, Middleman, middleman
from served import serving
from test_disk_full import filled, small_disk

__all__ = ["small_disk"]


def told(inquirer: Inquirer, town: Town, *reasons: str) -> None:
    """Answers and events agree, and answers of exactly these kinds were among them."""
    assert set(inquirer.agree(town)) - {"lost"} == set(reasons)


def test_D2_the_service_is_killed_while_it_decides(lives: Hospital) -> None:
    town = lives.fresh("decides")
    session = at_work(town)
    with serving(town, SYSTEM) as service:
        inquirer = Inquirer(service, session)
        inquirer.some(6)

        def killed() -> None:
            for _ in range(12 if LONG else 2):
                before = len(inquirer.answers)
                while len(inquirer.answers) < before + 20:
                    time.sleep(0.01)
                time.sleep(random.uniform(0, 0.2))
                service.kill()
                service.start()

        inquirer.while_at_it(3, killed)
        inquirer.some(6)
        service.stop()
    assert inquirer.unanswered, "it was never killed while it decided"
    told(inquirer, town, "allowed", "no_right")


def test_D4_the_event_store_is_gone_and_the_service_is_killed_meanwhile(lives: Hospital, tmp_path: Path) -> None:
    """Decisions go on: their events are durable before they are in the log."""
    with middleman(tmp_path / "engine") as server:
        lives.count += 1
        town = Town(lives, lives.folder / f"decides-{lives.count}", server.url)
        session = at_work(town)
        with serving(town, SYSTEM) as service:
            inquirer = Inquirer(service, session)
            inquirer.some(3)
            server.plan = lambda _request: Fate.REFUSE
            assert inquirer.some(30) == {"allowed": 20, "no_right": 10}
            _until_refused(server)
            service.kill()
            server.plan = lambda _request: Fate.PASS
            service.start()
            inquirer.some(3)
            service.stop()
        told(inquirer, town, "allowed", "no_right")


def _until_refused(server: Middleman) -> None:
    """Until the log has tried to write and was refused: decisions themselves never wait for that."""
    end = time.monotonic() + 60
    while not server.fates[Fate.REFUSE]:
        assert time.monotonic() < end, "nothing was ever written"
        time.sleep(0.02)


def _elsewhere(town: Town, disk: Path, name: str) -> None:
    """A folder of the installation is on another disk."""
    (town.data / name).rename(town.data / f"{name}-before")
    (disk / name).mkdir()
    for path in (town.data / f"{name}-before").iterdir():
        (disk / name / path.name).write_bytes(path.read_bytes())
    (town.data / name).symlink_to(disk / name)


def test_D1_no_room_for_the_events_of_decisions(lives: Hospital, small_disk: Path) -> None:
    """What cannot be recorded is denied, also while the disk is just filling, and allowed when there is room again."""
    town = lives.fresh("full-acts")
    session = at_work(town)
    _elsewhere(town, small_disk, "acts")
    with serving(town, SYSTEM) as service:
        inquirer = Inquirer(service, session)
        inquirer.some(3)
        with filled(small_disk):
            assert inquirer.some(30) == {"not_recorded": 30}

        def filling() -> None:
            for _ in range(6 if LONG else 2):
                with filled(small_disk):
                    _until(inquirer, "not_recorded")
                _until(inquirer, "allowed")

        inquirer.while_at_it(3, filling)
        service.stop()
    told(inquirer, town, "allowed", "no_right", "not_recorded")


def _until(inquirer: Inquirer, reason: str) -> None:
    """Until somebody hears this from now on."""
    before, end = len(inquirer.answers), time.monotonic() + 60
    while reason not in {answer.reason for answer in list(inquirer.answers.values())[before:]}:
        assert time.monotonic() < end, reason
        time.sleep(0.02)


def test_D1_no_room_for_the_state(lives: Hospital, small_disk: Path) -> None:
    """Whatever is answered then: it is in the log."""
    town = lives.fresh("full-state-asked")
    session = at_work(town)
    for path in town.data.glob("state.sqlite*"):
        (small_disk / path.name).write_bytes(path.read_bytes())
        path.unlink()
    (town.data / "state.sqlite").symlink_to(small_disk / "state.sqlite")
    with serving(town, SYSTEM) as service:
        inquirer = Inquirer(service, session)
        inquirer.some(6)
        service.token(SYSTEM)
        with filled(small_disk):
            inquirer.some(30)
        assert inquirer.some(3)["allowed"] == 2, "there is room again"
        service.stop()
    assert inquirer.agree(town)["allowed"]
