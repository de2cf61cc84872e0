"""Low-rank RSA-CFN: the system RSA-CFN without its outer product, in 0.3 % of its parameters.

Its authors ask for a lighter model of similar quality. Of the 328,300,813 parameters of their head
all but 0.3 million read the outer product z = w (x) t of two vectors of 129. A linear layer on z
has an output w' M t for each unit, a bilinear form; with factors M = sum_r a_r u_r v_r' shared by
all units it becomes a linear layer on

    f = (U w) * (V t)                                                        (B, R), R << 129^2

(Kim et al. 2017, Hadamard product for low-rank bilinear pooling, ICLR; Liu et al. 2018, Efficient
low-rank multimodal fusion with modality-specific factors, ACL). So f stands wherever z stood, and
the rest is as published: within-modality attention of features with its residual and LN, a constant
1 in front of each vector, r = block(f), r2 = block([f, r]), logits from f + r2.

On made-up tasks of interactions it learnt best with Adam at rates of 1e-4 to 3e-4; at 1e-3 it
over-fits a few hundred examples.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from core.models.fusion.rsa_cfn import FeatureAttention
from core.models.outputs import EmotionOutput, Encoded
from core.models.systems.head import HeadSizes, SystemHead, Variant, both
from core.models.systems.readout import Readout
from core.models.systems.residual import ResidualBlocks

CONSTANT = 0.5
"""With 1 a task of pure interactions is learnt worse, with less one of both modalities alone."""


class LowRankProduct(nn.Module):
    """(U [1, w]) * (V [1, t]): R products of a form of one vector with a form of the other.

    For vectors of LN, whose entries have variance 1, forms start with variance 1 and constants with
    a standard deviation of `CONSTANT`. So products have the size of the outer product's entries,
    the gradient of a factor, which is the other factor, neither shrinks nor grows, and the products
    hold either vector alone as well, if less than their interaction.
    """

    def __init__(self, width: int, rank: int) -> None:
        super().__init__()
        self.first = nn.Linear(width, rank)
        self.second = nn.Linear(width, rank)
        for form in (self.first, self.second):
            nn.init.normal_(form.weight, std=1 / math.sqrt(width))
            nn.init.normal_(form.bias, std=CONSTANT)

    def forward(self, one: Tensor, two: Tensor) -> Tensor:
        """Return (B, R) of two vectors (B, P)."""
        product: Tensor = self.first(one) * self.second(two)
        return product


class LowRankRsaCfnHead(SystemHead):
    """Pooled speech and text to logits and to `attentions["feature"]` (B, 2P, 2P).

    Args:
        projection: P, width to which both pooled vectors are projected.
        attention: width of queries and keys.
        rank: R, number of products.
        hidden: width of the residual block's inner layer and of the classifier's.
        dropout: after every hidden layer.
    """

    def __init__(
        self,
        sizes: HeadSizes,
        variant: Variant = Variant.CORRECTED,
        *,
        projection: int = 128,
        attention: int = 96,
        rank: int = 512,
        hidden: int = 256,
        dropout: float = 0.3,
    ) -> None:
        super().__init__(sizes, variant)
        self.project_speech = nn.Linear(sizes.speech, projection)
        self.project_text = nn.Linear(sizes.text, projection)
        self.speech_attention = FeatureAttention(attention)
        self.text_attention = FeatureAttention(attention)
        self.speech_norm = nn.LayerNorm(projection)
        self.text_norm = nn.LayerNorm(projection)
        self.product = LowRankProduct(projection, rank)
        self.blocks = ResidualBlocks(rank, hidden, dropout)
        self.dense = nn.Linear(rank, hidden)
        self.dropout = nn.Dropout(dropout)
        self.out = Readout(hidden, sizes)

    def forward(self, speech: Encoded | None, text: Encoded | None) -> EmotionOutput:
        """Return fused logits and the map. Raises ValueError when a modality is missing."""
        first, second = both(speech, text)
        one, two = self.project_speech(first.pooled), self.project_text(second.pooled)
        attended_one, own = self.speech_attention(one)
        attended_two, other = self.text_attention(two)
        f = self.product(self.speech_norm(attended_one + one), self.text_norm(attended_two + two))
        hidden = self.dropout(self.dense(f + self.blocks(f)).relu())
        output: EmotionOutput = self.out(hidden)
        return EmotionOutput(
            output.logits, output.arousal, output.valence, {"feature": _diagonal(own, other)}
        )


def _diagonal(first: Tensor, second: Tensor) -> Tensor:
    """Return maps (B, P, P) and (B, Q, Q) as one (B, P + Q, P + Q), zero across modalities."""
    p, q = first.shape[1], second.shape[1]
    above = torch.nn.functional.pad(first, (0, q))
    below = torch.nn.functional.pad(second, (p, 0))
    return torch.cat([above, below], dim=1)
