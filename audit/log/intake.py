"""The SQL of telling what is new: the digest of an event, and which of a batch the log already has.

The text is derived once from the table of fields. Events are read before they come here (`audit.log.reading`); most
batches are new altogether, which one question by the range of their ids answers, and never pass through a table of
intake. Only where an id returns are contents compared.
"""

from audit.events import FIELDS, Field, Kind

__all__ = ["DIGEST", "FIND_IDS", "FIND_KNOWN", "FIND_SEEN", "FORGET", "IN_RANGE", "REMEMBER"]


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
"""What tells two contents of one id apart: the first half of SHA-256 over the canonical bytes."""

IN_RANGE = """
FROM events WHERE source = {source:String} AND event_id BETWEEN {first_id:String} AND {last_id:String}
    AND time BETWEEN {first_time:DateTime64(6, 'UTC')} AND {last_time:DateTime64(6, 'UTC')}
"""
"""The bounds let the engine skip what cannot match: ids that run with time cost next to nothing."""

FIND_IDS = f"SELECT DISTINCT event_id {IN_RANGE} AND event_id IN (SELECT event_id FROM intake_ids)"

FIND_KNOWN = f"""
WITH
    staged AS (SELECT n, event_id, {DIGEST} AS digest FROM intake_rows),
    places AS (
        SELECT event_id, argMin(digest, place) AS first_digest, min(place) AS first_place FROM (
            SELECT event_id, {DIGEST} AS digest, -1 AS place
            {IN_RANGE} AND event_id IN (SELECT event_id FROM intake_rows)
            UNION ALL SELECT event_id, digest, toInt64(n) AS place FROM staged)
        GROUP BY event_id)
SELECT n, digest != first_digest AS conflict
FROM staged INNER JOIN places USING (event_id)
WHERE first_place != toInt64(n)
ORDER BY n
"""
"""Of the staged rows, those that are not the first of their id; what the log has comes before any of them."""

FIND_SEEN = """
SELECT raw_hash, sum(times) AS before FROM intake_seen
WHERE scope = {scope:UInt64} AND raw_hash IN (SELECT raw_hash FROM intake_hashes)
GROUP BY raw_hash
"""
"""How often earlier batches of a delivery, or earlier deliveries of its stream, brought the same bytes."""

REMEMBER = """
INSERT INTO intake_seen (scope, delivery, raw_hash)
SELECT {scope:UInt64}, {delivery:UInt64}, raw_hash FROM intake_hashes
"""

FORGET = """
INSERT INTO intake_seen (scope, delivery, raw_hash, times)
SELECT scope, delivery, raw_hash, -sum(times) AS taken_back FROM intake_seen
WHERE delivery = {delivery:UInt64}
GROUP BY scope, delivery, raw_hash HAVING taken_back != 0
"""
"""What a delivery brought is counted with the opposite sign; why it is not deleted: `0002_seen_times.sql`."""
