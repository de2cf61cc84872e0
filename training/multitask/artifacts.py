"""What a stage leaves in its folder: a checkpoint that opens in the app, figures, and tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.models.adapters import config_of
from core.models.adapters.checkpoint import save_adapter_checkpoint
from core.models.checkpoint import save_checkpoint
from core.models.manifest import CheckpointInfo
from core.models.two_stage import TwoStageModel
from core.models.two_stage_config import ARCHITECTURE
from training import config as configuration
from training import trained_on
from training.data.atomic import replace_text
from training.data.example import Example
from training.multitask.card import model_card
from training.multitask.data import TaskData
from training.multitask.facts import StageFacts, metrics_json
from training.multitask.judging import TaskAnswers
from training.multitask.results import text_errors, write_predictions, write_transcripts
from training.multitask.starts import CHECKPOINT, Start

METRICS, HISTORY = "metrics.json", "history.json"
PREDICTIONS, TRANSCRIPTS = "predictions.csv", "transcripts.csv"


def write_stage(
    folder: Path, model: TwoStageModel, start: Start, answers: TaskAnswers, facts: StageFacts
) -> CheckpointInfo:
    """Write everything about a finished stage. Raises CheckpointError: weights are not finite."""
    info = write_checkpoint(folder / CHECKPOINT, model, start, facts)
    write_json(folder / METRICS, metrics_json(facts))
    write_json(folder / HISTORY, [dict(row) for row in facts.history])
    write_predictions(folder / PREDICTIONS, answers, facts.scores, facts.data)
    texts = text_errors(answers, facts.data)
    if texts:
        write_transcripts(folder / TRANSCRIPTS, texts, facts.data)
    return info


def write_checkpoint(
    folder: Path, model: TwoStageModel, start: Start, facts: StageFacts
) -> CheckpointInfo:
    """Write adapters and heads alone where the encoder was frozen, else all weights."""
    papers: dict[str, Any] = {
        "name": facts.name,
        "training": _training(start, facts),
        "metrics": metrics_json(facts),
        "card": model_card(facts),
        "calibration": facts.calibration,
        "half": facts.config.half,
    }
    if facts.frozen and start.base is not None and config_of(model.speech) is not None:
        return save_adapter_checkpoint(
            folder, model, base=start.base, processor=start.processor, **papers
        )
    return save_checkpoint(folder, model, start.processor, architecture=ARCHITECTURE, **papers)


def write_json(path: Path, content: Any) -> None:
    """Write JSON, whole or not at all."""
    replace_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _training(start: Start, facts: StageFacts) -> Mapping[str, Any]:
    parts = facts.data.parts
    rows = (parts.train, parts.validation, parts.test)
    own = trained_on.of_examples(*(_examples(facts.data, part.tolist()) for part in rows))
    return {
        "config": configuration.to_mapping(facts.config),
        "stage": facts.stage.name,
        "started_from": start.digest,
        "seed": facts.stage.trainer.seed,
        "split": {
            "digest": facts.data.system.digest,
            "parts": configuration.to_mapping(facts.data.system.described),
        },
        "trained_on": trained_on.union((own, start.seen)),
    }


def _examples(data: TaskData, rows: Sequence[int]) -> list[Example]:
    return [data.examples[row] for row in rows]
