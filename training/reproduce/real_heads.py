"""Training the head of a system on compact features, and what it says of rows it never saw."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from core.labels import EMOTIONS
from core.models.outputs import EmotionOutput, Encoded
from core.models.specification import Problem
from core.models.systems.build import build_head
from core.models.systems.head import HeadSizes
from core.models.systems.registry import system
from core.types import Modality
from training.data.encoded_bank import EncodedBank
from training.evaluation.system_scores import Judged
from training.progress import Reporter
from training.reproduce.real_kept import KeptHeads, Trained, key_of
from training.trainer import Objective, Trainer, TrainerConfig

Rows = NDArray[np.int64]
_JUDGED_AT_ONCE = 64


@dataclass(frozen=True)
class HeadRecipe:
    """How a head is trained; the same for every system unless the row says otherwise."""

    epochs: int = 15
    batch: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the head (see `core.models.systems.build`); its defaults are the published sizes."""


@dataclass(frozen=True)
class HeadData:
    """Encoded rows and their labels (n,); speech and text rows belong together."""

    labels: Rows
    speech: EncodedBank | None = None
    text: EncodedBank | None = None

    def encoded(self, rows: Rows) -> tuple[Encoded | None, Encoded | None]:
        """Return some rows, padded."""
        speech = None if self.speech is None else self.speech.batch(rows)
        return speech, None if self.text is None else self.text.batch(rows)

    def arrays(self) -> Iterator[NDArray[Any]]:
        """Yield what a head sees: labels, pooled vectors, and frames one after another."""
        yield self.labels
        for bank in (self.speech, self.text):
            if bank is not None:
                yield bank.pooled.numpy()
                yield torch.cat(list(bank.sequences)).numpy()


class _Scale(nn.Module):
    """Shift and scale features to mean 0 and deviation 1 over the training rows."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, rows: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", rows.mean(dim=0))
        self.register_buffer("deviation", rows.std(dim=0, correction=0) + 1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.deviation


class StandardisedHead(nn.Module):
    """A system's head behind a fixed standardisation of what it is fed.

    The published heads sit on encoders that are trained along with them; frozen compact features
    have widths and levels of their own, and linear heads without it learn ten times slower.
    """

    def __init__(self, name: str, data: HeadData, train: Rows, options: Mapping[str, Any]) -> None:
        super().__init__()
        taken = system(name).modalities
        banks = {Modality.SPEECH: data.speech, Modality.TEXT: data.text}
        self.widths = dict.fromkeys(banks, 0)
        self.pooled, self.sequence = nn.ModuleDict(), nn.ModuleDict()
        for modality, bank in banks.items():
            if modality in taken and bank is not None:
                frames = torch.cat([bank.sequences[row].float() for row in train])
                self.pooled[modality.value] = _Scale(bank.pooled[train])
                # a bank of pooled vectors alone has sequences of width 0
                known = frames.shape[1] > 0
                self.sequence[modality.value] = _Scale(frames) if known else nn.Identity()
                self.widths[modality] = bank.pooled.shape[1]
        sizes = HeadSizes(self.widths[Modality.SPEECH], self.widths[Modality.TEXT], len(EMOTIONS))
        self.head = build_head(name, sizes, options=options)

    def forward(self, speech: Encoded | None, text: Encoded | None) -> EmotionOutput:
        """Return the head's output."""
        scaled = (self._scaled(speech, Modality.SPEECH), self._scaled(text, Modality.TEXT))
        output: EmotionOutput = self.head(*scaled)
        return output

    def _scaled(self, encoded: Encoded | None, modality: Modality) -> Encoded | None:
        if encoded is None or modality.value not in self.pooled:
            return None
        sequence = encoded.sequence
        if sequence.shape[-1]:
            sequence = self.sequence[modality.value](sequence)
        return replace(
            encoded, sequence=sequence, pooled=self.pooled[modality.value](encoded.pooled)
        )


def train_and_judge(
    name: str,
    data: HeadData,
    train: Rows,
    test: Rows,
    recipe: HeadRecipe,
    seed: int,
    kept: KeptHeads | None = None,
) -> Trained:
    """Train the head of system `name` on rows `train`; return logits of rows `test`.

    With `kept` a head that was trained before in just this way is not trained again.
    """
    key = key_of(name, recipe, seed, *data.arrays(), train, test)
    found = kept.find(key) if kept is not None else None
    if found is not None:
        return found
    trained = _train(name, data, train, test, recipe, seed)
    if kept is not None:
        kept.keep(key, trained)
    return trained


def _train(
    name: str, data: HeadData, train: Rows, test: Rows, recipe: HeadRecipe, seed: int
) -> Trained:
    began = time.monotonic()
    model = train_head(name, data, train, recipe, seed)
    parameters = sum(p.numel() for p in model.head.parameters())
    return Trained(_logits(model, data, test), parameters, time.monotonic() - began)


def commonest_label(data: HeadData, train: Rows) -> int:
    """Return the label that most training rows have."""
    return int(np.bincount(data.labels[train]).argmax())


def train_head(
    name: str, data: HeadData, train: Rows, recipe: HeadRecipe, seed: int
) -> StandardisedHead:
    """Train the head of system `name` on rows `train`; return it in evaluation mode."""
    torch.manual_seed(seed)
    model = StandardisedHead(name, data, train, recipe.options)
    objective = _objective(model, data, train, recipe)
    Trainer(_trainer(recipe, seed), objective, None, Reporter(silent=True)).fit()
    return model.eval()


def judged(
    logits: NDArray[np.float64], labels: Rows, rows: Rows, commonest: int, seed: int = 0
) -> Judged:
    """Return logits (n, C) and labels (n,) of single-label rows as what the scores take.

    commonest: label of the training rows.
    """
    probabilities = torch.from_numpy(logits).softmax(dim=1).numpy()
    one = np.eye(logits.shape[1])
    return Judged(
        Problem.SINGLE_LABEL, one[labels], probabilities, one[logits.argmax(axis=1)], rows,
        commonest=commonest, seed=seed,
    )  # fmt: skip


def _trainer(recipe: HeadRecipe, seed: int) -> TrainerConfig:
    return TrainerConfig(
        epochs=recipe.epochs, learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay, ema_decay=0.0, keep="last", seed=seed,
    )  # fmt: skip


def _objective(model: nn.Module, data: HeadData, train: Rows, recipe: HeadRecipe) -> Objective:
    steps = -(-len(train) // recipe.batch)

    def batches(epoch: int, generator: np.random.Generator) -> Iterator[Rows]:
        yield from np.array_split(generator.permutation(train), steps)

    def loss(model: nn.Module, rows: Rows) -> Mapping[str, Tensor]:
        output: EmotionOutput = model(*data.encoded(rows))
        return {"loss": F.cross_entropy(output.logits, torch.from_numpy(data.labels[rows]))}

    # there is no validation part: epochs are fixed beforehand and the last weights are kept
    return Objective(model, batches, steps, loss, lambda model: {"loss": 0.0})


@torch.inference_mode()
def _logits(model: nn.Module, data: HeadData, rows: Rows) -> NDArray[np.float64]:
    model.eval()
    parts = [rows[k : k + _JUDGED_AT_ONCE] for k in range(0, len(rows), _JUDGED_AT_ONCE)]
    found = [model(*data.encoded(part)).logits.double().numpy() for part in parts]
    return np.concatenate(found)
