"""Which losses a system is trained with, as its YAML says it."""

from __future__ import annotations

from dataclasses import dataclass, field

from training.losses.matryoshka import MatryoshkaConfig

NONE = "none"
EMOTION_NAMES = ("cross_entropy", "focal", "multilabel_soft_margin", "bce")
AFFECT_NAMES = ("mse", "ccc")
CLASS_WEIGHT_NAMES = (NONE, "inverse", "effective", "positive")
_ONE_LABEL_ONLY = ("cross_entropy",)
_MANY_LABELS_ONLY = ("multilabel_soft_margin", "bce")


@dataclass(frozen=True, slots=True)
class LossConfig:
    """loss = emotion_weight * emotion + arousal_weight * arousal + valence_weight * valence, and
    alone_weight * the same of the probes that answer from one modality.
    """

    emotion: str = "cross_entropy"
    """`cross_entropy`, `focal`, `multilabel_soft_margin`, `bce`, or `none` (regression only)."""
    affect: str = NONE
    """`mse` or `ccc` (1 - concordance over the batch) of arousal and valence, or `none`."""
    emotion_weight: float = 1.0
    arousal_weight: float = 1.0
    valence_weight: float = 1.0
    alone_weight: float = 1.0
    """Of the probes' losses; they see detached features, so it only scales their own gradient."""
    class_weights: str = NONE
    """`none`, `inverse` frequency, `effective` number (Cui et al. 2019), or, of `bce`, `positive`
    (negatives / positives)."""
    effective_beta: float = 0.999
    """Of `effective`: (1 - beta) / (1 - beta^n)."""
    label_smoothing: float = 0.0
    """Share of the target spread over the classes (several labels: moved towards one half)."""
    focal_gamma: float = 2.0
    """Focusing exponent of `focal` (Lin et al. 2017); 0 makes it the plain loss."""
    affect_scale: float = 1.0
    """Half the width of the corpus's scale, for `mse` in its units: 2 for 1 to 5."""
    paper_softmax: bool = False
    """As KNU published it: softmax first, and the loss's sigmoid on top of it."""
    matryoshka: MatryoshkaConfig = field(default_factory=MatryoshkaConfig)
    """Of systems that answer from nested sizes: how the emotion losses of these are summed."""

    def __post_init__(self) -> None:
        _check_names(self)
        _check_ranges(self)
        if self.emotion == NONE and self.affect == NONE:
            raise ValueError("emotion and affect can't both be none: there is nothing to learn")
        if self.emotion == NONE and (self.class_weights != NONE or self.label_smoothing):
            raise ValueError("class_weights and label_smoothing need an emotion loss")
        if self.paper_softmax and self.emotion not in _MANY_LABELS_ONLY:
            raise ValueError(f"paper_softmax needs one of {', '.join(_MANY_LABELS_ONLY)}")
        if self.class_weights == "positive" and self.emotion != "bce":
            raise ValueError("class_weights: positive is for the emotion loss bce only")

    def suits(self, *, multi_label: bool) -> bool:
        """Tell whether the emotion loss is one for this kind of problem."""
        return self.emotion not in (_ONE_LABEL_ONLY if multi_label else _MANY_LABELS_ONLY)


def _check_names(config: LossConfig) -> None:
    for key, known in (
        ("emotion", (*EMOTION_NAMES, NONE)),
        ("affect", (*AFFECT_NAMES, NONE)),
        ("class_weights", CLASS_WEIGHT_NAMES),
    ):
        if getattr(config, key) not in known:
            raise ValueError(f"{key} must be one of {', '.join(known)}")


def _check_ranges(config: LossConfig) -> None:
    for key in ("emotion_weight", "arousal_weight", "valence_weight", "alone_weight"):
        if getattr(config, key) < 0:
            raise ValueError(f"{key} must not be negative")
    if not 0 <= config.label_smoothing < 1 or config.focal_gamma < 0:
        raise ValueError("label_smoothing must be in [0, 1) and focal_gamma not negative")
    if not 0 <= config.effective_beta < 1 or config.affect_scale <= 0:
        raise ValueError("effective_beta must be in [0, 1) and affect_scale positive")
