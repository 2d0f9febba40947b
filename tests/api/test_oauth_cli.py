"""`mimamori sources credential …`: issued once, listed without secrets, revoked for the next request."""

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from api.cli import machines as command
from api.cli.output import CommandError, ExitCode
from api.settings import Settings
from audit.access import SecretBox
from audit.access.machines import MachineService
from audit.clock import FixedClock
from audit.store.state import StateStore

SOURCE = "nhi-eligibility"
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[MachineService, list[dict[str, Any]]]]:
    store, docs = StateStore(f"sqlite:///{tmp_path / 'state.db'}"), list[dict[str, Any]]()
    store.create_tables()
    clock = FixedClock(datetime(2026, 10, 5, tzinfo=UTC))
    yield MachineService(store, clock, SimpleNamespace(record=docs.append), SecretBox(bytes(range(32)))), docs
    store.close()


@pytest.fixture
def run(
    service: tuple[MachineService, list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """One command, as an installation with this service would run it; its JSON document."""
    installation = SimpleNamespace(machines=service[0], catalogue={SOURCE: None}, clock=service[0]._clock)

    @contextmanager
    def opened(_settings: Settings) -> Iterator[SimpleNamespace]:
        yield installation

    monkeypatch.setattr(command, "open_installation", opened)
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers(required=True))

    def go(*words: str, as_json: bool = True) -> dict[str, Any]:
        arguments = parser.parse_args(["credential", *words])
        arguments.json = as_json
        assert arguments.run(arguments, Settings()) == ExitCode.DONE
        shown = capsys.readouterr().out
        return dict(json.loads(shown)) if as_json else {"lines": shown.splitlines()}

    return go


def test_a_credential_is_shown_once(run: Run, service: tuple[MachineService, list[dict[str, Any]]]) -> None:
    made = run("issue", SOURCE, "--days", "30")
    assert made.keys() == {"source", "client_id", "client_secret", "expires_at", "token_endpoint"}
    assert made["expires_at"] == "2026-11-04T00:00:00+00:00"
    assert made["client_secret"] not in repr(service[1])
    for listed in (run("list"), run("list", SOURCE), run("list", SOURCE, as_json=False)):
        assert made["client_id"] in repr(listed)
        assert made["client_secret"] not in repr(listed)
    assert run("list", "resident-tax") == {"credentials": [], "bindings": []}
    assert service[1][0]["unmapped"]["by"].startswith("uid ")


def test_one_or_everything_is_revoked(run: Run, tmp_path: Path) -> None:
    first, second = run("issue", SOURCE)["client_id"], run("issue", SOURCE)["client_id"]
    key = tmp_path / "key.pem"
    public = Ed25519PrivateKey.generate().public_key()
    key.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    bound = [
        run("bind", SOURCE, "--fingerprint", "AB" * 32)["id"],
        run("bind", SOURCE, "--signing-key", str(key))["id"],
    ]
    assert run("revoke", SOURCE, "--id", first)["revoked"] == [first]
    assert run("revoke", SOURCE, "--all")["revoked"][0] == second
    listed = run("list", SOURCE)
    assert [info["revoked_at"] is None for info in listed["credentials"]] == [False, False]
    assert listed["bindings"] == []
    assert len(bound) == 2
    assert "revoked" in run("list", as_json=False)["lines"][0]


def test_what_cannot_be_done_is_said_in_both_languages(run: Run, tmp_path: Path) -> None:
    private = tmp_path / "private.pem"
    private.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for words in (
        ["issue", "../x"],
        ["issue", SOURCE, "--days", "-1"],
        ["revoke", SOURCE, "--id", "nothing"],
        ["bind", SOURCE, "--fingerprint", "xy"],
        ["bind", SOURCE, "--certificate", str(tmp_path / "none.pem")],
        ["bind", SOURCE, "--certificate", str(private)],
        ["bind", SOURCE, "--signing-key", str(private)],
    ):
        with pytest.raises(CommandError) as caught:
            run(*words)
        assert " / " in str(caught.value), words
        assert "PRIVATE" not in str(caught.value)


def test_a_source_outside_the_catalogue_is_said(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers(required=True))
    arguments = parser.parse_args(["credential", "issue", "new-system"])
    arguments.json = False
    arguments.run(arguments, Settings())
    shown = capsys.readouterr()
    assert "not in the catalogue" in shown.err
    assert "not shown again" in shown.err
    assert "client_secret: " in shown.out
    assert run("list", "new-system")["credentials"]


def test_a_default_life_is_a_year_and_a_month(run: Run) -> None:
    end = datetime.fromisoformat(run("issue", SOURCE)["expires_at"])
    assert end == datetime(2026, 10, 5, tzinfo=UTC) + timedelta(days=397)
