"""Pretrained encoders in half precision on a GPU; whatever judges by what they say stays in fp32.

Micikevicius et al. (2018), Mixed precision training, ICLR: products in half precision, norms and
softmax in fp32. Weights of linear layers and convolutions are stored in half, so that they are read
once and not converted in every call.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize

from core.models.base import EmotionModel
from core.models.encoders.trainable import FreezableEncoder
from core.models.outputs import Encoded, ModelInputs
from core.models.runtimes.base import Precision

DTYPES: Mapping[Precision, torch.dtype] = MappingProxyType(
    {Precision.FP16: torch.float16, Precision.BF16: torch.bfloat16}
)


class InHalf(nn.Module):
    """An encoder that computes in half precision and answers in fp32.

    Args:
        encoder: changed: its large weights become `dtype`.
        dtype: of products.
        device: kind of device it runs on, as torch calls it.
    """

    def __init__(self, encoder: FreezableEncoder, dtype: torch.dtype, device: str) -> None:
        super().__init__()
        self.encoder = encoder
        self.dim: int = encoder.dim  # type: ignore[assignment]
        self._dtype = dtype
        self._device = device
        _halve(encoder, dtype)

    def config(self) -> dict[str, Any]:
        """Return what the encoder says about its architecture."""
        found: dict[str, Any] = self.encoder.config()  # type: ignore[operator]
        return found

    def forward(self, inputs: ModelInputs) -> Encoded:
        """Encode; sequence, pooled and logits are fp32."""
        with torch.autocast(self._device, self._dtype):
            encoded: Encoded = self.encoder(inputs)
        return Encoded(
            encoded.sequence.float(), encoded.mask, encoded.pooled.float(), encoded.logits.float()
        )


def in_half(model: EmotionModel, precision: Precision, device: str) -> EmotionModel:
    """Let the pretrained encoders of a model compute in a half precision; the model is changed.

    Compact encoders, and classifiers that others trained, stay as they are.
    """
    dtype = DTYPES.get(precision)
    if dtype is None:
        return model
    for name in ("speech", "text"):
        encoder = getattr(model, name, None)
        if isinstance(encoder, FreezableEncoder):
            setattr(model, name, InHalf(encoder, dtype, device))
    return model


def _halve(module: nn.Module, dtype: torch.dtype) -> None:
    """Convert the weights that are multiplied; a weight that is made of others stays."""
    for child in module.modules():
        plain = isinstance(child, nn.Linear | nn.Conv1d) and not parametrize.is_parametrized(child)
        if plain:
            child.to(dtype)
