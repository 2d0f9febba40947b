"""What happens by itself goes on, whatever one turn of it comes to."""

from collections.abc import Mapping

import pytest
from house import House
from structlog.testing import capture_logs

from api import jobs
from api.installation import Installation
from audit.store.errors import StoreUnavailableError


def test_a_turn_that_fails_is_told_and_ends_nothing(house: House) -> None:
    def failing(_installation: Installation) -> Mapping[str, int]:
        raise StoreUnavailableError("gone, and with it person s0412")

    with capture_logs() as told:
        jobs._turn("sweep", failing, house.installation)
    assert told == [{"event": "a job failed", "job": "sweep", "error": "StoreUnavailableError", "log_level": "error"}]


@pytest.mark.parametrize(("count", "lines"), [(0, 0), (3, 1)])
def test_only_a_turn_that_did_something_is_worth_a_line(house: House, count: int, lines: int) -> None:
    with capture_logs() as told:
        jobs._turn("sweep", lambda _installation: {"rights": count}, house.installation)
    assert len(told) == lines
    assert all((line["job"], line["rights"]) == ("sweep", count) for line in told)


@pytest.mark.parametrize("job", [jobs._sweep_rights, jobs._remind, jobs._drop_keys])
def test_each_job_says_by_name_what_came_of_it(house: House, job: jobs._Job) -> None:
    done = job(house.installation)
    assert done
    assert all(isinstance(count, int) for count in done.values())
