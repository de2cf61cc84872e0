"""Fine-tunes a compact text encoder on the utterances of dialogues, without telling on itself.

A fine-tuned encoder knows the labels of what it was trained on, so a dialogue model over its
features would learn that context is of no use. Hence the training dialogues are dealt into folds:
each fold is read by an encoder that was trained on the others, as in stacking (Wolpert 1992,
Stacked generalization, Neural Networks 5). Dialogues that nothing is trained on get the mean of all
of them. What is kept are logits, since the folds' vectors have no axes in common; they stand beside
the frozen vector of the utterance.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from core.errors import ConfigError
from core.models.context.specification import FeatureSize
from core.models.encoders.text import TextEncoder
from core.models.tokenizer import TextTokenizer
from core.types import FloatArray, Modality
from training import config as configuration
from training.context.features import DialogueCorpus
from training.context.parts import DialogueParts
from training.context.utterance_features import UtteranceEncoder, encoder_of
from training.data.atomic import replace_file
from training.data.dialogues import UNLABELLED, Dialogue, DialogueSet
from training.data.text_batches import TextBatch, batch_count, collate, training_batches
from training.objective import Objective
from training.progress import Reporter
from training.trainer import Trainer
from training.trainer_config import TrainerConfig

TEXT = Modality.TEXT.value
_SCORED = 256


@dataclass(frozen=True, slots=True)
class FineTuningConfig:
    """How the encoder is fine-tuned; defaults suit some ten thousand short lines."""

    folds: int = 4
    """Of training dialogues; as many encoders are trained."""
    batch: int = 32
    """Utterances of a step."""
    dropout: float = 0.3
    """Before the classifiers."""
    trainer: TrainerConfig = field(
        default_factory=lambda: TrainerConfig(
            epochs=2, learning_rate=1.5e-4, rates={"heads": 6.67}, ema_decay=0.0, keep="last"
        )
    )

    def __post_init__(self) -> None:
        if self.folds < 2 or self.batch < 1 or not 0 <= self.dropout < 1:
            raise ValueError("folds must be at least 2, batch positive, dropout in [0, 1)")


@dataclass(frozen=True)
class _Lines:
    """All utterances of all corpora, one after the other.

    ids: token ids. corpus: (N,) which corpus. label: (N,) index into its classes or `UNLABELLED`.
    fold: (N,) of the training dialogue, -1 for others. judged: (N,) of a validation dialogue.
    """

    ids: tuple[list[int], ...]
    corpus: NDArray[np.int64]
    label: NDArray[np.int64]
    fold: NDArray[np.int64]
    judged: NDArray[np.bool_]

    def digest(self, *more: object) -> str:
        """Return what a training on these lines depends on, as hex."""
        found = hashlib.sha256(configuration.digest(list(more)).encode())
        found.update(repr(self.ids).encode())
        for values in (self.corpus, self.label, self.fold, self.judged):
            found.update(values.tobytes())
        return found.hexdigest()[:32]


class _Classifiers(nn.Module):
    """A text encoder with a classifier for each corpus."""

    def __init__(self, encoder: TextEncoder, classes: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.classes = tuple(classes)
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleList(nn.Linear(encoder.config.dim, n) for n in classes)

    def forward(self, tokens: Tensor, mask: Tensor) -> list[Tensor]:
        """Return the logits (B, C) of each corpus's classes."""
        pooled = self.dropout(self.encoder(tokens, mask).pooled)
        return [head(pooled) for head in self.heads]


def fine_tuned(
    corpora: Mapping[str, tuple[DialogueCorpus, DialogueParts]],
    encoder: UtteranceEncoder,
    config: FineTuningConfig,
    *,
    cache: Path | None = None,
    reporter: Reporter | None = None,
) -> dict[str, DialogueParts]:
    """Return the same dialogues with the logits of fine-tuned encoders beside their text vectors.

    One encoder learns all corpora, each with classes of its own; the logits of all of them are
    features, so the text of a dialogue grows by the classes of all corpora.

    Args:
        corpora: name -> its turns, and its dialogues with frozen text features.
        encoder: where fine-tuning begins.
        cache: folder where finished folds are kept.

    Raises:
        ConfigError: it has no compact text encoder; others are fine-tuned by the stage `system`.
    """
    begun = encoder_of(encoder.loaded.model, Modality.TEXT)
    tokenizer = encoder.loaded.frame_processor.tokenizer
    if not isinstance(begun, TextEncoder) or tokenizer is None:
        raise ConfigError(
            f"{encoder.loaded.info.name} has no compact text encoder.",
            "Fine-tune it with the stage 'system', and give its checkpoint.",
        )
    classes = tuple(len(parts.train.classes) for _, parts in corpora.values())
    lines = _lines(corpora, tokenizer, config.folds)
    folds = _Folds(
        begun, encoder.digest, tokenizer, lines, classes, config, cache,
        reporter or Reporter(silent=True),
    )  # fmt: skip
    logits = np.zeros((len(lines.ids), sum(classes)), np.float32)
    for fold in range(config.folds):
        share = np.where(lines.fold == -1, 1 / config.folds, lines.fold == fold)
        logits += folds.said(fold) * share[:, None].astype(np.float32)
    return _with_logits(corpora, logits)


def _lines(
    corpora: Mapping[str, tuple[DialogueCorpus, DialogueParts]],
    tokenizer: TextTokenizer,
    folds: int,
) -> _Lines:
    ids: list[list[int]] = []
    columns: list[tuple[int, int, int, bool]] = []
    for number, (read, parts) in enumerate(corpora.values()):
        texts = {example.id: example.text or "" for example in read.examples}
        for place, dialogue in enumerate(_ordered(parts)):
            fold = place % folds if place < len(parts.train.dialogues) else -1
            judged = 0 <= place - len(parts.train.dialogues) < len(parts.validation.dialogues)
            ids += [list(tokenizer.encode(texts[name]).ids) for name in dialogue.utterances]
            columns += [(number, int(label), fold, judged) for label in dialogue.labels]
    corpus, label, fold_of, judged_of = (np.array(c) for c in zip(*columns, strict=True))
    return _Lines(tuple(ids), corpus, label, fold_of, judged_of)


def _ordered(parts: DialogueParts) -> Iterable[Dialogue]:
    return (*parts.train.dialogues, *parts.validation.dialogues, *parts.test.dialogues)


@dataclass(frozen=True)
class _Folds:
    """Trains an encoder for each fold, or takes what it said before.

    Attributes:
        begun: where each begins. digest: of its checkpoint.
        classes: of each corpus. cache: of finished folds.
    """

    begun: TextEncoder
    digest: str
    tokenizer: TextTokenizer
    lines: _Lines
    classes: tuple[int, ...]
    config: FineTuningConfig
    cache: Path | None
    reporter: Reporter

    def said(self, fold: int) -> FloatArray:
        """Return the logits (N, sum of classes) of an encoder that never read the fold.

        Lines that it read have zeros.
        """
        if self.cache is None:
            return self._train(fold)
        about = self.lines.digest(self.config, self.digest, fold)
        file = self.cache / f"fine_tuned-{about}.safetensors"
        if not file.is_file():
            logits = self._train(fold)
            replace_file(file, lambda part: save_file({"logits": logits}, part))
        return np.asarray(load_file(file)["logits"])

    def _train(self, fold: int) -> FloatArray:
        number, lines, pad = fold + 1, self.lines, self.tokenizer.pad_id
        self.reporter.say(f"fine-tuning without fold {number} of {self.config.folds}")
        trainer = replace(self.config.trainer, seed=self.config.trainer.seed + fold)
        torch.manual_seed(trainer.seed)
        encoder = copy.deepcopy(self.begun).requires_grad_(True)
        model = _Classifiers(encoder, self.classes, self.config.dropout)
        objective = _Objective(lines, fold, self.config.batch, pad).build(model)
        Trainer(trainer, objective, None, self.reporter).fit()
        wanted = np.flatnonzero((lines.fold == fold) | (lines.fold == -1))
        said = np.zeros((len(lines.ids), sum(self.classes)), np.float32)
        said[wanted] = np.concatenate(_said(model, lines, wanted, pad), axis=1)
        return said


@dataclass(frozen=True)
class _Objective:
    """Cross-entropy of each line among the classes of its corpus."""

    lines: _Lines
    fold: int
    batch: int
    pad: int

    def build(self, model: _Classifiers) -> Objective:
        """Return what the trainer trains."""
        known = self.lines.label != UNLABELLED
        read = known & (self.lines.fold >= 0) & (self.lines.fold != self.fold)
        rows = np.flatnonzero(read)
        ids = [self.lines.ids[row] for row in rows]
        judged = np.flatnonzero(known & self.lines.judged)

        def batches(_: int, generator: np.random.Generator) -> Iterable[TextBatch]:
            for batch in training_batches(ids, self.batch, self.pad, generator):
                yield replace(batch, rows=torch.from_numpy(rows)[batch.rows])

        def loss(network: nn.Module, batch: TextBatch) -> Mapping[str, Tensor]:
            return {"loss": self.loss(network(batch.tokens, batch.mask), batch.rows)}

        def validate(network: nn.Module) -> Mapping[str, float]:
            assert isinstance(network, _Classifiers)
            said = [torch.from_numpy(x) for x in _said(network, self.lines, judged, self.pad)]
            return {"loss": float(self.loss(said, torch.from_numpy(judged)))}

        return Objective(model, batches, batch_count(len(ids), self.batch), loss, validate)

    def loss(self, logits: Sequence[Tensor], rows: Tensor) -> Tensor:
        """Return the mean over rows; `logits` has (B, C) for each corpus."""
        corpus = torch.from_numpy(self.lines.corpus)[rows]
        label = torch.from_numpy(self.lines.label)[rows]
        parts = [
            F.cross_entropy(values[corpus == number], label[corpus == number], reduction="sum")
            for number, values in enumerate(logits)
        ]
        return torch.stack(parts).sum() / len(rows)


@torch.no_grad()
def _said(
    model: _Classifiers, lines: _Lines, rows: NDArray[np.int64], pad: int
) -> list[FloatArray]:
    """Return the logits (len(rows), C) of each corpus's classes."""
    model.eval()
    found = [np.zeros((len(rows), classes), np.float32) for classes in model.classes]
    order = np.argsort([len(lines.ids[row]) for row in rows], kind="stable")
    for start in range(0, len(order), _SCORED):
        places = order[start : start + _SCORED]
        batch = collate([lines.ids[rows[place]] for place in places], places.tolist(), pad)
        for values, logits in zip(found, model(batch.tokens, batch.mask), strict=True):
            values[places] = logits.numpy()
    return found


def _with_logits(
    corpora: Mapping[str, tuple[DialogueCorpus, DialogueParts]], logits: FloatArray
) -> dict[str, DialogueParts]:
    found, row = {}, 0
    for name, (_, parts) in corpora.items():
        made: list[Dialogue] = []
        for dialogue in _ordered(parts):
            wider = [dialogue.features[TEXT], logits[row : row + len(dialogue)]]
            row += len(dialogue)
            features = {**dialogue.features, TEXT: np.concatenate(wider, axis=1)}
            made.append(replace(dialogue, features=features))
        found[name] = _regrouped(parts, made)
    return found


def _regrouped(parts: DialogueParts, dialogues: Sequence[Dialogue]) -> DialogueParts:
    """Return parts of these dialogues, which stand in the order of `_ordered`."""
    rest = list(dialogues)
    width = rest[0].features[TEXT].shape[1]

    def taken(part: DialogueSet) -> DialogueSet:
        mine = tuple(rest.pop(0) for _ in part.dialogues)
        return replace(part, dialogues=mine, sizes={**part.sizes, TEXT: FeatureSize(width)})

    return DialogueParts(taken(parts.train), taken(parts.validation), taken(parts.test))
