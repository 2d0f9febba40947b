"""Two engines that are not ours give the same answers to what all three can say."""

from collections import Counter

import pytest
from rivals import Hall


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cedar_and_casbin_answer_as_we_do(seed: int) -> None:
    hall = Hall(staff=40, seed=seed)
    answers = Counter[bool]()
    for _ in range(400):
        asked = hall.ask()
        said = {name: answer(asked) for name, answer in hall.engines().items()}
        assert len(set(said.values())) == 1, (said, asked.casbin)
        answers[said["ours"]] += 1
    assert min(answers[True], answers[False]) > 50
