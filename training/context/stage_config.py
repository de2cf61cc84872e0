"""The stage `dialogue` as its YAML says it; see training/configs/dialogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.models.context.registry import DIALOGUE_ARCHITECTURES
from core.types import Modality
from training.context.config import ContextTraining, ModelChoice
from training.context.extra_speech import ExtraSpeechConfig
from training.context.features import CorpusChoice
from training.context.packed import GIVEN
from training.context.utterance_features import EMBEDDED


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """Where features come from: corpora and an utterance checkpoint, or a folder of features."""

    corpora: tuple[CorpusChoice, ...] = ()
    """Read together, so their labels must be of the same classes."""
    utterance: str = EMBEDDED
    """Checkpoint whose features are taken: a folder, or `embedded`."""
    modalities: tuple[str, ...] = (Modality.TEXT.value, Modality.SPEECH.value)
    """Taken where an utterance has them."""
    extra_speech: ExtraSpeechConfig | None = None
    """Give turns of a text corpus the voice of a clip with the same label."""
    folder: str = ""
    """Folder of converted features instead, relative to --data (see emoscope convert-features)."""
    licence: str = ""
    """Of the features in the folder, for the model card."""
    cache: str = "cache"
    """Folder of cached features in --out; empty: in memory only."""
    languages: tuple[str, ...] = ("en",)
    """ISO 639-1 codes of the dialogues."""

    def __post_init__(self) -> None:
        if bool(self.corpora) == bool(self.folder):
            raise ValueError("give corpora, or a folder of features, one of the two")
        if self.folder and self.extra_speech is not None:
            raise ValueError("extra_speech is for corpora, not for a folder of features")


@dataclass(frozen=True, slots=True)
class PartsConfig:
    """Which dialogues train, choose the epoch, and are judged once at the end."""

    validation_part: str = ""
    """Published part that chooses the epoch; empty: `validation` of the training part does."""
    validation: float = 0.1
    """Share of each corpus's training dialogues that are held out to choose the epoch."""
    test_parts: tuple[str, ...] = ("test",)
    """Published parts that are judged; they take no part in any choice."""
    seed: int = 7
    """Of which dialogues are held out."""

    def __post_init__(self) -> None:
        if not 0 < self.validation < 1:
            raise ValueError("validation must be between 0 and 1")
        if self.validation_part in (*self.test_parts, "train"):
            raise ValueError("validation_part must be neither a test part nor the training part")
        if "train" in self.test_parts:
            raise ValueError("test_parts can't hold the training part")


@dataclass(frozen=True, slots=True)
class DialogueConfig:
    """Everything about one dialogue model."""

    name: str
    """Of the checkpoint, shown in the app."""
    source: SourceConfig
    model: ModelChoice = field(default_factory=ModelChoice)
    parts: PartsConfig = field(default_factory=PartsConfig)
    training: ContextTraining = field(default_factory=ContextTraining)
    baselines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Architecture -> options of models that are trained on the same dialogues, in the same way but
    for nested sizes and distillation, to compare with; they are not kept."""
    utterance_share: float = 0.0
    """How much of what the app says is the utterance model's own result, in [0, 1]; figures here
    are those of the dialogue model alone."""
    half: bool = True
    """Store the checkpoint in 16 bits, at half the size."""

    def __post_init__(self) -> None:
        names = {self.model.architecture, *self.baselines}
        if unknown := sorted(names - set(DIALOGUE_ARCHITECTURES)):
            known = ", ".join(DIALOGUE_ARCHITECTURES)
            raise ValueError(f"there is no architecture {', '.join(unknown)}; there are {known}")
        if self.source.corpora and self.training.speakers == GIVEN:
            raise ValueError("speakers: given is for published features; corpora: appearance")
