"""How a long dialogue is cut into stretches, and how results of nested sizes are kept."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from core.pipeline.hindsight import stretches
from core.pipeline.nested_probabilities import NestedProbabilities


@pytest.mark.parametrize("turns", [1, 7, 15, 16, 17, 24, 25, 100, 1003])
@pytest.mark.parametrize("window", [1, 3, 8])
def test_every_turn_is_told_once_with_as_much_on_either_side(turns: int, window: int) -> None:
    parts = stretches(turns, window)
    told = [i for part in parts for i in range(part.own_first, part.own_end)]
    assert told == list(range(turns))
    for part in parts:
        assert part.end - part.first == min(turns, 2 * window)
        for i in range(part.own_first, part.own_end):
            assert i - part.first >= min(i, window // 2)
            assert part.end - 1 - i >= min(turns - 1 - i, (window - 1) // 2)


def test_a_dialogue_of_two_windows_is_seen_as_a_whole() -> None:
    assert len(stretches(16, 8)) == 1
    assert len(stretches(17, 8)) == 2
    assert stretches(0, 8) == ()


def test_nested_probabilities_are_a_mapping_that_takes_little() -> None:
    values = np.random.default_rng(0).dirichlet(np.ones(7), 11).astype(np.float32)
    sizes = tuple(2**i for i in range(11, 0, -1))
    nested = NestedProbabilities(sizes, values)
    assert list(nested) == list(sizes)
    assert nested == {size: tuple(row.tolist()) for size, row in zip(sizes, values, strict=True)}
    assert nested[4] == pytest.approx(values[sizes.index(4)])
    with pytest.raises(KeyError):
        nested[3]
    as_tuples = sum(sys.getsizeof(p) for row in dict(nested).values() for p in row)
    assert values.nbytes < as_tuples / 5
