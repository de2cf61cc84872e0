"""Which adapters an encoder is given, as plain values; imports no torch.

Hu et al. (2022), LoRA: low-rank adaptation of large language models, ICLR; Houlsby et al. (2019),
Parameter-efficient transfer learning for NLP, ICML; Gao et al. (2024), Enhancing two-stage
finetuning for speech emotion recognition using adapters, ICASSP, section 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class LoraConfig:
    """A low-rank update of the query, key and value projections of every layer.

    rank: of the update; published: 64. alpha: the update is scaled by alpha / rank; None: by one
    (not published). dropout: of what goes into the update, in training.
    """

    rank: int = 64
    alpha: float | None = None
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ValueError(f"the rank of LoRA must be at least 1, not {self.rank}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"the dropout of LoRA must be in [0, 1), not {self.dropout}")

    @property
    def scale(self) -> float:
        """What the product of the two factors is multiplied by."""
        return (self.rank if self.alpha is None else self.alpha) / self.rank


@dataclass(frozen=True, slots=True)
class BottleneckConfig:
    """Two layers with a ReLU between them, added to the output of a layer's feed-forward network.

    width: between the two (not published: 64 to 256 are usual).
    """

    width: int = 64

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ValueError(f"the width of a bottleneck must be at least 1, not {self.width}")


@dataclass(frozen=True, slots=True)
class AdapterConfig:
    """The adapters of every layer of an encoder; None: none of that kind."""

    lora: LoraConfig | None = field(default_factory=LoraConfig)
    bottleneck: BottleneckConfig | None = field(default_factory=BottleneckConfig)

    def __post_init__(self) -> None:
        if self.lora is None and self.bottleneck is None:
            raise ValueError("adapters must be lora, bottleneck, or both")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote. Raises ConfigError for an unknown key or value."""
        if unknown := sorted(set(values) - {f.name for f in fields(cls)}):
            raise ConfigError(f"Adapters have no {', '.join(unknown)}.")
        lora, bottleneck = values.get("lora"), values.get("bottleneck")
        try:
            return cls(
                None if lora is None else LoraConfig(**lora),
                None if bottleneck is None else BottleneckConfig(**bottleneck),
            )
        except (TypeError, ValueError) as error:
            raise ConfigError(f"Adapters can't be made of this ({error}).") from error

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)
