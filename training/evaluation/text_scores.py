"""Scoring labelled texts: several labels a row by thresholds, or one a row by the largest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.models.calibration import sigmoid
from core.models.checkpoint import LoadedModel
from training.evaluation.judging import BatchJudge
from training.evaluation.metrics import Estimate, bootstrap_weights, multilabel_f1
from training.evaluation.seen import Seen
from training.evaluation.text_parts import TextPart

Booleans = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TextScores:
    """Figures of a corpus over its unseen rows; `per_class` F1 in the order of the labels."""

    name: str
    parts: tuple[str, ...]
    n: int
    language: str
    f1_macro: Estimate
    f1_weighted: Estimate
    per_class: tuple[float, ...]
    single: bool


@dataclass(frozen=True, slots=True)
class TextReport:
    """Scores by corpus, and a sentence for every part, or share of one, that was left out."""

    scores: tuple[TextScores, ...]
    notes: tuple[str, ...]


def score_texts(parts: Sequence[TextPart], loaded: LoadedModel, seen: Seen) -> TextReport:
    """Judge every row that the checkpoint was not trained on, in languages it knows."""
    judge = BatchJudge(loaded)
    notes: list[str] = []
    judged: dict[str, list[tuple[TextPart, Booleans, Booleans]]] = {}
    for part in parts:
        rows = _unseen(part, loaded, seen, notes)
        if rows:
            predicted = _predict(part, rows, loaded, judge)
            judged.setdefault(part.corpus, []).append((part, part.targets[rows], predicted))
    return TextReport(tuple(_score(name, found) for name, found in judged.items()), tuple(notes))


def _unseen(part: TextPart, loaded: LoadedModel, seen: Seen, notes: list[str]) -> list[int]:
    """Return which rows are scored, and note what is left out and why."""
    name = f"text/{part.corpus}/{part.part}"
    rows = [i for i, n in enumerate(part.numbers) if not seen.row(part.corpus, part.part, n)]
    if len(rows) < len(part.numbers):
        count = len(part.numbers) - len(rows)
        notes.append(f"{name}: {count} rows left out, the checkpoint was trained on them")
    if part.unknown:
        notes.append(f"{name}: {part.unknown} rows left out, none of their labels is known")
    if part.language not in loaded.processor.config.languages:
        language = part.language or "unknown"
        notes.append(f"{name}: left out, the model does not know its language ({language})")
        return []
    return rows


def _predict(
    part: TextPart, rows: Sequence[int], loaded: LoadedModel, judge: BatchJudge
) -> Booleans:
    logits = judge.text([loaded.processor.tokenize(part.texts[i]) for i in rows])
    if part.single:
        return np.asarray(logits == logits.max(axis=1, keepdims=True))
    thresholds = loaded.calibration.text_thresholds or (0.5,) * logits.shape[1]
    return np.asarray(sigmoid(logits.astype(np.float64)) > np.asarray(thresholds))


def _score(name: str, found: Sequence[tuple[TextPart, Booleans, Booleans]]) -> TextScores:
    targets = np.concatenate([t for _, t, _ in found])
    predicted = np.concatenate([p for _, _, p in found])
    first = found[0][0]
    return TextScores(
        name=name,
        parts=tuple(part.part for part, _, _ in found),
        n=len(targets),
        language=first.language or "",
        f1_macro=_estimate(targets, predicted, "macro"),
        f1_weighted=_estimate(targets, predicted, "weighted"),
        per_class=tuple(
            float(multilabel_f1(targets[:, [c]], predicted[:, [c]], "macro", _once(targets))[0])
            if targets[:, c].any()
            else float("nan")
            for c in range(targets.shape[1])
        ),
        single=first.single,
    )


def _once(targets: Booleans) -> NDArray[np.float64]:
    return np.ones((1, len(targets)))


def _estimate(targets: Booleans, predicted: Booleans, average: str) -> Estimate:
    value = multilabel_f1(targets, predicted, average, _once(targets))
    weights = bootstrap_weights(len(targets))
    low, high = np.percentile(multilabel_f1(targets, predicted, average, weights), [2.5, 97.5])
    return Estimate(float(value[0]), float(low), float(high))
