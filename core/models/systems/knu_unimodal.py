"""KNU's rows "text" and "speech": one pooled vector, Dropout on text, three linear layers.

Text is klue/bert-base's pooled output (768), speech one vector of wav2vec2-base: 512 of the last
frame of its CNN output in the paper, 768 of the mean of valid frames in the corrected variant. Both
are the encoder's choice (layer and pooling); what differs here is said in `knu.py`.
"""

from __future__ import annotations

from torch import nn

from core.models.outputs import EmotionOutput, Encoded
from core.models.systems.head import HeadSizes, SystemHead, Variant
from core.models.systems.knu import KnuReadout


class KnuSpeechHead(SystemHead):
    """Pooled speech to labels and affect.

    Args:
        emotion: whether there are labels at all (see `knu.py`).
    """

    def __init__(
        self, sizes: HeadSizes, variant: Variant = Variant.CORRECTED, *, emotion: bool = True
    ) -> None:
        super().__init__(sizes, variant)
        self.out = KnuReadout(sizes.speech, sizes, variant, emotion)

    def forward(self, speech: Encoded | None, text: Encoded | None) -> EmotionOutput:
        """Return labels and affect of the speech. Raises ValueError without any."""
        if speech is None:
            raise ValueError("this system needs speech")
        output: EmotionOutput = self.out(speech.pooled)
        return output


class KnuTextHead(SystemHead):
    """Pooled text to labels and affect.

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
        self.out = KnuReadout(sizes.text, sizes, variant, emotion)

    def forward(self, speech: Encoded | None, text: Encoded | None) -> EmotionOutput:
        """Return labels and affect of the text. Raises ValueError without any."""
        if text is None:
            raise ValueError("this system needs text")
        output: EmotionOutput = self.out(self.dropout(text.pooled))
        return output
