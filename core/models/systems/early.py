"""Early fusion of the RSA-CFN paper (KEMDy20): LN of both pooled vectors side by side, Linear."""

from __future__ import annotations

from torch import nn

from core.models.outputs import EmotionOutput, Encoded
from core.models.systems.head import HeadSizes, SystemHead, Variant, join
from core.models.systems.readout import Readout


class EarlyHead(SystemHead):
    """Pooled speech and text to logits; both variants are the same."""

    def __init__(self, sizes: HeadSizes, variant: Variant = Variant.CORRECTED) -> None:
        super().__init__(sizes, variant)
        self.norm = nn.LayerNorm(sizes.joined)
        self.out = Readout(sizes.joined, sizes)

    def forward(self, speech: Encoded | None, text: Encoded | None) -> EmotionOutput:
        """Return fused logits. Raises ValueError when a modality is missing."""
        output: EmotionOutput = self.out(self.norm(join(speech, text)))
        return output
