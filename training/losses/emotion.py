"""Losses of the emotion logits, one value per row, by name.

Each has what a mean over rows is divided by: cross-entropy and focal loss divide by the summed
weights of the rows' classes, as `torch.nn.functional.cross_entropy` does; the others by the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from training.losses.config import LossConfig


@dataclass(frozen=True, slots=True)
class EmotionTerm:
    """rows: (logits (B, C), labels (B, C), class weights (C,), config) -> loss of each row (B,).
    normaliser: (labels, class weights) -> what each row adds to the divisor (B,).
    """

    rows: Callable[[Tensor, Tensor, Tensor, LossConfig], Tensor]
    normaliser: Callable[[Tensor, Tensor], Tensor]


def cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor, config: LossConfig) -> Tensor:
    """Softmax cross-entropy with class weights and label smoothing, as torch defines it."""
    scores = weights * logits.log_softmax(dim=1)
    even = -scores.mean(dim=1) * labels.sum(dim=1)
    return (1 - config.label_smoothing) * -(labels * scores).sum(dim=1) + (
        config.label_smoothing * even
    )


def focal(logits: Tensor, labels: Tensor, weights: Tensor, config: LossConfig) -> Tensor:
    """Focal loss: (1 - p)^gamma times the cross-entropy (Lin et al. 2017, eq. 5, softmax form)."""
    scores = logits.log_softmax(dim=1)
    modulation = (1 - scores.exp()).clamp(min=0) ** config.focal_gamma
    smooth = config.label_smoothing
    even = labels.sum(dim=1, keepdim=True) / labels.shape[1]
    target = (1 - smooth) * labels + smooth * even
    return -(target * weights * modulation * scores).sum(dim=1)


def binary_focal(logits: Tensor, labels: Tensor, weights: Tensor, config: LossConfig) -> Tensor:
    """Focal loss of every class by itself (Lin et al. 2017, eq. 4 and 5), mean over the classes."""
    target = _smoothed(labels, config)
    missed = (torch.sigmoid(logits) - labels).abs()  # 1 - p of the truth
    plain = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (weights * missed**config.focal_gamma * plain).mean(dim=1)


def multilabel_soft_margin(
    logits: Tensor, labels: Tensor, weights: Tensor, config: LossConfig
) -> Tensor:
    """Mean binary cross-entropy over the classes, weighted by class."""
    target = _smoothed(labels, config)
    plain = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (weights * plain).mean(dim=1)


def bce(logits: Tensor, labels: Tensor, weights: Tensor, config: LossConfig) -> Tensor:
    """Mean binary cross-entropy over the classes; the weights multiply the positives only."""
    target = _smoothed(labels, config)
    return F.binary_cross_entropy_with_logits(
        logits, target, reduction="none", pos_weight=weights
    ).mean(dim=1)


def _smoothed(labels: Tensor, config: LossConfig) -> Tensor:
    return labels * (1 - config.label_smoothing) + config.label_smoothing / 2


def _by_class(labels: Tensor, weights: Tensor) -> Tensor:
    return (labels * weights).sum(dim=1)


def _by_row(labels: Tensor, weights: Tensor) -> Tensor:
    return torch.ones_like(labels[:, 0])


ONE_LABEL: Mapping[str, EmotionTerm] = {
    "cross_entropy": EmotionTerm(cross_entropy, _by_class),
    "focal": EmotionTerm(focal, _by_class),
}
MANY_LABELS: Mapping[str, EmotionTerm] = {
    "multilabel_soft_margin": EmotionTerm(multilabel_soft_margin, _by_row),
    "bce": EmotionTerm(bce, _by_row),
    "focal": EmotionTerm(binary_focal, _by_row),
}
