"""Speech encoder: convolution, depthwise blocks, self-attention, attentive statistics pooling."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.labels import EMOTIONS
from core.models.outputs import Encoded


@dataclass(frozen=True)
class SpeechEncoderConfig:
    """Sizes of the speech encoder. `frame_stride` is fixed by the two stride-2 convolutions."""

    frame_dim: int = 68
    functional_dim: int = 497
    dim: int = 128
    blocks: int = 3
    attention_layers: int = 2
    heads: int = 4
    kernel: int = 9
    functional_hidden: int = 128
    dropout: float = 0.2
    functional_dropout: float = 0.5
    classes: int = len(EMOTIONS)
    members: int = 1

    @property
    def frame_stride(self) -> int:
        """Input frames per position of `Encoded.sequence`."""
        return 4

    def to_dict(self) -> dict[str, float]:
        """Return the values for storage beside the weights."""
        return asdict(self)


class _MaskedNorm(nn.Module):
    """Layer normalisation over channels of (B, C, T); touches no other position."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x.transpose(1, 2)).transpose(1, 2)


class _Downsample(nn.Module):
    """Stride-2 convolution over time; invalid input is zeroed so padding changes nothing."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, out, 5, stride=2, padding=2)
        self.norm = _MaskedNorm(out)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        x = self.conv(x * mask[:, None])
        return F.gelu(self.norm(x)), mask[:, ::2]


class _DepthwiseBlock(nn.Module):
    """Residual depthwise convolution and pointwise expansion (as in ConvNeXt, Liu et al. 2022)."""

    def __init__(self, dim: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(dim, dim, kernel, padding=kernel // 2, groups=dim)
        self.norm = nn.LayerNorm(dim)
        self.expand = nn.Linear(dim, 3 * dim)
        self.reduce = nn.Linear(3 * dim, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = self.depthwise(x * mask[:, None]).transpose(1, 2)
        y = self.reduce(F.gelu(self.expand(self.norm(y))))
        return x + self.dropout(y).transpose(1, 2)


class _AttentionLayer(nn.Module):
    """Pre-norm self-attention and feed-forward over valid positions."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(dim)
        self.project = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        batch, length, dim = x.shape
        qkv = self.project(self.norm(x)).view(batch, length, 3, self.heads, dim // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(query, key, value, attn_mask=mask[:, None, None])
        x = x + self.dropout(self.out(y.transpose(1, 2).reshape(batch, length, dim)))
        return x + self.dropout(self.feed_forward(x))


class AttentiveStatistics(nn.Module):
    """Attention-weighted mean and deviation (Okabe et al. 2018, Attentive statistics pooling)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Linear(dim, dim // 2), nn.Tanh(), nn.Linear(dim // 2, 1))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return (B, 2 D) from x (B, T, D) over mask (B, T)."""
        weight = self.weights(x, mask).unsqueeze(-1)
        mean = (weight * x).sum(dim=1)
        variance = (weight * (x - mean[:, None]) ** 2).sum(dim=1)
        return torch.cat([mean, (variance + 1e-4).sqrt()], dim=1)

    def weights(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return how much each position counts (B, T), summing to one over mask (B, T)."""
        score: Tensor = self.score(x).squeeze(-1).masked_fill(~mask, -1e4)
        return score.softmax(dim=1) * mask


class _Member(nn.Module):
    """One network of the encoder: frames and functionals to sequence, pooled vector and logits."""

    def __init__(self, config: SpeechEncoderConfig) -> None:
        super().__init__()
        dim = config.dim
        self.down = nn.ModuleList([_Downsample(config.frame_dim, dim), _Downsample(dim, dim)])
        self.blocks = nn.ModuleList(
            _DepthwiseBlock(dim, config.kernel, config.dropout) for _ in range(config.blocks)
        )
        self.attention = nn.ModuleList(
            _AttentionLayer(dim, config.heads, config.dropout)
            for _ in range(config.attention_layers)
        )
        self.norm = nn.LayerNorm(dim)
        self.pool = AttentiveStatistics(dim)
        self.functionals = nn.Sequential(
            nn.Dropout(config.functional_dropout),
            nn.Linear(config.functional_dim, config.functional_hidden),
            nn.GELU(),
            nn.Dropout(config.functional_dropout),
        )
        self.merge = nn.Linear(2 * dim + config.functional_hidden, dim)
        self.head = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(dim, config.classes))

    def forward(self, frames: Tensor, mask: Tensor, functionals: Tensor) -> Encoded:
        x = frames.transpose(1, 2)
        for down in self.down:
            x, mask = down(x, mask)
        for block in self.blocks:
            x = block(x, mask)
        x = x.transpose(1, 2)
        for layer in self.attention:
            x = layer(x, mask)
        x = self.norm(x)
        pooled = torch.cat([self.pool(x, mask), self.functionals(functionals)], dim=1)
        pooled = F.gelu(self.merge(pooled))
        return Encoded(x, mask, pooled, self.head(pooled))


class SpeechEncoder(nn.Module):
    """Ensemble of `config.members` equal networks behind one interface.

    Logits are the members' mean; `sequence` and `pooled` are those of the first member.
    """

    def __init__(self, config: SpeechEncoderConfig | None = None) -> None:
        super().__init__()
        self.config = config or SpeechEncoderConfig()
        self.members = nn.ModuleList(_Member(self.config) for _ in range(self.config.members))

    def forward(self, frames: Tensor, mask: Tensor, functionals: Tensor | None = None) -> Encoded:
        """Encode normalised frames (B, T, F), mask (B, T) and functionals (B, S) or None.

        Returns sequence (B, ceil(T / frame_stride), D), its mask, pooled (B, D), logits (B, C) in
        the order of `core.labels.EMOTIONS`.
        """
        if functionals is None:
            functionals = frames.new_zeros(len(frames), self.config.functional_dim)
        outputs: list[Encoded] = [member(frames, mask, functionals) for member in self.members]
        logits = torch.stack([o.logits for o in outputs]).mean(dim=0)
        first = outputs[0]
        return Encoded(first.sequence, first.mask, first.pooled, logits)

    def frame_weights(self, encoded: Encoded) -> Tensor:
        """Return how much each position counts in the pooling of the first member, (B, T)."""
        pool = self.members[0].pool
        assert isinstance(pool, AttentiveStatistics)
        return pool.weights(encoded.sequence, encoded.mask)
