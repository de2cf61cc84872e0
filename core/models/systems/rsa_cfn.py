"""The system RSA-CFN (KEMDy20): the head of `fusion/rsa_cfn.py` at its published sizes.

Both pooled vectors are projected to 128; w = LN(SA(w) + w), text likewise; a constant 1 in front of
each; outer product z (16,641); r = block(z), r2 = block([z, r]); logits from z + r2. With widths of
1024 and 768 and seven classes that is 328,300,813 parameters. Both variants are the same. The
public code discards the two within-modality maps; here they are returned.
"""

from __future__ import annotations

from core.models.fusion.rsa_cfn import RsaCfnConfig, RsaCfnHead
from core.models.outputs import EmotionOutput, Encoded
from core.models.systems.head import HeadSizes, SystemHead, Variant, both
from core.models.systems.readout import AffectReadout, with_affect


class RsaCfnSystemHead(SystemHead):
    """Pooled speech and text to logits and to `attentions["feature"]` (B, 2P, 2P).

    Args:
        projection: P, width to which both pooled vectors are projected.
        attention: width of queries and keys.
        hidden: width of the residual block's inner layer and of the classifier's.
        dropout: after every hidden layer.
        joint: features of both modalities attend to each other (ours; published: within each).
    """

    def __init__(
        self,
        sizes: HeadSizes,
        variant: Variant = Variant.CORRECTED,
        *,
        projection: int = 128,
        attention: int = 96,
        hidden: int = 1024,
        dropout: float = 0.3,
        joint: bool = False,
    ) -> None:
        super().__init__(sizes, variant)
        config = RsaCfnConfig(
            speech_dim=sizes.speech,
            text_dim=sizes.text,
            projection=projection,
            attention=attention,
            hidden=hidden,
            dropout=dropout,
            classes=sizes.classes,
            joint=joint,
        )
        self.head = RsaCfnHead(config)
        self.affect = AffectReadout(hidden) if sizes.affect else None

    def forward(self, speech: Encoded | None, text: Encoded | None) -> EmotionOutput:
        """Return fused logits and the map. Raises ValueError when a modality is missing."""
        first, second = both(speech, text)
        hidden, weight = self.head.fuse(first.pooled, second.pooled)
        output = with_affect(self.head.classify(hidden), hidden, self.affect)
        return EmotionOutput(output.logits, output.arousal, output.valence, {"feature": weight})
