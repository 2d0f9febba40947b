"""The SQL of taking events in: ClickHouse reads the JSON, Python only sees what is not plainly right.

The text is derived once from the table of fields. `READ_LINES` turns JSON lines into typed rows and says of each
whether it is `clear`: every name known and of the right type, no name twice, a strict time within bounds, words of
the vocabulary, no run of digits that could hide a My Number. Being too strict here costs time, never an event: a row
that is not clear is read again by `audit.events.check`, which has the last word.
"""

from audit.events import ACTIVITY_CLASS, COLUMNS, FIELDS, Activity, ActorKind, Field, Kind, Outcome
from audit.events.validation import MAX_EVENT_ID_BYTES

__all__ = [
    "ADD_ROWS",
    "DIGEST",
    "FIND_REPEATED",
    "FIND_STORED",
    "NAME_ROWS",
    "NAME_ROWS_BY_BYTES",
    "READ_LINES",
    "REMEMBER_BYTES",
    "ROW_COLUMNS",
]

_TIME_PATTERN = (
    r"^(?:199\\d|20\\d\\d|21\\d\\d)-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)$"
)
_PLAIN_IDS = r'^\\[(?:"[^"\\\\]*"(?:,"[^"\\\\]*")*)?\\]$'
_DIGIT_RUN = r"\\p{Nd}(?:[-‐-―−－ー・\\p{Z}\\p{Cc}]?\\p{Nd}){11}"
_VAST_NUMBER = r"[:,\\[]\\s*-?\\d{19}"
"""The engine reads a whole number beyond 64 bits as text, without a word."""
_TYPES = {
    Kind.TEXT: "String",
    Kind.TIME: "String",
    Kind.IDS: "Array(String)",
    Kind.COUNT: "Nullable(UInt64)",
    Kind.FLAG: "Nullable(Bool)",
}
_LETTERS = {Kind.TEXT: "s", Kind.TIME: "s", Kind.IDS: "a", Kind.COUNT: "i", Kind.FLAG: "b"}
_READ = tuple(field for field in FIELDS if field.path != "unmapped")
"""`unmapped` is what the form has no place for: a line that brings any is read with care."""

ROW_COLUMNS = ("n", "clear", "raw_hash", "marks", *COLUMNS)


def _words(words: type[Activity | ActorKind | Outcome]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _shape() -> str:
    """The type that one JSON object is read as."""
    groups: dict[str, list[str]] = {}
    for field in _READ:
        group, _, name = field.path.partition(".")
        if name:
            groups.setdefault(group, []).append(f"`{name}` {_TYPES[field.kind]}")
        else:
            groups[group] = [_TYPES[field.kind]]
    members = []
    for group, parts in groups.items():
        nested = any(field.path.startswith(f"{group}.") for field in _READ)
        members.append(f"`{group}` Tuple({', '.join(parts)})" if nested else f"`{group}` {parts[0]}")
    return f"Tuple({', '.join(members)})"


def _member(field: Field) -> str:
    return "t." + ".".join(f"`{part}`" for part in field.path.split("."))


def _read(field: Field) -> str:
    """The expression that reads one field out of the shape `t`."""
    raw = _member(field)
    if field.kind is Kind.TIME:
        parsed = f"parseDateTime64BestEffortOrNull({raw}, 6, 'UTC')"
        return f"ifNull({parsed}, toDateTime64(0, 6, 'UTC'))" if field.path == "time" else parsed
    if field.kind is Kind.IDS:
        return f"arrayFilter(item -> item != '', {raw})"
    return raw


def _scanned() -> str:
    """Every text in which a My Number could stand, end to end."""
    texts = [
        f"arrayStringConcat({_member(field)}, '|')" if field.kind is Kind.IDS else _member(field)
        for field in _READ
        if field.kind in (Kind.TEXT, Kind.IDS)
        and not field.declared_id
        and field.path not in {"activity", "actor.kind", "outcome"}
    ]
    return "concat(" + ", '|', ".join(texts) + ")"


_ALLOWED = ", ".join(f"'{field.path}:{_LETTERS[field.kind]}'" for field in _READ)
_GROUPS = ", ".join(f"'{name}'" for name in sorted({f.path.split(".")[0] for f in _READ if "." in f.path}))

READ_LINES = f"""
INSERT INTO intake_rows ({", ".join(ROW_COLUMNS)})
WITH
    JSONExtractKeysAndValuesRaw(doc) AS top,
    arrayFilter(pair -> startsWith(pair.2, '{{'), top) AS groups,
    arrayConcat(
        arrayFilter(pair -> NOT startsWith(pair.2, '{{'), top),
        arrayFlatten(arrayMap(pair -> arrayMap(inner -> (concat(pair.1, '.', inner.1), inner.2),
            JSONExtractKeysAndValuesRaw(pair.2)), groups))) AS pairs,
    arrayFilter(pair -> pair.2 != 'null', pairs) AS given,
    arrayMap((name, value) -> concat(name, ':', transform(substring(value, 1, 1),
        ['"', '[', 't', 'f', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
        ['s', 'a', 'b', 'b', 'i', 'i', 'i', 'i', 'i', 'i', 'i', 'i', 'i', 'i'], '?')), given.1, given.2) AS typed,
    JSONExtract(doc, '{_shape()}') AS t,
    {_read(next(f for f in FIELDS if f.path == "time"))} AS at
SELECT
    n,
    length(doc) <= 65536 AND length(t.`event_id`) <= {MAX_EVENT_ID_BYTES}
        AND startsWith(doc, '{{') AND notEmpty(top) AND NOT match(doc, '{_VAST_NUMBER}')
        AND arrayAll(name -> position(name, '.') = 0, top.1)
        AND arrayAll(name -> name IN ({_GROUPS}), groups.1)
        AND arrayUniq(top.1) = length(top)
        AND arrayUniq(pairs.1) = length(pairs)
        AND arrayAll(name -> name IN ({_ALLOWED}), typed)
        AND arrayAll(value -> match(value, '{_PLAIN_IDS}'), arrayFilter(value -> startsWith(value, '['), given.2))
        AND arrayAll(value -> match(value, '^\\\\d{{1,18}}$'),
            arrayFilter(value -> value >= '0' AND value < ':', given.2))
        AND t.`activity` IN ({_words(Activity)})
        AND t.`outcome` IN ('', {_words(Outcome)})
        AND t.`actor`.`kind` IN ('', {_words(ActorKind)})
        AND (t.`actor`.`id` != '' OR t.`actor`.`kind` = 'system')
        AND match(t.`time`, '{_TIME_PATTERN}')
        AND (t.`recorded_at` = '' OR match(t.`recorded_at`, '{_TIME_PATTERN}'))
        AND at >= {{oldest:DateTime64(6, 'UTC')}} AND at <= {{newest:DateTime64(6, 'UTC')}}
        AND NOT match({_scanned()}, '{_DIGIT_RUN}') AS clear,
    if(t.`event_id` = '', substring(SHA256(doc), 1, 16), toFixedString('', 16)) AS raw_hash,
    [],
    {", ".join("''" if f.path == "unmapped" else "at" if f.path == "time" else _read(f) for f in FIELDS)}
FROM intake_lines
SETTINGS short_circuit_function_evaluation = 'disable'
"""
"""Lazy evaluation would read the same JSON once for every condition."""


def _netstring(value: str) -> str:
    return f"toString(length({value})), ':', {value}, ','"


def _canonical(field: Field) -> str:
    """One field's part of the canonical bytes (`audit.events.canonical`)."""
    name = f"'{len(field.path)}:{field.path},'"
    column = field.column
    if field.kind is Kind.TEXT:
        return f"if({column} = '', '', concat({name}, {_netstring(column)}))"
    if field.kind is Kind.IDS:
        items = f"arrayStringConcat(arrayMap(item -> concat({_netstring('item')}), {column}))"
        return f"if(empty({column}), '', concat({name}, {_netstring(items)}))"
    if field.kind is Kind.FLAG:
        text = f"if(assumeNotNull({column}), '1', '0')"
    elif field.kind is Kind.TIME:
        text = f"toString(toUnixTimestamp64Micro(assumeNotNull({column})))"
    else:
        text = f"toString(assumeNotNull({column}))"
    return f"if(isNull({column}), '', concat({name}, {_netstring(text)}))"


DIGEST = (
    "substring(SHA256(concat('6:source,', toString(length({source:String})), ':', {source:String}, ',', "
    + ", ".join(_canonical(field) for field in FIELDS)
    + ")), 1, 16)"
)

NAME_ROWS = f"""
INSERT INTO intake_new (n, digest, event_id, time)
SELECT n, {DIGEST}, event_id, time FROM intake_rows WHERE clear
"""
"""For rows that all bring an id of their own."""

NAME_ROWS_BY_BYTES = f"""
INSERT INTO intake_new (n, digest, event_id, time)
SELECT n, {DIGEST}, event_id, time
FROM (
    SELECT * EXCEPT (event_id), if(event_id = '', concat('h-', lower(hex(raw_hash)), '-', toString(
        row_number() OVER (PARTITION BY raw_hash ORDER BY n) - 1 + seen.times)), event_id) AS event_id
    FROM intake_rows
    LEFT JOIN (SELECT raw_hash, count() AS times FROM intake_seen
        WHERE delivery = {{delivery:UInt64}} GROUP BY raw_hash) AS seen USING (raw_hash)
    WHERE clear
)
"""
"""A row without an id is named by the hash of its bytes and its ordinal among identical ones of its delivery."""

REMEMBER_BYTES = """
INSERT INTO intake_seen SELECT {delivery:UInt64}, raw_hash FROM intake_rows WHERE clear AND event_id = ''
"""

FIND_STORED = """
INSERT INTO intake_known (n, conflict)
SELECT new.n, any(events.digest) != any(new.digest)
FROM events INNER JOIN intake_new AS new ON events.event_id = new.event_id
WHERE events.source = {source:String}
    AND events.event_id BETWEEN {first_id:String} AND {last_id:String}
    AND events.time BETWEEN {first_time:DateTime64(6, 'UTC')} AND {last_time:DateTime64(6, 'UTC')}
GROUP BY new.n
"""
"""The bounds let the engine skip what cannot match: ids that run with time cost next to nothing."""

FIND_REPEATED = """
INSERT INTO intake_known (n, conflict)
SELECT n, digest != first_digest FROM (
    SELECT n, digest,
        first_value(digest) OVER (PARTITION BY event_id ORDER BY n) AS first_digest,
        row_number() OVER (PARTITION BY event_id ORDER BY n) AS place
        FROM intake_new
    WHERE event_id NOT IN (SELECT event_id FROM intake_new WHERE n IN (SELECT n FROM intake_known)))
WHERE place > 1
"""
"""Runs after `FIND_STORED`: what the log has decides, and only among the rest does the first of the batch."""

_CLASS = ", ".join(f"'{activity}'" for activity in ACTIVITY_CLASS)
_CLASS_UIDS = ", ".join(str(ocsf.class_uid) for ocsf in ACTIVITY_CLASS.values())
_ACTIVITY_IDS = ", ".join(str(ocsf.activity_id) for ocsf in ACTIVITY_CLASS.values())

ADD_ROWS = f"""
INSERT INTO events (log_index, source, received_at, delivery, class_uid, activity_id, digest, marks,
    {", ".join(COLUMNS)})
SELECT
    {{base:UInt64}} + row_number() OVER (ORDER BY n) - 1,
    {{source:String}},
    {{received_at:DateTime64(6, 'UTC')}},
    {{delivery:UInt64}},
    toUInt16(transform(activity, [{_CLASS}], [{_CLASS_UIDS}], 0)),
    toUInt8(transform(activity, [{_CLASS}], [{_ACTIVITY_IDS}], 0)),
    new.digest,
    if(time > {{skewed:DateTime64(6, 'UTC')}}, arrayPushBack(marks, 'skew'), marks),
    {", ".join("new.event_id" if column == "event_id" else column for column in COLUMNS)}
FROM intake_rows INNER JOIN intake_new AS new USING (n)
WHERE clear AND n NOT IN (SELECT n FROM intake_known)
"""
