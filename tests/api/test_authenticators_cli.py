"""`mimamori authenticators …`: metadata from a file, the policy in force, what is enrolled."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "doubles"))

from authenticator import Maker, SoftAuthenticator
from fido_metadata import MetadataService, entry

from api.cli import authenticators as command
from api.cli.main import _parser
from api.cli.output import CommandError, ExitCode
from api.settings import Settings
from audit.access import AccessService, Role, SecretBox, new_secret
from audit.access.authenticators import AuthenticatorService, By, RelyingParty
from audit.clock import FixedClock
from audit.store.state import StateStore

AAGUID = "d41f5a69-b817-4144-a13c-9ebd6d9254d6"
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[AuthenticatorService]:
    store, docs = StateStore(f"sqlite:///{tmp_path / 'state.db'}"), list[dict[str, Any]]()
    store.create_tables()
    clock, box = FixedClock(datetime(2026, 10, 5, tzinfo=UTC)), SecretBox(bytes(range(32)))
    recorder = SimpleNamespace(record=docs.append)
    party = RelyingParty.of("http://localhost:8000")
    service = AuthenticatorService(store, clock, recorder, box, party, tmp_path / "authenticators.toml")
    access = AccessService(store, clock, recorder, box, service)
    account = access.create_account("s0412", "係員", frozenset({Role.STAFF}), "朝霧 correct staple 42", new_secret())
    options = service.begin_registration(account.id, "s0412", "係員", bound_to="s")
    response = SoftAuthenticator(aaguid=AAGUID).create(options)
    service.finish_registration(account.id, response, name="机の鍵", bound_to="s", by=By(address="10.3.1.31"))
    yield service
    store.close()


@pytest.fixture
def run(service: AuthenticatorService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """One command, as an installation with this service would run it; its JSON document."""

    @contextmanager
    def opened(_settings: Settings) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(authenticators=service)

    monkeypatch.setattr(command, "open_installation", opened)

    def go(*words: str, as_json: bool = True) -> dict[str, Any]:
        arguments = _parser().parse_args(["authenticators", *words])
        arguments.json = as_json
        assert arguments.run(arguments, Settings()) == ExitCode.DONE
        shown = capsys.readouterr()
        return dict(json.loads(shown.out)) if as_json else {"lines": shown.out.splitlines(), "notes": shown.err}

    return go


def test_metadata_comes_from_a_file_and_its_root_the_first_time(run: Run, tmp_path: Path) -> None:
    alliance, maker = MetadataService(), Maker(AAGUID)
    blob, root = tmp_path / "blob.jwt", tmp_path / "root.pem"
    blob.write_bytes(alliance.blob(7, entry(maker)))
    root.write_text(alliance.root_pem)
    with pytest.raises(CommandError, match="--root"):
        run("import-metadata", str(blob))
    taken = run("import-metadata", str(blob), "--root", str(root))
    assert (taken["number"], taken["models"], taken["stale"]) == (7, 1, False)
    with pytest.raises(CommandError, match="older"):
        run("import-metadata", str(blob))
    blob.write_bytes(alliance.blob(8, entry(maker, statuses=[{"status": "REVOKED"}]), next_update=date(2026, 9, 1)))
    shown = run("import-metadata", str(blob), as_json=False)
    assert "第8版" in shown["lines"][0]
    assert "days ago" in shown["notes"]
    assert [key["refused"] for key in run("list")["authenticators"]] == ["model_revoked"]
    other = MetadataService()
    blob.write_bytes(other.blob(9))
    root.write_text(other.root_pem)
    with pytest.raises(CommandError, match="--change-root"):
        run("import-metadata", str(blob), "--root", str(root))
    assert run("import-metadata", str(blob), "--root", str(root), "--change-root")["number"] == 9


def test_what_is_enrolled_is_listed_without_anything_secret(run: Run) -> None:
    listed = run("list")
    (key,) = listed["authenticators"]
    assert (key["login_id"], key["name"], key["attested"], key["last_used_at"]) == ("s0412", "机の鍵", "none", None)
    assert listed["metadata"]["number"] == 0
    assert run("list", as_json=False)["lines"][0].startswith("s0412\t")


def test_the_policy_is_shown_and_a_file_is_checked_before_it_counts(run: Run, tmp_path: Path) -> None:
    assert 'attestation = "direct"' in run("policy", "show")["policy"]
    file = tmp_path / "draft.toml"
    file.write_text('attestation = "metadata"')
    assert 'attestation = "metadata"' in run("policy", "check", str(file))["policy"]
    assert 'attestation = "direct"' in run("policy", "show", as_json=False)["lines"]
    file.write_text('attestation = "strong"')
    with pytest.raises(CommandError) as error:
        run("policy", "check", str(file))
    assert error.value.code is ExitCode.CHECK_FAILED
    with pytest.raises(CommandError, match="no such file"):
        run("policy", "check", str(tmp_path / "nowhere.toml"))
    (tmp_path / "authenticators.toml").write_text("broken")
    with pytest.raises(CommandError) as error:
        run("policy", "show")
    assert error.value.code is ExitCode.CHECK_FAILED
