"""What every system's head has in common: encoded modalities in, logits out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from torch import nn

from core.models.outputs import EmotionOutput, Encoded


class Variant(StrEnum):
    """As it should be, or bug for bug as it was published."""

    CORRECTED = "corrected"
    PAPER = "paper"


@dataclass(frozen=True, slots=True)
class HeadSizes:
    """Widths of the pooled vectors (0: the modality is not there), and how many classes.

    affect: the head also predicts arousal and valence.
    """

    speech: int
    text: int
    classes: int
    affect: bool = False


class SystemHead(nn.Module):
    """A head of a published system. Subclasses take their own options as keyword arguments.

    Args:
        sizes: of what comes in and goes out.
        variant: corrected, or as published where that makes a difference.
    """

    def __init__(self, sizes: HeadSizes, variant: Variant = Variant.CORRECTED) -> None:
        super().__init__()
        self.sizes = sizes
        self.variant = variant

    def forward(self, speech: Encoded | None, text: Encoded | None) -> EmotionOutput:
        """Fuse what was encoded of the same batch; a modality the system does not take is None."""
        raise NotImplementedError
