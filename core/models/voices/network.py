"""The voice network: frames of speech to a point on the unit sphere, near for equal voices.

Convolutions over time and statistics pooling as in x-vectors (Snyder et al. 2018, X-vectors: robust
DNN embeddings for speaker recognition, ICASSP, section 2), at a size for a few dozen speakers.
Mean and deviation of the frames themselves join the pooled ones: with so few speakers to learn
from, much of what tells voices apart is there already.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_CLIP = 5.0
_LEAST_VARIANCE = 1e-4


@dataclass(frozen=True)
class VoiceNetworkConfig:
    """Sizes of the voice network.

    frame_dim: channels of a frame. dim: width of the convolutions. layers: residual ones.
    kernel: of each, in positions of two frames. embedding: D. dropout: of the pooled statistics.
    """

    frame_dim: int = 68
    dim: int = 96
    layers: int = 3
    kernel: int = 3
    embedding: int = 64
    dropout: float = 0.2

    def __post_init__(self) -> None:
        if min(self.frame_dim, self.dim, self.embedding) < 1 or self.layers < 0:
            raise ValueError("sizes of the voice network must be positive")
        if self.kernel % 2 == 0 or not 0 <= self.dropout < 1:
            raise ValueError("kernel must be odd and dropout in [0, 1)")

    def to_dict(self) -> dict[str, float]:
        """Return the values for storage beside the weights."""
        return asdict(self)


class _Residual(nn.Module):
    """Dilated convolution over (B, T, C), normalised per position, added to its input."""

    def __init__(self, dim: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        padding = dilation * (kernel // 2)
        self.conv = nn.Conv1d(dim, dim, kernel, padding=padding, dilation=dilation)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = self.norm(x) * mask[..., None]
        return x + F.gelu(self.conv(y.transpose(1, 2)).transpose(1, 2))


class VoiceNetwork(nn.Module):
    """Frames (B, T, F) and their mask (B, T) to embeddings (B, D) of length one."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: VoiceNetworkConfig | None = None) -> None:
        super().__init__()
        self.config = config or VoiceNetworkConfig()
        c = self.config
        self.register_buffer("mean", torch.zeros(c.frame_dim))
        self.register_buffer("deviation", torch.ones(c.frame_dim))
        self.enter = nn.Conv1d(c.frame_dim, c.dim, 5, stride=2, padding=2)
        self.layers = nn.ModuleList(
            _Residual(c.dim, c.kernel, dilation + 1) for dilation in range(c.layers)
        )
        self.leave = nn.Linear(c.dim, 2 * c.dim)
        pooled = 4 * c.dim + 2 * c.frame_dim
        self.norm = nn.BatchNorm1d(pooled)
        self.dropout = nn.Dropout(c.dropout)
        self.embed = nn.Linear(pooled, c.embedding)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Embed frames as `VoiceFrontEnd` gives them; at least one per row must be valid."""
        x = ((frames - self.mean) / self.deviation).clamp(-_CLIP, _CLIP) * mask[..., None]
        pooled = torch.cat([self._learned(x, mask), masked_statistics(x, mask)], dim=1)
        return F.normalize(self.embed(self.dropout(self.norm(pooled))), dim=1)

    def _learned(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return statistics (B, 4 C) of what the convolutions see."""
        y = F.gelu(self.enter(x.transpose(1, 2)).transpose(1, 2))  # (B, T / 2, C)
        half = mask[:, ::2]
        for layer in self.layers:
            y = layer(y, half)
        return masked_statistics(F.gelu(self.leave(y)), half)


def masked_statistics(x: Tensor, mask: Tensor) -> Tensor:
    """Return mean and deviation (B, 2 C) of x (B, T, C) over mask (B, T)."""
    weight = mask[..., None].to(x.dtype)
    count = weight.sum(dim=1).clamp_min(1.0)
    mean = (x * weight).sum(dim=1) / count
    variance = ((x - mean[:, None]) ** 2 * weight).sum(dim=1) / count
    return torch.cat([mean, (variance + _LEAST_VARIANCE).sqrt()], dim=1)
