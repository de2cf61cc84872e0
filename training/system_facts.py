"""What is known of a finished training: what its report, its card and its metrics are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.models.calibration import Calibration
from training.data.example import RowProblem
from training.evaluation.metrics import Estimate
from training.evaluation.system_scores import Judged, SystemScores
from training.system_config import SystemConfig


@dataclass(frozen=True, slots=True)
class Sizes:
    """Parameters of a model, those that were trained, and those of the system's head."""

    all: int
    trained: int
    head: int


@dataclass(frozen=True)
class RunFacts:
    """One trained system.

    Attributes:
        parts: per part rows, speakers, sessions, genders and rows per class (`describe`).
        digest: of the split.
        problems: rows of the corpus that could not be used.
        transformed: training rows that label transform added.
        history: one row per epoch; best_epoch counts from 1.
        judged: what the model says of the test part.
    """

    config: SystemConfig
    classes: tuple[str, ...]
    parts: Mapping[str, Mapping[str, Any]]
    digest: str
    problems: tuple[RowProblem, ...]
    transformed: int
    sizes: Sizes
    history: tuple[Mapping[str, float], ...]
    best_epoch: int
    scores: SystemScores
    judged: Judged
    calibration: Calibration
    seconds: float
    nested: Mapping[int, SystemScores] = field(default_factory=dict)
    """Of the test part by nested size, the whole one included; empty without nested sizes."""

    def counts(self, part: str) -> tuple[int, ...]:
        """Rows per class of a part."""
        found = self.parts[part]["classes"]
        return tuple(int(found.get(name, 0)) for name in self.classes)


def metrics_json(facts: RunFacts) -> dict[str, Any]:
    """Return the figures of the test part for `metrics.json`."""
    scores = facts.scores
    nested = {str(size): {"test": _figures(found)} for size, found in facts.nested.items()}
    return {
        "test": _figures(scores),
        "majority": {name: _figure(found) for name, found in scores.majority.items()},
        "rows": scores.rows,
        "classes": list(facts.classes),
        "predicted": [int(n) for n in scores.predicted],
        "occurring": [int(n) for n in scores.occurring],
        "confusion": None if scores.matrix is None else scores.matrix.astype(int).tolist(),
        "best_epoch": facts.best_epoch,
        "parameters": facts.sizes.all,
        "trained_parameters": facts.sizes.trained,
        "head_parameters": facts.sizes.head,
        "seconds": round(facts.seconds, 1),
        **({"nested": nested} if nested else {}),
    }


def _figures(scores: SystemScores) -> dict[str, dict[str, float | None]]:
    return {name: _figure(found) for name, found in scores.figures.items()}


def _figure(found: Estimate) -> dict[str, float | None]:
    values = {"value": found.value, "low": found.low, "high": found.high}
    return {name: value if value == value else None for name, value in values.items()}


def differences(config: SystemConfig) -> tuple[str, ...]:
    """Return what is not as published, in sentences, from the configuration alone."""
    rules = (
        (
            config.split.speaker_independent,
            "No speaker is in two parts of the split; the papers' splits by segment (RSA-CFN) and"
            " by blocks of the file list (KNU) do not keep speakers apart.",
        ),
        (
            config.selection == "validation",
            "The epoch, the temperature and thresholds were chosen on a validation part; RSA-CFN"
            " chose the epoch on the part it reports.",
        ),
        (
            config.selection == "test",
            "As published, the epoch was chosen on the very part that is reported, which flatters"
            " the figures. Nothing was calibrated on it.",
        ),
        (config.variant == "paper", "The system is built bug for bug as published."),
        (
            config.is_cached,
            "Encoders are frozen and only the head was trained; the papers fine-tune both.",
        ),
        (
            any(choice is not None and choice.kind == "compact" for choice in (
                config.speech, config.text)),
            "The encoders are Emoscope's compact ones. They have heard RAVDESS, nEMO and EmotionTTS"
            " and read GoEmotions and KOTE: figures on rows of these corpora would flatter.",
        ),
        (
            bool(config.head),
            "Options of the head that differ from the published sizes: "
            + ", ".join(f"{key} {value}" for key, value in config.head.items()) + ".",
        ),
    )  # fmt: skip
    return tuple(sentence for applies, sentence in rules if applies)
