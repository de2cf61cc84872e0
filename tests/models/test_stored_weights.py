"""Weights and the models that take them: what does not fit is said before memory is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from core.errors import ConfigError
from core.models.stored_weights import build, load_weights, write_weights

HUGE = 2**24


def on_no_memory(make: Callable[[], nn.Linear]) -> Callable[[], nn.Linear]:
    """Return what builds a model, and fails where that takes memory."""

    def checked() -> nn.Linear:
        assert torch.empty(0).is_meta, "memory was asked for"
        return make()

    return checked


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    write_weights(nn.Linear(3, 2), path, half=True)
    return path


def test_a_model_that_fits_its_weights_is_built_and_takes_them(weights: Path) -> None:
    problems: list[str] = []
    model = build(lambda: nn.Linear(3, 2), problems, weights)
    assert model is not None
    assert not model.weight.is_meta
    assert load_weights(model, weights) == problems == []
    assert model.weight.abs().sum() > 0


def test_a_model_far_larger_than_its_weights_is_never_built(weights: Path) -> None:
    problems: list[str] = []
    assert build(on_no_memory(lambda: nn.Linear(HUGE, HUGE)), problems, weights) is None
    assert f"weight weight has shape (2, 3) instead of ({HUGE}, {HUGE})" in problems
    problems.clear()
    assert build(on_no_memory(lambda: nn.Linear(2**40, 2**40)), problems, weights) is None
    assert "its model configuration makes no sense" in problems[0]


def test_everything_that_does_not_fit_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    whole = torch.full((2, 3), float("nan"))
    bias = torch.zeros(2, dtype=torch.int8)
    save_file({"weight": whole, "bias": bias, "odd": torch.zeros(1)}, path)
    problems = ["README.md is missing"]
    assert build(on_no_memory(lambda: nn.Linear(3, 2)), problems, path) is None
    assert problems == [
        "README.md is missing",
        "weight odd is unexpected",
        "weight bias has type torch.int8 instead of torch.float32",
        "weight weight is not finite",
    ]


def test_weights_that_are_none_are_named_once(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    for content in (None, b"nothing", b"\xff" * 64):
        if content is not None:
            path.write_bytes(content)
        problems: list[str] = []
        assert build(lambda: nn.Linear(3, 2), problems, path) is None
        assert len(problems) == 1
        assert "model.safetensors" in problems[0]


def test_a_configuration_that_is_refused_is_told_in_its_own_words(weights: Path) -> None:
    def refuse() -> nn.Linear:
        raise ConfigError("There are no wings.", "Leave them out.")

    problems: list[str] = []
    assert build(refuse, problems, weights) is None
    assert problems == ["There are no wings"]
