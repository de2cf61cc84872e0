"""The YAML of `emoscope adopt`: what the labels of ready-made classifiers mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import ConfigError
from core.labels import EMOTIONS
from core.models.ready_made_labels import LabelMap
from training import config as configuration


@dataclass(frozen=True, slots=True)
class SpeechLabels:
    """Of an audio classifier.

    map: class -> labels of the model that mean it (their probabilities add up).
    ignored: labels without a class -> why.
    multi_label: None: as the model's `problem_type` says.
    """

    map: Mapping[str, tuple[str, ...]]
    ignored: Mapping[str, str] = field(default_factory=dict)
    multi_label: bool | None = None

    def __post_init__(self) -> None:
        targets(self.map, self.ignored)


@dataclass(frozen=True, slots=True)
class TextLabels:
    """Of a text classifier; `languages` are ISO 639-1 codes of texts that may enter it."""

    map: Mapping[str, tuple[str, ...]]
    languages: tuple[str, ...]
    ignored: Mapping[str, str] = field(default_factory=dict)
    multi_label: bool | None = None
    max_tokens: int = 256

    def __post_init__(self) -> None:
        targets(self.map, self.ignored)
        if not self.languages:
            raise ValueError("languages must name at least one")
        if self.max_tokens < 3:
            raise ValueError("max_tokens must be at least 3")


@dataclass(frozen=True, slots=True)
class Weights:
    """Exponents of both probabilities in their product; fitted where there is a corpus."""

    speech: float = 0.5
    text: float = 0.5

    def __post_init__(self) -> None:
        if not (self.speech > 0 and self.text > 0):
            raise ValueError("the weights must be positive")


@dataclass(frozen=True, slots=True)
class AdoptConfig:
    """Everything about the classifiers that they do not say themselves.

    name: of the checkpoint. longest_seconds: longer speech is judged in pieces.
    """

    name: str
    speech: SpeechLabels | None = None
    text: TextLabels | None = None
    weights: Weights = field(default_factory=Weights)
    longest_seconds: float = 10.0

    def __post_init__(self) -> None:
        if self.speech is None and self.text is None:
            raise ValueError("there must be labels of a speech or of a text classifier")
        if self.longest_seconds < 1:
            raise ValueError("longest_seconds must be at least 1")


def load_adopt_config(path: Path) -> AdoptConfig:
    """Read the YAML. Raises ConfigError naming the file and the key."""
    return configuration.load(AdoptConfig, path)


def targets(map_: Mapping[str, tuple[str, ...]], ignored: Mapping[str, str]) -> LabelMap:
    """Return label -> class, None for ignored ones.

    Raises:
        ValueError: a class does not exist, or a label occurs twice.
    """
    found: dict[str, str | None] = {}
    pairs: list[tuple[str, str | None]] = [(x, c) for c, labels in map_.items() for x in labels]
    for label, emotion in [*pairs, *((label, None) for label in ignored)]:
        if emotion is not None and emotion not in EMOTIONS:
            raise ValueError(f"'{emotion}' is not one of {', '.join(EMOTIONS)}")
        if label in found:
            raise ValueError(f"the label '{label}' occurs twice")
        found[label] = emotion
    return found


def check_sources(config: AdoptConfig, speech: str | None, text: str | None) -> None:
    """Refuse a model without labels. Raises ConfigError."""
    for what, source, labels in (("speech", speech, config.speech), ("text", text, config.text)):
        if source is not None and labels is None:
            raise ConfigError(
                f"The labels file says nothing about {what}, but a {what} model is given.",
                f"Add a section {what}.",
            )
    if speech is None and text is None:
        raise ConfigError("No model is given.", "Name one with --speech, with --text, or both.")
