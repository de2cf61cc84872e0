"""The loss of several tasks at once, and the weights that were published for it.

Gao et al. (2024), ICASSP, eq. 3 to 5: emotion with recognition, gender and style, all at once or in
two stages, and self-contrastive losses beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional as F

from core.errors import ConfigError
from core.models.outputs import EmotionOutput
from core.models.two_stage_config import (
    CTC,
    CTC_LENGTHS,
    EMOTION,
    GENDER,
    RECOGNITION,
    STYLE,
    VECTOR,
)
from training.losses.contrastive import CONTRASTIVE
from training.losses.ctc import ctc_loss, fits
from training.losses.group import Group
from training.multitask.targets import UNKNOWN, TaskTargets

ABSENT_PENALTY = 4.0
"""Taken off the logits of emotions that a row's corpus lacks; see `training.speech.masked_loss`."""
UNFIT = "unfit_texts"
"""Key of how many rows have a text longer than their positions; no recognition loss is of them."""

_TINY = 1e-8
_POOLED = (EMOTION, GENDER, STYLE)

SINGLE_STAGE, FIRST, SECOND = "single", "first", "second"
PAPER_STAGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        SINGLE_STAGE: (RECOGNITION, GENDER, STYLE),  # eq. 3
        FIRST: (RECOGNITION,),  # eq. 4
        SECOND: (GENDER, STYLE),  # eq. 5
    }
)
"""What is learned beside emotion in each of the paper's trainings."""
PAPER_SHARE = 0.1
"""Published a and b of eq. 3 and 5. The lambda of eq. 4 is not printed; 0.1 is the best of three
weights in the authors' later work on the same model (APSIPA 2025)."""


def paper_weights(
    stage: str, *, share: float = PAPER_SHARE, scl: str = "", scl_weight: float = PAPER_SHARE
) -> dict[str, float]:
    """Return the weights of a training of the paper, for `MultiTaskLoss`.

    Args:
        stage: of `PAPER_STAGES`: "single" (eq. 3), "first" (eq. 4) or "second" (eq. 5).
        share: a, lambda or b, the weight of each task beside emotion.
        scl: "scl_norm" or "scl_cos", to be added; empty: none.
        scl_weight: its weight, which is not printed; emotion gives up nothing for it.

    Raises:
        ConfigError: there is no such stage, or weights can't be of this share.
    """
    if stage not in PAPER_STAGES:
        raise ConfigError(
            f"The paper has no training {stage!r}.", f"It has: {', '.join(PAPER_STAGES)}."
        )
    weights = shared_weights(PAPER_STAGES[stage], share)
    return {**weights, scl: scl_weight} if scl else weights


def shared_weights(beside: Sequence[str], share: float = PAPER_SHARE) -> dict[str, float]:
    """Return weights by which each task beside emotion takes a share, and emotion keeps the rest.

    With recognition, gender and style this is eq. 3, (1 - 3a) for emotion and a for each.

    Raises:
        ConfigError: nothing would be left for emotion, or the share is negative.
    """
    rest = 1 - len(beside) * share
    if share < 0 or rest <= 0:
        raise ConfigError(
            f"{len(beside)} tasks beside emotion can't have a share of {share} each.",
            "Choose a smaller one that is not negative.",
        )
    return {EMOTION: rest, **dict.fromkeys(beside, share)}


class MultiTaskLoss:
    """Call it with a model's output and the targets; see `__call__`.

    Args:
        weights: of the sum, by name of `training.multitask.config.LOSSES`, as they stand.
        label_smoothing: of emotion, over the classes that occur in the row's corpus.
        class_weights: (C,) of the emotions; None: all 1.

    Raises:
        ConfigError: there is no such loss, or a weight is negative.
    """

    def __init__(
        self,
        weights: Mapping[str, float],
        label_smoothing: float = 0.0,
        class_weights: Tensor | None = None,
    ) -> None:
        if unknown := sorted(set(weights) - set(_TERMS)):
            known = ", ".join(_TERMS)
            raise ConfigError(f"There is no loss {', '.join(unknown)}.", f"There are: {known}.")
        if not weights or min(weights.values()) < 0:
            raise ConfigError("A loss needs weights, none of which is negative.")
        self.weights = dict(weights)
        self.label_smoothing = label_smoothing
        self.class_weights = class_weights

    def __call__(
        self, output: EmotionOutput, targets: TaskTargets, group: Group | None = None
    ) -> dict[str, Tensor]:
        """Return `loss`, to be minimised, and every part by name, before its weight.

        Each part is a mean over the rows of which the truth is known, by their weights (emotion: by
        those of their classes too). With recognition, `UNFIT` is a count of rows. With a group,
        each is this batch's part of the group's value.

        Raises:
            ConfigError: the model has no head for what is weighted.
        """
        group = group or Group(self.normalisers(targets))
        parts = {
            name: (targets.weights * _TERMS[name](self, output, targets)).sum()
            / group.totals[name].clamp(min=_TINY)
            for name in self.weights
        }
        loss = torch.stack([self.weights[name] * part for name, part in parts.items()]).sum()
        return {"loss": loss, **parts, **self._unfit(output, targets)}

    def normalisers(self, targets: TaskTargets) -> dict[str, Tensor]:
        """Return what the sum of each part is divided by, scalars that add up over batches."""
        counted = {
            EMOTION: self._class_weight(targets.emotion) * (targets.emotion != UNKNOWN),
            RECOGNITION: targets.symbol_counts > 0,
            GENDER: targets.gender != UNKNOWN,
            STYLE: targets.style != UNKNOWN,
        }
        every = torch.ones_like(targets.weights)
        return {n: (targets.weights * counted.get(n, every)).sum() for n in self.weights}

    def emotion_rows(self, output: EmotionOutput, targets: TaskTargets) -> Tensor:
        """Return the cross-entropy of each row (B,), 0 where the emotion is not known."""
        allowed, known = targets.allowed, targets.emotion != UNKNOWN
        scores = (output.logits.float() - ABSENT_PENALTY * ~allowed).log_softmax(dim=1)
        truth = F.one_hot(targets.emotion.clamp(min=0), scores.shape[1]).float()
        even = allowed.float() / allowed.sum(dim=1, keepdim=True).clamp(min=1)
        smooth = self.label_smoothing
        target = (1 - smooth) * truth + smooth * even
        weight = scores.new_ones(()) if self.class_weights is None else self._weights_on(scores)
        return -(target * weight * scores).sum(dim=1) * known

    def _class_weight(self, emotion: Tensor) -> Tensor:
        if self.class_weights is None:
            return torch.ones_like(emotion, dtype=torch.float32)
        return self._weights_on(emotion)[emotion.clamp(min=0)]

    def _weights_on(self, like: Tensor) -> Tensor:
        assert self.class_weights is not None
        return self.class_weights.to(like.device)

    def _unfit(self, output: EmotionOutput, targets: TaskTargets) -> dict[str, Tensor]:
        if RECOGNITION not in self.weights:
            return {}
        lengths = _given(output, CTC_LENGTHS, RECOGNITION)
        unfit = ~fits(lengths, targets.symbols, targets.symbol_counts)
        return {UNFIT: (unfit & (targets.weights > 0)).sum().float()}


def _recognition(_: MultiTaskLoss, output: EmotionOutput, targets: TaskTargets) -> Tensor:
    return ctc_loss(
        _given(output, CTC, RECOGNITION),
        _given(output, CTC_LENGTHS, RECOGNITION),
        targets.symbols,
        targets.symbol_counts,
    )


def _gender(_: MultiTaskLoss, output: EmotionOutput, targets: TaskTargets) -> Tensor:
    return _classes(_given(output, GENDER, GENDER), targets.gender)


def _style(_: MultiTaskLoss, output: EmotionOutput, targets: TaskTargets) -> Tensor:
    return _classes(_given(output, STYLE, STYLE), targets.style)


def _classes(logits: Tensor, truth: Tensor) -> Tensor:
    return F.cross_entropy(logits.float(), truth, reduction="none", ignore_index=UNKNOWN)


def _contrast(name: str) -> _Term:
    def rows(_: MultiTaskLoss, output: EmotionOutput, targets: TaskTargets) -> Tensor:
        return CONTRASTIVE[name](_vectors(output, name))

    return rows


def _vectors(output: EmotionOutput, name: str) -> list[Tensor]:
    """Return the vectors of the tasks that there are. Raises ConfigError for fewer than two."""
    found = [output.auxiliary.get(VECTOR.format(task)) for task in _POOLED]
    vectors = [vector for vector in found if vector is not None]
    if len({id(vector) for vector in vectors}) < 2:
        raise ConfigError(
            f"The loss {name} compares what adapters of several tasks make of an utterance, and"
            " the model has none.",
            "Give the stage a task_adapter, and a loss for gender or style.",
        )
    return vectors


def _given(output: EmotionOutput, key: str, task: str) -> Tensor:
    if key not in output.auxiliary:
        raise ConfigError(
            f"The model has no head for {task}, which its loss asks for.",
            "Build it with one, or leave that loss out.",
        )
    return output.auxiliary[key]


_Term = Callable[[MultiTaskLoss, EmotionOutput, TaskTargets], Tensor]

_TERMS: Mapping[str, _Term] = MappingProxyType(
    {
        EMOTION: MultiTaskLoss.emotion_rows,
        RECOGNITION: _recognition,
        GENDER: _gender,
        STYLE: _style,
        **{name: _contrast(name) for name in CONTRASTIVE},
    }
)
"""Name of a loss -> its value for each row (B,), 0 where nothing is known of a row."""
