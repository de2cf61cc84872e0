"""Running a dialogue model on the CPU: features of turns go in, arrays come out."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.models.context.base import DialogueModel
from core.models.context.inputs import UNKNOWN_SPEAKER, DialogueInputs, DialogueOutput
from core.models.context.speakers import by_appearance
from core.models.context.specification import FeatureSize
from core.types import FloatArray

_PAIRS = 2**17
"""Pairs of turns, with those that fill windows up, that a batch may hold: a graph of a dialogue has
weights for each of them. Eight windows of 128 turns."""


@dataclass(frozen=True, slots=True)
class TurnFeatures:
    """A turn as a dialogue model takes it.

    features: modality name ("speech", "text", "vision") -> (D,), or (L, D) for several layers;
    none that is missing. speaker: any name; None where nobody knows.
    """

    features: Mapping[str, FloatArray]
    speaker: Hashable = None


@dataclass(frozen=True, slots=True)
class WindowJudgement:
    """What a model says about the T turns of a window.

    probabilities: (T, C), rows summing to one. nested: nested size -> (T, C), the whole size among
    them; empty for a model without. attention: (T, T), rows summing to one; None when it was not
    asked for, or the model can't say.
    """

    probabilities: FloatArray
    nested: Mapping[int, FloatArray] = field(default_factory=dict)
    attention: FloatArray | None = None


class DialogueInference:
    """A dialogue model and its temperature. Not safe for use by several threads at once.

    Args:
        model: moved to the CPU and into evaluation mode.
        temperature: logits, those of nested sizes too, are divided by it before the softmax.
    """

    def __init__(self, model: DialogueModel, temperature: float = 1.0) -> None:
        self.model = model.to("cpu").eval()
        self._temperature = temperature

    @torch.inference_mode()
    def __call__(
        self, windows: Sequence[Sequence[TurnFeatures]], *, attention: bool = False
    ) -> tuple[WindowJudgement, ...]:
        """Judge every turn of each window among the turns of its window.

        Windows are judged together as far as memory stays bounded, which long ones fill alone.

        Raises:
            ValueError: a window is empty, or a feature is not of the size the model takes.
        """
        return tuple(
            judgement
            for batch in batches(windows)
            for judgement in self._judged(batch, attention=attention)
        )

    def _judged(
        self, windows: Sequence[Sequence[TurnFeatures]], *, attention: bool
    ) -> tuple[WindowJudgement, ...]:
        specification = self.model.specification
        inputs = inputs_of(windows, specification.features, specification.speakers)
        output = self.model(inputs, attention=attention)
        logits = {**output.nested, output.representation.shape[-1]: output.logits}
        nested = logits if output.nested else {}
        whole = self._probabilities(output.logits)
        parts = {size: self._probabilities(x) for size, x in sorted(nested.items(), reverse=True)}
        return tuple(
            WindowJudgement(
                whole[row, : len(window)],
                {size: values[row, : len(window)] for size, values in parts.items()},
                _attention(output, row, len(window)),
            )
            for row, window in enumerate(windows)
        )

    def _probabilities(self, logits: Tensor) -> FloatArray:
        found = torch.softmax(logits.float() / self._temperature, dim=-1)
        return np.array(found.numpy())


def _attention(output: DialogueOutput, row: int, length: int) -> FloatArray | None:
    if output.attention is None:
        return None
    return np.array(output.attention[row, :length, :length].float().numpy())


def batches(
    windows: Sequence[Sequence[TurnFeatures]],
) -> Iterator[Sequence[Sequence[TurnFeatures]]]:
    """Cut windows into batches, in order, of `_PAIRS` pairs of turns at most or one window each.

    Raises:
        ValueError: there is no window.
    """
    if not windows:
        raise ValueError("a window without turns can't be judged")
    first = longest = 0
    for place, window in enumerate(windows):
        longest = max(longest, len(window))
        if place > first and (place - first + 1) * longest**2 > _PAIRS:
            yield windows[first:place]
            first, longest = place, len(window)
    yield windows[first:]


def inputs_of(
    windows: Sequence[Sequence[TurnFeatures]], sizes: Mapping[str, FeatureSize], speakers: int
) -> DialogueInputs:
    """Return windows as one batch, filled up at their ends with zeros.

    Args:
        windows: B of them, of at most T turns.
        sizes: modalities the model takes; others that a turn has are left out.
        speakers: how many the model tells apart.

    Raises:
        ValueError: a window is empty, or a feature is not of the size the model takes.
    """
    if not windows or not all(windows):
        raise ValueError("a window without turns can't be judged")
    shape = (len(windows), max(map(len, windows)))
    mask = np.zeros(shape, dtype=bool)
    who = np.full(shape, UNKNOWN_SPEAKER, dtype=np.int64)
    for row, window in enumerate(windows):
        mask[row, : len(window)] = True
        who[row, : len(window)] = by_appearance([turn.speaker for turn in window], speakers)
    filled = {name: _filled(windows, name, size, shape) for name, size in sizes.items()}
    return DialogueInputs(
        {name: torch.from_numpy(values) for name, (values, _) in filled.items()},
        {name: torch.from_numpy(present) for name, (_, present) in filled.items()},
        torch.from_numpy(who),
        torch.from_numpy(mask),
    )


def _filled(
    windows: Sequence[Sequence[TurnFeatures]], name: str, size: FeatureSize, shape: tuple[int, int]
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return one modality of all turns (B, T, D) or (B, T, L, D), and where it is there (B, T)."""
    wanted = (size.dim,) if size.layers == 1 else (size.layers, size.dim)
    values = np.zeros((*shape, *wanted), dtype=np.float32)
    present = np.zeros(shape, dtype=bool)
    for row, window in enumerate(windows):
        for place, turn in enumerate(window):
            found = turn.features.get(name)
            if found is None:
                continue
            if found.shape != wanted:
                raise ValueError(f"the {name} features of a turn are {found.shape}, not {wanted}")
            values[row, place] = found
            present[row, place] = True
    return values, present
