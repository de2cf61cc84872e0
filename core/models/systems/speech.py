"""Speech alone: the row "wav2vec 2.0" of the RSA-CFN paper (KEMDy20).

The mean over time of the last hidden state, Dropout, Linear D-D, tanh, Dropout, Linear D-C. The
rate of the dropout is not known; .1 is what classification heads of this form have by default.
Both variants are the same: what differs, the mean over valid frames or over padding as well, is
the encoder's pooling.
"""

from __future__ import annotations

from torch import nn

from core.models.outputs import EmotionOutput, Encoded
from core.models.systems.head import HeadSizes, SystemHead, Variant
from core.models.systems.readout import Readout


class SpeechHead(SystemHead):
    """Pooled speech to logits.

    Args:
        dropout: before either linear layer.
    """

    def __init__(
        self, sizes: HeadSizes, variant: Variant = Variant.CORRECTED, *, dropout: float = 0.1
    ) -> None:
        super().__init__(sizes, variant)
        self.dense = nn.Linear(sizes.speech, sizes.speech)
        self.dropout = nn.Dropout(dropout)
        self.out = Readout(sizes.speech, sizes)

    def forward(self, speech: Encoded | None, text: Encoded | None) -> EmotionOutput:
        """Return logits of the speech. Raises ValueError without any."""
        if speech is None:
            raise ValueError("this system needs speech")
        x = self.dense(self.dropout(speech.pooled)).tanh()
        output: EmotionOutput = self.out(self.dropout(x))
        return output
