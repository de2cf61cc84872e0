"""MLP-Mixer over words and moments: a row of the RSA-CFN paper (KEMDy20).

Tolstikhin et al. (2021), MLP-Mixer: an all-MLP architecture for vision, NeurIPS, on a sequence of
256 text tokens and then 299 speech frames (6 s), each projected to 256. One block, whose one LN is
shared: y = LN(x); y = token-MLP over positions; x = x + y; y = LN(y), of the mixed branch and not
of the sum; x = x + channel-MLP(y). Then LN, the mean over positions, and an MLP to the classes.
An MLP of the block is Linear, GELU, Linear, Dropout, all of the same width.

A mixing over positions has one weight per position, so sequences are cut and padded to the fixed
lengths. Differences between the variants:
- paper: padding takes part. What the encoders made of padding stays, positions beyond that are
  zeros (the public code makes them for a batch of six on a GPU; here for any batch), and the mean
  is over all 555.
- corrected: positions that are not valid are zero wherever positions are mixed, and the mean is
  over valid positions, so that nothing depends on what or how much padding there is. What remains
  is that a position has its own weights: the first word is not exchangeable with the second.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.models.outputs import EmotionOutput, Encoded
from core.models.systems.head import HeadSizes, SystemHead, Variant, both
from core.models.systems.readout import Readout


class MixerBlock(nn.Module):
    """Mixes over positions, then over channels; as published, with one LN for both."""

    def __init__(self, width: int, length: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.tokens = _mlp(length, dropout)
        self.channels = _mlp(width, dropout)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Mix x (B, N, W); positions where `valid` (B, N, 1) is false are not mixed into others."""
        y = self.norm(x).masked_fill(~valid, 0.0)
        y = self.tokens(y.transpose(1, 2)).transpose(1, 2)
        x = x + y
        mixed: Tensor = x + self.channels(self.norm(y))
        return mixed


class MlpMixerHead(SystemHead):
    """Sequences of text and speech to logits; it does not look at pooled vectors.

    Args:
        width: of every position.
        text_tokens, speech_frames: the fixed lengths.
        hidden: width of the classifier's inner layer.
        dropout: everywhere.
    """

    def __init__(
        self,
        sizes: HeadSizes,
        variant: Variant = Variant.CORRECTED,
        *,
        width: int = 256,
        text_tokens: int = 256,
        speech_frames: int = 299,
        hidden: int = 512,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(sizes, variant)
        self.text_tokens, self.speech_frames = text_tokens, speech_frames
        self.project_speech = nn.Linear(sizes.speech, width)
        self.project_text = nn.Linear(sizes.text, width)
        self.block = MixerBlock(width, text_tokens + speech_frames, dropout)
        self.norm = nn.LayerNorm(width)
        self.dense = nn.Linear(width, hidden)
        self.dropout = nn.Dropout(dropout)
        self.out = Readout(hidden, sizes)

    def forward(self, speech: Encoded | None, text: Encoded | None) -> EmotionOutput:
        """Return fused logits. Raises ValueError when a modality is missing."""
        first, second = both(speech, text)
        x = torch.cat(
            [
                _fitted(self.project_text(second.sequence), self.text_tokens),
                _fitted(self.project_speech(first.sequence), self.speech_frames),
            ],
            dim=1,
        )
        valid = self._valid(first, second)
        mixed = self.norm(self.block(x, valid)).masked_fill(~valid, 0.0)
        pooled = mixed.sum(dim=1) / valid.sum(dim=1).clamp(min=1)
        output: EmotionOutput = self.out(self.dropout(F.gelu(self.dense(self.dropout(pooled)))))
        return output

    def _valid(self, speech: Encoded, text: Encoded) -> Tensor:
        """Return (B, N, 1), true where a position counts."""
        masks = [_fitted(text.mask[..., None], self.text_tokens)]
        masks.append(_fitted(speech.mask[..., None], self.speech_frames))
        valid = torch.cat(masks, dim=1)
        return torch.ones_like(valid) if self.variant is Variant.PAPER else valid


def _fitted(sequence: Tensor, length: int) -> Tensor:
    """Cut (B, T, W) to `length` positions, or pad it with zeros at the end."""
    cut = sequence[:, :length]
    return F.pad(cut, (0, 0, 0, length - cut.shape[1]))


def _mlp(width: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width, width), nn.GELU(), nn.Linear(width, width), nn.Dropout(dropout)
    )
