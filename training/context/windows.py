"""Which stretches of dialogues an epoch is made of.

Live, a new turn is the last one of a window, and nobody knows what follows; later, the whole
dialogue is in view. Dialogues that are cut at random ends teach one model both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.models.context.inputs import UNKNOWN_SPEAKER
from training.context.packed import PackedDialogues, Rows
from training.data.buckets import BucketConfig, shuffled_batches
from training.data.dialogues import UNLABELLED, DialogueBatch

CUTS = ("whole", "random", "every")
COUNTED = ("all", "last")


@dataclass(frozen=True, slots=True)
class WindowConfig:
    """How dialogues are cut in training."""

    length: int = 16
    """Most turns of a window that is cut; 0: back to the beginning of its dialogue."""
    cut: str = "random"
    """`whole`: dialogues as they are, as published; `random`: each cut at ends drawn anew every
    epoch; `every`: every turn is once the last of a window (an epoch takes that much longer)."""
    draws: int = 1
    """Windows of each dialogue in an epoch, of `random`."""
    whole: float = 0.25
    """Chance that a drawn window is the whole dialogue instead, of `random`."""
    counted: str = "all"
    """Turns whose loss counts: `all` of a window, or its `last`. Of `all`, turns at the end of a
    window are judged without what follows, as live, and others as in hindsight."""

    def __post_init__(self) -> None:
        if self.cut not in CUTS or self.counted not in COUNTED:
            raise ValueError(
                f"cut must be one of {', '.join(CUTS)}, counted one of {', '.join(COUNTED)}"
            )
        if self.length < 0 or self.draws < 1 or not 0 <= self.whole <= 1:
            raise ValueError(
                "length must not be negative, draws at least 1, and whole between 0 and 1"
            )
        if self.cut == "whole" and self.counted == "last":
            raise ValueError("counted: last needs windows: set cut to random or every")


@dataclass(frozen=True, slots=True)
class HidingConfig:
    """What a model in training is now and then not told, since it may be missing live."""

    speakers: float = 0.0
    """Chance that nobody knows who speaks in a window."""
    windows: Mapping[str, float] = field(default_factory=dict)
    """Modality -> chance that a whole window lacks it."""
    utterances: Mapping[str, float] = field(default_factory=dict)
    """Modality -> chance that an utterance lacks it. The only one it has is never taken away."""

    def __post_init__(self) -> None:
        chances = (self.speakers, *self.windows.values(), *self.utterances.values())
        if not all(0 <= chance < 1 for chance in chances):
            raise ValueError("chances must be in [0, 1)")

    @property
    def hides(self) -> bool:
        """Whether anything is ever hidden."""
        return any((self.speakers, *self.windows.values(), *self.utterances.values()))


@dataclass(frozen=True)
class DialogueBatches:
    """The batches of every epoch: windows of similar length, gathered when they are asked for."""

    packed: PackedDialogues
    windows: WindowConfig
    batches: BucketConfig
    hiding: HidingConfig = field(default_factory=HidingConfig)

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        return -(-count_windows(self.packed, self.windows) // self.batches.size)

    def __call__(self, epoch: int, generator: np.random.Generator) -> Iterator[DialogueBatch]:
        """Yield an epoch's batches; everything random comes from the generator."""
        first, end = draw_windows(self.packed, self.windows, generator)
        order = generator.permutation(len(first))
        lengths = (end - first).astype(np.float64)
        for rows in shuffled_batches(order, lengths, self.batches, generator):
            batch = self.packed.windows(first[rows], end[rows])
            if self.windows.counted == "last":
                batch = only_last(batch)
            yield hidden(batch, self.hiding, generator) if self.hiding.hides else batch


def count_windows(packed: PackedDialogues, config: WindowConfig) -> int:
    """Return how many windows an epoch has."""
    each = {
        "whole": len(packed.starts),
        "random": len(packed.starts) * config.draws,
        "every": int(packed.lengths.sum()),
    }
    return each[config.cut]


def draw_windows(
    packed: PackedDialogues, config: WindowConfig, generator: np.random.Generator
) -> tuple[Rows, Rows]:
    """Return the first rows of an epoch's windows and the rows behind their last."""
    if config.cut == "whole":
        return packed.starts, packed.ends
    if config.cut == "every":
        return every_window(packed, config.length)
    starts = np.repeat(packed.starts, config.draws)
    ends = np.repeat(packed.ends, config.draws)
    drawn = starts + 1 + np.floor(generator.random(len(starts)) * (ends - starts)).astype(np.int64)
    whole = generator.random(len(starts)) < config.whole
    end = np.where(whole, ends, drawn)
    return np.where(whole, starts, _back(starts, end, config.length)), end


def every_window(packed: PackedDialogues, length: int) -> tuple[Rows, Rows]:
    """Return, for each utterance in order, the window of at most `length` turns it is the last of.

    Args:
        length: 0: back to the beginning of its dialogue.
    """
    end = np.arange(1, len(packed.labels))
    return _back(np.repeat(packed.starts, packed.lengths), end, length), end


def only_last(batch: DialogueBatch) -> DialogueBatch:
    """Return a batch in which only the last turn of each window has a label."""
    mask = batch.inputs.mask
    last = torch.arange(mask.shape[1]) == mask.sum(dim=1, keepdim=True) - 1
    return replace(batch, labels=batch.labels.masked_fill(~last, UNLABELLED))


def hidden(
    batch: DialogueBatch, config: HidingConfig, generator: np.random.Generator
) -> DialogueBatch:
    """Return a batch that now and then says less."""
    inputs = batch.inputs
    present = dict(inputs.present)
    for name in present:
        others = [values for other, values in present.items() if other != name]
        if not others:
            continue
        lost = _drawn((len(inputs.mask), 1), config.windows.get(name, 0.0), generator)
        lost = lost | _drawn(inputs.mask.shape, config.utterances.get(name, 0.0), generator)
        spare = torch.stack(others).any(dim=0)
        present[name] = present[name] & ~(lost & spare)
    unknown = _drawn((len(inputs.mask), 1), config.speakers, generator)
    speakers = inputs.speakers.masked_fill(unknown, UNKNOWN_SPEAKER)
    return replace(batch, inputs=replace(inputs, present=present, speakers=speakers))


def _drawn(shape: tuple[int, ...], chance: float, generator: np.random.Generator) -> Tensor:
    drawn: NDArray[np.bool_] = generator.random(tuple(shape)) < chance
    return torch.from_numpy(drawn)


def _back(starts: Rows, end: Rows, length: int) -> Rows:
    return np.maximum(starts, end - length) if length else starts
