"""How to optimise, as every stage's YAML says it under `trainer`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.errors import ConfigError

PRECISIONS = ("fp32", "bf16", "fp16")
SCHEDULE_NAMES = ("one_cycle", "constant", "linear", "cosine")
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True, slots=True)
class TrainerConfig:
    """How to optimise; every stage's YAML has these keys under `trainer`."""

    epochs: int
    learning_rate: float = 1e-3
    """Peak of the schedule."""
    schedule: str = "one_cycle"
    """`one_cycle` (Smith & Topin 2019, arXiv 1708.07120), `constant`, `linear` or `cosine`."""
    warmup: float = 0.1
    """Share of all steps spent rising to the peak."""
    rates: Mapping[str, float] = field(default_factory=dict)
    """Start of parameters' names -> factor of the learning rate; the longest start counts."""
    weight_decay: float = 0.01
    """Applied to matrices only, not to biases, norms and embeddings."""
    gradient_clip: float = 1.0
    """Largest norm of a step's gradient; 0 clips nothing."""
    accumulate: int = 1
    """Batches per step: the gradient is that of one batch so many times the size."""
    ema_decay: float = 0.999
    """Decay of the averaged weights that are validated and kept; 0 keeps the raw weights."""
    precision: str = "fp32"
    """Of matrix products (weights stay float32): `fp32`, `bf16`, or `fp16` with loss scaling."""
    device: str = "auto"
    """`auto` takes a GPU where there is one; `cpu`; `cuda`."""
    patience: int = 0
    """Stop after this many epochs without a better metric; 0 never stops early."""
    metric: str = "loss"
    """Validation metric by which the best epoch is kept; `loss` is minimised, others maximised."""
    keep: str = "best"
    """`best` epoch by the metric, or the `last`."""
    save_every: int = 0
    """Steps after which the state is written within an epoch too; 0: at its end only."""
    tensorboard: bool = False
    """Write losses, learning rates and metrics for TensorBoard into the run's folder."""
    seed: int = 7
    """Of the order, dropout, augmentation and everything else that is drawn while training."""

    def __post_init__(self) -> None:
        _check_ranges(self)
        for key, known in (
            ("schedule", SCHEDULE_NAMES),
            ("precision", PRECISIONS),
            ("device", DEVICES),
            ("keep", ("best", "last")),
        ):
            if getattr(self, key) not in known:
                raise ValueError(f"{key} must be one of {', '.join(known)}")
        if self.precision == "fp16" and self.device == "cpu":
            raise ValueError("precision fp16 needs a GPU; on a CPU use bf16 or fp32")


def _check_ranges(config: TrainerConfig) -> None:
    if config.epochs < 1 or config.learning_rate <= 0 or not 0 <= config.warmup < 1:
        raise ValueError("epochs and learning_rate must be positive and warmup in [0, 1)")
    if config.accumulate < 1:
        raise ValueError("accumulate must be at least 1")
    for key in ("save_every", "patience", "weight_decay", "gradient_clip"):
        if getattr(config, key) < 0:
            raise ValueError(f"{key} must not be negative")
    if not 0 <= config.ema_decay < 1:
        raise ValueError("ema_decay must be in [0, 1)")
    if any(factor <= 0 for factor in config.rates.values()):
        raise ValueError("every factor of rates must be positive; freeze parameters to keep them")


def check_device(config: TrainerConfig, *, cuda: bool) -> None:
    """Refuse what this machine can't do. Raises ConfigError.

    Args:
        config: of the training to come.
        cuda: whether there is a GPU that this PyTorch can use.
    """
    if cuda:
        return
    if config.device == "cuda":
        raise ConfigError("There is no usable GPU for device: cuda.", "Set device: auto.")
    if config.precision == "fp16":
        raise ConfigError(
            "There is no usable GPU for precision: fp16.", "Set precision: bf16 or fp32."
        )
