"""Late fusion: the log-odds of speech plus what the text adds, where the text says anything at all.

Each modality alone gives a distribution over the classes. Speech enters by its log-probabilities,
scaled (logarithmic opinion pooling: Genest & Zidek 1986, Combining probability distributions,
Statistical Science 1). Text enters as the likelihood of a mixture: with probability `relevance` the
words carry the speaker's emotion; else they were drawn from any text, or, with probability
`plainness`, from the neutral ones, whatever the speaker feels. So

    P(text | class) ~ relevance * p(class) / prior(class)
          + (1 - relevance) * (1 - plainness + plainness * p(neutral) / prior(neutral))

with p the text's own posterior and prior that of its training texts. A neutral text then says
little, and no text can veto a class. A dozen numbers, so that a few speakers suffice to fit them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_FLOOR = -8.0
"""Log-probabilities of speech below this are cut off: no modality may veto a class."""


@dataclass(frozen=True, slots=True)
class LateOutput:
    """logits (B, C); contributions (B, 2, C) of speech and text, whose sum the logits are."""

    logits: Tensor
    contributions: Tensor


class LateFusion(nn.Module):
    """Two logit vectors to one.

    Args:
        classes: C; the first is "neutral".
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(2))
        """Of speech and text logits, before anything else."""
        self.mixture = nn.Parameter(torch.zeros(2))
        """Log-odds of relevance and of plainness."""
        self.log_prior = nn.Parameter(torch.full((classes,), -math.log(classes)))
        """Of the texts that the text encoder was trained on."""

    def forward(self, speech_logits: Tensor, text_logits: Tensor) -> LateOutput:
        """Combine logits (B, C) of speech and of text."""
        scale = self.log_scale.exp()
        speech = F.log_softmax(scale[0] * speech_logits, dim=-1).clamp(min=_FLOOR)
        text = self.text_likelihood(scale[1] * text_logits)
        contributions = torch.stack([speech, text], dim=1)
        return LateOutput(contributions.sum(dim=1), contributions)

    def text_likelihood(self, logits: Tensor) -> Tensor:
        """Return log P(text | class) (B, C), up to a constant, from the text's logits (B, C)."""
        relevance, plainness = torch.sigmoid(self.mixture)
        ratio = (F.log_softmax(logits, dim=-1) - F.log_softmax(self.log_prior, dim=-1)).exp()
        elsewhere = (1 - plainness) + plainness * ratio[:, :1]
        return (relevance * ratio + (1 - relevance) * elsewhere).log()


def modality_share(contributions: Tensor) -> Tensor:
    """Return (B, M), summing to one: how far the log-odds move when a modality is taken away.

    Args:
        contributions: (B, M, C), added up to the logits. A modality's share is the length of its
            contribution after removing what all classes have in common, which decides nothing.
    """
    centred = contributions - contributions.mean(dim=-1, keepdim=True)
    length = centred.norm(dim=-1) + 1e-6
    return length / length.sum(dim=-1, keepdim=True)
