"""Heads of the two-stage model, as plain values; imports no torch.

Gao et al. (2024), ICASSP: emotion is learned with recognition (stage 1), then with gender and
speaking style (stage 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from core.errors import ConfigError
from core.models.adapters.config import AdapterConfig

ARCHITECTURE = "two_stage"
"""Name in the registry."""

EMOTION, RECOGNITION, GENDER, STYLE = "emotion", "recognition", "gender", "style"
TASKS = (EMOTION, RECOGNITION, GENDER, STYLE)

CTC, VECTOR = "recognition", "vector_{}"
"""Keys of `EmotionOutput.auxiliary`: CTC logits (B, T', V + 1) with the blank at 0, and the vector
(B, D) of each task after its adapter, the sense of x_e, x_g and x_s in the paper. Logits of gender
and style stand under `GENDER` and `STYLE`."""
CTC_LENGTHS = "recognition_lengths"
"""Key of the positions (B,) of the CTC logits that count."""


@dataclass(frozen=True, slots=True)
class TaskHeads:
    """What is predicted beside emotion, and how.

    gender, style: names of the classes; empty: no such head.
    symbols: what recognition writes, without the blank; empty: no such head.
    steps: CTC positions per position of the encoder (more than one where the encoder is slow).
    adapter: width of the bottleneck of each task after pooling; 0: none.
    fusion: emotion is read from x_e, x_g and x_s together (concatenated) instead of x_e alone.
    dropout: before each classifier, in training.
    """

    gender: tuple[str, ...] = ()
    style: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    steps: int = 1
    adapter: int = 0
    fusion: bool = False
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.steps < 1 or self.adapter < 0:
            raise ValueError("steps must be at least 1, and the width of an adapter not negative")
        if self.fusion and not (self.gender or self.style):
            raise ValueError("fusion needs a head for gender or style")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"the dropout of heads must be in [0, 1), not {self.dropout}")
        for names in (self.gender, self.style, self.symbols):
            if len(set(names)) != len(names):
                raise ValueError("a gender, a style or a symbol is named twice")

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that there are heads for, in the order of `TASKS`."""
        there = {EMOTION: True, RECOGNITION: self.symbols, GENDER: self.gender, STYLE: self.style}
        return tuple(task for task in TASKS if there[task])


@dataclass(frozen=True, slots=True)
class TwoStageConfig:
    """A speech encoder (what its `config()` returned), its adapters, and the heads."""

    speech: Mapping[str, Any]
    heads: TaskHeads = field(default_factory=TaskHeads)
    adapters: AdapterConfig | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote. Raises ConfigError for an unknown key or value."""
        if unknown := sorted(set(values) - {f.name for f in fields(cls)}):
            raise ConfigError(f"A two-stage model has no {', '.join(unknown)}.")
        try:
            heads = dict(values.get("heads") or {})
            for name in ("gender", "style", "symbols"):
                heads[name] = tuple(heads.get(name, ()))
            adapters = values.get("adapters")
            return cls(
                dict(values["speech"]),
                TaskHeads(**heads),
                None if adapters is None else AdapterConfig.from_dict(adapters),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"A two-stage model can't be made of this ({error}).") from error

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        heads = {f.name: getattr(self.heads, f.name) for f in fields(self.heads)}
        listed = {k: list(v) if isinstance(v, tuple) else v for k, v in heads.items()}
        adapters = None if self.adapters is None else self.adapters.to_dict()
        return {"speech": dict(self.speech), "heads": listed, "adapters": adapters}
