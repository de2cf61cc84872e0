"""Cutting a dialogue checkpoint to one of its nested (Matryoshka) sizes.

The smaller checkpoint says what the nested size said, without the weights that only the rest needs.
What is known of that size is kept, and figures of the whole are not: where `metrics.json` holds
`nested` (size -> figures), what it says of the chosen size becomes `measured`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from core.errors import CheckpointError, ConfigError
from core.models.checkpoint import read_training
from core.models.context.base import DialogueModel
from core.models.context.checkpoint import (
    DialogueInfo,
    LoadedDialogue,
    read_dialogue_info,
    save_dialogue_checkpoint,
)
from core.models.context.inputs import DialogueInputs
from core.models.manifest import CARD, METRICS, WEIGHTS
from core.models.size import number_of_parameters
from core.models.stored_weights import is_half

NESTED, MEASURED, ORIGIN = "nested", "measured", "cut_from"
"""Keys of metrics.json: figures by nested size; and, of what was cut, figures of its own size and
what it was cut from."""
TOLERANCE = 1e-5
"""Largest difference of logits that order of summation may make, in fp32 and as a part of the
largest logit where that is above 1."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A checkpoint that was cut.

    Attributes:
        whole, info: what it was cut from, and what came of it.
        size: its dimensions; whole_size: those of the whole.
        difference: largest difference between its logits and those of the nested size, on noise;
            see `TOLERANCE`.
        has_figures: whether the metrics of that size were known.
    """

    whole: DialogueInfo
    info: DialogueInfo
    size: int
    whole_size: int
    difference: float
    has_figures: bool

    def megabytes(self) -> tuple[float, float]:
        """Return the size of the weights of the whole and of the cut checkpoint on disk, in MB."""
        return _megabytes(self.whole), _megabytes(self.info)


def cut_checkpoint(loaded: LoadedDialogue, size: int, out: Path, name: str | None = None) -> Cut:
    """Write the checkpoint of a nested size.

    Args:
        loaded: the whole one.
        size: one of its nested sizes.
        out: where; a dialogue checkpoint that lies there is replaced.
        name: shown to people; None: the name of the whole with the size.

    Raises:
        ConfigError: there is no such size, or `out` holds something else.
        CheckpointError: what was cut does not say what the nested size says.
    """
    sizes = sizes_of(loaded)
    if size not in sizes:
        listed = ", ".join(map(str, sizes))
        raise ConfigError(f"There is no nested size {size}.", f"Choose one of {listed}.")
    _check_target(loaded.info.path, out)
    model: DialogueModel = loaded.model.cut(size)  # type: ignore[operator]
    model.eval()
    difference = _difference(loaded.model, model, size)
    if difference > TOLERANCE:
        raise CheckpointError(
            f"Cut to {size} dimensions, {loaded.info.name!r} answers otherwise"
            f" (logits differ by {difference:.2g}), so nothing was written."
        )
    facts = _Facts(loaded.info, size, sizes[0], name or f"{loaded.info.name}-{size}")
    metrics = _json(loaded.info.path / METRICS)
    has_figures = facts.figures(metrics) is not None
    info = save_dialogue_checkpoint(
        out,
        model,
        name=facts.name,
        architecture=loaded.info.architecture,
        training={**read_training(loaded.info), ORIGIN: facts.origin()},
        metrics=facts.metrics(metrics, number_of_parameters(model)),
        card=facts.card(_text(loaded.info.path / CARD), has_figures),
        version=loaded.info.version,
        temperature=loaded.info.temperature,
        half=is_half(loaded.info.path / WEIGHTS),
    )
    return Cut(loaded.info, info, size, sizes[0], difference, has_figures)


def sizes_of(loaded: LoadedDialogue) -> tuple[int, ...]:
    """Return the sizes a model can be cut to, the whole one first.

    Raises:
        ConfigError: it has no nested sizes.
    """
    found = sorted(_run(loaded.model, _noise(loaded.model, turns=1)), reverse=True)
    if not found or not hasattr(loaded.model, "cut"):
        raise ConfigError(
            f"The checkpoint {loaded.info.name!r} has no nested sizes.",
            "Train one with nested sizes (the option `nested` of its model).",
        )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the papers of a cut checkpoint say."""

    whole: DialogueInfo
    size: int
    whole_size: int
    name: str

    def origin(self) -> dict[str, Any]:
        return {
            "name": self.whole.name,
            "version": self.whole.version,
            "sha256": self.whole.digest,
            "size": self.whole_size,
            "cut_to": self.size,
        }

    def figures(self, metrics: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return what was measured of this size, None if nothing was."""
        nested = metrics.get(NESTED)
        found = nested.get(str(self.size)) if isinstance(nested, Mapping) else None
        return found if isinstance(found, Mapping) and found else None

    def metrics(self, whole: Mapping[str, Any], parameters: int) -> dict[str, Any]:
        nested = whole.get(NESTED)
        kept = {
            size: values
            for size, values in (nested.items() if isinstance(nested, Mapping) else ())
            if str(size).isdecimal() and int(size) <= self.size
        }
        return {
            MEASURED: self.figures(whole),
            NESTED: kept,
            "temperature": self.whole.temperature,
            "parameters": parameters,
            ORIGIN: self.origin(),
        }

    def card(self, whole: str, has_figures: bool) -> str:
        known = (
            f"What was measured of {self.size} dimensions is in `{METRICS}`; every"
            if has_figures
            else "Nobody has measured this size; every"
        )
        return (
            f"# {self.name}\n\n"
            f"**{self.whole.name}** (version {self.whole.version}, sha256 of its weights"
            f" {self.whole.digest}), cut by `emoscope cut` from {self.whole_size} to {self.size}"
            " dimensions: it says what the whole model says at this nested (Matryoshka) size."
            f" {known} figure in the card below is of the whole model.\n\n---\n\n{whole}"
        )


def _difference(whole: DialogueModel, small: DialogueModel, size: int) -> float:
    """Return how far the logits of what was cut are from those of the nested size."""
    inputs = _noise(whole, turns=2 * whole.specification.window)
    wanted, found = _run(whole, inputs)[size][inputs.mask], _logits(small, inputs)[inputs.mask]
    return float((wanted - found).abs().max() / wanted.abs().max().clamp(min=1.0))


@torch.inference_mode()
def _run(model: DialogueModel, inputs: DialogueInputs) -> Mapping[int, torch.Tensor]:
    nested: Mapping[int, torch.Tensor] = model(inputs).nested
    return nested


@torch.inference_mode()
def _logits(model: DialogueModel, inputs: DialogueInputs) -> torch.Tensor:
    logits: torch.Tensor = model(inputs).logits
    return logits


def _noise(model: DialogueModel, turns: int) -> DialogueInputs:
    """Return two made-up dialogues, the second half as long and without its last modality."""
    generator = torch.Generator().manual_seed(0)
    features = {
        name: torch.randn(2, turns, *_shape(size.layers, size.dim), generator=generator)
        for name, size in model.specification.features.items()
    }
    mask = torch.arange(turns)[None] < torch.tensor([turns, max(turns // 2, 1)])[:, None]
    present = {name: mask.clone() for name in features}
    if len(features) > 1:
        present[list(features)[-1]][1] = False
    speakers = (torch.arange(turns) % min(2, model.specification.speakers)).expand(2, -1)
    return DialogueInputs(features, present, speakers, mask)


def _shape(layers: int, dim: int) -> tuple[int, ...]:
    return (dim,) if layers == 1 else (layers, dim)


def _check_target(source: Path, out: Path) -> None:
    if out.resolve() == source.resolve():
        raise ConfigError("The whole checkpoint would be lost.", "Choose another folder.")
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    try:
        read_dialogue_info(out)
    except CheckpointError as error:
        raise ConfigError(
            f"{out} holds something other than a dialogue checkpoint.", "Choose another folder."
        ) from error


def _megabytes(info: DialogueInfo) -> float:
    return (info.path / WEIGHTS).stat().st_size / 1e6


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _json(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(_text(path))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
