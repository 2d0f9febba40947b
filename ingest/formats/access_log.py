r"""Web servers' access logs, Common and Combined, as nginx and Apache write them.

A virtual host may stand in front. The actor is the user whom the server authenticated; without one it is the
system, with the client's address. Methods are activities (`GET` and `HEAD` view, `POST` create, `PUT` and `PATCH`
update, `DELETE` delete), status 401 and 403 are denied, 400 and more failed. The path is the screen; the query
string is kept apart from it, because it may name people. What came in place of a request (a TLS handshake, nothing)
is kept as `request`. Escapes (`\x22`, `\"`, `\\`) are undone where what they stand for is readable text; what would
be a control character stays escaped.
"""

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from ingest.formats.mapping import Builtin, Mapper
from ingest.formats.text import TextError, decode
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

__all__ = ["HTTP_METHODS", "HTTP_OUTCOMES", "decode_access_log"]

HTTP_METHODS = {
    "GET": "view",
    "HEAD": "view",
    "POST": "create",
    "PUT": "update",
    "PATCH": "update",
    "DELETE": "delete",
}
HTTP_OUTCOMES = {
    "401": "denied",
    "403": "denied",
    "407": "denied",
    **dict.fromkeys(("1*", "2*", "3*"), "success"),
    **dict.fromkeys(("4*", "5*"), "failure"),
}
_TEXT = r'(?:[^"\\]|\\.)*+'
_LINE = re.compile(
    # The identity before the user is `-` everywhere, so where that stands says whether a virtual host is in front.
    r"(?:(?P<vhost>\S+) (?!- )(?=\S+ - ))?(?P<client>\S+) (?P<ident>\S+) (?P<user>.*?) "
    r"\[(?P<day>[0-9]{1,2})/(?P<month>[A-Z][a-z]{2})/(?P<year>[0-9]{4}):(?P<clock>[0-9:.]{8,15}) "
    rf"(?P<offset>[+-][0-9]{{4}})\] \"(?P<request>{_TEXT})\" (?P<status>[0-9]{{3}}|-) (?P<bytes>[0-9]+|-)(?P<rest>.*)",
    re.DOTALL,
)
_REQUEST = re.compile(r"([A-Za-z][A-Za-z_-]{0,31}) (\S.*?)(?: (HTTP/[0-9.]+))?", re.DOTALL)
_REST = re.compile(rf' (?:"({_TEXT})"(?= |\Z)|(\S+))')
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NUMBERS = {name: f"{number:02}" for number, name in enumerate(_MONTHS, 1)}
_COMBINED = ("referer", "user_agent")
_ESCAPED = re.compile(r"(?:\\x[0-9A-Fa-f]{2})+|\\[\"\\]")
_BUILTIN = Builtin(
    fields={
        "user": "actor.id",
        "client_ip": "terminal.ip",
        "method": "activity",
        "path": "screen",
        "status": "outcome",
    },
    activities=HTTP_METHODS,
    outcomes=HTTP_OUTCOMES,
    constants={"activity": "operation", "actor.kind": "system"},
)


def decode_access_log(lines: Iterable[tuple[int, bytes]], profile: Profile) -> Iterator[Record | Refused]:
    """Decode an access log; see `ingest.model.Decoder`."""
    mapper = Mapper(profile, _BUILTIN)
    for line, raw in lines:
        if not raw.strip():
            continue
        try:
            text = decode(raw, profile.encoding, first=line == 1).rstrip("\r")
        except TextError as error:
            yield Refused(line, raw, (f"record: {error}",))
            continue
        match = _LINE.fullmatch(text)
        if match is None:
            yield Refused(line, raw, ("record: not as Common or Combined have it / アクセスログの形式ではありません",))
            continue
        doc, faults = mapper.document(_named(match))
        yield Refused(line, raw, tuple(faults)) if faults else Record(line, raw, doc)


def _named(match: re.Match[str]) -> Iterator[tuple[str, str]]:
    month = _NUMBERS.get(match["month"], match["month"])
    yield "time", f"{match['year']}-{month}-{match['day']}T{match['clock']}{match['offset']}"
    client = match["client"]
    yield ("client_ip" if _is_address(client) else "client_host"), client
    for name in ("vhost", "ident", "user", "status", "bytes"):
        value = match[name]
        if value and value not in {"-", '""'}:
            yield name, unescaped(value)
    request = _REQUEST.fullmatch(match["request"])
    if request is None:
        yield "request", match["request"]
    else:
        path, _, query = request[2].partition("?")
        yield "method", request[1]
        yield "path", unescaped(path)
        yield "query", unescaped(query)
        yield "protocol", request[3] or ""
    for number, found in enumerate(_REST.finditer(match["rest"])):
        value = found[2] if found[1] is None else found[1]
        if value != "-":
            yield (_COMBINED[number] if number < len(_COMBINED) else f"field {number + 8}"), unescaped(value)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def unescaped(text: str) -> str:
    """Undo a server's escapes where they stand for readable text."""
    return _ESCAPED.sub(_readable, text) if "\\" in text else text


def _readable(match: re.Match[str]) -> str:
    if match[0][1] != "x":
        return match[0][1]
    try:
        found = bytes.fromhex(match[0].replace("\\x", "")).decode()
    except UnicodeDecodeError:
        return match[0]
    return found if found.isprintable() else match[0]
