"""Text alone: the row "KLUE-RoBERTa" of the RSA-CFN paper (KEMDy20).

The mean over tokens, LN, Linear D-C. Both variants are the same: what differs, the mean over valid
tokens or over all 256 padded ones, is the encoder's pooling.
"""

from __future__ import annotations

from torch import nn

from core.models.outputs import EmotionOutput, Encoded
from core.models.systems.head import HeadSizes, SystemHead, Variant
from core.models.systems.readout import Readout


class TextHead(SystemHead):
    """Pooled text to logits."""

    def __init__(self, sizes: HeadSizes, variant: Variant = Variant.CORRECTED) -> None:
        super().__init__(sizes, variant)
        self.norm = nn.LayerNorm(sizes.text)
        self.out = Readout(sizes.text, sizes)

    def forward(self, speech: Encoded | None, text: Encoded | None) -> EmotionOutput:
        """Return logits of the text. Raises ValueError without any."""
        if text is None:
            raise ValueError("this system needs text")
        output: EmotionOutput = self.out(self.norm(text.pooled))
        return output
