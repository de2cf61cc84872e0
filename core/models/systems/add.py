"""KNU's row "add": pooled speech made as wide as the text (512 to 768), their sum, three layers.

What differs between the variants is said in `knu.py`.
"""

from __future__ import annotations

from torch import nn

from core.models.outputs import EmotionOutput, Encoded
from core.models.systems.head import HeadSizes, SystemHead, Variant, both
from core.models.systems.knu import KnuReadout


class AddHead(SystemHead):
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
        self.project_speech = nn.Linear(sizes.speech, sizes.text)
        self.dropout = nn.Dropout(dropout)
        self.out = KnuReadout(sizes.text, sizes, variant, emotion)

    def forward(self, speech: Encoded | None, text: Encoded | None) -> EmotionOutput:
        """Return labels and affect. Raises ValueError when a modality is missing."""
        first, second = both(speech, text)
        x = self.project_speech(first.pooled) + self.dropout(second.pooled)
        output: EmotionOutput = self.out(x)
        return output
