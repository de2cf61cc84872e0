"""From what a trained model says of a test part to what figures are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from core.models.adapters import adapter_names
from core.models.two_stage import HEAD_PREFIXES, TwoStageModel
from core.models.two_stage_config import EMOTION, GENDER, STYLE
from core.quality.error_rates import ErrorCounts, character_errors, plain, word_errors
from training.multitask.data import TaskData
from training.multitask.freezing import encoder_is_frozen, trained_count
from training.multitask.judging import TaskAnswers
from training.multitask.targets import UNKNOWN
from training.reproduce.two_stage_scores import Choice, Errors, ScoredAnswers

_BYTES = 4
"""Of a weight as it is stored."""


def scored(
    answers: TaskAnswers, data: TaskData, model: TwoStageModel, fold: int, seed: int
) -> ScoredAnswers:
    """Return answers beside the truth; `seconds` is left to whoever took the time."""
    rows = answers.rows
    return ScoredAnswers(
        classes=len(data.classes),
        rows=rows,
        emotion=Choice(_truth(data.targets.emotion, rows), answers.logits.argmax(axis=1)),
        gender=_choice(GENDER, answers, data),
        style=_choice(STYLE, answers, data),
        words=_errors(word_errors, answers, data),
        symbols=_errors(character_errors, answers, data),
        commonest=_commonest(data),
        train_rows=len(data.parts.train),
        trained=trained_count(model),
        heads=sum(p.numel() for n, p in model.named_parameters() if n.startswith(HEAD_PREFIXES)),
        stored=_stored(model),
        fold=fold,
        seed=seed,
    )


def _truth(targets: Tensor, rows: np.ndarray) -> np.ndarray:
    return np.asarray(targets.numpy()[rows], dtype=np.int64)


def _choice(task: str, answers: TaskAnswers, data: TaskData) -> Choice | None:
    said = answers.classes(task)
    if said is None:
        return None
    return Choice(_truth(getattr(data.targets, task), answers.rows), said.astype(np.int64))


def _errors(
    count: Callable[[Sequence[str], Sequence[str]], ErrorCounts],
    answers: TaskAnswers,
    data: TaskData,
) -> Errors | None:
    """Return the errors of every row by itself; a row without words has none, of nothing said."""
    if answers.transcripts is None:
        return None
    pairs = zip(data.texts(answers.rows), answers.transcripts, strict=True)
    counted = [count([s], [h]) if s and plain(s) else None for s, h in pairs]
    wrong = [0 if found is None else found.errors for found in counted]
    length = [0 if found is None else found.length for found in counted]
    return Errors(np.array(wrong, dtype=np.int64), np.array(length, dtype=np.int64))


def _commonest(data: TaskData) -> dict[str, int]:
    """Return the class of each task that most rows of the training part have."""
    found = {}
    for task in (EMOTION, GENDER, STYLE):
        classes: Tensor = getattr(data.targets, task)[torch.from_numpy(data.parts.train)]
        known = classes[classes != UNKNOWN]
        found[task] = int(known.bincount().argmax()) if len(known) else 0
    return found


def _stored(model: TwoStageModel) -> int:
    """Return the bytes of what a training leaves beside what it began with."""
    state: Mapping[str, Tensor] = model.state_dict()
    kept = list(state)
    if encoder_is_frozen(model):
        added = adapter_names(model)
        kept = [name for name in state if name in added or name.startswith(HEAD_PREFIXES)]
    return _BYTES * sum(state[name].numel() for name in kept)
