"""What looks wrong in the town and is right: each benign trap is one small function, listed in `TRAPS`.

A detector that fires on one of these wastes a reviewer's minutes. Everything that excuses it is in the feeds.
"""

from detectors.lab.stage import Plot
from detectors.lab.traps import hours, outputs, people, work

__all__ = ["TRAPS"]

TRAPS: tuple[Plot, ...] = (
    # What a small town shows first.
    hours.maintenance_night,
    work.list_work,
    hours.approved_overtime,
    hours.evening_shift,
    work.busy_week,
    hours.weekend_counter,
    outputs.forgotten_password,
    people.colleague_as_client,
    people.vip_application,
    # Those that need particular people come next.
    work.handover_visit,
    work.enrolment_week,
    outputs.requested_grant,
    outputs.password_reset,
    hours.election_night,
    hours.disaster_night,
    people.troubled_household,
    people.deceased_procedure,
    people.protected_support,
    people.namesake_as_client,
    people.neighbour_as_client,
    people.household_case_by_colleague,
    work.borrowed_desk,
    work.new_staff_learning,
    work.repeated_client,
    work.late_ticket,
    hours.back_from_leave,
    outputs.month_end_bulk,
    outputs.notice_run,
)
