"""Emotion from speech, learned with recognition first and with gender and style after that.

Gao, Shi, Chu & Kawahara (2024), Enhancing two-stage finetuning for speech emotion recognition using
adapters, ICASSP, section 2: an encoder, its mean over time, a bottleneck and a linear layer per
task, and connectionist temporal classification (CTC) over the sequence.

Recognition, gender and style help to train the emotion classifier. They leave the model through
`EmotionOutput.auxiliary` alone, which only training looks at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import torch
from torch import Tensor, nn

from core.errors import ConfigError
from core.models.adapters import attach, config_of
from core.models.adapters.bottleneck import BottleneckAdapter
from core.models.adapters.record import record_of
from core.models.base import EmotionModel
from core.models.encoders.pooling import mean
from core.models.layers.masking import zero_where_absent
from core.models.outputs import EmotionOutput, Encoded, Features, ModelInputs
from core.models.specification import Problem, Specification
from core.models.two_stage_config import (
    CTC,
    CTC_LENGTHS,
    EMOTION,
    GENDER,
    STYLE,
    VECTOR,
    TaskHeads,
    TwoStageConfig,
)
from core.types import Modality

HEAD_PREFIXES = ("task_adapters.", "classifiers.", "recogniser.")
"""Starts of the names of all parameters that are not the encoder's (`speech.`)."""

_POOLED = (EMOTION, GENDER, STYLE)
"""Tasks that are read from the pooled vector, in the order in which fusion joins them."""


def make_specification(labels: Sequence[str]) -> Specification:
    """Return what a two-stage model of these emotions says about itself: it takes speech only."""
    speech = (Modality.SPEECH,)
    return Specification(labels=tuple(labels), modalities=speech, required=speech)


class Recogniser(nn.Module):
    """CTC logits from a sequence, `steps` positions for each of its own (a pixel shuffle)."""

    def __init__(self, dim: int, symbols: int, steps: int, dropout: float) -> None:
        super().__init__()
        self.steps = steps
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(dim, steps * (symbols + 1))

    def forward(self, sequence: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (B, T * steps, V + 1), and how many positions (B,) of each row count.

        Args:
            sequence: (B, T, D). mask: (B, T), true at the start of each row only.
        """
        rows, length, _ = sequence.shape
        logits: Tensor = self.out(self.dropout(sequence))
        return logits.reshape(rows, length * self.steps, -1), mask.sum(dim=1) * self.steps


class TwoStageModel(EmotionModel):
    """A speech encoder, its adapters, and a head per task.

    Attention maps: `modality` (B, 2), all of it speech.

    Args:
        specification: takes speech alone, one label at a time (see `make_specification`).
        config: adapters and heads; `config.speech` is not looked at, `speech` is there for it.
        speech: encoder with `dim`, `config()` and `forward(ModelInputs) -> Encoded`; adapters that
            `config` asks for are attached unless it has some.

    Raises:
        ConfigError: the specification does not fit, or the encoder takes no adapters.
    """

    def __init__(
        self, specification: Specification, config: TwoStageConfig, *, speech: nn.Module
    ) -> None:
        super().__init__(specification)
        _check(specification)
        self.architecture = config
        self.speech = speech
        if config.adapters is not None and record_of(speech) is None:
            attach(speech, config.adapters)
        heads, dim = config.heads, int(speech.dim)  # type: ignore[arg-type]
        self._tasks = tuple(task for task in _POOLED if task in heads.tasks)
        self.task_adapters = nn.ModuleDict(
            {task: BottleneckAdapter(dim, heads.adapter) for task in self._tasks if heads.adapter}
        )
        self.classifiers = self._classifiers(dim, heads)
        self.recogniser = (
            Recogniser(dim, len(heads.symbols), heads.steps, heads.dropout)
            if heads.symbols
            else None
        )

    def _classifiers(self, dim: int, heads: TaskHeads) -> nn.ModuleDict:
        classes = {EMOTION: self.specification.labels, GENDER: heads.gender, STYLE: heads.style}
        read = {EMOTION: dim * len(self._tasks) if heads.fusion else dim}
        return nn.ModuleDict(
            {
                task: nn.Sequential(
                    nn.Dropout(heads.dropout), nn.Linear(read.get(task, dim), len(classes[task]))
                )
                for task in self._tasks
            }
        )

    @classmethod
    def from_config(cls, specification: Specification, config: Mapping[str, Any]) -> Self:
        """Build an untrained model, encoder and adapters included.

        Raises:
            ConfigError: a key is unknown, or parts do not fit one another.
        """
        from core.models.encoders.build import build_speech_encoder

        described = TwoStageConfig.from_dict(config)
        return cls(specification, described, speech=build_speech_encoder(described.speech))

    def config(self) -> dict[str, Any]:
        """Return the plain values with which `from_config` builds the same architecture."""
        speech: dict[str, Any] = self.speech.config()  # type: ignore[operator]
        adapters = config_of(self.speech)  # LoRA that is merged has no weights of its own
        return replace(self.architecture, speech=speech, adapters=adapters).to_dict()

    def encoder(self, modality: Modality) -> nn.Module | None:
        """Return the encoder of a modality, or None."""
        return self.speech if modality is Modality.SPEECH else None

    def head_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of all heads, those that are frozen included."""
        return [p for n, p in self.named_parameters() if n.startswith(HEAD_PREFIXES)]

    def encode(self, inputs: ModelInputs) -> Features:
        """Encode speech; `pooled` is its mean over valid positions, (B, D) in fp32.

        Raises:
            ValueError: there is no speech of the kind that the encoder takes.
        """
        encoded: Encoded = self.speech(inputs)
        return Features(speech=replace(encoded, pooled=_pooled(encoded)))

    def forward(self, features: Features, context: Any | None = None) -> EmotionOutput:
        """Return emotion logits (B, C); what else training needs stands in `auxiliary`.

        Its keys: `VECTOR` of each task, `GENDER` and `STYLE` logits, `CTC` and `CTC_LENGTHS`; of
        tasks there are heads for (see `two_stage_config`).

        Raises:
            ValueError: no speech was encoded.
        """
        if features.speech is None:
            raise ValueError("nothing was encoded: a two-stage model takes speech")
        pooled = _pooled(features.speech)
        vectors = {task: self._adapted(task, pooled) for task in self._tasks}
        logits = {task: self.classifiers[task](self._read(task, vectors)) for task in self._tasks}
        auxiliary = {VECTOR.format(task): vector for task, vector in vectors.items()}
        auxiliary |= {task: logits[task] for task in self._tasks if task != EMOTION}
        if self.recogniser is not None:
            recognised = self.recogniser(features.speech.sequence, features.speech.mask)
            auxiliary[CTC], auxiliary[CTC_LENGTHS] = recognised
        attentions = {"modality": _all_speech(logits[EMOTION])}
        return EmotionOutput(logits[EMOTION], attentions=attentions, auxiliary=auxiliary)

    def _adapted(self, task: str, pooled: Tensor) -> Tensor:
        if task not in self.task_adapters:
            return pooled
        adapted: Tensor = self.task_adapters[task](pooled)
        return adapted

    def _read(self, task: str, vectors: Mapping[str, Tensor]) -> Tensor:
        """Return what the classifier of a task reads: its vector, or with fusion all of them."""
        if task == EMOTION and self.architecture.heads.fusion:
            return torch.cat([vectors[other] for other in self._tasks], dim=1)
        return vectors[task]


def _pooled(encoded: Encoded) -> Tensor:
    """Return the mean (B, D) over valid positions; in fp16 their sum could be too large."""
    sequence = encoded.sequence.to(torch.promote_types(encoded.sequence.dtype, torch.float32))
    return mean(zero_where_absent(sequence, encoded.mask), encoded.mask)


def _all_speech(logits: Tensor) -> Tensor:
    return logits.new_tensor([1.0, 0.0]).expand(len(logits), 2)


def _check(specification: Specification) -> None:
    """Raise ConfigError unless it is of one label at a time from speech alone."""
    if specification.modalities != (Modality.SPEECH,):
        stated = " and ".join(m.value for m in specification.modalities)
        raise ConfigError(f"A two-stage model takes speech alone, not {stated}.")
    if specification.problem is not Problem.SINGLE_LABEL or specification.affect:
        raise ConfigError(
            "A two-stage model gives one label at a time, and neither arousal nor valence."
        )
