"""From judgements to figures: among the classes a corpus has, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.models.calibration import Calibration, Path, calibration_error, softmax
from core.models.checkpoint import LoadedModel
from core.types import FloatArray
from training.evaluation.causal import BUDGETS
from training.evaluation.metrics import (
    Estimate,
    bootstrap_weights,
    confusion,
    f1_of,
    uar_of,
    wa_of,
)
from training.evaluation.seen import script_key
from training.evaluation.speech_scores import CorpusJudgements, mask_of

Float = NDArray[np.float64]
Indices = NDArray[np.int64]

MAJORITY = "majority"
SVM_RAW, SVM_PERSONAL = "svm_raw", "svm_personal"
SVM_CORPUS_RAW, SVM_CORPUS_PERSONAL = "svm_corpus_raw", "svm_corpus_personal"
SPEECH, PERSONAL, TEXT, FUSED = "speech", "speech_personal", "text", "fused"
PERSONAL_WITH_TEXT = "speech_personal_with_text"
TELLING = "_telling"
"""Ending of the figures on clips whose script is spoken in one emotion only."""


def causal_name(budget: int) -> str:
    """Return the name of speech with a baseline of so many seconds."""
    return f"speech_{budget}"


@dataclass(frozen=True, slots=True)
class Predictions:
    """One way of judging n clips, k times over (orders); C classes.

    truth: (n,). chosen: (k, n). probabilities: (k, n, C), or None where there are none.
    """

    truth: Indices
    chosen: Indices
    probabilities: Float | None = None


@dataclass(frozen=True, slots=True)
class Scores:
    """Figures of one way of judging; matrix (C, C) counts clips, rows the truth."""

    n: int
    uar: Estimate
    wa: Estimate
    f1_weighted: Estimate
    f1_macro: Estimate
    ece: Estimate | None
    matrix: Float


def score(predictions: Predictions, classes: int, seed: int = 0) -> Scores:
    """Score predictions and bootstrap over clips."""
    truth = predictions.truth
    plain, resampled = np.ones((1, truth.size)), _weights(truth.size, seed)

    def matrices(weights: Float) -> Float:
        found = [confusion(truth, chosen, classes, weights) for chosen in predictions.chosen]
        return np.asarray(np.mean(found, axis=0))

    def ece(weights: Float) -> Float:
        assert predictions.probabilities is not None
        errors = [calibration_error(p, truth, weights) for p in predictions.probabilities]
        return np.asarray(np.mean(errors, axis=0))

    once, many = matrices(plain), matrices(resampled)
    metrics: tuple[Callable[[Float], Float], ...] = (
        uar_of,
        wa_of,
        lambda m: f1_of(m, "weighted"),
        lambda m: f1_of(m, "macro"),
    )
    uar, wa, weighted, macro = (_interval(metric(once), metric(many)) for metric in metrics)
    error = None
    if predictions.probabilities is not None:
        error = _recentred(ece(plain), ece(resampled))
    return Scores(truth.size, uar, wa, weighted, macro, error, once[0])


@lru_cache(maxsize=4)
def _weights(n: int, seed: int) -> Float:
    return bootstrap_weights(n, seed=seed)


def _interval(value: Float, resampled: Float) -> Estimate:
    low, high = np.nanpercentile(resampled, [2.5, 97.5])
    return Estimate(float(value[0]), float(low), float(high))


def _recentred(value: Float, resampled: Float) -> Estimate:
    """Return the interval of a figure that resampling inflates, moved back by that bias.

    Calibration error sums absolute gaps, and a resample has wider gaps than the clips it is drawn
    from; the percentiles alone may then not even hold the value.
    """
    low, high = np.nanpercentile(resampled - resampled.mean() + value[0], [2.5, 97.5])
    return Estimate(float(value[0]), max(0.0, float(low)), float(high))


def corpus_predictions(judged: CorpusJudgements, loaded: LoadedModel) -> dict[str, Predictions]:
    """Return every way of judging a corpus, by name, in the order they are shown."""
    labels = loaded.specification.labels
    truth = np.array([labels.index(clip.label or "") for clip in judged.clips], dtype=np.int64)
    present = sorted(set(truth.tolist()))
    read = _Reader(loaded.calibration, truth, present)
    found = {MAJORITY: Predictions(truth, np.full((1, truth.size), np.bincount(truth).argmax()))}
    for name, key in (
        (SVM_RAW, "raw_all"),
        (SVM_CORPUS_RAW, "raw_corpus"),
        (SVM_PERSONAL, "personal_all"),
        (SVM_CORPUS_PERSONAL, "personal_corpus"),
    ):
        chosen = judged.baseline(key)
        if chosen is not None:
            found[name] = Predictions(truth, np.array([[labels.index(c) for c in chosen]]))
    found[SPEECH] = read([judged.logits("raw")], Path.SPEECH_RAW)
    for budget in BUDGETS:
        found[causal_name(budget)] = read(judged.causal(budget), Path.SPEECH_PERSONAL)
    personal = judged.logits("personal")
    found[PERSONAL] = read([personal], Path.SPEECH_PERSONAL)
    asked = mask_of(judged.logits("text"))
    telling = asked & _telling(judged)
    for ending, rows in (("", asked), (TELLING, telling)):
        if rows.any() and not (ending and rows.sum() == asked.sum()):
            found[PERSONAL_WITH_TEXT + ending] = read([personal], Path.SPEECH_PERSONAL, rows)
            found[TEXT + ending] = read([judged.logits("text")], Path.TEXT, rows)
            found[FUSED + ending] = read([judged.logits("fused")], Path.FUSED, rows)
    return found


def _telling(judged: CorpusJudgements) -> NDArray[np.bool_]:
    """Return which clips have a script that no other emotion of the corpus is spoken with."""
    emotions: dict[str, set[str | None]] = {}
    for clip in judged.clips:
        emotions.setdefault(script_key(clip.text), set()).add(clip.label)
    return np.array([len(emotions[script_key(clip.text)]) == 1 for clip in judged.clips])


@dataclass(frozen=True, slots=True)
class _Reader:
    """Turns logits into predictions among the classes that a corpus has."""

    calibration: Calibration
    truth: Indices
    present: Sequence[int]

    def __call__(
        self, orders: Sequence[FloatArray], path: Path, asked: NDArray[np.bool_] | None = None
    ) -> Predictions:
        rows = np.ones(self.truth.size, dtype=bool) if asked is None else asked
        logits = np.stack(orders)[:, rows].astype(np.float64)
        absent = [c for c in range(logits.shape[-1]) if c not in self.present]
        logits[..., absent] = -np.inf
        probabilities = softmax(logits / self.calibration.temperature(path))
        return Predictions(self.truth[rows], probabilities.argmax(axis=-1), probabilities)


def pooled(parts: Iterable[Predictions]) -> Predictions | None:
    """Join the same way of judging several corpora; None when there is none to join."""
    found = list(parts)
    if not found:
        return None
    orders = max(len(p.chosen) for p in found)
    probabilities = [p.probabilities for p in found]
    return Predictions(
        np.concatenate([p.truth for p in found]),
        np.concatenate([np.resize(p.chosen, (orders, p.truth.size)) for p in found], axis=1),
        None
        if any(p is None for p in probabilities)
        else np.concatenate([p for p in probabilities if p is not None], axis=1),
    )
