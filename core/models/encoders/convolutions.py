"""The convolutions of wav2vec 2.0 and its kin over a padded batch, exact for every row.

wav2vec2-base, HuBERT-base and others normalise each channel over the whole length of the clip
(GroupNorm with one group per channel), so zeros that fill up a batch change every frame, and no
attention mask can repair it. Here the statistics are taken over a row's own frames. All other steps
are local: a valid frame is made of valid samples only. A row of a batch then equals the row alone.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


def frame_counts(samples: Tensor, extractor: nn.Module) -> Tensor:
    """Return how many frames (B,) the convolutions make of `samples` (B,)."""
    counts = samples
    for layer in _layers(extractor):
        counts = _shrunk(counts, layer)
    return counts


def convolve(waveform: Tensor, samples: Tensor, extractor: nn.Module) -> Tensor:
    """Run the feature extractor of a Hugging Face speech model.

    Args:
        waveform: (B, N); samples: (B,), how many of each row are valid.
        extractor: its `feature_extractor`.

    Returns:
        (B, T, C); frames beyond a row's `frame_counts` mean nothing.
    """
    hidden, counts = waveform.unsqueeze(1), samples
    for layer in _layers(extractor):
        hidden = layer.conv(hidden)
        counts = _shrunk(counts, layer)
        norm = getattr(layer, "layer_norm", None)
        if isinstance(norm, nn.GroupNorm):
            hidden = _norm_over_valid(hidden, counts, norm)
        elif norm is not None:
            hidden = norm(hidden.transpose(1, 2)).transpose(1, 2)
        hidden = layer.activation(hidden)
    return hidden.transpose(1, 2)


def _layers(extractor: nn.Module) -> Any:
    return extractor.conv_layers


def _shrunk(counts: Tensor, layer: Any) -> Tensor:
    return (counts - layer.conv.kernel_size[0]).div(layer.conv.stride[0], rounding_mode="floor") + 1


def _norm_over_valid(x: Tensor, counts: Tensor, norm: nn.GroupNorm) -> Tensor:
    """Normalise each channel of each row of x (B, C, T) over its first `counts` frames."""
    valid = torch.arange(x.shape[2], device=x.device)[None] < counts[:, None]
    if bool(valid.all()):
        normed: Tensor = norm(x)
        return normed
    weight = valid[:, None].to(torch.float32)
    total = counts.to(torch.float32)[:, None, None]
    wide = x.float()
    mean = (wide * weight).sum(dim=2, keepdim=True) / total
    centred = (wide - mean) * weight
    variance = centred.square().sum(dim=2, keepdim=True) / total
    scaled = (wide - mean) * torch.rsqrt(variance + norm.eps)
    return (scaled * norm.weight[:, None] + norm.bias[:, None]).to(x.dtype)
