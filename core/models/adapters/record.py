"""What an encoder with adapters remembers of them; its weights alone would not tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from core.models.adapters.config import AdapterConfig

_ATTRIBUTE = "attached_adapters"


@dataclass(slots=True)
class Attached:
    """The adapters of one encoder.

    Attributes:
        config: of the adapters, LoRA included when it is merged.
        open: whether LoRA stands beside the weights, where it trains; else it is merged, or none.
        originals: weights of the encoder as they were before LoRA was merged, by parameter name.
        merged: the LoRA that was merged, by the names of `adapter_state`.
        hooks: what lets bottlenecks take part.
    """

    config: AdapterConfig
    open: bool = False
    originals: dict[str, Tensor] = field(default_factory=dict)
    merged: dict[str, Tensor] = field(default_factory=dict)
    hooks: list[Any] = field(default_factory=list)


def record_of(encoder: nn.Module) -> Attached | None:
    """Return what an encoder remembers, None of one without adapters."""
    found: Attached | None = getattr(encoder, _ATTRIBUTE, None)
    return found


def remember(encoder: nn.Module, record: Attached | None) -> None:
    """Let an encoder remember its adapters, or that it has none."""
    setattr(encoder, _ATTRIBUTE, record)


def is_open(encoder: nn.Module) -> bool:
    """Tell whether LoRA stands beside the weights, where only torch computes it."""
    record = record_of(encoder)
    return record is not None and record.open


def adapted_in(module: nn.Module) -> Iterator[tuple[str, nn.Module, Attached]]:
    """Yield the encoders with adapters in a module, itself included.

    Each with the beginning of its names in the module's state ("" or "speech." ...).
    """
    for name, part in module.named_modules():
        record = record_of(part)
        if record is not None:
            yield f"{name}." if name else "", part, record
