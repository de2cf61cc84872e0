"""Nested early fusion: early fusion of the RSA-CFN paper with a Matryoshka head.

Kusupati et al. 2022, "Matryoshka Representation Learning", NeurIPS, around the plainest system
there is: LN of both pooled vectors side by side, then a classifier at every nested size (see
`core.models.nested`). It shows what a nested head asks of a system: where its one classifier was, a
`NestedHead` stands, and the logits of all sizes go into `auxiliary`.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from core.models.nested import PER_MODALITY, NestedConfig, NestedHead
from core.models.outputs import EmotionOutput, Encoded
from core.models.systems.head import HeadSizes, SystemHead, Variant, join, nested_key
from core.models.systems.readout import AffectReadout, with_affect


class NestedEarlyHead(SystemHead):
    """Pooled speech and text to logits, and to `auxiliary["nested_M"]` (B, C) of every size M.

    Both variants are the same. Arousal and valence are read out of the whole vector.

    Args:
        nested: sizes; empty: halves of the whole, down to one dimension per modality.
        layout: `per_modality` or `leading`.
        shared: one classifier whose columns all sizes share (MRL-E), or one for each (MRL).
    """

    def __init__(
        self,
        sizes: HeadSizes,
        variant: Variant = Variant.CORRECTED,
        *,
        nested: Sequence[int] = (),
        layout: str = PER_MODALITY,
        shared: bool = True,
    ) -> None:
        super().__init__(sizes, variant)
        self.norm = nn.LayerNorm(sizes.joined)
        config = NestedConfig(tuple(nested), layout, shared)
        self.out = NestedHead((sizes.speech, sizes.text), sizes.classes, config)
        self.affect = AffectReadout(sizes.joined) if sizes.affect else None

    def forward(self, speech: Encoded | None, text: Encoded | None) -> EmotionOutput:
        """Return logits of all sizes. Raises ValueError when a modality is missing."""
        x = self.norm(join(speech, text))
        said = self.out(x)
        output = with_affect(said.logits, x, self.affect)
        nested = {nested_key(size): logits for size, logits in said.nested.items()}
        return EmotionOutput(said.logits, output.arousal, output.valence, auxiliary=nested)
