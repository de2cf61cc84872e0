"""The row "stack" of the RSA-CFN paper (KEMDy20): early fusion with multi-sample dropout.

LN of both pooled vectors side by side, five times Dropout(.5) through one shared Linear, averaged
(Inoue 2019, Multi-sample dropout for accelerated training and better generalization, arXiv
1905.09788): not five classifiers. A linear layer of an average is the average of the linear layer,
so the five samples are averaged first. Both variants are the same.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.errors import ConfigError
from core.models.outputs import EmotionOutput, Encoded
from core.models.systems.head import HeadSizes, SystemHead, Variant, join
from core.models.systems.readout import Readout


class StackHead(SystemHead):
    """Pooled speech and text to logits.

    Args:
        dropout: of each sample.
        samples: how many there are, at least one.
    """

    def __init__(
        self,
        sizes: HeadSizes,
        variant: Variant = Variant.CORRECTED,
        *,
        dropout: float = 0.5,
        samples: int = 5,
    ) -> None:
        super().__init__(sizes, variant)
        if samples < 1:
            raise ConfigError("Multi-sample dropout needs at least one sample.")
        self.samples = samples
        self.norm = nn.LayerNorm(sizes.joined)
        self.dropout = nn.Dropout(dropout)
        self.out = Readout(sizes.joined, sizes)

    def forward(self, speech: Encoded | None, text: Encoded | None) -> EmotionOutput:
        """Return fused logits. Raises ValueError when a modality is missing."""
        x = self.norm(join(speech, text))
        output: EmotionOutput = self.out(self._sampled(x) if self.training else x)
        return output

    def _sampled(self, x: Tensor) -> Tensor:
        return torch.stack([self.dropout(x) for _ in range(self.samples)]).mean(dim=0)
