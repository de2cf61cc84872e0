"""Encoders from plain values, by kind; no network and no weights needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from torch import nn

from core.errors import ConfigError
from core.models.encoders import compact, pretrained_config
from core.models.encoders.compact import build_compact_speech, build_compact_text
from core.models.encoders.pretrained_config import PretrainedSpeechConfig, PretrainedTextConfig
from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder
from core.models.encoders.pretrained_text import PretrainedTextEncoder

Builder = Callable[[Mapping[str, Any]], nn.Module]


def _pretrained_speech(values: Mapping[str, Any]) -> nn.Module:
    return PretrainedSpeechEncoder(PretrainedSpeechConfig.from_dict(values))


def _pretrained_text(values: Mapping[str, Any]) -> nn.Module:
    return PretrainedTextEncoder(PretrainedTextConfig.from_dict(values))


SPEECH: Mapping[str, Builder] = MappingProxyType(
    {pretrained_config.KIND: _pretrained_speech, compact.KIND: build_compact_speech}
)
TEXT: Mapping[str, Builder] = MappingProxyType(
    {pretrained_config.KIND: _pretrained_text, compact.KIND: build_compact_text}
)
"""`kind` in a configuration -> what builds it."""


def build_speech_encoder(config: Mapping[str, Any]) -> nn.Module:
    """Build a speech encoder with random weights from what its `config()` returned.

    The module has `dim`, `config()`, `frozen` and `forward(ModelInputs) -> Encoded`.

    Raises:
        ConfigError: there is no such kind, an unknown key, or sizes that do not fit.
    """
    return _build(SPEECH, config)


def build_text_encoder(config: Mapping[str, Any]) -> nn.Module:
    """Build a text encoder; see `build_speech_encoder`."""
    return _build(TEXT, config)


def _build(table: Mapping[str, Builder], config: Mapping[str, Any]) -> nn.Module:
    kind = str(config.get("kind"))
    if kind not in table:
        raise ConfigError(
            f"There is no encoder of kind {kind!r}.", f"There are: {', '.join(table)}."
        )
    return table[kind](config)
