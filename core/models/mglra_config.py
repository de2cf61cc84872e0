"""Every choice of an MGLRA as an option, so that a checkpoint says what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Self

from core.errors import ConfigError
from core.models.nested import NestedConfig

ORDERS = ("encoder_first", "graph_first")
SPEAKER_PLACES = ("graph", "encoder")
TEXT = "text"

_FULL: Mapping[str, Any] = MappingProxyType(
    {
        "dim": 128,
        "node": 64,
        "heads": 4,
        "lstm_layers": 1,
        "encoder_dropout": 0.2,
        "norm": "layer",
        "mask": "node",
        "mask_rate": 0.2,
        "reconstruction": True,
    }
)
_RELEASED: Mapping[str, Any] = MappingProxyType(
    {
        "dim": 512,
        "node": 512,
        "heads": 2,
        "lstm_layers": 2,
        "encoder_dropout": 0.5,
        "norm": "batch",
        "mask": "feature",
        "mask_rate": 0.5,
        "reconstruction": False,
    }
)
_BY_VARIANT: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"full": _FULL, "released": _RELEASED}
)
"""What the options are in each variant unless they are given."""

VARIANTS = tuple(_BY_VARIANT)


@dataclass(frozen=True)
class MGLRAConfig:
    """Options of an MGLRA; None stands for what is usual in the variant (given as full / released).

    Raises:
        ConfigError: a value makes no sense.
    """

    variant: str = "full"
    """`full`: the architecture of the paper; `released`: the smaller one its code computes."""
    dim: int | None = None
    """Width of an encoded turn (128 / 512), even and a multiple of `heads`."""
    node: int | None = None
    """Width of a node of the graph (64 / 512); a slice of the representation is twice as wide."""
    layers: int = 4
    """Of graph convolution; published: 4."""
    lstm_layers: int | None = None
    """Of an LSTM over turns (1 / 2)."""
    heads: int | None = None
    """Of every attention (4 / 2)."""
    iterations: int = 2
    """Of the alignment; `full` alone; 0: none."""
    memory: int | None = None
    """Width of the alignment's memory of a turn; `full` alone; None: as `dim`."""
    filter_threshold: float = 0.5
    """Share of equal attention under which the graph filter drops a turn; `full` alone."""
    distance: int = 8
    """How many turns back and ahead the graph filter tells apart; `full` alone."""
    reach: int | None = None
    """How many turns an edge or an attention may span; None: all of the window."""
    mask: str | None = None
    """What the graph hides in training: `node` / `feature`."""
    mask_rate: float | None = None
    """Share of what it hides (0.2 / 0.5)."""
    reconstruction: bool | None = None
    """Whether hidden nodes are reconstructed, a loss in `auxiliary` (true / false)."""
    norm: str | None = None
    """Of features: `layer`, `batch` or `none` (layer, of all / batch, of text alone)."""
    speaker_modalities: tuple[str, ...] | None = None
    """Which are told who speaks (all / text alone)."""
    speaker_place: str = "graph"
    """Whether that is added to the nodes (published) or before the LSTM (`encoder`)."""
    dropout: float = 0.5
    """Before the classifier."""
    encoder_dropout: float | None = None
    """Of projected features (`full`) and between layers of an LSTM (0.2 / 0.5)."""
    order: str = "encoder_first"
    """Of a slice: [nodes before the graph | after it], as published, or `graph_first`."""
    nested: NestedConfig | None = None
    """Matryoshka sizes; None: the whole one alone."""
    students: bool = False
    """Whether each slice has a classifier of its own, for distillation."""
    kept: tuple[int, ...] | None = None
    """Leading dimensions of each slice that a cut model keeps; None: all."""

    def __post_init__(self) -> None:
        if self.variant not in _BY_VARIANT:
            raise ConfigError(
                f"There is no MGLRA variant {self.variant!r}.", f"Choose {' or '.join(VARIANTS)}."
            )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, or what a person did.

        Raises:
            ConfigError: a key is unknown or a value makes no sense.
        """
        if unknown := sorted(set(values) - {field.name for field in fields(cls)}):
            raise ConfigError(f"An MGLRA has no option {', '.join(unknown)}.")
        given = dict(values)
        if isinstance(given.get("nested"), Mapping):
            given["nested"] = NestedConfig.from_dict(given["nested"])
        for name in ("speaker_modalities", "kept"):
            if isinstance(given.get(name), list):
                given[name] = tuple(given[name])
        return cls(**given)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        values = asdict(self)
        values["nested"] = self.nested.to_dict() if self.nested else None
        for name in ("speaker_modalities", "kept"):
            if values[name] is not None:
                values[name] = list(values[name])
        return values

    def resolved(self, modalities: tuple[str, ...]) -> ResolvedConfig:
        """Return the options with every None filled in, for a model of these modalities.

        Raises:
            ConfigError: values make no sense, or not together.
        """
        usual = _BY_VARIANT[self.variant]
        filled = {k: v if getattr(self, k) is None else getattr(self, k) for k, v in usual.items()}
        told = self.speaker_modalities
        if told is None:
            told = tuple(m for m in modalities if self.variant == "full" or m == TEXT)
        memory = self.memory if self.memory is not None else filled["dim"]
        resolved = ResolvedConfig(**{**filled, "memory": memory, "speaker_modalities": told})
        _check(self, resolved, modalities)
        return resolved

    def filled_with(self, filled: ResolvedConfig) -> Self:
        """Return the same options with nothing left to what is usual, now or later."""
        return replace(self, **asdict(filled))

    def with_kept(self, kept: tuple[int, ...], nested: NestedConfig | None) -> Self:
        """Return the options of a model cut to these leading dimensions of each slice."""
        return replace(self, kept=kept, nested=nested, students=False, reconstruction=False)


@dataclass(frozen=True, slots=True)
class ResolvedConfig:
    """The options that depend on the variant, filled in; see `MGLRAConfig`."""

    dim: int
    node: int
    heads: int
    lstm_layers: int
    encoder_dropout: float
    norm: str
    mask: str
    mask_rate: float
    reconstruction: bool
    memory: int
    speaker_modalities: tuple[str, ...]


def _check(config: MGLRAConfig, filled: ResolvedConfig, modalities: tuple[str, ...]) -> None:
    rates = (config.dropout, filled.encoder_dropout, filled.mask_rate)
    kept = config.kept
    problems = (
        (filled.dim < 2 or filled.dim % 2, "dim must be even"),
        (filled.heads < 1 or filled.dim % max(filled.heads, 1), "dim must be a multiple of heads"),
        (min(filled.node, filled.memory, config.layers, filled.lstm_layers) < 1,
         "node, memory, layers and lstm_layers must be at least 1"),
        (min(config.iterations, config.distance) < 0,
         "iterations and distance can't be negative"),
        (config.reach is not None and config.reach < 0, "reach can't be negative"),
        (any(not 0 <= rate < 1 for rate in rates),
         "dropout, encoder_dropout and mask_rate lie in [0, 1)"),
        (not 0 <= config.filter_threshold <= 1, "filter_threshold lies in [0, 1]"),
        (filled.norm not in ("layer", "batch", "none"), "norm is layer, batch or none"),
        (filled.mask not in ("node", "feature"), "mask is node or feature"),
        (filled.reconstruction and filled.mask != "node", "only hidden nodes are reconstructed"),
        (config.order not in ORDERS, f"order is {' or '.join(ORDERS)}"),
        (config.speaker_place not in SPEAKER_PLACES,
         f"speaker_place is {' or '.join(SPEAKER_PLACES)}"),
        (not set(filled.speaker_modalities) <= set(modalities),
         "speaker_modalities names a modality the model does not take"),
        (kept is not None and (len(kept) != len(modalities) or sum(kept) < 1
                               or any(not 0 <= k <= 2 * filled.node for k in kept)),
         "kept has one number per modality, up to twice node"),
    )  # fmt: skip
    wrong = [sentence for is_wrong, sentence in problems if is_wrong]
    if wrong:
        raise ConfigError(f"An MGLRA can't be built like this: {'; '.join(wrong)}.")
