"""Encoded utterances, heads with weights that hide nothing, and encoders small enough for tests."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from core.models.outputs import Encoded, ModelInputs
from core.models.systems.build import build_head
from core.models.systems.head import HeadSizes, SystemHead, Variant
from core.models.systems.registry import system
from core.types import Modality

SPEECH, TEXT, CLASSES, ROWS = 12, 10, 7, 3
SIZES = HeadSizes(SPEECH, TEXT, CLASSES, affect=True)
MIXER = {"width": 8, "text_tokens": 6, "speech_frames": 9, "hidden": 5}
RSA_CFN = {"projection": 4, "attention": 3, "hidden": 6}
SMALL: dict[str, dict[str, Any]] = {
    "mlp_mixer": MIXER,
    "residual": {"hidden": 5},
    "rsa": {"attention": 4, "hidden": 5},
    "rsa_cfn": RSA_CFN,
    "low_rank_rsa_cfn": {"projection": 4, "attention": 3, "rank": 9, "hidden": 6},
    "hybrid": {"voters": {"residual": {"hidden": 5}, "rsa_cfn": RSA_CFN}},
}
"""Options that shrink the heads which are large as published."""


def encoded(dim: int, valid: tuple[int, ...], length: int, seed: int) -> Encoded:
    """Random features without logits; row i has `valid[i]` valid positions of `length`."""
    generator = torch.Generator().manual_seed(seed)
    sequence = torch.randn(len(valid), length, dim, generator=generator)
    mask = torch.arange(length) < torch.tensor(valid)[:, None]
    total = (sequence * mask[..., None]).sum(dim=1)
    pooled = total / torch.tensor(valid)[:, None]
    return Encoded(sequence, mask, pooled, sequence.new_zeros(len(valid), 0))


def utterances(rows: int = ROWS, seed: int = 0) -> tuple[Encoded, Encoded]:
    """Speech and text of a few utterances, of different lengths."""
    spoken = tuple(7 - i % 4 for i in range(rows))
    written = tuple(5 - i % 3 for i in range(rows))
    return encoded(SPEECH, spoken, 7, seed), encoded(TEXT, written, 5, seed + 1)


def sizes_of(name: str, sizes: HeadSizes = SIZES) -> HeadSizes:
    """The widths of the modalities that a system takes."""
    taken = system(name).modalities
    return HeadSizes(
        sizes.speech if Modality.SPEECH in taken else 0,
        sizes.text if Modality.TEXT in taken else 0,
        sizes.classes,
        sizes.affect,
        sizes.exclusive,
    )


def taken_by(name: str, speech: Encoded, text: Encoded) -> tuple[Encoded | None, Encoded | None]:
    """What the system takes of both, None for the rest."""
    taken = system(name).modalities
    return (
        speech if Modality.SPEECH in taken else None,
        text if Modality.TEXT in taken else None,
    )


def small_head(
    name: str,
    variant: Variant = Variant.CORRECTED,
    sizes: HeadSizes = SIZES,
    **options: Any,
) -> SystemHead:
    """A small head in evaluation mode, every weight and bias of which is random."""
    head = build_head(name, sizes_of(name, sizes), variant, {**SMALL.get(name, {}), **options})
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator))
    return head.eval()


class TinyEncoder(nn.Module):
    """Stands in for an encoder: frames or tokens to features, a mean over valid positions."""

    def __init__(self, dim: int, modality: str) -> None:
        super().__init__()
        self.dim, self.modality = dim, modality
        self.embed = nn.Linear(1, dim)

    def config(self) -> dict[str, Any]:
        return {"dim": self.dim, "modality": self.modality}

    def forward(self, inputs: ModelInputs) -> Encoded:
        is_speech = self.modality == "speech"
        values = inputs.waveform if is_speech else inputs.tokens
        mask = inputs.waveform_mask if is_speech else inputs.token_mask
        assert values is not None
        assert mask is not None
        sequence = self.embed(values[..., None].float()).tanh()
        pooled = (sequence * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return Encoded(sequence, mask, pooled, sequence.new_zeros(len(mask), 0))
