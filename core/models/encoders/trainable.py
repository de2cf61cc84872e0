"""Which part of a pretrained encoder trains; the rest is frozen, and stays in evaluation mode."""

from __future__ import annotations

import re
from collections.abc import Sequence

from torch import nn

from core.errors import ConfigError

NONE, ALL, ALL_BUT_CNN = "none", "all", "all_but_cnn"
_TOP = re.compile(r"top:([1-9]\d*)")


class FreezableEncoder(nn.Module):
    """An encoder parts of which may be frozen.

    Frozen parts never leave evaluation mode: no dropout, no layer skipped, no masking, so that
    what they yield in training is what they yield live, and can be cached.
    """

    def layers(self) -> Sequence[nn.Module]:
        """Return the transformer layers, from the first to the last."""
        raise NotImplementedError

    def beyond_layers(self) -> Sequence[nn.Module]:
        """Return what comes after the last layer (a norm, a pooler)."""
        raise NotImplementedError

    def convolutions(self) -> nn.Module | None:
        """Return the convolutions over the waveform, None if there are none."""
        return None

    @property
    def frozen(self) -> bool:
        """Whether nothing trains, so that outputs can be computed once and kept."""
        return not any(parameter.requires_grad for parameter in self.parameters())

    def train(self, mode: bool = True) -> FreezableEncoder:
        """Switch to training mode, but for what is frozen."""
        super().train(mode)
        if mode:
            still(self)
        return self


def still(module: nn.Module) -> None:
    """Put the largest parts that have weights, none of which trains, into evaluation mode."""
    weights = list(module.parameters())
    if weights and not any(weight.requires_grad for weight in weights):
        module.eval()
        return
    for child in module.children():
        still(child)


def set_trainable(encoder: nn.Module, what: str) -> None:
    """Choose which part of an encoder trains.

    Args:
        encoder: a pretrained one, or any other with "none" or "all".
        what: "none"; "all"; "top:N", the last N transformer layers and what follows them;
            "all_but_cnn", all but the convolutions over the waveform (speech, as published for
            RSA-CFN).

    Raises:
        ConfigError: there is no such choice, or the encoder has no such part.
    """
    if what in (NONE, ALL):
        encoder.requires_grad_(what == ALL)
    elif not isinstance(encoder, FreezableEncoder):
        raise ConfigError(f"This encoder trains as a whole or not at all, not {what!r}.")
    elif what == ALL_BUT_CNN:
        _freeze_convolutions(encoder)
    elif found := _TOP.fullmatch(what):
        _free_top(encoder, int(found[1]))
    else:
        raise ConfigError(f"trainable can't be {what!r}.", "It is none, all, top:N or all_but_cnn.")
    encoder.train(encoder.training)


def _freeze_convolutions(encoder: FreezableEncoder) -> None:
    convolutions = encoder.convolutions()
    if convolutions is None:
        raise ConfigError("A text encoder has no convolutions to freeze.", "Choose all or top:N.")
    encoder.requires_grad_(True)
    convolutions.requires_grad_(False)


def _free_top(encoder: FreezableEncoder, count: int) -> None:
    layers = encoder.layers()
    if count > len(layers):
        raise ConfigError(f"top:{count} asks for more layers than the encoder's {len(layers)}.")
    encoder.requires_grad_(False)
    for module in (*layers[-count:], *encoder.beyond_layers()):
        module.requires_grad_(True)
