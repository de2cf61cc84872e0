"""What the trainer is fed: prepared inputs or cached features, and what should come out."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from core.models.outputs import Features, ModelInputs


@dataclass(frozen=True, slots=True)
class Targets:
    """labels (B, C), zeros and ones; arousal and valence (B,) in [-1, 1], NaN where unknown.

    A single-label problem has exactly one 1 per row. weights (B,): of each row in the loss.
    """

    labels: Tensor
    arousal: Tensor
    valence: Tensor
    weights: Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """Exactly one of `inputs` (encoders run) and `features` (they ran before) is there.

    rows: (B,) indices into the examples.
    """

    targets: Targets
    rows: Tensor
    inputs: ModelInputs | None = None
    features: Features | None = None
