"""Dialogues and small MGLRAs for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from core.models.context.inputs import UNKNOWN_SPEAKER, DialogueInputs
from core.models.context.specification import DialogueSpecification, FeatureSize
from core.models.mglra import MGLRA

SIZES = {"speech": FeatureSize(7), "text": FeatureSize(10, 2), "vision": FeatureSize(5)}
LABELS = ("angry", "happy", "neutral", "sad")
SPEAKERS = 3
VARIANTS = ("full", "released")


def specification(modalities: Sequence[str] = tuple(SIZES)) -> DialogueSpecification:
    sizes = {name: SIZES[name] for name in modalities}
    return DialogueSpecification(LABELS, sizes, speakers=SPEAKERS)


def model(
    variant: str, modalities: Sequence[str] = tuple(SIZES), seed: int = 0, **options: Any
) -> MGLRA:
    """A small model in evaluation mode whose biases are not all zero."""
    torch.manual_seed(seed)
    config = {"variant": variant, "dim": 16, "node": 8, "distance": 3, **options}
    made = MGLRA.from_config(specification(modalities), config)
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.ndim == 1 or not parameter.any():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return made.eval()


def dialogues(
    lengths: Sequence[int],
    *,
    modalities: Sequence[str] = tuple(SIZES),
    missing: float = 0.3,
    seed: int = 0,
    fill: float = 0.0,
) -> DialogueInputs:
    """Dialogues of random features; `fill` is what lies where there is nothing."""
    generator = torch.Generator().manual_seed(seed)
    shape = (len(lengths), max(lengths))
    mask = torch.arange(shape[1])[None] < torch.tensor(lengths)[:, None]
    features, present = {}, {}
    for name in modalities:
        size = SIZES[name]
        inner = (size.dim,) if size.layers == 1 else (size.layers, size.dim)
        there = mask & (torch.rand(shape, generator=generator) >= missing)
        values = torch.randn(*shape, *inner, generator=generator)
        gaps = ~there.reshape(*shape, *(1,) * len(inner))
        features[name], present[name] = values.masked_fill(gaps, fill), there
    speakers = torch.randint(UNKNOWN_SPEAKER, SPEAKERS, shape, generator=generator)
    return DialogueInputs(features, present, speakers.masked_fill(~mask, UNKNOWN_SPEAKER), mask)


def rows(
    inputs: DialogueInputs, chosen: Sequence[int], length: int | None = None
) -> DialogueInputs:
    """Some dialogues of a batch, cut to a length."""
    index = list(chosen)

    def of(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: value[index, :length] for name, value in values.items()}

    return DialogueInputs(
        of(inputs.features),
        of(inputs.present),
        inputs.speakers[index, :length],
        inputs.mask[index, :length],
    )


def without(inputs: DialogueInputs, modality: str) -> DialogueInputs:
    """The same dialogues of which nobody has a modality."""
    return DialogueInputs(
        {name: value for name, value in inputs.features.items() if name != modality},
        {name: value for name, value in inputs.present.items() if name != modality},
        inputs.speakers,
        inputs.mask,
    )


def padded(inputs: DialogueInputs, turns: int, fill: float) -> DialogueInputs:
    """The same dialogues with so many turns of padding behind them."""

    def longer(values: Tensor, what: float) -> Tensor:
        gap = values.new_full((values.shape[0], turns, *values.shape[2:]), what)
        return torch.cat([values, gap], dim=1)

    return DialogueInputs(
        {name: longer(value, fill) for name, value in inputs.features.items()},
        {name: longer(value, False) for name, value in inputs.present.items()},
        longer(inputs.speakers, UNKNOWN_SPEAKER),
        longer(inputs.mask, False),
    )
