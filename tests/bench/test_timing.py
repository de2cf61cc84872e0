from __future__ import annotations

import numpy as np
import pytest

from core.bench.memory import slope
from core.bench.report import Measurement
from core.bench.timing import Sample, interleave, quartiles, ratios


def test_rounds_are_interleaved_and_every_second_one_runs_backwards() -> None:
    order: list[str] = []
    actions = {"a": lambda: order.append("a"), "b": lambda: order.append("b")}
    samples = interleave(actions, rounds=3, warm_up=1)
    assert "".join(order) == "abbaabba"
    assert {name: len(runs) for name, runs in samples.items()} == {"a": 3, "b": 3}


def test_ratios_compare_processor_time_within_a_round() -> None:
    above = [Sample(wall=9.0, processor=2.0), Sample(wall=1.0, processor=3.0)]
    below = [Sample(wall=1.0, processor=1.0), Sample(wall=9.0, processor=2.0)]
    assert ratios(above, below) == [2.0, 1.5]


def test_quartiles_of_one_value_are_that_value() -> None:
    assert quartiles([3.0]) == (3.0, 3.0, 3.0)
    assert quartiles([1.0, 2.0, 3.0, 4.0, 5.0]) == (2.0, 3.0, 4.0)


def test_a_steady_leak_is_found_despite_one_late_step() -> None:
    hours = np.linspace(0, 2, 41)
    steady = 500 + 7.5 * hours
    assert slope(hours, steady) == pytest.approx(7.5)
    assert slope(hours, 500 + 30.0 * (hours > 1.9)) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("value", "target", "at_least", "met"),
    [(1.0, 2.0, False, True), (3.0, 2.0, False, False), (3.0, 2.0, True, True)],
)
def test_a_target_is_met_on_its_side(
    value: float, target: float, at_least: bool, met: bool
) -> None:
    measurement = Measurement("x", value, "ms", target, at_least)
    assert measurement.met is met


def test_without_a_target_nothing_is_met_or_missed() -> None:
    assert Measurement("x", 1.0, "ms").met is None
