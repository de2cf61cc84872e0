"""Where adapters go in each kind of speech encoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from torch import nn

from core.errors import ConfigError
from core.models.encoders.compact import CompactSpeechEncoder
from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder


@dataclass(frozen=True, slots=True)
class Layout:
    """Names in a kind of encoder.

    layers: of the list of layers, from the encoder.
    projections: of query, key and value in a layer.
    feed_forward: of what a layer adds to its input as its last step; the bottleneck follows it.
    reads_weights: the layer multiplies by the projections' weights itself, instead of calling them.
    """

    layers: str
    projections: tuple[str, ...]
    feed_forward: str
    reads_weights: bool = False


_HF = Layout(
    "model.encoder.layers",
    ("attention.q_proj", "attention.k_proj", "attention.v_proj"),
    "feed_forward",
)
_DISENTANGLED = "attention.self."

FAMILIES: Mapping[str, Layout] = MappingProxyType(
    {
        **dict.fromkeys(("wav2vec2", "hubert", "data2vec-audio", "sew"), _HF),
        **dict.fromkeys(("unispeech", "unispeech-sat"), _HF),
        "wavlm": Layout(_HF.layers, _HF.projections, _HF.feed_forward, reads_weights=True),
        "sew-d": Layout(
            "model.encoder.encoder.layer",
            tuple(f"{_DISENTANGLED}{name}_proj" for name in ("query", "key", "value")),
            "output.dropout",
        ),
    }
)
"""`model_type` of a Hugging Face configuration -> names; XLS-R is of the type wav2vec2."""

COMPACT = Layout("encoder.members.0.attention", ("project",), "feed_forward")
"""The compact encoder projects to query, key and value at once, so they share one update. Of its
members only the first yields the sequence; the others end in `pooled`, through which no gradient
passes, so they get no adapters."""


@dataclass(frozen=True, slots=True)
class Sites:
    """Where adapters go in one encoder: full names of its modules, layer by layer.

    layers: of the list of layers, which all others are in. dim: of what the layers put out.
    """

    layers: str
    projections: tuple[str, ...]
    feed_forwards: tuple[str, ...]
    dim: int
    reads_weights: bool


def sites_of(encoder: nn.Module) -> Sites:
    """Return where adapters go in an encoder.

    Raises:
        ConfigError: it is of a kind without a layout here, or has no layers.
    """
    layout = _layout_of(encoder)
    layers = [f"{layout.layers}.{i}" for i, _ in enumerate(encoder.get_submodule(layout.layers))]  # type: ignore[arg-type]
    if not layers:
        raise ConfigError("An encoder without layers can't have adapters.", "Choose another one.")
    return Sites(
        layout.layers,
        tuple(f"{layer}.{name}" for layer in layers for name in layout.projections),
        tuple(f"{layer}.{layout.feed_forward}" for layer in layers),
        int(encoder.dim),  # type: ignore[arg-type]
        layout.reads_weights,
    )


def _layout_of(encoder: nn.Module) -> Layout:
    if isinstance(encoder, CompactSpeechEncoder):
        return COMPACT
    if not isinstance(encoder, PretrainedSpeechEncoder):
        raise ConfigError(
            f"Adapters go into speech encoders, not into a {type(encoder).__name__}.",
            "Attach them to the model's speech encoder.",
        )
    if not encoder.has_context:
        raise ConfigError(
            "An encoder that ends with its convolutions has no layers for adapters.",
            "Set its output to last_hidden_state.",
        )
    kind = str(encoder.model.config.model_type)
    if kind not in FAMILIES:
        raise ConfigError(
            f"There are no adapters for models of type {kind!r}.",
            f"There are for: {', '.join(sorted(FAMILIES))}.",
        )
    return FAMILIES[kind]
