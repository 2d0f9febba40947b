import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest

from detectors.model import ParameterError, parameters_of
from detectors.pages import pages
from detectors.registry import DETECTORS, by_id

DOCS = Path(__file__).parents[2] / "docs" / "detectors"


def test_the_kept_pages_are_what_the_generator_writes() -> None:
    """If this fails: `python -m detectors.pages`."""
    assert {path.name: path.read_text("utf-8") for path in DOCS.glob("*.md")} == pages()


def test_a_page_names_every_parameter_with_its_default() -> None:
    for name, detector in DETECTORS.items():
        text = pages()[f"{name}.md"]
        for parameter, default in parameters_of(detector, {}).__class__.__dataclass_fields__.items():
            assert text.count(f"| `{parameter}` | {default.default} |") == 2


def test_the_same_id_twice_is_refused() -> None:
    detector = next(iter(DETECTORS.values()))
    with pytest.raises(ValueError, match=detector.meta.id):
        by_id([detector, detector])


def test_parameters_are_replaced_by_name_and_type() -> None:
    detector = DETECTORS["off-hours-access"]
    assert parameters_of(detector, {"grace_minutes": 5}).grace_minutes == 5
    assert detector.parameters.grace_minutes == 30
    with pytest.raises(ParameterError, match=r"no parameter 'grace'; off-hours-access\.grace_minutes must be int"):
        parameters_of(detector, {"grace": 1, "grace_minutes": "5"})


def test_no_parameter_makes_a_detector_read_further_back_than_it_says() -> None:
    """Events before its look-back that arrive late would not make its windows due again."""
    spans = {"history_days": timedelta(days=1), "weeks": timedelta(weeks=1), "case_days": timedelta(days=1)}
    bounded = 0
    for name, detector in DETECTORS.items():
        for parameter in dataclasses.fields(detector.parameters):
            if parameter.name in spans:
                most = parameter.metadata["most"]
                assert most * spans[parameter.name] <= detector.meta.look_back, (name, parameter.name)
                assert parameters_of(detector, {parameter.name: most}) is not None
                with pytest.raises(ParameterError, match=rf"{name}\.{parameter.name} must be {most} at most"):
                    parameters_of(detector, {parameter.name: most + 1})
                bounded += 1
    assert bounded >= 10
