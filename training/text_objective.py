"""Losses and validation of the text encoder: seven shared classes and the corpora's own labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.labels import EMOTIONS
from core.models.encoders.text import TextEncoder
from core.models.tokenizer import TextTokenizer
from training.data.text_batches import TextBatch, batch_count, training_batches
from training.data.text_split import TextPart
from training.metrics import cross_fitted_macro_f1, sigmoid
from training.text_scoring import predict
from training.trainer import Objective


@dataclass(frozen=True, slots=True)
class TextLossConfig:
    """How rows are weighed; every key is explained in configs/embedded/text.yaml."""

    batch_rows: int = 128
    merge_dropout: float = 0.1
    auxiliary_weight: float = 0.5
    positive_weight: float = 0.3
    label_smoothing: float = 0.0


class MultiTask(nn.Module):
    """The encoder with the heads that only training has."""

    def __init__(self, encoder: TextEncoder, auxiliary: Mapping[str, int]) -> None:
        super().__init__()
        self.encoder = encoder
        dim = encoder.config.dim
        self.auxiliary = nn.ModuleDict({k: nn.Linear(dim, n) for k, n in auxiliary.items()})
        self.bias = nn.ParameterDict(
            {k: nn.Parameter(torch.zeros(len(EMOTIONS))) for k in auxiliary if k != "goemotions"}
        )


class TextObjective:
    """Losses and validation of the classification part."""

    def __init__(
        self,
        config: TextLossConfig,
        model: MultiTask,
        tokenizer: TextTokenizer,
        train: TextPart,
        held_out: TextPart,
    ) -> None:
        self._config = config
        self._model = model
        self._tokenizer = tokenizer
        self._train = train
        self._held_out = held_out
        self._targets = torch.from_numpy(train.targets)
        self._own = {k: torch.from_numpy(v) for k, v in train.own_targets.items()}
        self._family = {k: torch.from_numpy(v) for k, v in train.family_rows.items()}
        self._weights = {
            k: positive_weights(self._targets[rows], config.positive_weight)
            for k, rows in self._family.items()
        }
        self._own_weights = {
            k: positive_weights(own[self._family[k]], config.positive_weight)
            for k, own in self._own.items()
        }

    def build(self) -> Objective:
        """Return what the trainer needs."""
        steps = batch_count(len(self._train.texts), self._config.batch_rows)
        return Objective(self._model, self._batches, steps, self._loss, self._validate)

    def _batches(self, epoch: int, generator: np.random.Generator) -> Iterator[TextBatch]:
        ids = self._tokenizer.encode_ids(self._train.texts, self._config.merge_dropout)
        size = self._config.batch_rows
        return training_batches(ids, size, self._tokenizer.pad_id, generator)

    def _loss(self, model: nn.Module, batch: TextBatch) -> Mapping[str, Tensor]:
        assert isinstance(model, MultiTask)
        encoded = model.encoder(batch.tokens, batch.mask)
        main = encoded.logits.new_zeros(())
        auxiliary = encoded.logits.new_zeros(())
        for family, members in self._family.items():
            here = members[batch.rows].nonzero().squeeze(1)
            if not len(here):
                continue
            share = len(here) / len(batch.rows)
            rows = batch.rows[here]
            logits = encoded.logits[here].float()
            if family in model.bias:
                logits = logits + model.bias[family]
            main = main + share * self._bce(logits, self._targets[rows], self._weights[family])
            own = model.auxiliary[family](encoded.pooled[here]).float()
            target = self._own[family][rows]
            auxiliary = auxiliary + share * self._bce(own, target, self._own_weights[family])
        loss = main + self._config.auxiliary_weight * auxiliary
        return {"loss": loss, "classes": main, "own": auxiliary}

    def _bce(self, logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        smoothing = self._config.label_smoothing
        soft = targets * (1 - smoothing) + smoothing / 2
        return F.binary_cross_entropy_with_logits(logits, soft, pos_weight=weights)

    def _validate(self, model: nn.Module) -> Mapping[str, float]:
        assert isinstance(model, MultiTask)
        logits = predict(model.encoder, self._tokenizer, self._held_out.texts)
        scores = sigmoid(logits)
        values = {}
        for corpus, rows in self._held_out.corpus_rows.items():
            targets = self._held_out.targets[rows].astype(np.float64)
            values[corpus] = cross_fitted_macro_f1(scores[rows], targets, seed=0)
        goemotions = [v for k, v in values.items() if k.startswith("goemotions")]
        return {"f1_macro": float(np.mean(goemotions or list(values.values()))), **values}


def positive_weights(targets: Tensor, power: float) -> Tensor:
    """Return (negatives / positives) ** power per column of zeros and ones (n, C)."""
    positive = targets.sum(dim=0).clamp(min=1)
    return ((len(targets) - positive).clamp(min=1) / positive) ** power
