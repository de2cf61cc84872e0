"""Hybrid fusion of the RSA-CFN paper (KEMDy20): late, early, residual and RSA-CFN together.

The public code trains the four heads jointly on the same encoders: four logit vectors stacked
(B, 4, C), one LN(C) over them, the mean. The paper speaks of soft voting of the four rows:
`voting: probabilities` averages the probabilities of four heads that were trained one by one (see
`HybridHead.of_heads`, and `core.models.voting` for whole checkpoints). Both variants are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import Tensor, nn

from core.errors import CheckpointError, ConfigError
from core.models.outputs import EmotionOutput, Encoded
from core.models.systems.build import build_head
from core.models.systems.head import HeadSizes, SystemHead, Variant
from core.models.systems.readout import mean_affect, vote_softly

VOTERS = ("early", "late", "residual", "rsa_cfn")
VOTINGS = ("joint", "probabilities")


class HybridHead(SystemHead):
    """Pooled speech and text to the vote of four heads.

    Attention maps are those of the late and of the RSA-CFN head: `modality` and `feature`.
    `auxiliary["voters"]` (B, 4, C) holds what each said, in the order of `VOTERS`.

    Args:
        voting: "joint" (LN and mean of logits) or "probabilities" (their mean).
        voters: options per head that differ from the published values.
    """

    def __init__(
        self,
        sizes: HeadSizes,
        variant: Variant = Variant.CORRECTED,
        *,
        voting: str = "joint",
        voters: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__(sizes, variant)
        given = dict(voters or {})
        _check(voting, given)
        self.voters = nn.ModuleDict(
            {name: build_head(name, sizes, variant, given.get(name)) for name in VOTERS}
        )
        self.norm = nn.LayerNorm(sizes.classes) if voting == "joint" else None

    @classmethod
    def of_heads(cls, heads: Mapping[str, SystemHead], options: Mapping[str, Any]) -> Self:
        """Let four trained heads vote by their probabilities; their weights are copied.

        Args:
            heads: by the names in `VOTERS`, all of the same sizes.
            options: per head its options.

        Raises:
            CheckpointError: a head is missing, or they differ in what they take or say.
        """
        if missing := sorted(set(VOTERS) - set(heads)):
            raise CheckpointError(f"A hybrid also needs the heads {', '.join(missing)}.")
        sizes = heads[VOTERS[0]].sizes
        if any(heads[name].sizes != sizes for name in VOTERS):
            raise CheckpointError("The heads differ in what they take or in what they say.")
        hybrid = cls(sizes, voting="probabilities", voters=options)
        for name in VOTERS:
            hybrid.voters[name].load_state_dict(heads[name].state_dict())
        return hybrid

    def forward(self, speech: Encoded | None, text: Encoded | None) -> EmotionOutput:
        """Return the vote. Raises ValueError when a modality is missing."""
        said: dict[str, EmotionOutput] = {
            name: head(speech, text) for name, head in self.voters.items()
        }
        stacked = torch.stack([said[name].logits for name in VOTERS], dim=1)  # (B, 4, C)
        arousal, valence = mean_affect(list(said.values()))
        maps = {**said["late"].attentions, **said["rsa_cfn"].attentions}
        return EmotionOutput(self._vote(stacked), arousal, valence, maps, {"voters": stacked})

    def _vote(self, stacked: Tensor) -> Tensor:
        if self.norm is None:
            return vote_softly(stacked, exclusive=self.sizes.exclusive)
        logits: Tensor = self.norm(stacked).mean(dim=1)
        return logits


def _check(voting: str, voters: Mapping[str, Any]) -> None:
    if voting not in VOTINGS:
        raise ConfigError(f"There is no voting {voting!r}.", f"Choose one of {', '.join(VOTINGS)}.")
    if unknown := sorted(set(voters) - set(VOTERS)):
        raise ConfigError(
            f"No head {', '.join(unknown)} votes in a hybrid.", f"These do: {', '.join(VOTERS)}."
        )
