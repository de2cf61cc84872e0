"""A training of several tasks in stages, as its YAML says it; see training/configs/two_stage."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.models.adapters.config import AdapterConfig
from core.models.two_stage_config import EMOTION, GENDER, RECOGNITION, STYLE
from training.data.batches import BatchConfig
from training.data.example_splits import SplitConfig
from training.system_config import CorpusConfig, SpeechEncoderChoice
from training.trainer_config import TrainerConfig

EVERYTHING, ADAPTERS, HEADS = "all", "adapters", "heads"
"""What a stage may train, besides starts of parameters' names such as `speech.model.encoder`."""

UNITS = ("characters", "syllables", "jamo")
STYLES = ("style", "corpus", "language", "session")
_NAME = re.compile(r"\w[\w.-]*")
SCL_NORM, SCL_COS = "scl_norm", "scl_cos"
LOSSES = (EMOTION, RECOGNITION, GENDER, STYLE, SCL_NORM, SCL_COS)
"""What a stage may give a weight; the weights are of the sum, as they stand."""


@dataclass(frozen=True, slots=True)
class VocabularyConfig:
    """What recognition writes; the symbols are those of the training part's texts.

    units: `characters`, or for Korean `syllables` or `jamo`. steps: see `TaskHeads`.
    """

    units: str = "characters"
    steps: int = 1

    def __post_init__(self) -> None:
        if self.units not in UNITS:
            raise ValueError(f"units must be {', '.join(UNITS)}, not {self.units!r}")


@dataclass(frozen=True, slots=True)
class TrainingStage:
    """One stage: what trains, on which tasks, from where."""

    name: str
    """Its results lie in a folder of this name."""
    trainer: TrainerConfig
    trains: tuple[str, ...] = (EVERYTHING,)
    """`all`, `adapters`, `heads`, or starts of parameters' names; the rest is frozen."""
    losses: Mapping[str, float] = field(default_factory=lambda: {EMOTION: 1.0})
    """Of `LOSSES`, with their weights; a task that is not named has no head."""
    starts_from: str = ""
    """An earlier stage, or a checkpoint's folder; empty: the pretrained encoder and new heads."""
    digest: str = ""
    """sha256 that the checkpoint in `starts_from` must have; empty: any."""
    adapters: AdapterConfig | None = None
    """Adapters that this stage adds to the encoder."""
    task_adapter: int = 0
    """Width of the bottleneck of each task after pooling; 0: none."""
    fusion: bool = False
    """Emotion is read from the vectors of emotion, gender and style together."""
    dropout: float = 0.0
    """Before each classifier."""
    keeps_convolved: bool = False
    """Run the frozen convolutions of a pretrained encoder once for each row, and keep what they
    make in memory (wav2vec 2.0, HuBERT, WavLM; about 100 kB a second)."""

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.losses) - set(LOSSES)):
            known = ", ".join(LOSSES)
            raise ValueError(f"losses: there is no {', '.join(unknown)}; there are {known}")
        for is_wrong, sentence in _stage_problems(self):
            if is_wrong:
                raise ValueError(sentence)


@dataclass(frozen=True, slots=True)
class MultiTaskConfig:
    """The stage `multitask` of a recipe."""

    name: str
    corpus: CorpusConfig
    encoder: SpeechEncoderChoice
    stages: tuple[TrainingStage, ...]
    split: SplitConfig = field(default_factory=SplitConfig)
    batches: BatchConfig = field(default_factory=BatchConfig)
    vocabulary: VocabularyConfig = field(default_factory=VocabularyConfig)
    fresh: bool = False
    """Start from random weights: of the encoder only its architecture, and how it is fed, is
    taken."""
    style: str = "style"
    """What counts as style: `style` (see `training.data.example.Example.style`), `corpus`,
    `language` or `session`."""
    label_smoothing: float = 0.0
    class_weights: str = "none"
    """See `training.losses.weighting`."""
    cache: str = "cache"
    """Folder of what is known about recordings, relative to --out; empty: none."""
    half: bool = True
    """Store the checkpoints' weights in 16 bits, at half the size. A stage starts from what an
    earlier one stored."""

    def __post_init__(self) -> None:
        names = [stage.name for stage in self.stages]
        if not names:
            raise ValueError("there must be a stage")
        if len(set(names)) < len(names):
            raise ValueError("two stages have the same name")
        if self.style not in STYLES:
            raise ValueError(f"style must be {', '.join(STYLES)}, not {self.style!r}")


def _stage_problems(stage: TrainingStage) -> tuple[tuple[bool, str], ...]:
    several = bool({GENDER, STYLE} & set(stage.losses))
    contrast = bool({SCL_NORM, SCL_COS} & set(stage.losses))
    return (
        (_NAME.fullmatch(stage.name) is None, f"{stage.name!r} can't be the name of a folder"),
        (not stage.losses or not stage.trains, "losses and trains must name something"),
        (stage.task_adapter < 0, "task_adapter must not be negative"),
        (not 0 <= stage.dropout < 1, "dropout must be in [0, 1)"),
        (stage.fusion and not several, "fusion needs a loss of gender or style"),
        (
            contrast and not (several and stage.task_adapter),
            "scl_norm and scl_cos compare the vectors of several tasks: they need a loss of gender"
            " or style, and a task_adapter above 0",
        ),
    )
