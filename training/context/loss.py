"""The loss of the turns of dialogues: one label each, and turns that do not count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from core.errors import ConfigError
from training.data.dialogues import UNLABELLED
from training.losses.config import LossConfig
from training.losses.emotion import cross_entropy, focal
from training.losses.weighting import class_weights

NONE = "none"
WEIGHTINGS = (NONE, "inverse", "effective")


@dataclass(frozen=True, slots=True)
class TurnLossConfig:
    """Loss of the emotion of a turn."""

    kind: str = "cross_entropy"
    """`cross_entropy`; `focal` (Lin et al. 2017); `focal_published`: as the code of MGLRA and its
    relatives computes it for MELD, over all classes and with the logarithm of the probability where
    the formula has the probability."""
    gamma: float = 2.5
    """Focusing exponent of both focal losses."""
    class_weights: str = NONE
    """`none`, `inverse` frequency, or `effective` number, from the training part."""
    weights: tuple[float, ...] = ()
    """One per class, instead."""
    label_smoothing: float = 0.0
    """Share of the target spread over the classes."""

    def __post_init__(self) -> None:
        if self.kind not in _KINDS or self.class_weights not in WEIGHTINGS:
            raise ValueError(
                f"kind must be one of {', '.join(_KINDS)}, class_weights of {', '.join(WEIGHTINGS)}"
            )
        if self.gamma < 0 or not 0 <= self.label_smoothing < 1:
            raise ValueError("gamma must not be negative, and label_smoothing in [0, 1)")
        if self.weights and self.class_weights != NONE:
            raise ValueError("give weights, or class_weights to compute them, not both")
        if any(weight <= 0 for weight in self.weights):
            raise ValueError("every one of weights must be positive")


class TurnLoss:
    """Mean loss of the turns that have a label, weighted by class.

    Args:
        config: which loss.
        weights: (C,) of the classes; None: all alike.
    """

    def __init__(self, config: TurnLossConfig, weights: Tensor | None = None) -> None:
        self._weights = weights
        self._rows = _KINDS[config.kind]
        self._config = LossConfig(
            emotion="focal", focal_gamma=config.gamma, label_smoothing=config.label_smoothing
        )

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return a scalar; zero where no turn has a label.

        Args:
            logits: (..., C). labels: (...), `UNLABELLED` where a turn does not count.
        """
        weights = self._of(logits)
        counted = labels != UNLABELLED
        onehot = F.one_hot(labels[counted], logits.shape[-1]).to(weights.dtype)
        rows = self._rows(logits[counted].float(), onehot, weights, self._config)
        return rows.sum() / self.total(labels, logits.shape[-1]).clamp(min=1e-8)

    def total(self, labels: Tensor, classes: int) -> Tensor:
        """Return what the mean is divided by: the summed class weights of labelled turns."""
        counted = labels[labels != UNLABELLED]
        if self._weights is None:
            return counted.new_tensor(len(counted), dtype=torch.float32)
        return self._weights.to(labels.device)[counted].sum()

    def _of(self, logits: Tensor) -> Tensor:
        classes = logits.shape[-1]
        if self._weights is None:
            return torch.ones(classes, device=logits.device)
        if len(self._weights) != classes:
            raise ConfigError(
                f"There are {len(self._weights)} class weights for {classes} classes.",
                "Give one per class, in the order of the classes.",
            )
        return self._weights.to(logits.device)


def make_turn_loss(config: TurnLossConfig, labels: Tensor, classes: int) -> TurnLoss:
    """Return the loss, its class weights taken from the labels (N,) of the training part.

    Raises:
        ConfigError: there is not one weight per class, or no label.
    """
    if config.weights:
        return TurnLoss(config, torch.tensor(config.weights, dtype=torch.float32))
    known = F.one_hot(labels[labels != UNLABELLED], classes)
    return TurnLoss(config, class_weights(known, config.class_weights))


def _focal_published(logits: Tensor, labels: Tensor, weights: Tensor, config: LossConfig) -> Tensor:
    """Return the mean over all classes of (1 - y log p)^gamma * -log p, per row."""
    scores = logits.log_softmax(dim=-1)
    return (weights * (1 - labels * scores) ** config.focal_gamma * -scores).mean(dim=-1)


_KINDS: Mapping[str, Callable[[Tensor, Tensor, Tensor, LossConfig], Tensor]] = {
    "cross_entropy": cross_entropy,
    "focal": focal,
    "focal_published": _focal_published,
}
