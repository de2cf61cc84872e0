"""The one interface of every emotion model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from torch import nn

from core.models.outputs import EmotionOutput, Features, ModelInputs
from core.models.specification import Specification


class EmotionModel(nn.Module):
    """Inputs -> features of one utterance -> logits.

    A model holds no activation on its logits, no loss, no choice of device and no I/O.
    """

    def __init__(self, specification: Specification) -> None:
        super().__init__()
        self.specification = specification

    @property
    def feature_sizes(self) -> tuple[int, int] | None:
        """How many rows (and columns) of its attention map `feature` are speech and text.

        None when it has no such map, or one over features that are not the encoders' own.
        """
        return None

    @classmethod
    def from_config(cls, specification: Specification, config: Mapping[str, Any]) -> Self:
        """Build an untrained model from what a checkpoint's `model` section holds.

        Raises:
            ConfigError or TypeError: a key is unknown or a value makes no sense.
        """
        return cls(specification, **config)

    def config(self) -> dict[str, Any]:
        """Return the plain JSON values with which `from_config` builds the same architecture."""
        raise NotImplementedError

    def encode(self, inputs: ModelInputs) -> Features:
        """Encode each modality present; independent of context, so it can be cached."""
        raise NotImplementedError

    def forward(self, features: Features, context: Any | None = None) -> EmotionOutput:
        """Fuse what was encoded into logits (B, C); `context` is the dialogue so far, if used."""
        raise NotImplementedError
