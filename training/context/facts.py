"""What is known of a finished dialogue model: what its metrics and its card are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.models.calibration import expected_calibration_error
from training.context.judged import JudgedDialogues
from training.context.stage_config import DialogueConfig
from training.context.training import TrainedDialogue


@dataclass(frozen=True)
class DialogueFacts:
    """One finished training.

    Attributes:
        parts: of the split; see `DialogueParts.described`.
        digest: of everything that was trained on.
        temperature: that belongs to the weights as they are stored.
        trained_on: the section of training.yaml.
        utterance: name of the model whose features it reads, empty for published features.
        parameters: of the model.
        problems: rows of the corpora that could not be used.
        seconds: of the whole run.
    """

    config: DialogueConfig
    trained: TrainedDialogue
    judged: JudgedDialogues
    parts: Mapping[str, Mapping[str, Any]]
    digest: str
    temperature: float
    trained_on: Mapping[str, Any]
    utterance: str
    parameters: int
    problems: int
    seconds: float

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the labels."""
        return self.trained.model.specification.labels


def metrics_json(facts: DialogueFacts) -> dict[str, Any]:
    """Return what `metrics.json` holds."""
    outcome = facts.trained.outcome
    return {
        "test": facts.judged.to_dict(),
        "nested": facts.judged.nested_figures(),
        "calibration_error": _calibration(facts),
        "parts": {name: dict(part) for name, part in facts.parts.items()},
        "validation": {"metric": facts.config.training.trainer.metric, "best": outcome.best},
        "best_epoch": outcome.best_epoch,
        "history": [dict(row) for row in outcome.history],
        "temperature": facts.temperature,
        "parameters": facts.parameters,
        "training_seconds": round(facts.trained.seconds, 1),
        "seconds": round(facts.seconds, 1),
    }


def _calibration(facts: DialogueFacts) -> dict[str, float]:
    """Return the expected calibration error on the test part, tempered, by reading."""
    found = {}
    for reading, said in facts.judged.model.answers.items():
        rows = said.labelled
        probabilities = said.probabilities(facts.temperature)[rows]
        found[reading] = expected_calibration_error(probabilities, said.truth[rows])
    return found
