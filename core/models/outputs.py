"""Tensors that go into a model and come out of it; they never leave the thread that runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True, slots=True)
class ModelInputs:
    """A batch, any modality of which may be None (missing).

    speech: (B, T, F) normalised frame features; speech_mask: (B, T), true where a frame is valid.
    functionals: (B, S) normalised utterance statistics (F0, energy, cepstra).
    tokens: (B, L) token ids; token_mask: (B, L), true where a token is valid.
    waveform: (B, N) samples as a pretrained speech encoder takes them; waveform_mask: (B, N).
    """

    speech: Tensor | None = None
    speech_mask: Tensor | None = None
    functionals: Tensor | None = None
    tokens: Tensor | None = None
    token_mask: Tensor | None = None
    waveform: Tensor | None = None
    waveform_mask: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Encoded:
    """One modality encoded: sequence (B, T, D), mask (B, T), pooled (B, D), logits (B, C).

    `logits` is what this modality says alone; (B, 0) where nobody has asked it yet, as in features
    that were cached for the training of a head.
    """

    sequence: Tensor
    mask: Tensor
    pooled: Tensor
    logits: Tensor


@dataclass(frozen=True, slots=True)
class Features:
    """What `EmotionModel.encode` yields per utterance; cacheable."""

    speech: Encoded | None = None
    text: Encoded | None = None


@dataclass(frozen=True, slots=True)
class EmotionOutput:
    """logits (B, C); arousal and valence (B,) in [-1, 1] or None; attentions by name; auxiliary.

    `auxiliary` holds tensors that only training looks at.
    """

    logits: Tensor
    arousal: Tensor | None = None
    valence: Tensor | None = None
    attentions: Mapping[str, Tensor] = field(default_factory=dict)
    auxiliary: Mapping[str, Tensor] = field(default_factory=dict)
