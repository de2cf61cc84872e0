"""What the nested (Matryoshka) sizes of a dialogue model cost on this machine."""

from __future__ import annotations

import time

import numpy as np

from core.models.context.base import DialogueModel
from core.models.context.inference import DialogueInference, TurnFeatures
from core.models.size import number_of_parameters
from core.types import NestedSize

_LOOKS = 4
"""How often each size is timed; the fastest counts: other models load at the same time."""


def nested_sizes(inference: DialogueInference, window: int) -> tuple[NestedSize, ...]:
    """Run a model on a window of noise, cut it to each of its nested sizes, and time those.

    Args:
        inference: the model.
        window: turns it will look at; timed are those it was trained on at most, for time and
            memory grow with the square and nobody should wait for a measurement.

    Returns:
        the sizes, the whole one first; empty for a model that has none, or can't be cut.
    """
    turns = _noise(inference, min(window, inference.model.specification.window))
    judged = inference([turns, turns[-1:]], attention=True)[0]
    cut = getattr(inference.model, "cut", None)
    if cut is None:
        return ()
    whole = max(judged.nested, default=0)
    return tuple(
        _measured(size, inference.model if size == whole else cut(size), turns)
        for size in judged.nested
    )


def _measured(size: int, model: DialogueModel, turns: list[TurnFeatures]) -> NestedSize:
    inference = DialogueInference(model)
    windows = [turns, turns[-1:]]
    inference(windows, attention=True)
    times = []
    for _ in range(_LOOKS):
        began = time.perf_counter()
        inference(windows, attention=True)
        times.append(time.perf_counter() - began)
    parameters = number_of_parameters(model)
    return NestedSize(size, parameters, 4 * parameters, 1000 * min(times))


def _noise(inference: DialogueInference, window: int) -> list[TurnFeatures]:
    noise = np.random.default_rng(0)
    sizes = inference.model.specification.features
    return [
        TurnFeatures(
            {
                name: noise.normal(
                    size=(size.layers, size.dim) if size.layers > 1 else size.dim
                ).astype(np.float32)
                for name, size in sizes.items()
            },
            "AB"[place % 2],
        )
        for place in range(window)
    ]
