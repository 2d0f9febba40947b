"""The statements that join a day's look-ups with what accounts for them. Every value is bound."""

from audit.events import LOOKUPS, Activity

__all__ = ["ACTS", "EXPLAIN"]

_A = Activity


def _listed(*activities: str) -> str:
    return ", ".join(f"'{activity}'" for activity in sorted(activities))


_LOOKS = _listed(*LOOKUPS)
_CHANGES = _listed(_A.CREATE, _A.UPDATE, _A.DELETE, _A.ANSWER, _A.BIND_NUMBER, _A.PROVISION)
_PRINTS = _listed(_A.PRINT, _A.SCREEN_COPY)

_GROUPED = f"""
    SELECT toDate(time, 'Asia/Tokyo') AS day,
        toString(actor_id) AS actor, toString(source) AS source, arrayJoin(arrayDistinct(subjects)) AS subject,
        min(toString(actor_kind)) AS kind, argMin(actor_org_unit, (time, log_index)) AS said_unit,
        min(time) AS first_at, max(time) AS last_at,
        countIf(activity IN ({_LOOKS})) AS looks,
        countIf(activity IN ({_CHANGES})) AS changes,
        countIf(activity IN ({_PRINTS})) AS prints,
        maxIf(time, activity IN ({_CHANGES})) AS changed_until,
        max(query_by = 'name') AS by_name,
        groupUniqArrayIf(20)(case_id, case_id != '') AS cited,
        max(case_id != '' AND case_id IN (SELECT case_id FROM casework_cases)) AS cited_known,
        argMin(event_id, (time, log_index)) AS event_id, min(log_index) AS first_index, max(log_index) AS last_index
    FROM events
    WHERE time >= {{start:DateTime64(6, 'UTC')}} AND time < {{end:DateTime64(6, 'UTC')}}
        AND source != {{without_source:String}} AND actor_id != '' AND actor_kind != 'system'
        AND outcome IN ('', 'success') AND activity IN ({_LOOKS}, {_CHANGES}) AND notEmpty(subjects)
    GROUP BY day, actor, source, subject
    HAVING looks > 0 AND subject != ''
"""
_BEARERS = "if(r.former_surname != '' AND r.former_surname = p.own_surname, r.of_former_surname, r.of_surname)"
_SELF = "p.own_subject != '' AND g.subject = p.own_subject"
_KIN = "p.own_household != '' AND r.household = p.own_household"
_SURNAME = "p.own_surname != '' AND r.surname = p.own_surname"
_FORMER = (
    "(p.own_surname != '' AND r.former_surname = p.own_surname)"
    " OR (p.own_former_surname != '' AND p.own_former_surname IN (r.surname, r.former_surname))"
)

ACTS = f"""
INSERT INTO casework_acts
SELECT g.day AS day, g.actor AS actor, g.kind AS actor_kind,
    if(p.staff_id != '' AND p.until > g.first_at, p.unit, g.said_unit) AS unit,
    g.source AS source, g.subject AS subject, if(r.household = '', concat('=', g.subject), r.household) AS household,
    g.first_at AS first, g.last_at AS last, g.looks AS looks, g.changes AS changes, g.prints AS prints,
    g.changed_until AS changed_until, g.by_name AS by_name, g.cited AS cited, g.cited_known AS cited_known,
    arrayFilter(word -> word != '', [
        if({_SELF}, 'self', ''),
        if({_KIN} AND NOT ({_SELF}), 'household', ''),
        if(NOT ({_KIN}) AND p.own_address != '' AND r.address = p.own_address, 'address', ''),
        if(NOT ({_KIN}) AND {_SURNAME}, 'surname', ''),
        if(NOT ({_KIN}) AND ({_FORMER}), 'former_surname', ''),
        if(NOT ({_SELF}) AND r.staff_id != '' AND q.unit = p.unit AND q.until > g.first_at, 'colleague', ''),
        if(NOT ({_SELF}) AND r.staff_id != '' AND q.until > g.first_at, 'staff', ''),
        if(NOT ({_SELF}) AND r.staff_id != '' AND p.manager = r.staff_id, 'manager', '')
    ]) AS relations,
    if(has(relations, 'surname') OR has(relations, 'former_surname'), {_BEARERS}, 0) AS namesakes,
    r.at_address AS at_address, r.flags AS flags, r.staff_id AS subject_staff,
    g.event_id AS event_id, g.first_index AS first_index, g.last_index AS last_index
FROM ({_GROUPED}) AS g
ASOF LEFT JOIN casework_posts AS p ON g.actor = p.staff_id AND g.first_at >= p.since
LEFT JOIN casework_residents AS r ON g.subject = r.subject
ASOF LEFT JOIN casework_posts AS q ON toString(r.staff_id) = q.staff_id AND g.first_at >= q.since
"""
"""The acts by day, person, system and resident.

A post that has ended still says who somebody is, not where they work.
"""

_HANDLED_BY_UNIT = (
    "one.unit = '' OR startsWith(concat(unit, '/'), concat(one.unit, '/'))"
    " OR (unit != '' AND startsWith(concat(one.unit, '/'), concat(unit, '/')))"
)
"""A case of the department is every section's work in it, and a section's case that of the department's head."""
_IN_TIME = "one.since <= last AND one.until > first"
_SPAN = "since DateTime64(6, ''UTC''), until DateTime64(6, ''UTC'')"
_CASES = f"Array(Tuple(case_id String, unit String, assignee String, {_SPAN}))"
_APPROVALS = f"Array(Tuple(approval_id String, source String, {_SPAN}))"
_PRINTING_SHARE = 0.2
"""A unit of whose look-ups so many end in a print issues certificates; elsewhere a print accounts for nothing.

Nor does it where the unit enters a ticket for most of what it prints: there a print without one is what to ask about.
Whether it does is judged by the prints of colleagues, so that a pile of prints does not account for itself.
"""

_JOINED = f"""
    SELECT a.*, c.cases AS cases, v.approvals AS approvals,
        maxIf(a.changes, a.changed_until >= a.first) OVER (PARTITION BY a.day, a.actor, a.household) > 0 AS own_change,
        sum(a.changes > 0) OVER (PARTITION BY a.day, a.unit, a.household)
            > sum(a.changes > 0) OVER (PARTITION BY a.day, a.unit, a.household, a.actor) AS colleague_change
    FROM casework_acts AS a
    LEFT JOIN (
        SELECT household AS of_household,
            CAST(arraySort(groupArray((case_id, unit, assignee, since, until))), '{_CASES}') AS cases
        FROM casework_cases
        WHERE since < {{end:DateTime64(6, 'UTC')}} AND until > {{start:DateTime64(6, 'UTC')}}
        GROUP BY household
    ) AS c ON a.household = c.of_household
    LEFT JOIN (
        SELECT staff_id, CAST(arraySort(groupArray((approval_id, source, since, until))), '{_APPROVALS}') AS approvals
        FROM casework_approvals
        WHERE since < {{end:DateTime64(6, 'UTC')}} AND until > {{start:DateTime64(6, 'UTC')}}
        GROUP BY staff_id
    ) AS v ON toString(a.actor) = v.staff_id
"""
_HANDLED = f"""
    SELECT *,
        arrayFirst(one -> one.assignee = toString(actor) AND {_IN_TIME}, cases).case_id AS assigned,
        arrayFirst(one -> one.source IN ('', toString(source)) AND {_IN_TIME}, approvals).approval_id AS approval,
        arrayFirst(one -> has(cited, one.case_id) AND {_IN_TIME} AND ({_HANDLED_BY_UNIT}), cases).case_id AS named,
        arrayFirst(one -> {_IN_TIME} AND ({_HANDLED_BY_UNIT}), cases).case_id AS handled,
        hasAny(relations, ['self', 'household']) AS own_affair
    FROM ({_JOINED})
"""
_EXPLAINED = f"""
    SELECT *,
        multiIf(
            assigned != '', if(has(cited, assigned), 'cited', 'assigned'),
            approval != '', 'approval',
            own_affair, '',
            named != '', 'cited',
            handled != '', 'case',
            own_change, 'change',
            colleague_change AND unit != '', 'colleague',
            ''
        ) AS explained,
        sum(prints > 0) OVER (PARTITION BY day, unit) AS printed,
        sum(prints > 0 AND explained = '') OVER (PARTITION BY day, unit) AS unexplained,
        sum(prints > 0) OVER (PARTITION BY day, unit, actor) AS own_printed,
        sum(prints > 0 AND explained = '') OVER (PARTITION BY day, unit, actor) AS own_unexplained,
        avg(prints > 0) OVER (PARTITION BY day, unit) >= {_PRINTING_SHARE}
            AND if(
                printed > own_printed,
                2 * (unexplained - own_unexplained) > printed - own_printed,
                2 * own_unexplained > own_printed
            ) AS issuing
    FROM ({_HANDLED})
"""

EXPLAIN = f"""
INSERT INTO lookups_made
SELECT day, actor, actor_kind, unit, source, subject, household, first, last, looks, changes, prints,
    by_name, relations, namesakes, at_address, flags, subject_staff, event_id, first_index, last_index,
    multiIf(because != '', 'matched', cited_known > 0, 'contradicted', 'unmatched') AS result,
    if(explained = '' AND prints > 0 AND issuing AND NOT own_affair, 'print', explained) AS because,
    multiIf(
        because = 'approval', approval, because = 'case', handled, because = '', '',
        assigned != '', assigned, named
    ) AS reference,
    {{made:UInt64}} AS made
FROM ({_EXPLAINED})
"""
"""What accounts for each.

Nobody's own affairs are accounted for by their unit's work: only a case assigned to them, or approved list work, is.
Of several cases that account for a look-up the first by number is cited, so that joining again cites the same.
"""
