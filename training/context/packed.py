"""Dialogues as a few long tensors, out of which any number of windows is gathered at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.models.context.inputs import UNKNOWN_SPEAKER, DialogueInputs
from core.types import FloatArray
from training.data.dialogues import UNLABELLED, Dialogue, DialogueBatch, DialogueSet

Rows = NDArray[np.int64]

APPEARANCE, GIVEN = "appearance", "given"
NUMBERINGS = (APPEARANCE, GIVEN)


@dataclass(frozen=True)
class PackedDialogues:
    """All N utterances of a set, one dialogue after the other, and one of zeros behind them.

    Attributes:
        features: modality name -> (N + 1, D) or (N + 1, L, D); present: -> (N + 1,).
        speakers: (N + 1,) of live numbering whoever speaks, else the index in the set.
        labels: (N + 1,).
        starts, ends: (dialogues,) the rows of each, `ends` excluded.
        most: how many speakers a model tells apart.
        numbering: `appearance`: speakers are numbered by their first utterance in a window, as they
            are live; `given`: as the set numbers them.
    """

    features: Mapping[str, Tensor]
    present: Mapping[str, Tensor]
    speakers: Tensor
    labels: Tensor
    starts: Rows
    ends: Rows
    most: int
    numbering: str = APPEARANCE

    @property
    def lengths(self) -> Rows:
        """Turns of each dialogue."""
        return np.asarray(self.ends - self.starts, dtype=np.int64)

    @property
    def row_values(self) -> int:
        """How many numbers the features of an utterance are."""
        return sum(values[0].numel() for values in self.features.values())

    def windows(self, first: Rows, end: Rows) -> DialogueBatch:
        """Return the rows from `first` (B,) up to `end` (B,) as a batch, zeros at their ends."""
        places = np.arange(int((end - first).max()))
        rows = first[:, None] + places
        mask = rows < end[:, None]
        index = torch.from_numpy(np.where(mask, rows, len(self.labels) - 1))
        inputs = DialogueInputs(
            {name: values[index] for name, values in self.features.items()},
            {name: values[index] for name, values in self.present.items()},
            self._speakers(self.speakers[index]),
            torch.from_numpy(mask),
        )
        return DialogueBatch(inputs, self.labels[index])

    def _speakers(self, found: Tensor) -> Tensor:
        return numbered(found, self.most) if self.numbering == APPEARANCE else found


def pack(dialogues: DialogueSet, most: int, numbering: str = APPEARANCE) -> PackedDialogues:
    """Return a set as tensors; see `PackedDialogues`."""
    found = dialogues.dialogues
    ends = np.cumsum([len(d) for d in found], dtype=np.int64)
    starts = np.concatenate([np.zeros(1, dtype=np.int64), ends[:-1]])
    speakers = [_identities(d) if numbering == APPEARANCE else d.speakers for d in found]
    return PackedDialogues(
        {name: _stacked([d.features[name] for d in found]) for name in dialogues.sizes},
        {name: _followed([d.present[name] for d in found], False) for name in dialogues.sizes},
        _followed(speakers, UNKNOWN_SPEAKER),
        _followed([d.labels for d in found], UNLABELLED),
        starts, ends, most, numbering,
    )  # fmt: skip


def numbered(speakers: Tensor, most: int) -> Tensor:
    """Return speakers (B, T) as indices by first utterance in each row; beyond `most` the last.

    The rule of `core.models.context.speakers.by_appearance`, for a whole batch.
    """
    turns = speakers.shape[1]
    places = torch.arange(turns)
    known = speakers >= 0
    same = speakers[:, :, None] == speakers[:, None, :]  # (B, T, T)
    first = torch.where(same, places, turns).amin(dim=2)  # (B, T) where each spoke first
    order = ((first == places) & known).cumsum(dim=1) - 1
    index = order.gather(1, first).clamp(max=most - 1)
    return torch.where(known, index, UNKNOWN_SPEAKER)


def map_batch(batch: DialogueBatch, change: Callable[[Tensor], Tensor]) -> DialogueBatch:
    """Return a batch with every tensor in it changed."""
    inputs = batch.inputs
    changed = DialogueInputs(
        {name: change(value) for name, value in inputs.features.items()},
        {name: change(value) for name, value in inputs.present.items()},
        change(inputs.speakers),
        change(inputs.mask),
    )
    return replace(batch, inputs=changed, labels=change(batch.labels))


def _identities(dialogue: Dialogue) -> Rows:
    """Return who speaks as a number per name, however many there are."""
    if not any(dialogue.names):
        return dialogue.speakers
    order: dict[str, int] = {}
    found = [order.setdefault(n, len(order)) if n else UNKNOWN_SPEAKER for n in dialogue.names]
    return np.array(found, dtype=np.int64)


def _stacked(rows: Sequence[FloatArray]) -> Tensor:
    nothing = np.zeros((1, *rows[0].shape[1:]), dtype=np.float32)
    return torch.from_numpy(np.concatenate([*rows, nothing]).astype(np.float32, copy=False))


def _followed(rows: Sequence[NDArray[np.generic]], value: float) -> Tensor:
    last = np.full(1, value, dtype=rows[0].dtype)
    return torch.from_numpy(np.concatenate([*rows, last]))
