"""The row "residual" of the RSA-CFN paper (KEMDy20).

x = LN of both pooled vectors side by side; r = block(x); r2 = block2([x, r]); logits of x + r2,
a block being Linear, ReLU, Dropout. About 5.06 million parameters. Both variants are the same.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.models.outputs import EmotionOutput, Encoded
from core.models.systems.head import HeadSizes, SystemHead, Variant, join
from core.models.systems.readout import Readout


class ResidualBlocks(nn.Module):
    """r2 of (B, D): block to `hidden`, and of both side by side a block back to D."""

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.narrow = nn.Linear(width, hidden)
        self.widen = nn.Linear(width + hidden, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return what is to be added, (B, D)."""
        r = self.dropout(self.narrow(x).relu())
        added: Tensor = self.dropout(self.widen(torch.cat([x, r], dim=1)).relu())
        return added


class ResidualHead(SystemHead):
    """Pooled speech and text to logits.

    Args:
        hidden: width of the inner layer.
        dropout: after every hidden layer.
    """

    def __init__(
        self,
        sizes: HeadSizes,
        variant: Variant = Variant.CORRECTED,
        *,
        hidden: int = 512,
        dropout: float = 0.3,
    ) -> None:
        super().__init__(sizes, variant)
        self.norm = nn.LayerNorm(sizes.joined)
        self.blocks = ResidualBlocks(sizes.joined, hidden, dropout)
        self.out = Readout(sizes.joined, sizes)

    def forward(self, speech: Encoded | None, text: Encoded | None) -> EmotionOutput:
        """Return fused logits. Raises ValueError when a modality is missing."""
        x = self.norm(join(speech, text))
        output: EmotionOutput = self.out(x + self.blocks(x))
        return output
