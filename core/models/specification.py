"""What a model says about itself: readable, and comparable, without importing torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.errors import CheckpointError
from core.types import SAMPLE_RATE, Modality


class Problem(StrEnum):
    """Whether an utterance has one label (softmax) or any number of them (sigmoid)."""

    SINGLE_LABEL = "single_label"
    MULTI_LABEL = "multi_label"


@dataclass(frozen=True, slots=True)
class Specification:
    """What goes into a model and what its outputs mean.

    Attributes:
        labels: one name per logit.
        modalities: what it can take; `required` is the part it can't do without.
        languages: ISO 639-1 codes its text encoder was trained on; empty: no text.
        problem: how logits become probabilities.
        sample_rate: of the audio, in Hz.
        affect: true when it predicts arousal and valence itself.
    """

    labels: tuple[str, ...]
    modalities: tuple[Modality, ...]
    languages: tuple[str, ...] = ()
    problem: Problem = Problem.SINGLE_LABEL
    sample_rate: int = SAMPLE_RATE
    required: tuple[Modality, ...] = ()
    affect: bool = False

    def __post_init__(self) -> None:
        problems = [
            (not self.labels, "it has no labels"),
            (len(set(self.labels)) != len(self.labels), "a label occurs twice"),
            (not self.modalities, "it takes no modality"),
            (not set(self.required) <= set(self.modalities), "it requires what it does not take"),
            (self.sample_rate <= 0, "its sample rate is not positive"),
        ]
        wrong = [sentence for is_wrong, sentence in problems if is_wrong]
        if wrong:
            raise CheckpointError(f"The model specification makes no sense: {', '.join(wrong)}.")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "labels": list(self.labels),
            "modalities": [m.value for m in self.modalities],
            "languages": list(self.languages),
            "problem": self.problem.value,
            "sample_rate": self.sample_rate,
            "required": [m.value for m in self.required],
            "affect": self.affect,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Specification:
        """Read what `to_dict` wrote. Raises CheckpointError on anything else."""
        try:
            return cls(
                labels=tuple(str(label) for label in values["labels"]),
                modalities=tuple(Modality(m) for m in values["modalities"]),
                languages=tuple(str(code) for code in values.get("languages", ())),
                problem=Problem(values.get("problem", Problem.SINGLE_LABEL)),
                sample_rate=int(values.get("sample_rate", SAMPLE_RATE)),
                required=tuple(Modality(m) for m in values.get("required", ())),
                affect=bool(values.get("affect", False)),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CheckpointError(f"The model specification can't be read ({error!r}).") from error
