"""Every detector is found where people look for it."""

from dataclasses import replace

from detectors.areas import _AREAS, _MEMBERS, Area, area_of
from detectors.registry import DETECTORS


def test_every_detector_of_ours_is_in_exactly_one_group_and_no_other_name_is() -> None:
    named = [name for members in _MEMBERS.values() for name in members.split()]
    assert sorted(named) == sorted(DETECTORS)
    assert len(named) == len(_AREAS)


def test_an_imported_one_is_among_the_imported_and_an_unknown_one_is_not_lost() -> None:
    meta = DETECTORS["own-record"].meta
    assert area_of(meta) is Area.RELATIONS
    assert area_of(replace(meta, id="sigma-1", family="sigma")) is Area.IMPORTED
    assert area_of(replace(meta, id="of-tomorrow")) is Area.OTHER
