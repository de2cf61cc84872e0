"""Speech encoder: a frame network beside heads on utterance statistics.

The frame network is convolution, depthwise blocks, self-attention and attentive pooling over mel
frames; the heads see the functionals, which generalise better from few speakers.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.labels import EMOTIONS
from core.models.outputs import Encoded


@dataclass(frozen=True)
class SpeechEncoderConfig:
    """Sizes of the speech encoder. `frame_stride` is fixed by the two stride-2 convolutions.

    members: frame networks; heads_each: functional heads of each kind.
    frame_share: weight of the frame networks' logits beside those of the functional heads.
    """

    frame_dim: int = 68
    functional_dim: int = 1865
    dim: int = 128
    blocks: int = 3
    attention_layers: int = 2
    heads: int = 4
    kernel: int = 9
    functional_hidden: int = 256
    heads_each: int = 2
    dropout: float = 0.2
    functional_dropout: float = 0.5
    frame_share: float = 0.3
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


class FrameNetwork(nn.Module):
    """Frames (B, T, F) to sequence (B, T', D), its mask, and pooled statistics (B, 2 D)."""

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
        self.head = nn.Sequential(
            nn.Linear(2 * dim, dim),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(dim, config.classes),
        )

    def forward(self, frames: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return sequence, mask and pooled statistics; `head` turns these into logits."""
        x = frames.transpose(1, 2)
        for down in self.down:
            x, mask = down(x, mask)
        for block in self.blocks:
            x = block(x, mask)
        x = x.transpose(1, 2)
        for layer in self.attention:
            x = layer(x, mask)
        x = self.norm(x)
        return x, mask, self.pool(x, mask)


class FunctionalHeads(nn.Module):
    """Several small networks over the functionals (B, S), side by side.

    The first `heads_each` serve any speaker, the others speakers with a personal baseline; the
    last functional, the baseline's reliability, mixes their logits.
    """

    def __init__(self, config: SpeechEncoderConfig) -> None:
        super().__init__()
        self.each = config.heads_each
        self.networks = nn.ModuleList(
            nn.Sequential(
                nn.Dropout(config.functional_dropout),
                nn.Linear(config.functional_dim, config.functional_hidden),
                nn.GELU(),
                nn.Dropout(config.functional_dropout),
                nn.Linear(config.functional_hidden, config.classes),
            )
            for _ in range(2 * config.heads_each)
        )

    def separate(self, functionals: Tensor) -> Tensor:
        """Return the logits of every head (heads, B, C)."""
        return torch.stack([network(functionals) for network in self.networks])

    def forward(self, functionals: Tensor) -> Tensor:
        """Return the mixed logits (B, C)."""
        logits = self.separate(functionals)
        reliability = functionals[:, -1:]
        average, personal = logits[: self.each].mean(dim=0), logits[self.each :].mean(dim=0)
        return (1 - reliability) * average + reliability * personal


class SpeechEncoder(nn.Module):
    """Frame networks and functional heads behind one interface; their logits are averaged.

    `sequence` is that of the first frame network; `pooled` joins its pooled statistics with the
    logits of all parts.
    """

    def __init__(self, config: SpeechEncoderConfig | None = None) -> None:
        super().__init__()
        self.config = config or SpeechEncoderConfig()
        c = self.config
        self.members = nn.ModuleList(FrameNetwork(c) for _ in range(c.members))
        self.functional_heads = FunctionalHeads(c)
        self.merge = nn.Linear(2 * c.dim + (1 + 2 * c.heads_each) * c.classes, c.dim)
        self.joint_head = nn.Linear(c.dim, c.classes)

    def forward(self, frames: Tensor, mask: Tensor, functionals: Tensor | None = None) -> Encoded:
        """Encode normalised frames (B, T, F), mask (B, T) and functionals (B, S) or None.

        Returns sequence (B, ceil(T / frame_stride), D), its mask, pooled (B, D), logits (B, C) in
        the order of `core.labels.EMOTIONS`. Without functionals the frames decide alone.
        """
        parts = self.parts(frames, mask, functionals)
        share = self.config.frame_share if functionals is not None else 1.0
        logits = share * parts.frame_logits + (1 - share) * parts.functional_logits
        return Encoded(parts.sequence, parts.mask, parts.pooled, logits)

    def parts(self, frames: Tensor, mask: Tensor, functionals: Tensor | None = None) -> SpeechParts:
        """Return what `forward` combines, for training."""
        c = self.config
        if functionals is None:
            functionals = frames.new_zeros(len(frames), c.functional_dim)
        outputs: list[tuple[Tensor, Tensor, Tensor]] = [m(frames, mask) for m in self.members]
        logits = [m.head(o[2]) for m, o in zip(self.members, outputs, strict=True)]  # type: ignore[operator]
        frame_logits = torch.stack(logits).mean(dim=0)
        separate = self.functional_heads.separate(functionals)
        heads = separate.transpose(0, 1).flatten(1)
        # pooling follows the networks without steering them
        joined = torch.cat([outputs[0][2], frame_logits, heads], dim=1).detach()
        pooled = F.gelu(self.merge(joined))
        sequence, sequence_mask, _ = outputs[0]
        return SpeechParts(
            sequence, sequence_mask, pooled, frame_logits, self.functional_heads(functionals)
        )


@dataclass(frozen=True, slots=True)
class SpeechParts:
    """Sequence (B, T', D), its mask, pooled (B, D), and the logits (B, C) of both branches."""

    sequence: Tensor
    mask: Tensor
    pooled: Tensor
    frame_logits: Tensor
    functional_logits: Tensor
