"""All modalities of an utterance, and its speaker, as one vector: what baselines take."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from core.models.context.inputs import DialogueInputs
from core.models.context.specification import DialogueSpecification, FeatureSize


class JoinedFeatures(nn.Module):
    """Concatenates modalities, each normalised by itself, and says which are there.

    Ba, Kiros & Hinton (2016), Layer normalization, arXiv 1607.06450: it takes nothing from other
    utterances, in training either. Of an encoder's several layers the mean is taken.
    """

    def __init__(self, sizes: Mapping[str, FeatureSize]) -> None:
        super().__init__()
        self.norms = nn.ModuleDict({name: nn.LayerNorm(size.dim) for name, size in sizes.items()})
        self._sizes = dict(sizes)

    @property
    def width(self) -> int:
        """Size of what comes out: all features, and one number per modality if it is there."""
        return sum(size.dim for size in self._sizes.values()) + len(self._sizes)

    def forward(self, inputs: DialogueInputs) -> Tensor:
        """Return (B, T, width); a missing modality, and a filled-up utterance, is zeros."""
        parts, there = [], []
        for name, size in self._sizes.items():
            present = _present(inputs, name)  # (B, T)
            there.append(present)
            parts.append(self._normalised(inputs, name, size, present))
        return torch.cat([*parts, torch.stack(there, dim=-1).to(parts[0].dtype)], dim=-1)

    def _normalised(
        self, inputs: DialogueInputs, name: str, size: FeatureSize, present: Tensor
    ) -> Tensor:
        values = inputs.features.get(name)
        if values is None:
            return next(self.parameters()).new_zeros(*present.shape, size.dim)
        gap = ~present.reshape(*present.shape, *(1,) * (values.ndim - 2))
        normed: Tensor = self.norms[name](values.masked_fill(gap, 0.0))  # gaps may hold anything
        normed = normed.mean(dim=2) if normed.ndim == 4 else normed
        return normed.masked_fill(~present[..., None], 0.0)


class SpeakerEmbedding(nn.Module):
    """A vector per speaker, another for nobody known; zeros where there is no utterance."""

    def __init__(self, specification: DialogueSpecification, dim: int) -> None:
        super().__init__()
        self._known = specification.speakers
        self.embedding = nn.Embedding(specification.speakers + 1, dim)

    def forward(self, inputs: DialogueInputs) -> Tensor:
        """Return (B, T, dim)."""
        speakers = inputs.speakers.clamp(max=self._known - 1)
        rows = torch.where(speakers < 0, self._known, speakers)
        found: Tensor = self.embedding(rows)
        return found.masked_fill(~inputs.mask[..., None], 0.0)


def _present(inputs: DialogueInputs, name: str) -> Tensor:
    """Return (B, T) where an utterance has the modality."""
    if name not in inputs.features:
        return torch.zeros_like(inputs.mask)
    return inputs.mask & inputs.present.get(name, inputs.mask)
