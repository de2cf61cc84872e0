"""What happens in an MGLRA before the graph: per variant, features of turns to encoded turns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from torch import Tensor, nn

from core.models.context.inputs import UNKNOWN_SPEAKER
from core.models.context.specification import FeatureSize
from core.models.layers.alignment import CrossModalAttention, RecurrentAlignment
from core.models.layers.feature_input import FeatureInput
from core.models.layers.graph_filter import GraphFilter
from core.models.layers.graph_relation import TurnRelation
from core.models.layers.masking import zero_where_absent
from core.models.layers.recurrent import TurnLSTM
from core.models.mglra_config import TEXT, MGLRAConfig, ResolvedConfig

Maps: TypeAlias = tuple[tuple[Tensor, Tensor], ...]
"""Attention (B, T, T), and which of its rows count (B, T)."""


@dataclass(frozen=True, slots=True)
class Turns:
    """A batch as it goes into an encoder: of the modalities that are there at all.

    features: modality -> (B, T, D) or (B, T, L, D); valid: modality -> (B, T);
    mask, speakers: (B, T); near: (T, T), which turns may look at which.
    """

    features: Mapping[str, Tensor]
    valid: Mapping[str, Tensor]
    mask: Tensor
    speakers: Tensor
    near: Tensor


@dataclass(frozen=True, slots=True)
class EncodedTurns:
    """turns: modality -> (B, T, dim), zeros where it is missing; maps: what they drew on."""

    turns: Mapping[str, Tensor]
    maps: Maps


class SpeakerVectors(nn.Module):
    """A vector per speaker; the last one serves all further ones, and nobody known adds nothing."""

    def __init__(self, speakers: int, dim: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(speakers, dim)

    def forward(self, speakers: Tensor) -> Tensor:
        """Return (B, T, dim) of speakers (B, T)."""
        last = self.embedding.num_embeddings - 1
        found: Tensor = self.embedding(speakers.clamp(0, last))
        return zero_where_absent(found, speakers != UNKNOWN_SPEAKER)


class FullEncoder(nn.Module):
    """LSTM, graph attention filter and recurrent alignment, for `iterations` times.

    In each iteration, of every modality: h = LN(x + LSTM(x)), the filter over h, the alignment of
    the filtered; x of the next iteration is what the alignment feeds back. The weights are the same
    in all iterations.
    """

    def __init__(
        self, sizes: Mapping[str, FeatureSize], config: MGLRAConfig, filled: ResolvedConfig
    ) -> None:
        super().__init__()
        dim, heads = filled.dim, filled.heads
        self.iterations = config.iterations
        self.dropout = nn.Dropout(filled.encoder_dropout)
        self.inputs = nn.ModuleDict(
            {name: FeatureInput(size, dim, filled.norm) for name, size in sizes.items()}
        )
        lstm = (dim, filled.lstm_layers, filled.encoder_dropout)
        self.lstms = nn.ModuleDict({name: TurnLSTM(*lstm) for name in sizes})
        self.norms = nn.ModuleDict({name: nn.LayerNorm(dim) for name in sizes})
        graph_filter = (dim, heads, config.filter_threshold)
        self.filters = nn.ModuleDict({name: GraphFilter(*graph_filter) for name in sizes})
        self.relation = TurnRelation(heads, config.distance)
        self.alignment = (
            RecurrentAlignment(
                tuple(sizes), dim, heads, filled.memory, feedback=config.iterations > 1
            )
            if config.iterations
            else None
        )

    def forward(self, turns: Turns, told: Mapping[str, Tensor]) -> EncodedTurns:
        """Encode turns; `told`: modality -> (B, T, dim), who speaks, where that is told here."""
        inputs = _inputs(self.inputs, turns, told)
        inputs = {name: self.dropout(values) for name, values in inputs.items()}
        bias = self.relation(turns.speakers)
        maps: Maps = ()
        encoded, memory = inputs, None
        for number in range(max(self.iterations, 1)):
            encoded, drawn = self._in_themselves(inputs, turns, bias)
            maps += drawn
            if self.alignment is None or not encoded:
                break
            aligned = self.alignment(encoded, turns.valid, turns.near, memory)
            encoded, memory = aligned.turns, aligned.memory
            maps += tuple((aligned.weights[name], turns.valid[name]) for name in encoded)
            if number + 1 < self.iterations:
                fed = self.alignment.feed_back(inputs, aligned.found)
                inputs = {m: zero_where_absent(fed[m], turns.valid[m]) for m in fed}
        return EncodedTurns(encoded, maps)

    def _in_themselves(
        self, inputs: Mapping[str, Tensor], turns: Turns, bias: Tensor
    ) -> tuple[dict[str, Tensor], Maps]:
        """Return every modality after LSTM and filter, and what the filter drew on."""
        filtered: dict[str, Tensor] = {}
        maps: Maps = ()
        for name, values in inputs.items():
            valid = turns.valid[name]
            hidden = self.norms[name](values + self.lstms[name](values, turns.mask))
            allowed = turns.near & valid[:, None] & valid[..., None]
            filtered[name], weights = self.filters[name](hidden, allowed, bias)
            maps += ((weights.mean(dim=1), valid),)
        return filtered, maps


class ReleasedEncoder(nn.Module):
    """What the released code computes: an LSTM over text, and text attended to by the others.

    Audio and visual are a Linear each; to each the attention of its turns over those of the text is
    added (one module for both, no norm). Without text there is no attention.
    """

    def __init__(
        self, sizes: Mapping[str, FeatureSize], config: MGLRAConfig, filled: ResolvedConfig
    ) -> None:
        super().__init__()
        dim = filled.dim
        self.inputs = nn.ModuleDict(
            {
                name: FeatureInput(size, dim, filled.norm if name == TEXT else "none")
                for name, size in sizes.items()
            }
        )
        has_text = TEXT in sizes
        lstm = (dim, filled.lstm_layers, filled.encoder_dropout)
        self.lstm = TurnLSTM(*lstm) if has_text else None
        aligns = has_text and len(sizes) > 1
        self.attention = CrossModalAttention(dim, filled.heads) if aligns else None

    def forward(self, turns: Turns, told: Mapping[str, Tensor]) -> EncodedTurns:
        """Encode turns; `told`: modality -> (B, T, dim), who speaks, where that is told here."""
        encoded = _inputs(self.inputs, turns, told)
        text = encoded.get(TEXT)
        if self.lstm is None or text is None:
            return EncodedTurns(encoded, ())
        heard = turns.valid[TEXT]
        encoded[TEXT] = text = zero_where_absent(self.lstm(text, turns.mask), heard)
        maps: Maps = ()
        for name in encoded:
            if self.attention is not None and name != TEXT:
                allowed = turns.near & heard[:, None] & turns.valid[name][..., None]
                found, weights = self.attention(encoded[name], text, allowed)
                encoded[name] = encoded[name] + found
                maps += ((weights.mean(dim=1), allowed.any(dim=-1)),)
        return EncodedTurns(encoded, maps)


def _inputs(inputs: nn.ModuleDict, turns: Turns, told: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the projected features, and who speaks with them where that is told."""
    projected = {}
    for name, features in turns.features.items():
        values, valid = inputs[name](features, turns.valid[name]), turns.valid[name]
        projected[name] = values + zero_where_absent(told[name], valid) if name in told else values
    return projected


ENCODERS: Mapping[str, type[FullEncoder] | type[ReleasedEncoder]] = MappingProxyType(
    {"full": FullEncoder, "released": ReleasedEncoder}
)
