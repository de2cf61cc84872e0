"""The loss of a whole system: emotion, arousal, valence, and the probes of single modalities."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from core.errors import ConfigError
from core.models.outputs import EmotionOutput
from core.models.specification import Problem
from core.models.systems.head import LOSS_LOGITS, nested_logits
from training.data.batch import Targets
from training.losses.affect import AFFECT
from training.losses.config import NONE, LossConfig
from training.losses.emotion import MANY_LABELS, ONE_LABEL
from training.losses.group import Group
from training.losses.matryoshka import matryoshka

_ALONE = ("speech_alone", "text_alone")


class EmotionLoss:
    """Call it with a model's output and the targets; see `make_loss`.

    A row without a label (single-label problems) counts nothing in the emotion loss; one without
    arousal or valence nothing in theirs.
    """

    def __init__(self, config: LossConfig, problem: Problem, class_weights: Tensor | None) -> None:
        self.config = config
        self._class_weights = class_weights
        self._term = None
        if config.emotion != NONE:
            table = MANY_LABELS if problem is Problem.MULTI_LABEL else ONE_LABEL
            self._term = table[config.emotion]

    def __call__(
        self, output: EmotionOutput, targets: Targets, group: Group | None = None
    ) -> dict[str, Tensor]:
        """Return `loss`, to be minimised, and its parts by name (before their weights).

        With a group, each is this batch's part of the group's value: the parts of all its batches
        in all processes add up to what one batch of all their rows would give.

        Raises:
            ConfigError: the model has no head for what the loss asks for.
        """
        group = group or Group(self.normalisers(targets))
        parts = self._parts(output, targets, group, self.config.paper_softmax)
        loss = self._weighted(parts)
        alone = [
            self._weighted(self._parts(probe, targets, group, softmax=False))
            for probe in _probes(output)
        ]
        if alone:
            parts["alone"] = torch.stack(alone).sum()
            loss = loss + self.config.alone_weight * parts["alone"]
        return {"loss": loss, **parts}

    def normalisers(self, targets: Targets) -> dict[str, Tensor]:
        """Return what the sum of each part is divided by, scalars that add up over batches."""
        found = {}
        if self._term is not None:
            rows = self._term.normaliser(targets.labels.float(), self._weights(targets.labels))
            found["emotion"] = (targets.weights * rows).sum()
        if self.config.affect != NONE:
            for name, truth in (("arousal", targets.arousal), ("valence", targets.valence)):
                found[name] = (targets.weights * ~truth.isnan()).sum()
        return found

    def _parts(
        self, output: EmotionOutput, targets: Targets, group: Group, softmax: bool
    ) -> dict[str, Tensor]:
        parts = {}
        if self._term is not None:
            parts["emotion"] = self._emotion_of(output, targets, group, softmax)
        if self.config.affect != NONE:
            parts["arousal"] = self._affect("arousal", output.arousal, targets, group)
            parts["valence"] = self._affect("valence", output.valence, targets, group)
        return parts

    def _emotion_of(
        self, output: EmotionOutput, targets: Targets, group: Group, softmax: bool
    ) -> Tensor:
        """Return the loss of what is trained on: the logits, those that public code takes instead
        of them, or those of all nested sizes, of which a subset may be drawn in training.
        """
        published = output.auxiliary.get(LOSS_LOGITS)
        if published is not None:
            return self._emotion(published, targets, group, softmax=False)
        nested = nested_logits(output.auxiliary)
        if not nested:
            return self._emotion(output.logits, targets, group, softmax)
        return matryoshka(
            nested,
            lambda logits: self._emotion(logits, targets, group, softmax),
            self.config.matryoshka,
            torch.default_generator if torch.is_grad_enabled() else None,
        )

    def _emotion(self, logits: Tensor, targets: Targets, group: Group, softmax: bool) -> Tensor:
        assert self._term is not None
        scores = logits.float().softmax(dim=1) if softmax else logits.float()
        labels, weights = targets.labels.float(), self._weights(targets.labels)
        rows = self._term.rows(scores, labels, weights, self.config)
        total = group.totals["emotion"].clamp(min=1e-8)
        return (targets.weights * rows).sum() / total

    def _affect(
        self, name: str, predicted: Tensor | None, targets: Targets, group: Group
    ) -> Tensor:
        if predicted is None:
            raise ConfigError(
                f"The model predicts no {name}, which its loss asks for.",
                "Set affect: true for the system, or affect: none for the loss.",
            )
        truth: Tensor = getattr(targets, name)
        weights = targets.weights * ~truth.isnan()
        scale = self.config.affect_scale
        return AFFECT[self.config.affect](
            scale * predicted.float(), scale * truth.nan_to_num(), weights,
            group.totals[name], group,
        )  # fmt: skip

    def _weighted(self, parts: dict[str, Tensor]) -> Tensor:
        weights = {
            "emotion": self.config.emotion_weight,
            "arousal": self.config.arousal_weight,
            "valence": self.config.valence_weight,
        }
        return torch.stack([weights[name] * value for name, value in parts.items()]).sum()

    def _weights(self, labels: Tensor) -> Tensor:
        if self._class_weights is None:
            return torch.ones(labels.shape[1], device=labels.device)
        given, needed = len(self._class_weights), labels.shape[1]
        if given != needed:
            raise ConfigError(
                f"There are {given} class weights for {needed} classes.",
                "Compute them from the labels of the training part.",
            )
        return self._class_weights.to(labels.device)


def _probes(output: EmotionOutput) -> Iterator[EmotionOutput]:
    """Yield what each modality says alone."""
    for name in _ALONE:
        if name in output.auxiliary:
            yield EmotionOutput(
                output.auxiliary[name],
                output.auxiliary.get(f"{name}_arousal"),
                output.auxiliary.get(f"{name}_valence"),
            )


def make_loss(
    config: LossConfig, problem: Problem, class_weights: Tensor | None = None
) -> EmotionLoss:
    """Return the loss of a system: (EmotionOutput, Targets) -> named scalars, `loss` among them.

    Args:
        config: which losses, and their weights.
        problem: one label per row or any number.
        class_weights: (C,) from `training.losses.class_weights`.

    Raises:
        ConfigError: the emotion loss is not one for this problem.
    """
    if not config.suits(multi_label=problem is Problem.MULTI_LABEL):
        table = MANY_LABELS if problem is Problem.MULTI_LABEL else ONE_LABEL
        raise ConfigError(
            f"The loss {config.emotion!r} does not suit a {problem.value} problem.",
            f"Choose one of {', '.join(table)}.",
        )
    return EmotionLoss(config, problem, class_weights)
