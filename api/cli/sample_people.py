"""The sample sign-ins of a demonstration: who they are, and what they sign in with.

Passwords and secrets are made for this copy alone and kept beside its data, so that no two demonstrations share one.
"""

import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.installation import Installation
from audit.access import AccountStateError, Role, new_secret

__all__ = [
    "AUDITOR",
    "CLERK",
    "MANAGER",
    "SAMPLES",
    "SECURITY",
    "SYSTEMS",
    "Sample",
    "make_accounts",
    "passphrase",
    "read_private",
    "sign_ins_in",
    "write_private",
]

AUDITOR, CLERK, MANAGER = "sample-auditor", "sample-clerk", "sample-manager"
SECURITY, SYSTEMS = "sample-security", "sample-systems"
_WORDS = (
    "asagiri",
    "hotaru",
    "kaede",
    "kawasemi",
    "minato",
    "nagisa",
    "sazanami",
    "shigure",
    "tsubame",
    "yamabuki",
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample sign-in. `post`: what the staff directory calls the post."""

    login_id: str
    name: str
    post: str
    roles: frozenset[Role]


SAMPLES = (
    Sample(
        SECURITY,
        "見本 セキュリティ管理者",
        "主幹",
        frozenset({Role.SECURITY_ADMINISTRATOR, Role.ADMINISTRATOR}),
    ),
    Sample(AUDITOR, "見本 監査人", "書記", frozenset({Role.AUDITOR})),
    Sample(MANAGER, "見本 所属長", "課長", frozenset({Role.MANAGER})),
    Sample(SYSTEMS, "見本 システム所管課長", "課長", frozenset({Role.ADMINISTRATOR})),
    Sample(CLERK, "見本 窓口職員", "主事", frozenset({Role.STAFF})),
)


def sign_ins_in(path: Path) -> list[dict[str, str]]:
    """What the sample users sign in with; written down before they exist, so that none is lost."""
    known: dict[str, dict[str, str]] = {user["login_id"]: user for user in read_private(path)} if path.exists() else {}
    rows = [
        known.get(one.login_id) or {"login_id": one.login_id, "password": passphrase(), "totp_secret": new_secret()}
        for one in SAMPLES
    ]
    if len(known) < len(rows):
        write_private(path, rows)
    return rows


def make_accounts(installation: Installation, sign_ins: Mapping[str, Mapping[str, str]]) -> None:
    """Make the accounts of the sample users."""
    for one in SAMPLES:
        user = sign_ins[one.login_id]
        with suppress(AccountStateError):  # made by a run before this one
            installation.access.create_account(one.login_id, one.name, one.roles, user["password"], user["totp_secret"])


def passphrase() -> str:
    """Three words and a number, easy to type."""
    return "-".join([*(secrets.choice(_WORDS) for _ in range(3)), str(secrets.randbelow(9000) + 1000)])


def write_private(path: Path, document: Any) -> None:  # noqa: ANN401 - any JSON
    """Write a file that only its owner reads, whole or not at all."""
    part = path.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False, indent=1)
    part.replace(path)


def read_private(path: Path) -> Any:  # noqa: ANN401 - any JSON
    """What `write_private` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))
