"""The last layer of a head: emotion logits, and arousal and valence where they are asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.models.outputs import EmotionOutput
from core.models.systems.head import HeadSizes


class Readout(nn.Module):
    """One linear layer per output; arousal and valence are linear too, in units of [-1, 1].

    Args:
        width: D of what is read out.
        sizes: how many classes, and whether there is arousal and valence.
    """

    def __init__(self, width: int, sizes: HeadSizes) -> None:
        super().__init__()
        self.emotion = nn.Linear(width, sizes.classes)
        self.affect = AffectReadout(width) if sizes.affect else None

    def forward(self, x: Tensor) -> EmotionOutput:
        """Read logits, and arousal and valence, out of x (B, D)."""
        return with_affect(self.emotion(x), x, self.affect)


class AffectReadout(nn.Module):
    """Arousal and valence (B,) from x (B, D), each by its own linear layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.arousal = nn.Linear(width, 1)
        self.valence = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return arousal and valence."""
        return self.arousal(x).squeeze(-1), self.valence(x).squeeze(-1)


def with_affect(logits: Tensor, x: Tensor, affect: nn.Module | None) -> EmotionOutput:
    """Return logits (B, C) with what `affect`, if it is there, reads out of x (B, D)."""
    if affect is None:
        return EmotionOutput(logits)
    arousal, valence = affect(x)
    return EmotionOutput(logits, arousal, valence)


def mean_affect(outputs: Sequence[EmotionOutput]) -> tuple[Tensor | None, Tensor | None]:
    """Return the mean arousal and the mean valence of several outputs, None where one has none."""
    return _mean([o.arousal for o in outputs]), _mean([o.valence for o in outputs])


def _mean(values: Sequence[Tensor | None]) -> Tensor | None:
    known = [value for value in values if value is not None]
    return torch.stack(known).mean(dim=0) if len(known) == len(values) else None


def vote_softly(logits: Tensor, *, exclusive: bool) -> Tensor:
    """Average the probabilities of M voters and return the logits of that average.

    Args:
        logits: (B, M, C).
        exclusive: probabilities are softmax(logits), else sigmoid(logits).

    Returns:
        (B, C), whose softmax (else sigmoid) is the mean of the voters' probabilities.
    """
    count = math.log(logits.shape[1])
    if exclusive:
        return F.log_softmax(logits, dim=-1).logsumexp(dim=1) - count
    yes = F.logsigmoid(logits).logsumexp(dim=1)
    no = F.logsigmoid(-logits).logsumexp(dim=1)
    return yes - no
