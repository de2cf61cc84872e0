"""How a pretrained encoder is built and read out, in plain values that need no download."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Self, TypeVar

from core.errors import ConfigError
from core.models.encoders.pooling import POOLINGS

KIND = "pretrained"
POOLER = "pooler"
"""Pooling of a text model by its own pooler: first token, linear, tanh (as BERT was trained)."""

T = TypeVar("T")


class SpeechOutput(StrEnum):
    """Which sequence of a speech model is used."""

    LAST_HIDDEN_STATE = "last_hidden_state"
    EXTRACT_FEATURES = "extract_features"
    """The layer-normed output of the convolutions; the transformer is neither built nor run."""


@dataclass(frozen=True, slots=True)
class PretrainedSpeechConfig:
    """A wav2vec 2.0 type of encoder.

    Attributes:
        model: the Hugging Face configuration, as in `config.json`.
        output: which sequence.
        pooling: see `pooling.POOLINGS`.
        respect_padding: normalise, attend and pool over valid frames only, so that a row does not
            depend on its batch. False: as published for RSA-CFN and KNU, where zeros that fill up
            a batch count as speech.
        dropout: keep the dropouts of `model` in training; False: none.
        layerdrop: chance that a layer is skipped in training (the published models say 0.05 to
            0.1; it must be 0 where several processes train together).
        mask_time, mask_feature: share of frames and of channels that is masked in training
            (SpecAugment within the model); 0: none, whatever `model` says.
    """

    model: Mapping[str, Any]
    output: SpeechOutput = SpeechOutput.LAST_HIDDEN_STATE
    pooling: str = "mean"
    respect_padding: bool = True
    dropout: bool = True
    layerdrop: float = 0.0
    mask_time: float = 0.0
    mask_feature: float = 0.0

    def __post_init__(self) -> None:
        _check_pooling(self.pooling, tuple(POOLINGS))
        _check_shares(self, "layerdrop", "mask_time", "mask_feature")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, `kind` among them."""
        return _plain(self) | {"output": self.output.value}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote. Raises ConfigError for an unknown key or value."""
        given = _known(cls, values)
        try:
            given["output"] = SpeechOutput(given.get("output", SpeechOutput.LAST_HIDDEN_STATE))
        except ValueError as error:
            known = ", ".join(SpeechOutput)
            raise ConfigError(f"A speech encoder: {error}.", f"Outputs are: {known}.") from error
        return _made(cls, given)


@dataclass(frozen=True, slots=True)
class PretrainedTextConfig:
    """A BERT type of encoder.

    Attributes:
        model: the Hugging Face configuration, as in `config.json`.
        pooling: see `pooling.POOLINGS`, or `pooler`: the model's own.
        pad_to: fill every text up to so many tokens, whatever the batch; None: to the longest.
            With `padded_mean` and 256 this is RSA-CFN as published.
        respect_padding: attend to valid tokens only.
        dropout: keep the dropouts of `model` in training; False: none (RSA-CFN).
    """

    model: Mapping[str, Any]
    pooling: str = "mean"
    pad_to: int | None = None
    respect_padding: bool = True
    dropout: bool = True

    def __post_init__(self) -> None:
        _check_pooling(self.pooling, (*POOLINGS, POOLER))
        if self.pad_to is not None and self.pad_to < 1:
            raise ConfigError("pad_to must be at least one token.")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, `kind` among them."""
        return _plain(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote. Raises ConfigError for an unknown key or value."""
        return _made(cls, _known(cls, values))


def _plain(config: PretrainedSpeechConfig | PretrainedTextConfig) -> dict[str, Any]:
    values = {f.name: getattr(config, f.name) for f in fields(config)}
    return {"kind": KIND, **values, "model": dict(config.model)}


def _known(kind: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in values.items() if name != "kind"}
    known = [f.name for f in fields(kind)]
    if unknown := sorted(set(given) - set(known)):
        raise ConfigError(
            f"A pretrained encoder has no {', '.join(unknown)}.", f"It has: {', '.join(known)}."
        )
    if not isinstance(given.get("model"), Mapping):
        raise ConfigError("A pretrained encoder's `model` must be a Hugging Face configuration.")
    return given


def _made(kind: type[T], given: dict[str, Any]) -> T:
    try:
        return kind(**given)
    except TypeError as error:
        raise ConfigError(f"A pretrained encoder can't be made of this ({error}).") from error


def _check_pooling(name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise ConfigError(f"There is no pooling {name!r} here.", f"There are: {', '.join(known)}.")


def _check_shares(config: Any, *names: str) -> None:
    for name in names:
        if not 0 <= getattr(config, name) < 1:
            raise ConfigError(f"{name} must be at least 0 and below 1.")
