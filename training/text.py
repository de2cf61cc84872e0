"""The text stage: a subword tokenizer, masked-token pretraining, then emotion classification.

Multi-task: every row trains the seven shared classes; rows of GoEmotions also its 28 labels, rows
of KOTE its 44 (heads that are not shipped). KOTE marks three labels a row where GoEmotions marks
one, so its seven logits get a bias of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from core.labels import EMOTIONS
from core.models.calibration import fit_temperature
from core.models.encoders.text import TextEncoder, TextEncoderConfig
from core.models.tokenizer import TextTokenizer
from training.data.text_batches import (
    TextBatch,
    batch_count,
    scoring_batches,
    training_batches,
)
from training.data.text_split import TextPart, load_parts
from training.metrics import Float, cross_fitted_macro_f1, f1_per_class, fit_thresholds, macro_f1
from training.stages import StageContext
from training.text_pretraining import PretrainingConfig, pretrain
from training.trainer import Objective, Trainer, TrainerConfig

WEIGHTS = "text.safetensors"
INFO = "text.json"


@dataclass(frozen=True, slots=True)
class TextConfig:
    """The text stage; every key is explained in configs/embedded/text.yaml."""

    trainer: TrainerConfig
    pretraining: PretrainingConfig
    encoder: TextEncoderConfig = field(default_factory=TextEncoderConfig)
    batch_rows: int = 128
    merge_dropout: float = 0.1
    auxiliary_weight: float = 0.5
    positive_weight: float = 0.3
    label_smoothing: float = 0.0
    held_out: float = 0.06


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


def run(config: TextConfig, context: StageContext) -> None:
    """Train the text encoder; leaves weights, tokenizer and `text.json` in the stage's folder."""
    parts = load_parts(context.data, config.held_out, context.seed, quick=context.quick)
    config = _quick(config) if context.quick else config
    texts = parts.train.texts
    tokenizer = TextTokenizer.train(texts, config.encoder.vocabulary)
    tokenizer.save(context.folder)
    torch.manual_seed(context.seed)
    encoder = TextEncoder(_sized(config.encoder, tokenizer.vocabulary_size))
    pretrain(config.pretraining, encoder, tokenizer, texts, context)
    model = MultiTask(encoder, {k: len(v) for k, v in parts.train.label_names.items()})
    objective = TextObjective(config, model, tokenizer, parts.train, parts.held_out)
    trainer = Trainer(
        config.trainer, objective.build(), context.folder / "training", context.reporter
    )
    outcome = trainer.fit(context.resume)
    info = describe(model.encoder, tokenizer, parts.held_out, parts.scored, context.seed)
    info["held_out"] = {"metric": outcome.best, "epoch": outcome.best_epoch}
    info["split"] = parts.description
    save(context.folder, model.encoder, info)
    for name, scores in info["metrics"].items():
        context.reporter.metrics(name, {k: v for k, v in scores.items() if k != "f1"})


def save(folder: Path, encoder: TextEncoder, info: Mapping[str, object]) -> None:
    """Write the encoder's weights and what belongs to them."""
    save_file({k: v.contiguous() for k, v in encoder.state_dict().items()}, folder / WEIGHTS)
    content = {"encoder": asdict(encoder.config), **info}
    (folder / INFO).write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


class TextObjective:
    """Losses and validation of the classification part."""

    def __init__(
        self,
        config: TextConfig,
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
        scores = _sigmoid(logits)
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


@torch.inference_mode()
def predict(encoder: TextEncoder, tokenizer: TextTokenizer, texts: list[str]) -> Float:
    """Return the logits (n, 7) of texts."""
    was_training = encoder.training
    encoder.eval()
    logits = np.zeros((len(texts), encoder.config.classes))
    for batch in scoring_batches(tokenizer, texts, 256):
        logits[batch.rows.numpy()] = encoder(batch.tokens, batch.mask).logits.float().numpy()
    encoder.train(was_training)
    return logits


def describe(
    encoder: TextEncoder,
    tokenizer: TextTokenizer,
    held_out: TextPart,
    scored: Mapping[str, TextPart],
    seed: int,
) -> dict[str, Any]:
    """Return thresholds and temperature fitted on the held-out part, and scores on other parts."""
    logits = predict(encoder, tokenizer, held_out.texts)
    chosen = held_out.rows_of_family("goemotions")
    thresholds = fit_thresholds(
        _sigmoid(logits[chosen]), held_out.targets[chosen].astype(np.float64)
    )
    single = chosen & (held_out.targets.sum(axis=1) == 1)
    truth = held_out.targets[single].argmax(axis=1)
    metrics = {}
    for name, part in scored.items():
        scores = _sigmoid(predict(encoder, tokenizer, part.texts))
        targets = part.targets.astype(np.float64)
        fitted = thresholds
        if not part.rows_of_family("goemotions").any():  # its own held-out rows, by name
            own = held_out.corpus_rows.get(name.split("/")[0])
            if own is not None:
                fitted = fit_thresholds(
                    _sigmoid(logits[own]), held_out.targets[own].astype(np.float64)
                )
        per_class = f1_per_class(scores, targets, fitted)
        metrics[name] = {
            "f1_macro": macro_f1(scores, targets, fitted),
            "n": len(part.texts),
            "f1": dict(zip(EMOTIONS, per_class.round(4).tolist(), strict=True)),
        }
    return {
        "thresholds": thresholds.tolist(),
        "temperature": fit_temperature(logits[single], truth),
        "metrics": metrics,
        "seed": seed,
    }


def _sigmoid(logits: Float) -> Float:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)))


def _sized(config: TextEncoderConfig, vocabulary: int) -> TextEncoderConfig:
    return TextEncoderConfig(**{**asdict(config), "vocabulary": vocabulary})


def _quick(config: TextConfig) -> TextConfig:
    from dataclasses import replace

    small = replace(config.encoder, vocabulary=1200, dim=32, layers=1, heads=2, feed_forward=32)
    return replace(
        config,
        encoder=small,
        trainer=replace(config.trainer, epochs=1),
        pretraining=replace(
            config.pretraining, trainer=replace(config.pretraining.trainer, epochs=1)
        ),
        batch_rows=32,
    )
