"""RSA, residual self-attention over features (KEMDy20, the RSA-CFN paper).

x = LN of both pooled vectors side by side (1024 + 768); every scalar feature is a token that
attends to all others: a = softmax(Q K^T / 16) V with queries and keys of width 256 and values of
width 1; r = block(a); r2 = block2([a, r]); logits of x + r2 (of x, not of a). Both variants are the
same. The map it returns is the paper's figure; its rows and columns are dimensions of the pooled
vectors, neither moments nor words.
"""

from __future__ import annotations

from torch import nn

from core.models.fusion.rsa_cfn import FeatureAttention
from core.models.outputs import EmotionOutput, Encoded
from core.models.systems.head import HeadSizes, SystemHead, Variant, join
from core.models.systems.readout import Readout
from core.models.systems.residual import ResidualBlocks


class RsaHead(SystemHead):
    """Pooled speech and text to logits and to `attentions["feature"]` (B, D, D), speech first.

    Args:
        attention: width of queries and keys.
        hidden: width of the residual block's inner layer.
        dropout: after every hidden layer.
    """

    def __init__(
        self,
        sizes: HeadSizes,
        variant: Variant = Variant.CORRECTED,
        *,
        attention: int = 256,
        hidden: int = 512,
        dropout: float = 0.3,
    ) -> None:
        super().__init__(sizes, variant)
        self.norm = nn.LayerNorm(sizes.joined)
        self.attention = FeatureAttention(attention)
        self.blocks = ResidualBlocks(sizes.joined, hidden, dropout)
        self.out = Readout(sizes.joined, sizes)
        self.feature_sizes = (sizes.speech, sizes.text)

    def forward(self, speech: Encoded | None, text: Encoded | None) -> EmotionOutput:
        """Return fused logits and the map. Raises ValueError when a modality is missing."""
        x = self.norm(join(speech, text))
        attended, weight = self.attention(x)
        output: EmotionOutput = self.out(x + self.blocks(attended))
        return EmotionOutput(output.logits, output.arousal, output.valence, {"feature": weight})
