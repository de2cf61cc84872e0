"""Late fusion of the RSA-CFN paper (KEMDy20): each modality's logits, normalised and averaged.

A linear layer per modality, the two logit vectors stacked (B, 2, C), one LN(C) over them, and the
mean of logits, not of probabilities. The LN makes both vectors equally long, so that a modality
that is unsure counts as much as one that is sure, and the share that is returned stays near one
half. Both variants are the same; `average: probabilities` leaves the LN out and votes softly.
"""

from __future__ import annotations

import torch
from torch import nn

from core.errors import ConfigError
from core.models.fusion.late import modality_share
from core.models.outputs import EmotionOutput, Encoded
from core.models.systems.head import HeadSizes, SystemHead, Variant, both
from core.models.systems.readout import Readout, mean_affect, vote_softly

AVERAGES = ("logits", "probabilities")


class LateHead(SystemHead):
    """Pooled speech and text to logits and to `attentions["modality"]` (B, 2), their shares.

    Args:
        average: "logits" (as published, after an LN) or "probabilities".
    """

    def __init__(
        self, sizes: HeadSizes, variant: Variant = Variant.CORRECTED, *, average: str = "logits"
    ) -> None:
        super().__init__(sizes, variant)
        if average not in AVERAGES:
            raise ConfigError(
                f"Late fusion can't average {average!r}.", f"Choose one of {', '.join(AVERAGES)}."
            )
        self.speech = Readout(sizes.speech, sizes)
        self.text = Readout(sizes.text, sizes)
        self.norm = nn.LayerNorm(sizes.classes) if average == "logits" else None

    def forward(self, speech: Encoded | None, text: Encoded | None) -> EmotionOutput:
        """Return fused logits and shares. Raises ValueError when a modality is missing."""
        first, second = both(speech, text)
        heard, read = self.speech(first.pooled), self.text(second.pooled)
        stacked = torch.stack([heard.logits, read.logits], dim=1)  # (B, 2, C)
        if self.norm is None:
            logits = vote_softly(stacked, exclusive=self.sizes.exclusive)
        else:
            stacked = self.norm(stacked)
            logits = stacked.mean(dim=1)
        arousal, valence = mean_affect([heard, read])
        return EmotionOutput(logits, arousal, valence, {"modality": modality_share(stacked)})
