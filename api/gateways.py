"""What a request at a reverse proxy means: from method and address to activity, function and resident. Pure but `read`.

`gateways.toml` in the data directory says it for each system that stands behind a proxy:

    [nhi-eligibility]
    origin = "https://kiroku.example.lg.jp:9443"      # where people reach the system
    sign_in_at = "https://kiroku.example.lg.jp"       # where they reach Mimamori; MIMAMORI_PUBLIC_URL otherwise
    affair = "nhi-eligibility"
    subject = "[0-9]{10}"                             # what the key of a resident looks like

    [[nhi-eligibility.route]]
    methods = ["GET"]
    path = "/residents/{subject}"
    query = { tab = "" }                              # parameters that may stand there; "case_id" or so: what it holds
    activity = "view"

Rules:
- The first line that matches counts; what no line matches is refused.
- An address that could be read in two ways is refused rather than guessed at: the proxy, the system behind it and we
  would each have a reading. Encoded slashes, dots in place of a name, encoding twice, parameters after a semicolon, a
  parameter that stands twice or under another writing of its name: none of them is what a person clicks on.
- The key of a resident has one form. `4512345` for `0004512345` would be somebody whom no flag protects.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from audit.events import Activity
from ingest.sources.profile import ProfileError

__all__ = ["Act", "Gateway", "read_gateways"]

_NAME = "gateways.toml"
_MAX_URI = 4096
_RAW = re.compile(r"[\x21-\x7e]+")
_ENCODED = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NEVER = re.compile(r"[\x00-\x1f\x7f/\\%;?#]")
"""What no name in an address may turn out to hold once it is decoded."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_VALUE = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.:-]{0,99}")
_SUBJECT = "[0-9A-Za-z_-]{1,64}"
_ROLES = frozenset({"subject", "case_id", "purpose"})
"""What a part of an address may hold; an empty role is anything."""
_ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a request does."""

    activity: str
    function: str
    affair: str
    subjects: tuple[str, ...] = ()
    case_id: str = ""
    purpose: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    """One line. `path`: of each segment its literal text, or None and its role. `query`: the role of each parameter."""

    methods: frozenset[str]
    path: tuple[tuple[str | None, str], ...]
    query: Mapping[str, str]
    activity: str
    function: str
    affair: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """One system behind a proxy.

    Attributes:
        origin: where people reach the system, without a path.
        sign_in_at: where they reach Mimamori; empty for the address that the settings know.
        subject: what the key of a resident looks like.
        routes: the lines, in their order.
    """

    origin: str
    sign_in_at: str
    subject: re.Pattern[str]
    routes: tuple[_Route, ...] = field(default=())

    def act(self, method: str, uri: str) -> Act | None:
        """What a request does; None when no line says so, or its address is not in the one form it may have.

        Args:
            method: of the request.
            uri: its target exactly as it came, with the query.
        """
        if len(uri) > _MAX_URI or not _RAW.fullmatch(uri):
            return None
        path, asked, query = uri.partition("?")
        segments, parameters = _segments(path), _parameters(query) if asked else {}
        if segments is None or parameters is None:
            return None
        wanted = "GET" if method == "HEAD" else method  # what a HEAD tells is part of what a GET tells
        found = (self._held(route, segments, parameters) for route in self.routes if wanted in route.methods)
        return next((act for act in found if act is not None), None)

    def _held(self, route: _Route, segments: list[str], parameters: Mapping[str, str]) -> Act | None:
        if len(segments) != len(route.path):
            return None
        values: list[tuple[str, str]] = []
        for text, (literal, role) in zip(segments, route.path, strict=True):
            if literal is None:
                values.append((role, text))
            elif text != literal:
                return None
        if not _allowed(route.query, parameters):
            return None
        values += [(role, parameters[name]) for name, role in route.query.items() if role]
        if not all(self._fits(role, text) for role, text in values):
            return None
        held = dict(values)
        return Act(
            activity=route.activity,
            function=route.function,
            affair=route.affair,
            subjects=(held["subject"],) if "subject" in held else (),
            case_id=held.get("case_id", ""),
            purpose=held.get("purpose", ""),
        )

    def _fits(self, role: str, text: str) -> bool:
        if role == "subject":
            return self.subject.fullmatch(text) is not None
        return bool(text) if role == "" else _VALUE.fullmatch(text) is not None


def _allowed(known: Mapping[str, str], parameters: Mapping[str, str]) -> bool:
    """Whether every parameter is known, and every one that means something is there, under exactly its name."""
    needed = {name for name, role in known.items() if role}
    if not needed <= parameters.keys():
        return False
    folded = {name.casefold() for name in needed}
    return all(
        name in known or (_ANY in known and re.split(r"[\[.]", name)[0].strip().casefold() not in folded)
        for name in parameters
    )


def _segments(path: str) -> list[str] | None:
    """The parts of a path, decoded once; None for a path that is not in its one form."""
    if not path.startswith("/") or "//" in path:
        return None
    found = [_decoded(part) for part in path[1:].split("/")]
    read = [part for part in found if part is not None and part not in {".", ".."}]
    return read if len(read) == len(found) else None


def _parameters(query: str) -> dict[str, str] | None:
    """The parameters of a query; None where one stands twice, or cannot be read in one way only."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    for part in query.split("&"):
        name, _, value = part.partition("=")
        key, text = _decoded(name.replace("+", " ")), _decoded(value.replace("+", " "), _CONTROL)
        if not key or text is None or key.casefold() in seen:
            return None
        seen.add(key.casefold())
        found[key] = text
    return found


def _decoded(part: str, never: re.Pattern[str] = _NEVER) -> str | None:
    if ";" in part or "#" in part or _ENCODED.search(part):
        return None
    try:
        text = unquote_to_bytes(part).decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if never.search(text) else text


# The file ---------------------------------------------------------------------------------------------------------


def read_gateways(data: Path) -> Mapping[str, Gateway]:
    """Read `gateways.toml` of a data directory, by system; without one no proxy is answered.

    Raises:
        ProfileError: naming what is wrong.
    """
    path = data / _NAME
    if not path.exists():
        return MappingProxyType({})
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        return MappingProxyType({system: _gateway(entry) for system, entry in found.items()})
    except (OSError, ValueError, TypeError, KeyError, AttributeError, re.error) as error:
        raise ProfileError(f"{path}: {error}") from error


def _gateway(entry: dict[str, Any]) -> Gateway:
    _known(entry, {"origin", "sign_in_at", "affair", "subject", "route"})
    affair = str(entry.get("affair", ""))
    return Gateway(
        origin=_origin(entry["origin"]),
        sign_in_at=_origin(entry["sign_in_at"]) if "sign_in_at" in entry else "",
        subject=re.compile(entry.get("subject", _SUBJECT), re.ASCII),
        routes=tuple(_route(line, affair) for line in entry.get("route", [])),
    )


def _route(line: dict[str, Any], affair: str) -> _Route:
    _known(line, {"methods", "path", "query", "activity", "function", "affair"})
    path = tuple(_segment(part) for part in _path(line["path"])[1:].split("/"))
    query = {str(name): str(role) for name, role in line.get("query", {}).items()}
    roles = [role for role in (*(role for _, role in path), *query.values()) if role]
    if set(roles) - _ROLES or len(set(roles)) != len(roles):
        raise ValueError(f"{line['path']}: each of {', '.join(sorted(_ROLES))} once at most")
    methods = [str(method) for method in line["methods"]]
    if not methods or not all(method.isalpha() and method.isupper() for method in methods):
        raise ValueError(f"{line['path']}: methods in capitals")
    return _Route(
        methods=frozenset(methods),
        path=path,
        query=MappingProxyType(query),
        activity=Activity(line["activity"]),
        function=str(line.get("function", "")),
        affair=str(line.get("affair", affair)),
    )


def _path(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError(f"{text}: a path begins with /")
    return text


def _segment(text: str) -> tuple[str | None, str]:
    return (None, text[1:-1]) if text.startswith("{") and text.endswith("}") else (text, "")


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or text != f"{parts.scheme}://{parts.netloc}":
        raise ValueError(f"{text}: scheme, host and port, nothing else")
    return text


def _known(settings: Mapping[str, Any], names: set[str]) -> None:
    if unknown := settings.keys() - names:
        raise ValueError(f"unknown setting {', '.join(sorted(unknown))}")
