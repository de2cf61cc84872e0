"""Everything about the training of one system, as its YAML says it; see training/configs/rsa_cfn.

Combinations that can't work, or would silently do nothing, are refused here: before a corpus is
read, an encoder is loaded, or anything is downloaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from core.errors import ConfigError
from core.models.specification import Problem
from core.models.systems.head import Variant
from core.models.systems.registry import system
from core.types import Modality
from training.data.augment.config import AugmentConfig
from training.data.batches import BatchConfig
from training.data.corpora.registry import CORPORA
from training.data.example_splits import SplitConfig
from training.data.extraction import ExtractionConfig
from training.losses.config import NONE, LossConfig
from training.losses.matryoshka import MatryoshkaConfig
from training.trainer import TrainerConfig

KINDS = ("pretrained", "compact")
SELECTIONS = ("validation", "test")
DUPLICATES = ("refuse", "drop")
_HEAVY = ("rsa_cfn", "hybrid")
_MOST_FINE_TUNED = 8
"""Rows per step of a 328-million-parameter head beside trained encoders; published: 4 to 6."""


@dataclass(frozen=True, slots=True)
class CorpusConfig:
    """What is trained on."""

    name: str
    """One of `training.data.corpora.registry.CORPORA`."""
    path: str = ""
    """Folder of the corpus, relative to --data; empty: --data itself."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the corpus's reader."""
    strict: bool = False
    """Stop at the first row that can't be used, instead of reporting and skipping it."""
    duplicates: str = "refuse"
    """Rows of the same audio, where a system takes speech: `refuse` a split that has them in two
    parts, or `drop` all but the first before splitting."""
    label_transform: bool = False
    """Train on rows labelled "neutral;X" as X, as RSA-CFN does; nothing else is changed."""
    licence: str = ""
    """Of the corpus, for the model card."""

    def __post_init__(self) -> None:
        if self.name not in CORPORA:
            raise ValueError(f"there is no corpus {self.name!r}; there are {', '.join(CORPORA)}")
        if self.duplicates not in DUPLICATES:
            choices = " or ".join(DUPLICATES)
            raise ValueError(f"duplicates must be {choices}, not {self.duplicates!r}")


@dataclass(frozen=True, slots=True)
class SpeechEncoderChoice:
    """Which speech encoder, and how it is used."""

    model: str
    """Hub name or folder of a wav2vec 2.0, XLS-R, HuBERT or WavLM model; with `kind: compact` a
    checkpoint folder, or `embedded`."""
    kind: str = "pretrained"
    """`pretrained`, or `compact`: the small encoder that Emoscope brings along."""
    trainable: str = "none"
    """`none` (features are cached), `all`, `all_but_cnn`, or `top:N` layers."""
    output: str = "last_hidden_state"
    """`last_hidden_state`, or `extract_features`: the convolutions only, as KNU used them."""
    pooling: str = "mean"
    """`mean` or `last` over valid frames; `padded_mean`, `padded_last` as published."""
    respect_padding: bool = True
    """False: the zeros that fill up a batch count as speech, as published."""
    longest_seconds: float = 10.0
    """Longer speech is cut off in training; with `kind: compact` speech is taken whole."""
    overlong: str = "pieces"
    """What the app does with longer speech: judge it in `pieces`, or `cut` it off as published."""
    normalise: bool | None = None
    """Zero mean and unit variance; null: as the model's own preprocessor says."""
    dropout: bool = True
    """Keep the model's own dropouts in training."""
    layerdrop: float = 0.0
    """Chance that a layer is skipped in training."""
    mask_time: float = 0.0
    """Share of frames masked in training, within the model."""
    mask_feature: float = 0.0
    """Share of channels masked in training, within the model."""

    def __post_init__(self) -> None:
        _check_kind(self)


@dataclass(frozen=True, slots=True)
class TextEncoderChoice:
    """Which text encoder, and how it is used."""

    model: str
    """Hub name or folder of any AutoModel; with `kind: compact` a checkpoint, or `embedded`."""
    kind: str = "pretrained"
    """`pretrained`, or `compact`: the small encoder that Emoscope brings along."""
    trainable: str = "none"
    """`none` (features are cached), `all`, or `top:N` layers."""
    pooling: str = "mean"
    """`mean`, `last`, `cls`, `pooler`; `padded_mean`, `padded_last` as published."""
    pad_to: int | None = None
    """Fill every text up to so many tokens (256 in RSA-CFN as published)."""
    respect_padding: bool = True
    """Attend to valid tokens only."""
    max_tokens: int = 256
    """Longer texts are cut off."""
    dropout: bool = True
    """Keep the model's own dropouts in training."""
    languages: tuple[str, ...] = ("ko",)
    """ISO 639-1 codes of the texts, so that the app knows which it may give to the model."""

    def __post_init__(self) -> None:
        _check_kind(self)
        if not self.languages:
            raise ValueError("languages must name at least one")


_OF_COMPACT = ("model", "kind", "languages")
"""What can be chosen of a compact encoder."""


def _check_kind(choice: SpeechEncoderChoice | TextEncoderChoice) -> None:
    if choice.kind not in KINDS:
        raise ValueError(f"kind must be {' or '.join(KINDS)}, not {choice.kind!r}")
    if choice.kind != "compact":
        return
    if choice.trainable != "none":
        raise ValueError("a compact encoder is used as it is: set trainable to none")
    fixed = (f for f in fields(choice) if f.name not in _OF_COMPACT)
    if changed := [f.name for f in fixed if getattr(choice, f.name) != f.default]:
        raise ValueError(
            f"a compact encoder is used as it is, so {', '.join(changed)} would have no effect:"
            f" leave {'it' if len(changed) == 1 else 'them'} out, or use kind: pretrained"
        )


@dataclass(frozen=True, slots=True)
class SystemConfig:
    """One system on one corpus."""

    name: str
    """Of the checkpoint, shown in the app."""
    system: str
    """One of `core.models.systems.registry.SYSTEMS`."""
    corpus: CorpusConfig
    loss: LossConfig
    trainer: TrainerConfig
    speech: SpeechEncoderChoice | None = None
    text: TextEncoderChoice | None = None
    variant: str = "corrected"
    """`corrected`, or `paper`: bug for bug as published."""
    head: Mapping[str, Any] = field(default_factory=dict)
    """Options of the system's head that differ from the published sizes."""
    problem: str = "single_label"
    """`single_label`, or `multi_label`: any number of labels per row."""
    affect: bool = False
    """Also predict arousal and valence."""
    split: SplitConfig = field(default_factory=SplitConfig)
    batches: BatchConfig = field(default_factory=BatchConfig)
    features: ExtractionConfig = field(default_factory=ExtractionConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    cache: str = "cache"
    """Folder of cached features, relative to --out; empty: kept in memory only."""
    selection: str = "validation"
    """Part on which the best epoch, temperatures and thresholds are chosen: `validation`, or `test`
    as RSA-CFN published it, which flatters the figures; then nothing is calibrated."""
    half: bool = True
    """Store the checkpoint's weights in 16 bits, at half the size."""

    def __post_init__(self) -> None:
        if self.variant not in tuple(Variant):
            raise ValueError(f"variant must be one of {', '.join(Variant)}")
        if self.problem not in tuple(Problem):
            raise ValueError(f"problem must be one of {', '.join(Problem)}")
        if self.selection not in SELECTIONS:
            raise ValueError(f"selection must be {' or '.join(SELECTIONS)}")
        check(self)

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """What the system takes."""
        return system(self.system).modalities

    @property
    def cached(self) -> tuple[Modality, ...]:
        """Modalities whose encoder is frozen, so that its features may be cached."""
        choices = {Modality.SPEECH: self.speech, Modality.TEXT: self.text}
        taken = ((m, choices[m]) for m in self.modalities)
        return tuple(m for m, choice in taken if choice and choice.trainable == "none")

    @property
    def is_cached(self) -> bool:
        """Whether heads train on cached features: no encoder trains."""
        return self.cached == self.modalities

    @property
    def is_multi_label(self) -> bool:
        """Whether a row may have several labels."""
        return self.problem == Problem.MULTI_LABEL


def check(config: SystemConfig) -> None:
    """Refuse impossible combinations. Raises ConfigError or ValueError with one sentence."""
    _check_modalities(config)
    problems = (*_label_problems(config), *_affect_problems(config), *_part_problems(config))
    for is_wrong, sentence in problems:
        if is_wrong:
            raise ValueError(sentence)
    cached = config.cached if config.is_cached else ()
    config.augment.check(
        config.modalities, cached=cached, sequence=config.features.sequence != "none"
    )


def _check_modalities(config: SystemConfig) -> None:
    given = {Modality.SPEECH: config.speech, Modality.TEXT: config.text}
    for modality, choice in given.items():
        if modality in config.modalities and choice is None:
            raise ConfigError(
                f"The system {config.system!r} needs {modality.value}, but there is no"
                f" '{modality.value}' encoder.",
                f"Add the key '{modality.value}', or choose another system.",
            )
        if modality not in config.modalities and choice is not None:
            raise ConfigError(
                f"The system {config.system!r} takes no {modality.value}.",
                f"Set '{modality.value}' to null, or choose another system.",
            )
    kinds = {choice.kind for choice in given.values() if choice is not None}
    if len(kinds) > 1:
        raise ConfigError(
            "A compact encoder can't stand beside a pretrained one: they are fed differently.",
            "Use the same kind for speech and text.",
        )


def _label_problems(config: SystemConfig) -> tuple[tuple[bool, str], ...]:
    loss = config.loss
    return (
        (
            not loss.suits(multi_label=config.is_multi_label),
            f"the loss {loss.emotion!r} does not suit a {config.problem} problem",
        ),
        (
            config.is_multi_label and config.split.labels != "all",
            "a multi_label problem needs split.labels: all, or its rows of several labels are lost",
        ),
        (
            not config.is_multi_label and config.split.labels != "single",
            "a single_label problem needs split.labels: single",
        ),
        (
            config.is_multi_label and config.corpus.label_transform,
            "label_transform makes one label of two, which a multi_label problem has no need of",
        ),
        (
            loss.paper_softmax and config.variant != Variant.PAPER,
            "loss.paper_softmax is a mistake of the published code: it needs variant: paper",
        ),
        (
            loss.matryoshka != MatryoshkaConfig() and not system(config.system).nested,
            f"the system {config.system} has no nested sizes, which loss.matryoshka is about",
        ),
    )


def _affect_problems(config: SystemConfig) -> tuple[tuple[bool, str], ...]:
    return (
        (
            config.loss.affect != NONE and not config.affect,
            "loss.affect needs affect: true, or there is nothing that predicts it",
        ),
        (
            config.affect and config.loss.affect == NONE,
            "affect: true needs loss.affect (mse or ccc), or arousal and valence never train",
        ),
    )


def _part_problems(config: SystemConfig) -> tuple[tuple[bool, str], ...]:
    batch = config.batches.size
    head, option = _heavy_head(config)
    heavy = config.system in _HEAVY and int(head.get("projection", 128)) >= 128
    pooled_only = config.is_cached and config.features.sequence == "none"
    return (
        (
            config.selection == "validation" and config.split.validation == 0,
            "selection: validation needs split.validation above 0",
        ),
        (
            config.selection == "test" and config.trainer.patience > 0,
            "stopping early on the test part would train for it: set trainer.patience to 0",
        ),
        (
            heavy and not config.is_cached and batch > _MOST_FINE_TUNED,
            f"{batch} rows per step beside a head of 328 million parameters and trained encoders"
            f" fill any memory: set batches.size to {_MOST_FINE_TUNED} or less and"
            f" trainer.accumulate to make up for it, or {option} to 64",
        ),
        (
            system(config.system).sequences and pooled_only,
            f"the system {config.system} looks at sequences, of which features.sequence: none"
            " keeps nothing: set features.sequence to float16",
        ),
    )


def _heavy_head(config: SystemConfig) -> tuple[Mapping[str, Any], str]:
    """Return the options of the RSA-CFN head, and the key of its projection."""
    if config.system != "hybrid":
        return config.head, "head.projection"
    found: Any = config.head
    for key in ("voters", "rsa_cfn"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}, "head.voters.rsa_cfn.projection"
