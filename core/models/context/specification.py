"""What a dialogue model says about itself, readable without importing torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.errors import CheckpointError


@dataclass(frozen=True, slots=True)
class FeatureSize:
    """Width of a modality's features, and how many layers of its encoder they come in."""

    dim: int
    layers: int = 1


@dataclass(frozen=True, slots=True)
class DialogueSpecification:
    """What goes into a dialogue model and what comes out.

    Attributes:
        labels: one name per logit.
        features: modality name ("speech", "text", "vision") -> size of its utterance features.
        window: how many turns, the current one included, the model is meant to look at.
        speakers: how many different speakers it tells apart; later ones share the last index.
        utterance_model: sha256 of the weights of the checkpoint whose features it was trained on;
            empty if they came from a published feature file. Features of another model mean nothing
            to it.
        utterance_name: that checkpoint's name, for people.
        languages: ISO 639-1 codes of the dialogues it was trained on.
        utterance_share: how much of what a session is told is the utterance model's own result, in
            [0, 1], pooled by `core.pipeline.opinion_pool`; 0: the dialogue model speaks alone.
    """

    labels: tuple[str, ...]
    features: Mapping[str, FeatureSize]
    window: int = 16
    speakers: int = 9
    utterance_model: str = ""
    utterance_name: str = ""
    languages: tuple[str, ...] = ()
    utterance_share: float = 0.0

    def __post_init__(self) -> None:
        sizes = [size for each in self.features.values() for size in (each.dim, each.layers)]
        problems = [
            (not self.labels, "it has no labels"),
            (len(set(self.labels)) != len(self.labels), "a label occurs twice"),
            (not self.features, "it takes no features"),
            (any(size < 1 for size in sizes), "a feature has no size"),
            (self.window < 1, "its window is empty"),
            (self.speakers < 1, "it knows no speaker"),
            (not 0 <= self.utterance_share <= 1, "the utterance model's share is no share"),
        ]
        wrong = [sentence for is_wrong, sentence in problems if is_wrong]
        if wrong:
            raise CheckpointError(f"The dialogue specification makes no sense: {', '.join(wrong)}.")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "labels": list(self.labels),
            "features": {name: asdict(size) for name, size in self.features.items()},
            "window": self.window,
            "speakers": self.speakers,
            "utterance_model": self.utterance_model,
            "utterance_name": self.utterance_name,
            "languages": list(self.languages),
            "utterance_share": self.utterance_share,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> DialogueSpecification:
        """Read what `to_dict` wrote. Raises CheckpointError on anything else."""
        try:
            return cls(
                labels=tuple(str(label) for label in values["labels"]),
                features={
                    str(name): FeatureSize(int(size["dim"]), int(size.get("layers", 1)))
                    for name, size in values["features"].items()
                },
                window=int(values.get("window", 16)),
                speakers=int(values.get("speakers", 9)),
                utterance_model=str(values.get("utterance_model", "")),
                utterance_name=str(values.get("utterance_name", "")),
                languages=tuple(str(code) for code in values.get("languages", ())),
                utterance_share=float(values.get("utterance_share", 0.0)),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CheckpointError(
                f"The dialogue specification can't be read ({error!r})."
            ) from error
