"""The topic that compares the low-rank head with the published one; here with a small stand-in."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import EmoscopeError
from core.models.systems.build import build_head
from core.models.systems.head import HeadSizes, SystemHead
from training.bench import rsa_cfn


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The published computation at a narrow projection, and no process of its own."""

    def build(name: str, sizes: HeadSizes) -> SystemHead:
        options: dict[str, Any] = {"projection": 24} if name == rsa_cfn.PUBLISHED else {}
        return build_head(name, sizes, options=options)

    monkeypatch.setattr(rsa_cfn, "build_head", build)
    monkeypatch.setattr(rsa_cfn, "_in_own_process", rsa_cfn.measure_memory)
    monkeypatch.setattr(rsa_cfn, "NEEDED", 0.0)


@pytest.mark.usefixtures("small")
def test_both_heads_are_measured_and_compared() -> None:
    report = rsa_cfn.measure(quick=True)
    values = {m.name: m.value for m in report.measurements}
    assert values["parameters, published"] > values["parameters, low rank"] > 1e6
    expected = values["parameters, low rank"] / values["parameters, published"]
    assert values["low rank / published"] == pytest.approx(expected)
    for what in ("training step", "answer"):
        assert values[f"{what}, published"] > 0
        assert values[f"{what}, published / low rank"] > 0


def test_memory_is_that_of_weights_gradients_and_averages() -> None:
    """In a process of its own, as for the published head."""
    memory = rsa_cfn._in_own_process(rsa_cfn.LOW_RANK)
    assert memory.weights_alone == pytest.approx(4.08, abs=0.01)
    assert 0.5 * memory.weights_alone < memory.weights < 3 * memory.weights_alone
    assert memory.training > 2 * memory.weights_alone


def test_too_little_memory_is_said_before_anything_is_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rsa_cfn, "NEEDED", 1e18)
    with pytest.raises(EmoscopeError, match="not free"):
        rsa_cfn.measure(quick=True)
