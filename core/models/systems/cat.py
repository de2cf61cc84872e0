"""KNU's row "cat": pooled speech and text side by side (512 + 768), three linear layers.

What differs between the variants is said in `knu.py`.
"""

from __future__ import annotations

import torch
from torch import nn

from core.models.outputs import EmotionOutput, Encoded
from core.models.systems.head import HeadSizes, SystemHead, Variant, both
from core.models.systems.knu import KnuReadout


class CatHead(SystemHead):
    """Pooled speech and text to labels and affect.

    Args:
        emotion: whether there are labels at all (see `knu.py`).
        dropout: on the pooled text.
    """

    def __init__(
        self,
        sizes: HeadSizes,
        variant: Variant = Variant.CORRECTED,
        *,
        emotion: bool = True,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(sizes, variant)
        self.dropout = nn.Dropout(dropout)
        self.out = KnuReadout(sizes.joined, sizes, variant, emotion)

    def forward(self, speech: Encoded | None, text: Encoded | None) -> EmotionOutput:
        """Return labels and affect. Raises ValueError when a modality is missing."""
        first, second = both(speech, text)
        output: EmotionOutput = self.out(
            torch.cat([first.pooled, self.dropout(second.pooled)], dim=1)
        )
        return output
