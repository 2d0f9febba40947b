"""Reading the town's verifiers: `verifiers.toml` in the data directory. A file that cannot be used stops the start.

```toml
[palm]
name_ja = "手のひら静脈認証"
name_en = "Palm vein"
issuer = "https://palm.example.lg.jp"
client_id = "mimamori"
secret_file = "keys/palm.secret"       # beside this file
staff_ids = "s[0-9]{4}"                # whom it may name
claim = "sub"                          # which claim holds the staff id
max_age = 300                          # seconds
algorithms = ["ES256"]
discovery_file = "palm-discovery.json" # optional; else from the issuer
keys_file = "palm-jwks.json"           # optional: pinned keys; else from the issuer
[palm.amr]
vein = ["palm_vein"]
[palm.acr]
"urn:palm:card" = ["ic_card", "pin"]
```
"""

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from audit.access.federation.errors import VerifierConfigError
from audit.access.federation.model import Verifier
from audit.access.sso.signed import ALGORITHMS
from audit.access.strength import FactorPolicy, FactorPolicyError
from audit.texts import Texts

__all__ = ["load_verifiers"]

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_REQUIRED = frozenset({"client_id", "issuer", "name_en", "name_ja", "secret_file", "staff_ids"})
_OPTIONAL = frozenset({"acr", "algorithms", "amr", "claim", "discovery_file", "keys_file", "max_age"})
_LONGEST_AGE = 3600
_MAX_FILE = 256 * 1024


def load_verifiers(path: Path) -> dict[str, Verifier]:
    """The verifiers of a file, by name; none where there is no file.

    Raises:
        VerifierConfigError: the file, or one it names, cannot be used.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _fault(path, "TOML として読めません", "cannot be read as TOML") from error
    return {name: _verifier(path, name, table) for name, table in tables.items()}


def _fault(path: Path, ja: str, en: str) -> VerifierConfigError:
    return VerifierConfigError(Texts(f"{path.name}: {ja}", f"{path.name}: {en}"))


def _verifier(path: Path, name: str, table: Any) -> Verifier:  # noqa: ANN401 - whatever TOML holds
    def refuse(what: str, ja: str, en: str) -> VerifierConfigError:
        return _fault(path, f"[{name}] {what}: {ja}", f"[{name}] {what}: {en}")

    if not _NAME.fullmatch(name) or not isinstance(table, dict):
        raise refuse("", "名前は英小文字で始まる 32 文字までです", "a name has up to 32 lower-case letters")
    if missing := sorted(_REQUIRED - table.keys()):
        raise refuse(", ".join(missing), "必要です", "is missing")
    if unknown := sorted(table.keys() - _REQUIRED - _OPTIONAL):
        raise refuse(", ".join(unknown), "知らない設定です", "is not a setting")
    texts = {"claim": "sub"} | {key: table[key] for key in table.keys() - {"acr", "algorithms", "amr", "max_age"}}
    if bad := sorted(key for key, value in texts.items() if not isinstance(value, str) or not value):
        raise refuse(", ".join(bad), "文字列を指定してください", "must be text")
    algorithms = table.get("algorithms", ["ES256"])
    if not isinstance(algorithms, list) or not algorithms or not set(map(str, algorithms)) <= ALGORITHMS:
        raise refuse(
            "algorithms", "公開鍵の署名方式だけを指定してください", "only public-key signatures may stand here"
        )
    age = table.get("max_age", 300)
    if not isinstance(age, int) or isinstance(age, bool) or not 1 <= age <= _LONGEST_AGE:
        raise refuse("max_age", "1 から 3600 秒です", "is 1 to 3600 seconds")
    if not _is_issuer(texts["issuer"]):
        raise refuse("issuer", "https のアドレスを指定してください", "must be an https address without a query")
    amr, acr = (_factor_map(table.get(key, {}), partial(refuse, key)) for key in ("amr", "acr"))
    if not amr and not acr:
        raise refuse("amr", "認証要素の対応が必要です", "no factor is mapped")
    return Verifier(
        name=name,
        texts=Texts(texts["name_ja"], texts["name_en"]),
        issuer=texts["issuer"],
        client_id=texts["client_id"],
        secret=_secret(path, texts["secret_file"], refuse),
        staff_ids=_pattern(texts["staff_ids"], refuse),
        claim=texts["claim"],
        amr=amr,
        acr=acr,
        max_age=timedelta(seconds=age),
        algorithms=tuple(algorithms),
        metadata=_json(path, texts.get("discovery_file"), refuse),
        keys=_key_set(path, texts.get("keys_file"), refuse),
    )


_Refuse = Callable[[str, str, str], VerifierConfigError]


def _is_issuer(issuer: str) -> bool:
    parts = urlsplit(issuer)
    plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
    return bool(parts.hostname) and (parts.scheme == "https" or plain) and not (parts.query or parts.fragment)


def _factor_map(
    table: Any,  # noqa: ANN401 - whatever TOML holds
    refuse: Callable[[str, str], VerifierConfigError],
) -> dict[str, frozenset[str]]:
    if not isinstance(table, dict):
        raise refuse("表を指定してください", "must be a table")
    found: dict[str, frozenset[str]] = {}
    for word, factors in table.items():
        try:
            if not isinstance(factors, list) or not factors:
                raise FactorPolicyError("factors are listed")
            (found[word],) = FactorPolicy.parse("+".join(map(str, factors))).alternatives
        except ValueError as error:
            raise refuse(f"{word}: 認証要素ではありません", f"{word}: no factors") from error
        if found[word] & {"device_bound", "recovery_code", "webauthn"}:
            raise refuse(f"{word}: 外部の装置では証明できません", f"{word}: nothing that a verifier can vouch for")
    return found


def _pattern(text: str, refuse: _Refuse) -> re.Pattern[str]:
    try:
        return re.compile(text, re.ASCII)  # else \d takes full-width digits, which are another id
    except re.error as error:
        raise refuse("staff_ids", "正規表現として読めません", "is no regular expression") from error


def _secret(path: Path, name: str, refuse: _Refuse) -> str:
    try:
        secret = (path.parent / name).read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise refuse("secret_file", "読めません", "cannot be read") from error
    if not secret:
        raise refuse("secret_file", "空です", "is empty")
    return secret


def _json(path: Path, name: str | None, refuse: _Refuse) -> Mapping[str, Any] | None:
    if name is None:
        return None
    try:
        raw = (path.parent / name).read_bytes()
        found = json.loads(raw) if len(raw) <= _MAX_FILE else None
    except (OSError, ValueError, RecursionError) as error:
        raise refuse(name, "JSON として読めません", "cannot be read as JSON") from error
    if not isinstance(found, dict):
        raise refuse(name, "JSON として読めません", "cannot be read as JSON")
    return found


def _key_set(path: Path, name: str | None, refuse: _Refuse) -> Mapping[str, Any] | None:
    found = _json(path, name, refuse)
    if found is not None:
        try:
            private = any(key.is_private for key in KeySet.import_key_set({"keys": found["keys"]}).keys)
        except (JoseError, KeyError, TypeError, ValueError) as error:
            raise refuse(str(name), "公開鍵の一覧ではありません", "is no set of public keys") from error
        if private:
            raise refuse(str(name), "秘密鍵が含まれています", "holds a private key")
    return found
