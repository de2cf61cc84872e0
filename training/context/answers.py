"""What a dialogue model says of every utterance of a set, in two readings.

causal  each turn as the last one of the window that ends with it: what the app says live
full    the whole dialogue in view: what it says in hindsight, and what papers report
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from core.models.calibration import fit_temperature, softmax
from core.models.context.base import DialogueModel
from core.models.context.inputs import DialogueOutput
from training.context.packed import APPEARANCE, PackedDialogues, Rows, map_batch, pack
from training.context.windows import every_window
from training.data.buckets import BucketConfig, sorted_batches
from training.data.dialogues import UNLABELLED, DialogueSet

Float = NDArray[np.float64]
Logits = Callable[[DialogueOutput], torch.Tensor]

CAUSAL, FULL = "causal", "full"
READINGS = (CAUSAL, FULL)
_TURNS = 4096
"""Of a batch that is scored, fill-up included; fewer where features are wide."""
_VALUES = 2**24
_TEMPERATURES = (0.4, 10.0)


@dataclass(frozen=True)
class Answers:
    """Logits of N utterances, dialogue after dialogue, beside the truth.

    Attributes:
        classes: names. logits: (N, C), untempered. truth: (N,), `UNLABELLED` where there is none.
        dialogue: (N,) which dialogue of the set. corpora: one name per dialogue.
        utterances: (N,) ids; empty strings where there are none. ids: one per dialogue.
    """

    classes: tuple[str, ...]
    logits: Float
    truth: Rows
    dialogue: Rows
    corpora: tuple[str, ...]
    utterances: tuple[str, ...]
    ids: tuple[str, ...] = ()

    @cached_property
    def labelled(self) -> NDArray[np.bool_]:
        """Which utterances count (N,)."""
        return self.truth != UNLABELLED

    @property
    def chosen(self) -> Rows:
        """The class of the largest logit (N,)."""
        return self.logits.argmax(axis=1)

    def probabilities(self, temperature: float = 1.0) -> Float:
        """Return probabilities (N, C)."""
        return softmax(self.logits / temperature)

    def of_corpus(self, name: str) -> Answers:
        """Return the answers on the dialogues of one corpus."""
        chosen = np.flatnonzero(np.asarray(self.corpora) == name)
        rows = np.flatnonzero(np.isin(self.dialogue, chosen))
        return Answers(
            self.classes,
            self.logits[rows],
            self.truth[rows],
            np.searchsorted(chosen, self.dialogue[rows]),
            tuple(self.corpora[d] for d in chosen),
            tuple(self.utterances[row] for row in rows),
            tuple(self.ids[d] for d in chosen) if self.ids else (),
        )

    def temperature(self) -> float:
        """Return the temperature that fits these answers best (Guo et al. 2017, section 4.2)."""
        rows = self.labelled
        return fit_temperature(self.logits[rows], self.truth[rows], *_TEMPERATURES)


def answers(
    model: DialogueModel,
    dialogues: DialogueSet,
    reading: str = CAUSAL,
    *,
    window: int | None = None,
    numbering: str = APPEARANCE,
    logits: Logits | None = None,
) -> Answers:
    """Judge a set.

    Args:
        model: in evaluation mode, on any device.
        reading: `causal` or `full`.
        window: turns of a causal window, 0: back to the beginning; None: as the model says.
        numbering: of speakers; see `PackedDialogues`.
        logits: which of the model's outputs is asked, such as a nested size; None: the whole.
    """
    packed = pack(dialogues, model.specification.speakers, numbering)
    return answers_of(model, dialogues, packed, reading, window=window, logits=logits)


def answers_of(
    model: DialogueModel,
    dialogues: DialogueSet,
    packed: PackedDialogues,
    reading: str = CAUSAL,
    *,
    window: int | None = None,
    logits: Logits | None = None,
) -> Answers:
    """Judge a set that was packed before; see `answers`."""
    length = model.specification.window if window is None else window
    found = _READERS[reading](model, packed, length, logits or _whole)
    lengths = packed.lengths
    names = [d.utterances or ("",) * len(d) for d in dialogues.dialogues]
    return Answers(
        dialogues.classes,
        found,
        packed.labels.numpy()[:-1],
        np.repeat(np.arange(len(lengths)), lengths),
        tuple(d.corpus for d in dialogues.dialogues),
        tuple(name for each in names for name in each),
        tuple(d.id for d in dialogues.dialogues),
    )


def _whole(output: DialogueOutput) -> torch.Tensor:
    return output.logits


def _causal(model: DialogueModel, packed: PackedDialogues, length: int, logits: Logits) -> Float:
    first, end = every_window(packed, length)
    found = np.zeros((len(first), len(model.specification.labels)))
    for rows in _batches(packed, end - first):
        said = _said(model, packed, first[rows], end[rows], logits)
        found[rows] = said[np.arange(len(rows)), end[rows] - first[rows] - 1]
    return found


def _full(model: DialogueModel, packed: PackedDialogues, length: int, logits: Logits) -> Float:
    total = len(packed.labels) - 1
    found = np.zeros((total, len(model.specification.labels)))
    for rows in _batches(packed, packed.lengths):
        said = _said(model, packed, packed.starts[rows], packed.ends[rows], logits)
        for place, row in enumerate(rows):
            start, end = packed.starts[row], packed.ends[row]
            found[start:end] = said[place, : end - start]
    return found


@torch.no_grad()
def _said(
    model: DialogueModel, packed: PackedDialogues, first: Rows, end: Rows, logits: Logits
) -> NDArray[np.float32]:
    device = next(model.parameters()).device
    batch = map_batch(packed.windows(first, end), lambda t: t.to(device))
    return np.asarray(logits(model(batch.inputs)).float().cpu().numpy())


def _batches(packed: PackedDialogues, lengths: Rows) -> list[Rows]:
    turns = min(_TURNS, _VALUES // max(packed.row_values, 1))
    config = BucketConfig(size=256, length=float(max(turns, 1)))
    return sorted_batches(np.arange(len(lengths)), lengths.astype(np.float64), config)


_READERS: Mapping[str, Callable[[DialogueModel, PackedDialogues, int, Logits], Float]] = {
    CAUSAL: _causal,
    FULL: _full,
}
