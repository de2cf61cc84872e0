"""The encoders of the embedded checkpoint behind the interface of pretrained ones.

Their own logits are left out: a system has its own head, and probes beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import nn

from core.errors import ConfigError
from core.models.encoders.speech import SpeechEncoder, SpeechEncoderConfig
from core.models.encoders.text import TextEncoder, TextEncoderConfig
from core.models.encoders.trainable import still
from core.models.outputs import Encoded, ModelInputs

KIND = "compact"


class CompactSpeechEncoder(nn.Module):
    """Frames and functionals to a sequence and a pooled vector."""

    def __init__(self, encoder: SpeechEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.dim = encoder.config.dim

    @property
    def frozen(self) -> bool:
        """Whether nothing trains, so that outputs can be computed once and kept."""
        return not any(parameter.requires_grad for parameter in self.parameters())

    def train(self, mode: bool = True) -> CompactSpeechEncoder:
        """Switch to training mode, but for what is frozen."""
        super().train(mode and not self.frozen)
        if self.training:
            still(self)
        return self

    def config(self) -> dict[str, Any]:
        """Return plain JSON values from which `build` makes the same architecture."""
        return {"kind": KIND, **self.encoder.config.to_dict()}

    def forward(self, inputs: ModelInputs) -> Encoded:
        """Encode speech (B, T, F) with its mask and functionals. Raises ValueError without."""
        if inputs.speech is None or inputs.speech_mask is None:
            raise ValueError("a compact speech encoder needs frames")
        encoded: Encoded = self.encoder(inputs.speech, inputs.speech_mask, inputs.functionals)
        return _unasked(encoded)


class CompactTextEncoder(nn.Module):
    """Tokens to a sequence and a pooled vector."""

    def __init__(self, encoder: TextEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.dim = encoder.config.dim

    @property
    def frozen(self) -> bool:
        """Whether nothing trains, so that outputs can be computed once and kept."""
        return not any(parameter.requires_grad for parameter in self.parameters())

    def train(self, mode: bool = True) -> CompactTextEncoder:
        """Switch to training mode, unless frozen."""
        super().train(mode and not self.frozen)
        return self

    def config(self) -> dict[str, Any]:
        """Return plain JSON values from which `build` makes the same architecture."""
        return {"kind": KIND, **self.encoder.config.to_dict()}

    def forward(self, inputs: ModelInputs) -> Encoded:
        """Encode tokens (B, L) under their mask. Raises ValueError without."""
        if inputs.tokens is None or inputs.token_mask is None:
            raise ValueError("a compact text encoder needs tokens")
        encoded: Encoded = self.encoder(inputs.tokens, inputs.token_mask)
        return _unasked(encoded)


def _unasked(encoded: Encoded) -> Encoded:
    return replace(encoded, logits=encoded.logits[:, :0])


def build_compact_speech(values: Mapping[str, Any]) -> CompactSpeechEncoder:
    """Build from what `config` returns. Raises ConfigError."""
    try:
        return CompactSpeechEncoder(SpeechEncoder(SpeechEncoderConfig(**_sizes(values))))
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(f"A compact speech encoder can't be made of this ({error}).") from error


def build_compact_text(values: Mapping[str, Any]) -> CompactTextEncoder:
    """Build from what `config` returns. Raises ConfigError."""
    try:
        return CompactTextEncoder(TextEncoder(TextEncoderConfig(**_sizes(values))))
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(f"A compact text encoder can't be made of this ({error}).") from error


def _sizes(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "kind"}
