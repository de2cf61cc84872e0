"""What all heads of KNU's system have in common (KEMDy19/20: several labels at once, and affect).

Three linear layers read seven labels, arousal and valence out of one vector; the published
loss is the sum of one loss for each. Which of them there are is the task:
    total                classes and `affect`
    classification-only  classes without `affect`
    regression-only      `affect` with `emotion: false`: there is no layer for labels, and the
                         logits are constant zeros, which say nothing and carry no gradient

Variants: in the public code the model returns softmax(z), the loss (MultiLabelSoftMargin) takes
that for logits and applies a sigmoid once more, and a label fires when softmax(z) > .5, which at
most one can do.
- corrected: logits are z; a sigmoid and a threshold per label come later, once.
- paper: `logits` are logit(softmax(z)), so that sigmoid(logits) is what the public code holds
  against .5, and `auxiliary[LOSS_LOGITS]` is softmax(z), what the published loss takes for logits.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.errors import ConfigError
from core.models.outputs import EmotionOutput
from core.models.systems.head import LOSS_LOGITS, HeadSizes, Variant
from core.models.systems.readout import AffectReadout, with_affect


class KnuReadout(nn.Module):
    """Labels, arousal and valence out of one vector.

    Args:
        width: D of the vector.
        sizes: how many classes, and whether there is affect.
        emotion: whether there is a layer for labels.

    Raises:
        ConfigError: nothing is left to predict, or the published softmax has a single class.
    """

    def __init__(self, width: int, sizes: HeadSizes, variant: Variant, emotion: bool) -> None:
        super().__init__()
        if not emotion and not sizes.affect:
            raise ConfigError(
                "A head without labels needs arousal and valence.", "Set affect or emotion."
            )
        if emotion and variant is Variant.PAPER and sizes.classes < 2:
            raise ConfigError("A softmax over a single class says nothing.")
        self.classes = sizes.classes
        self.published = variant is Variant.PAPER
        self.emotion = nn.Linear(width, sizes.classes) if emotion else None
        self.affect = AffectReadout(width) if sizes.affect else None

    def forward(self, x: Tensor) -> EmotionOutput:
        """Read labels, arousal and valence out of x (B, D)."""
        if self.emotion is None:
            return with_affect(x.new_zeros(len(x), self.classes), x, self.affect)
        z = self.emotion(x)
        if not self.published:
            return with_affect(z, x, self.affect)
        output = with_affect(logit_of_softmax(z), x, self.affect)
        probabilities = {LOSS_LOGITS: z.softmax(dim=-1)}
        return EmotionOutput(output.logits, output.arousal, output.valence, {}, probabilities)


def logit_of_softmax(z: Tensor) -> Tensor:
    """Return log(p / (1 - p)) of p = softmax(z) (B, C): z less the log-sum-exp of all others."""
    same = torch.eye(z.shape[-1], dtype=torch.bool, device=z.device)
    others = z.unsqueeze(-2).expand(*z.shape, z.shape[-1]).masked_fill(same, float("-inf"))
    return z - others.logsumexp(dim=-1)
