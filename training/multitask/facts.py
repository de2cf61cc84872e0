"""What is known of a finished stage: what its card and its metrics are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.models.calibration import Calibration
from training.multitask.config import MultiTaskConfig, TrainingStage
from training.multitask.data import TaskData
from training.multitask.results import PartScores, figures_json


@dataclass(frozen=True)
class StageFacts:
    """One trained stage.

    Attributes:
        scores: of the test part.
        history: one row per epoch; best_epoch counts from 1.
        parameters, trained: numbers in the model, and those of them that trained.
        frozen: none of the encoder's own weights trained.
        seconds: of this run; of an interrupted one since it went on.
    """

    config: MultiTaskConfig
    stage: TrainingStage
    data: TaskData
    scores: PartScores
    history: tuple[Mapping[str, float], ...]
    best_epoch: int
    calibration: Calibration
    parameters: int
    trained: int
    frozen: bool
    seconds: float

    @property
    def name(self) -> str:
        """Of the checkpoint, shown in the app; the last stage has that of the whole."""
        last = self.stage.name == self.config.stages[-1].name
        return self.config.name if last else f"{self.config.name} ({self.stage.name})"


def metrics_json(facts: StageFacts) -> dict[str, Any]:
    """Return the content of `metrics.json`."""
    best = facts.history[facts.best_epoch - 1]
    return {
        **figures_json(facts.scores),
        "classes": list(facts.data.classes),
        "gender": list(facts.data.gender),
        "style": list(facts.data.style),
        "stage": facts.stage.name,
        "best_epoch": facts.best_epoch,
        "epochs": len(facts.history),
        "validation": {k: v for k, v in best.items() if v == v and k != "seconds"},
        "parameters": facts.parameters,
        "trained_parameters": facts.trained,
        "encoder_frozen": facts.frozen,
        "seconds": round(facts.seconds, 1),
    }
