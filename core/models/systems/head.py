"""What every system's head has in common: encoded modalities in, logits out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor, nn

from core.models.outputs import EmotionOutput, Encoded

LOSS_LOGITS = "loss_logits"
"""Key in `EmotionOutput.auxiliary`: where it is there, the loss takes these (B, C), not `logits`.

Only systems whose public code trains on something else than it predicts with have it.
"""

_NESTED = "nested_"
"""Start of keys in `EmotionOutput.auxiliary`: "nested_96" holds logits (B, C) of that nested size.

Only systems with a Matryoshka head have them, the whole size among them; training sums the losses
of all.
"""


class Variant(StrEnum):
    """As it should be, or bug for bug as it was published."""

    CORRECTED = "corrected"
    PAPER = "paper"


@dataclass(frozen=True, slots=True)
class HeadSizes:
    """Widths of the pooled vectors (0: the modality is not there), and how many classes.

    affect: the head also predicts arousal and valence.
    exclusive: one class at a time (softmax), or any number of them (sigmoid).
    """

    speech: int
    text: int
    classes: int
    affect: bool = False
    exclusive: bool = True

    @property
    def joined(self) -> int:
        """Width of both pooled vectors side by side, speech first."""
        return self.speech + self.text


class SystemHead(nn.Module):
    """A head of a published system. Subclasses take their own options as keyword arguments.

    Args:
        sizes: of what comes in and goes out.
        variant: corrected, or as published where that makes a difference.

    Attributes:
        feature_sizes: how many rows (and columns) of the map `feature` stand for speech and for
            text, where they are dimensions of the pooled vectors; None when the map is over
            projected features, of which each modality has half, or when there is none.
    """

    feature_sizes: tuple[int, int] | None = None

    def __init__(self, sizes: HeadSizes, variant: Variant = Variant.CORRECTED) -> None:
        super().__init__()
        self.sizes = sizes
        self.variant = variant

    def forward(self, speech: Encoded | None, text: Encoded | None) -> EmotionOutput:
        """Fuse what was encoded of the same batch; a modality the system does not take is None."""
        raise NotImplementedError


def nested_key(size: int) -> str:
    """Return the key in `auxiliary` of the logits of a nested size."""
    return f"{_NESTED}{size}"


def nested_logits(auxiliary: Mapping[str, Tensor]) -> dict[int, Tensor]:
    """Return nested size -> logits (B, C), largest first; empty where nothing is nested."""
    sizes = [int(key.removeprefix(_NESTED)) for key in auxiliary if key.startswith(_NESTED)]
    return {size: auxiliary[nested_key(size)] for size in sorted(sizes, reverse=True)}


def both(speech: Encoded | None, text: Encoded | None) -> tuple[Encoded, Encoded]:
    """Return both modalities. Raises ValueError when one is missing."""
    if speech is None or text is None:
        raise ValueError("this system needs speech and text")
    return speech, text


def join(speech: Encoded | None, text: Encoded | None) -> Tensor:
    """Return the pooled vectors side by side (B, D + E). Raises ValueError when one is missing."""
    first, second = both(speech, text)
    return torch.cat([first.pooled, second.pooled], dim=1)
