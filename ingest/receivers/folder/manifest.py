"""Manifests: what a sender says of a file, in a JSON file `NAME.manifest` beside it.

`{"rows": 1234, "sha256": "…"}`, both optional. The hash is of the file as it lies there, packed if it is packed.
"""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.receivers.folder.model import FileFaultError
from ingest.receivers.folder.place import open_file

__all__ = ["Manifest", "read_manifest"]

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is announced.

    Attributes:
        rows: records; None when it does not say.
        sha256: of the file, in hexadecimal; empty when it does not say.
    """

    rows: int | None = None
    sha256: str = ""


def read_manifest(path: Path, most: int) -> Manifest:
    """Read one.

    Args:
        path: where it lies.
        most: so many bytes it may have.

    Raises:
        FileFaultError: it is none.
        FileBusyError: it cannot be read.
    """
    descriptor = open_file(path)
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(most + 1)
    manifest = _parsed(data) if len(data) <= most else None
    if manifest is None:
        raise FileFaultError("its manifest cannot be read", "マニフェストが読めません")
    return manifest


def _parsed(data: bytes) -> Manifest | None:
    try:
        found: Any = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    rows, sha256 = found.get("rows"), found.get("sha256", "")
    if rows is not None and (type(rows) is not int or rows < 0):
        return None
    if not isinstance(sha256, str) or (sha256 and not _SHA256.fullmatch(sha256.lower())):
        return None
    return Manifest(rows, sha256.lower())
