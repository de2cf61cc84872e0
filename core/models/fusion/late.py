"""Late fusion: a gated, learned sum of the log-odds that each modality alone would give.

With one scale per modality this is logarithmic opinion pooling (Genest & Zidek 1986, Combining
probability distributions, Statistical Science 1); a matrix per modality lets it learn that, say, a
neutral text says little about the voice. It has few weights, so that a few speakers suffice.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_FLOOR = -8.0
"""Log-probabilities below this are cut off: no modality may veto a class."""


@dataclass(frozen=True, slots=True)
class LateOutput:
    """logits (B, C); contributions (B, 2, C) of speech and text, whose sum the logits are."""

    logits: Tensor
    contributions: Tensor


class LateFusion(nn.Module):
    """Two logit vectors to one; starts as the sum of the log-probabilities."""

    def __init__(self, classes: int, hidden: int = 16) -> None:
        super().__init__()
        self.speech = nn.Linear(classes, classes, bias=False)
        self.text = nn.Linear(classes, classes)
        last = nn.Linear(hidden, 2)
        self.gate = nn.Sequential(nn.Linear(4 * classes, hidden), nn.Tanh(), last)
        with torch.no_grad():
            self.speech.weight.copy_(torch.eye(classes))
            self.text.weight.copy_(torch.eye(classes))
            self.text.bias.zero_()
            last.weight.zero_()
            last.bias.zero_()

    def forward(self, speech_logits: Tensor, text_logits: Tensor) -> LateOutput:
        """Combine logits (B, C) of speech and of text."""
        speech = F.log_softmax(speech_logits, dim=-1).clamp(min=_FLOOR)
        text = F.log_softmax(text_logits, dim=-1).clamp(min=_FLOOR)
        seen = torch.cat([speech, text, speech.exp(), text.exp()], dim=-1)
        gate = 2 * torch.sigmoid(self.gate(seen))  # (B, 2), one at first
        contributions = torch.stack(
            [gate[:, :1] * self.speech(speech), gate[:, 1:] * self.text(text)], dim=1
        )
        return LateOutput(contributions.sum(dim=1), contributions)


def modality_share(contributions: Tensor) -> Tensor:
    """Return (B, M), summing to one: how far the log-odds move when a modality is taken away.

    Args:
        contributions: (B, M, C), added up to the logits. A modality's share is the length of its
            contribution after removing what all classes have in common, which decides nothing.
    """
    centred = contributions - contributions.mean(dim=-1, keepdim=True)
    length = centred.norm(dim=-1) + 1e-6
    return length / length.sum(dim=-1, keepdim=True)
