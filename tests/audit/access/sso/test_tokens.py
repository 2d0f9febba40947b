"""From a code to tokens, and what ends them."""

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, KeySet
from oauth_client import b64, compact
from sso_desk import BACK, ISSUER, KEY, NHI, VERIFIER, Desk, brought

from audit.access.model import VIEWER_SEAL
from audit.access.sso import Challenge, SigningKeys, System, UserInfo
from audit.store.errors import StoreUnavailableError


def test_the_id_token_says_who_how_when_and_for_whom(desk: Desk) -> None:
    viewer = desk.viewer()
    desk.forward(seconds=40)
    tokens = desk.tokens(viewer)
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "scope", "id_token"}  # no refresh token
    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 600, "openid")
    claims, now = desk.claims(tokens["id_token"]), int(desk.clock.now().timestamp())
    assert len(claims.pop("at_hash")) == 22
    assert claims == {
        "iss": ISSUER,
        "aud": desk.client_id,
        "sub": "s0412",
        "sid": viewer.session_id,
        "nonce": "nonce-1",
        "iat": now,
        "exp": now + 300,
        "auth_time": now - 40,
        "acr": "mfa-otp",
        "amr": ["password", "totp"],
    }
    signed = jws.extract_compact(tokens["id_token"].encode())
    assert signed.headers() == {"alg": "ES256", "typ": "JWT", "kid": desk.keys.kids()[0]}
    assert jws.validate_compact(signed, KeySet.import_key_set(desk.sso.jwks()), algorithms=["ES256"])
    doc = desk.ledger.docs[-1]
    assert (doc["activity"], doc["operation_name"]) == ("login", "sso.token_issued")
    assert (doc["actor"]["id"], doc["target"]) == ("s0412", {"system": NHI})
    for secret in (tokens["access_token"], tokens["id_token"]):
        assert secret not in repr(desk.ledger.docs)
        assert secret.encode() not in (desk.folder / "state.db").read_bytes()


def test_no_token_goes_to_a_log_of_the_library(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="authlib"):
        token = desk.tokens()["access_token"]
    assert token not in caplog.text


@pytest.mark.parametrize(
    ("error", "other"),
    [
        ("invalid_request", {"code": None}),
        ("invalid_grant", {"code": "x" * 43}),
        ("invalid_grant", {"redirect_uri": BACK + "/"}),
        ("invalid_grant", {"redirect_uri": None}),
        ("invalid_request", {"code_verifier": None}),
        ("invalid_request", {"code_verifier": "short"}),
        ("invalid_grant", {"code_verifier": VERIFIER[:-1] + "w"}),
    ],
)
def test_a_code_alone_is_not_enough(desk: Desk, error: str, other: dict[str, str | None]) -> None:
    code = desk.code()
    reply = desk.exchange(code, **other)
    assert (reply.status, reply.body["error"]) == (400, error)
    assert desk.ledger.docs[-1]["operation_name"] == "sso.token_refused"
    if "code" not in other:  # a code that was shown with something wrong is used up
        assert desk.exchange(code).body["error"] == "invalid_grant"


def test_a_code_lives_a_minute(desk: Desk) -> None:
    code = desk.code()
    desk.forward(seconds=60)
    assert desk.exchange(code).body["error"] == "invalid_grant"
    assert "sso.code_expired" in desk.ledger.operations()
    code = desk.code()
    desk.forward(seconds=-30)
    assert desk.exchange(code).body["error"] == "invalid_grant", "the clock went back"


def test_a_second_use_of_a_code_ends_the_tokens_of_the_first(desk: Desk) -> None:
    code = desk.code()
    token = desk.exchange(code).body["access_token"]
    assert isinstance(desk.sso.user_info(token, address=""), UserInfo)
    assert desk.exchange(code).body["error"] == "invalid_grant"
    assert desk.sso.user_info(token, address="") == Challenge("invalid_token")
    (doc,) = [doc for doc in desk.ledger.docs if doc["operation_name"] == "sso.code_replayed"]
    assert (doc["activity"], doc["outcome"], doc["actor"]["id"]) == ("security_event", "denied", "s0412")


def test_a_code_of_another_system_is_used_up_and_told(desk: Desk) -> None:
    code = desk.code()
    assert desk.exchange(code, desk.other_id).body["error"] == "invalid_grant"
    assert "sso.code_of_other_client" in desk.ledger.operations()
    assert desk.exchange(code).body["error"] == "invalid_grant"


@pytest.mark.both_engines
def test_of_many_at_once_one_at_most_gets_a_token(desk: Desk) -> None:
    code = desk.code()
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: desk.exchange(code), range(16)))
    tokens = [reply.body["access_token"] for reply in replies if reply.status == 200]
    assert len(tokens) <= 1
    assert all(desk.sso.user_info(token, address="") == Challenge("invalid_token") for token in tokens)


def test_a_system_that_is_not_registered_gets_nothing(desk: Desk) -> None:
    code = desk.code()
    stranger = desk.machines.register("library").client_id
    assert desk.exchange(code, stranger).body["error"] == "unauthorized_client"


def test_no_token_while_the_log_is_full(desk: Desk) -> None:
    code = desk.code()
    desk.ledger.full = True
    with pytest.raises(StoreUnavailableError):
        desk.exchange(code)
    desk.ledger.full = False
    assert "sso.token_issued" not in desk.ledger.operations()


def test_s21_a_token_ends_with_its_session(desk: Desk) -> None:
    viewer = desk.viewer()
    code, token = desk.code(viewer), desk.tokens(viewer)["access_token"]
    live = desk.sessions.live[viewer.session_id]
    info = desk.sso.user_info(token, address="")
    assert isinstance(info, UserInfo)
    assert info.claims["sub"] == "s0412"
    for other in (replace(live, locked=True), replace(live, login_id="s0999")):
        desk.sessions.live[viewer.session_id] = other
        assert desk.sso.user_info(token, address="") == Challenge("invalid_token")
    desk.sessions.live.clear()
    assert desk.sso.user_info(token, address="") == Challenge("invalid_token")
    assert desk.exchange(code).body["error"] == "invalid_grant"
    assert "sso.session_ended" in desk.ledger.operations()


def test_a_token_ends_after_ten_minutes_with_its_credential_and_with_its_registration(desk: Desk) -> None:
    viewer = desk.viewer()
    token = desk.tokens(viewer)["access_token"]
    desk.forward(minutes=9, seconds=59)
    assert isinstance(desk.sso.user_info(token, address=""), UserInfo)
    desk.forward(seconds=1)
    assert desk.sso.user_info(token, address="") == Challenge("invalid_token")
    token = desk.tokens(viewer)["access_token"]
    desk.sso.remove(NHI, by="uid 1")
    assert desk.sso.user_info(token, address="") == Challenge("invalid_token")
    desk.sso.register(System(source=NHI, redirect_uris=(BACK,)), by="uid 1")
    token = desk.tokens(viewer)["access_token"]
    desk.machines.revoke(NHI, desk.client_id)
    assert desk.sso.user_info(token, address="") == Challenge("invalid_token")
    for garbage in ("", "x", "発" * 100, "a" * 100_000):
        assert desk.sso.user_info(garbage, address="") == Challenge("invalid_token")


def test_s23_a_token_of_a_sign_in_that_is_too_weak_is_told_what_to_come_back_with(desk: Desk) -> None:
    token = desk.tokens()["access_token"]
    desk.policies[NHI] = "webauthn"
    found = desk.sso.user_info(token, address="")
    assert isinstance(found, Challenge)
    assert found.header == ('Bearer realm="mimamori", error="insufficient_user_authentication", acr_values="uv"')
    assert desk.ledger.docs[-1]["operation_name"] == "sso.challenged"
    assert isinstance(desk.sso.user_info(desk.tokens(desk.viewer(KEY), acr_values="uv")["access_token"], address=""),
                      UserInfo)  # fmt: skip


def test_s23_a_token_of_a_sign_in_that_is_too_old_is_told_how_fresh_it_must_be(desk: Desk) -> None:
    viewer = desk.viewer()
    desk.forward(minutes=20)
    token = desk.tokens(viewer)["access_token"]
    desk.sso.register(System(source=NHI, redirect_uris=(BACK,), max_age=timedelta(minutes=5)), by="uid 1")
    found = desk.sso.user_info(token, address="")
    assert isinstance(found, Challenge)
    assert found.header == 'Bearer realm="mimamori", error="insufficient_user_authentication", max_age="300"'


def test_keys_that_were_changed_stay_published_and_sign_no_more(desk: Desk) -> None:
    old, before = desk.keys.kids(), desk.tokens()["id_token"]
    new = desk.sso.rotate_keys(by="uid 1")
    assert desk.ledger.docs[-1]["unmapped"] == {"by": "uid 1", "old": old, "new": new}
    assert [key["kid"] for key in desk.sso.jwks()["keys"]] == [*new, *old]
    after = desk.tokens()["id_token"]
    published = KeySet.import_key_set(desk.sso.jwks())
    for token, kids in ((before, old), (after, new)):
        signed = jws.extract_compact(token.encode())
        assert signed.headers()["kid"] == kids[0]
        assert jws.validate_compact(signed, published, algorithms=["ES256"])
    assert not any("d" in key for key in desk.sso.jwks()["keys"])
    path = desk.folder / "keys" / "sso.json"
    assert path.read_text().count('"d"') == 2, "a key that signs no more is kept without its secret"
    assert path.stat().st_mode & 0o777 == 0o600
    assert SigningKeys(path).document(desk.clock.now()) == desk.sso.jwks()


def test_a_key_that_was_replaced_is_published_until_its_last_token_is_over_and_kept_for_signing_out(desk: Desk) -> None:
    viewer, old = desk.viewer(), desk.keys.kids()
    hint = {"id_token_hint": desk.tokens(viewer)["id_token"]}
    for _ in range(4):
        new = desk.sso.rotate_keys(by="uid 1")
    assert len(desk.sso.jwks()["keys"]) == 10, "a token signed a moment ago still verifies, however often they change"
    desk.forward(minutes=15, seconds=1)
    assert [key["kid"] for key in desk.sso.jwks()["keys"]] == new
    assert desk.sso.drop_former_keys() == 0
    assert desk.sso.ends_session(hint, viewer) == ("", True)
    desk.forward(hours=12)
    assert desk.sso.drop_former_keys() == 8
    told = desk.ledger.docs[-1]
    assert (told["operation_name"], told["unmapped"]["old"][-2:]) == ("sso.keys_dropped", old)
    assert desk.sso.drop_former_keys() == 0
    assert desk.sso.ends_session(hint, viewer) == ("", False)
    assert desk.keys.kids() == new


def test_a_rotation_elsewhere_is_not_undone_by_the_daily_job(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.sso.rotate_keys(by="uid 1")
    desk.forward(hours=13)
    path, now, new = desk.folder / "keys" / "sso.json", desk.clock.now(), SigningKeys.successors()
    rotation = threading.Thread(target=SigningKeys(path).succeed, args=(new, now))
    daily = SigningKeys(path)
    write = daily._write

    def meanwhile(keys: Any) -> None:
        rotation.start()
        rotation.join(0.5)  # as far as it comes
        write(keys)

    monkeypatch.setattr(daily, "_write", meanwhile)
    assert len(daily.drop_former(now)) == 2
    rotation.join()
    assert SigningKeys(path).kids() == [key.kid for key in new]
    assert {file.name for file in path.parent.iterdir()} == {"sso.json", "sso.lock"}


def test_keys_from_before_their_end_was_written_down_are_dropped_and_those_that_sign_stay(desk: Desk) -> None:
    path, kids = desk.folder / "keys" / "sso.json", desk.keys.kids()
    signing = json.loads(path.read_text())["keys"]
    before = [key.as_dict(private=False) for key in SigningKeys.successors()]
    path.write_text(json.dumps({"keys": [*signing, *before]}))
    assert [key["kid"] for key in desk.sso.jwks()["keys"]] == kids


def test_a_system_that_knows_nothing_else_gets_rs256(desk: Desk) -> None:
    desk.sso.register(System(source=NHI, redirect_uris=(BACK,), algorithm="RS256"), by="uid 1")
    signed = jws.extract_compact(desk.tokens()["id_token"].encode())
    assert signed.headers() == {"alg": "RS256", "typ": "JWT", "kid": desk.keys.kids()[1]}
    assert jws.validate_compact(signed, KeySet.import_key_set(desk.sso.jwks()), algorithms=["RS256"])


def test_a_file_without_signing_keys_is_refused(desk: Desk, tmp_path: Path) -> None:
    public = json.dumps(desk.sso.jwks())
    for text in ("", "[]", "{}", '{"keys":[]}', '{"keys":[{"kty":"EC"}]}', public):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(ValueError, match="holds no"):
            SigningKeys(tmp_path / "bad.json")


def test_signing_out_is_for_whoever_shows_the_id_token_of_this_very_session(desk: Desk) -> None:
    viewer = desk.viewer()
    hint = desk.tokens(viewer)["id_token"]
    bye = BACK + "/bye"
    asked = {"id_token_hint": hint, "post_logout_redirect_uri": bye}
    desk.forward(hours=1)  # an ID token that is over still says whose it was
    assert desk.sso.ends_session(asked, viewer) == (bye, True)
    assert desk.sso.ends_session(asked, None) == (bye, False)
    assert desk.sso.ends_session(asked, desk.viewer(login_id="s0999")) == (bye, False)
    other = replace(desk.viewer(login_id="s0999"), session_id=viewer.session_id, seal=VIEWER_SEAL)
    assert desk.sso.ends_session(asked, other) == (bye, False), "another person's token, whatever session it names"
    assert desk.sso.ends_session(asked | {"post_logout_redirect_uri": BACK}, viewer) == ("", True)
    assert desk.sso.ends_session(asked | {"client_id": desk.other_id}, viewer) == ("", False)
    for forged in ("", "x.y.z", hint[:-4] + "AAAA", hint.split(".")[0] + ".e30." + hint.split(".")[2]):
        assert desk.sso.ends_session(asked | {"id_token_hint": forged}, viewer) == ("", False)
    desk.issuer = "https://other.example.lg.jp"
    assert desk.sso.ends_session(asked, viewer) == ("", False)


def test_s24_a_hint_that_we_did_not_sign_signs_nobody_out(desk: Desk) -> None:
    viewer = desk.viewer()
    claims = desk.claims(desk.tokens(viewer)["id_token"])
    ours, kid = desk.keys.signing("ES256"), desk.keys.kids()[0]
    theirs = ECKey.generate_key("P-256", {"kid": kid})
    pem, jwk = ours.as_pem(private=False), json.dumps(ours.as_dict(private=False)).encode()

    payload = json.dumps(claims).encode()

    def by(key: ECKey, **header: object) -> str:
        return jws.serialize_compact({"alg": "ES256", "kid": kid} | header, payload, key, algorithms=["ES256"])

    forged = [
        f"{b64(json.dumps({'alg': 'none', 'kid': kid}).encode())}.{b64(payload)}.",
        compact({"alg": "HS256", "kid": kid}, payload, pem),
        compact({"alg": "HS256", "kid": kid}, payload, jwk),
        compact({"alg": "ES256", "kid": kid}, payload, pem),
        by(theirs),
        by(theirs, jwk=theirs.as_dict(private=False)),
        by(theirs, jku="https://evil.example/jwks"),
        by(ours, kid="../../../../dev/null"),
    ]
    for hint in forged:
        assert desk.sso.ends_session({"id_token_hint": hint}, viewer) == ("", False)
    assert desk.sso.ends_session({"id_token_hint": by(ours)}, viewer) == ("", True)


def test_login_hint_changes_nothing_for_nobody(desk: Desk) -> None:
    answers = [desk.authorize(None, prompt="none", login_hint=hint) for hint in ("s0412", "nobody")]
    assert [brought(answer)["error"] for answer in answers] == ["login_required"] * 2


def test_keys_that_another_process_changed_sign_from_the_next_token_on(desk: Desk) -> None:
    elsewhere = SigningKeys(desk.folder / "keys" / "sso.json")
    elsewhere.succeed(elsewhere.successors(), desk.clock.now())
    signed = jws.extract_compact(desk.tokens()["id_token"].encode())
    assert signed.headers()["kid"] == elsewhere.kids()[0]
    assert desk.sso.jwks() == elsewhere.document(desk.clock.now())
    (desk.folder / "keys" / "sso.json").write_text("{}")
    assert desk.sso.jwks() == elsewhere.document(desk.clock.now()), "a file that cannot be used changes nothing"


def test_a_code_is_in_no_text_form_of_an_answer(desk: Desk) -> None:
    answer = desk.authorize(desk.viewer())
    assert brought(answer)["code"] not in repr(answer)


def test_s21_a_system_ends_its_own_tokens_and_nobody_else_s(desk: Desk) -> None:
    token = desk.tokens()["access_token"]
    desk.sso.revoke_token(token, desk.other_id, address="10.9.0.1")
    assert isinstance(desk.sso.user_info(token, address="10.9.0.1"), UserInfo)
    desk.ledger.full = True
    with pytest.raises(StoreUnavailableError):
        desk.sso.revoke_token(token, desk.client_id, address="10.9.0.1")
    desk.ledger.full = False
    assert isinstance(desk.sso.user_info(token, address="10.9.0.1"), Challenge), "what takes away is committed first"
    token = desk.tokens()["access_token"]
    desk.sso.revoke_token(token, desk.client_id, address="10.9.0.1")
    doc = desk.ledger.docs[-1]
    assert (doc["activity"], doc["operation_name"]) == ("revoke", "sso.token_revoked")
    assert (doc["actor"]["id"], doc["target"]) == ("s0412", {"system": NHI})
