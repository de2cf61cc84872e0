"""Dialogues as features of their utterances: what dialogue models are trained and judged on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.models.context.inputs import UNKNOWN_SPEAKER, DialogueInputs
from core.models.context.specification import FeatureSize
from core.types import FloatArray

UNLABELLED = -1


@dataclass(frozen=True)
class Dialogue:
    """The T utterances of one dialogue, in order.

    Attributes:
        id: unique in its set; corpus; part: of the published split ("train", "dev", "test").
        features: modality name -> (T, D), or (T, L, D) for several layers.
        present: modality name -> (T,), true where that utterance has the modality.
        speakers: (T,) index of who speaks, `UNKNOWN_SPEAKER` where nobody knows.
        labels: (T,) index into the set's classes, `UNLABELLED` where there is none.
        utterances: ids; names: of the speakers, empty strings where there are none.
    """

    id: str
    corpus: str
    part: str
    features: Mapping[str, FloatArray]
    present: Mapping[str, NDArray[np.bool_]]
    speakers: NDArray[np.int64]
    labels: NDArray[np.int64]
    utterances: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def cut(self, start: int, end: int) -> Dialogue:
        """Return the utterances from `start` up to `end` as a dialogue of their own."""
        return Dialogue(
            self.id,
            self.corpus,
            self.part,
            {name: values[start:end] for name, values in self.features.items()},
            {name: values[start:end] for name, values in self.present.items()},
            self.speakers[start:end],
            self.labels[start:end],
            self.utterances[start:end],
            self.names[start:end],
        )


@dataclass(frozen=True)
class DialogueSet:
    """Dialogues with the same features and classes.

    Attributes:
        sizes: modality name -> width and layers of its features.
        speakers: how many different speaker indices there may be.
        origin: sha256 of the utterance model's weights, empty for published features.
    """

    dialogues: tuple[Dialogue, ...]
    classes: tuple[str, ...]
    sizes: Mapping[str, FeatureSize]
    speakers: int
    origin: str = ""

    def part(self, name: str) -> DialogueSet:
        """Return the dialogues of one part of the published split."""
        chosen = tuple(d for d in self.dialogues if d.part == name)
        return DialogueSet(chosen, self.classes, self.sizes, self.speakers, self.origin)

    @property
    def utterances(self) -> int:
        """How many utterances there are."""
        return sum(map(len, self.dialogues))


@dataclass(frozen=True, slots=True)
class DialogueBatch:
    """Inputs of B dialogues and their labels (B, T), `UNLABELLED` where there is none."""

    inputs: DialogueInputs
    labels: Tensor


def batch_of(dialogues: Sequence[Dialogue]) -> DialogueBatch:
    """Return dialogues of the same features as one batch, filled up at their ends with zeros."""
    length = max(map(len, dialogues))
    mask = np.zeros((len(dialogues), length), dtype=bool)
    for row, dialogue in enumerate(dialogues):
        mask[row, : len(dialogue)] = True
    modalities = tuple(dialogues[0].features)
    inputs = DialogueInputs(
        {m: _filled([d.features[m] for d in dialogues], length, 0) for m in modalities},
        {m: _filled([d.present[m] for d in dialogues], length, False) for m in modalities},
        _filled([d.speakers for d in dialogues], length, UNKNOWN_SPEAKER),
        torch.from_numpy(mask),
    )
    return DialogueBatch(inputs, _filled([d.labels for d in dialogues], length, UNLABELLED))


def _filled(rows: Sequence[NDArray[np.generic]], length: int, value: float) -> Tensor:
    shape = (len(rows), length, *rows[0].shape[1:])
    filled = np.full(shape, value, dtype=rows[0].dtype)
    for place, row in zip(filled, rows, strict=True):
        place[: len(row)] = row
    return torch.from_numpy(filled)
