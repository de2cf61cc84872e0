"""Figures of a part on every task with intervals, and tables of what was said of every row."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.models.calibration import Calibration
from core.models.two_stage_config import GENDER, STYLE
from training.evaluation.metrics import Estimate, estimate
from training.evaluation.system_scores import Judged, score
from training.multitask.config import MultiTaskConfig, TrainingStage
from training.multitask.data import TaskData
from training.multitask.judging import TaskAnswers, rights
from training.multitask.targets import UNKNOWN
from training.multitask.word_errors import recognition_errors
from training.system_training import Said, judge

Float = NDArray[np.float64]

WER, CER = "wer", "cer"
_FIGURES = ("uar", "wa", "f1_weighted", "f1_macro", "ece")
"""Of the emotions: UA and WA of the paper are `uar` and `wa`."""


@dataclass(frozen=True)
class PartScores:
    """What a model is worth on a part.

    Attributes:
        judged: decisions on the emotions.
        figures: by name, with 95 % intervals: of the emotions, `gender_accuracy`,
            `style_accuracy`, `wer` and `cer`.
        majority: the same of always saying the commonest class of the training part.
        unseen: `wer` and `cer` of the rows whose text nobody says in the training part.
        unseen_rows: how many these are, of `texts` rows with a text.
    """

    judged: Judged
    figures: Mapping[str, Estimate]
    majority: Mapping[str, Estimate]
    predicted: tuple[int, ...]
    occurring: tuple[int, ...]
    confusion: tuple[tuple[int, ...], ...]
    unseen: Mapping[str, Estimate] = field(default_factory=dict)
    unseen_rows: int = 0
    texts: int = 0


@dataclass(frozen=True, slots=True)
class TextErrors:
    """Errors of one row: what was said, written, and how many words and characters are wrong."""

    row: int
    reference: str
    transcript: str
    unseen: bool
    word_errors: int
    words: int
    character_errors: int
    characters: int


def score_part(
    answers: TaskAnswers,
    data: TaskData,
    calibration: Calibration,
    config: MultiTaskConfig,
    stage: TrainingStage,
) -> PartScores:
    """Return the figures of a part with intervals."""
    said = Said(answers.logits, {}, {})
    judged = judge(
        said, data.system, answers.rows, calibration, fold=config.split.fold,
        seed=stage.trainer.seed,
    )  # fmt: skip
    scores = score([judged])
    assert scores.matrix is not None
    accuracies, guesses = _accuracies(answers, data)
    texts = text_errors(answers, data)
    unseen = [text for text in texts if text.unseen]
    return PartScores(
        judged=judged,
        figures={**_chosen(scores.figures), **accuracies, **_rates(texts)},
        majority={**_chosen(scores.majority), **guesses},
        predicted=tuple(int(n) for n in scores.predicted),
        occurring=tuple(int(n) for n in scores.occurring),
        confusion=tuple(tuple(int(n) for n in row) for row in scores.matrix),
        unseen=_rates(unseen),
        unseen_rows=len(unseen),
        texts=len(texts),
    )


def text_errors(answers: TaskAnswers, data: TaskData) -> tuple[TextErrors, ...]:
    """Return the errors of every row that has a text; none if the model writes nothing."""
    if answers.transcripts is None:
        return ()
    unseen = data.unseen_scripts(answers.rows)
    texts = data.texts(answers.rows)
    found = []
    for at, row in enumerate(answers.rows.tolist()):
        errors = recognition_errors([texts[at]], [answers.transcripts[at]])
        if errors.texts:
            found.append(TextErrors(
                row, texts[at] or "", answers.transcripts[at], unseen[at],
                errors.words.errors, errors.words.length,
                errors.characters.errors, errors.characters.length,
            ))  # fmt: skip
    return tuple(found)


def figures_json(scores: PartScores) -> dict[str, Any]:
    """Return the figures of a part as plain JSON values."""
    found = {
        "test": _json(scores.figures),
        "majority": _json(scores.majority),
        "rows": len(scores.judged.rows),
        "predicted": list(scores.predicted),
        "occurring": list(scores.occurring),
        "confusion": [list(row) for row in scores.confusion],
    }
    if scores.texts:
        unseen = {"rows": scores.unseen_rows, **_json(scores.unseen)}
        found |= {"transcribed_rows": scores.texts, "unseen_scripts": unseen}
    return found


def write_predictions(path: Path, answers: TaskAnswers, scores: PartScores, data: TaskData) -> None:
    """Write a line per row: what it is, what was said on every task, and every probability."""
    tasks = [(task, names) for task, names in _tasks(data) if answers.classes(task) is not None]
    heads = ["corpus", "id", "speaker", "true", "predicted"]
    heads += [f"p_{name}" for name in data.classes]
    heads += [f"{task}{kind}" for task, _ in tasks for kind in ("", "_predicted")]
    truth, chosen = (each.argmax(axis=1) for each in (scores.judged.truth, scores.judged.chosen))
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(heads)
        for at, row in enumerate(answers.rows.tolist()):
            example = data.examples[row]
            line = [example.corpus, example.id, example.speaker]
            line += [data.classes[truth[at]], data.classes[chosen[at]]]
            line += [f"{p:.6f}" for p in scores.judged.probabilities[at]]
            for task, names in tasks:
                line += [_name(getattr(data.targets, task)[row], names)]
                line += [_name(answers.classes(task)[at], names)]  # type: ignore[index]
            table.writerow(line)


def write_transcripts(path: Path, texts: Sequence[TextErrors], data: TaskData) -> None:
    """Write a line per row with a text: what was said, what was written, and the errors."""
    heads = ["corpus", "id", "speaker", "unseen_script", "said", "written"]
    heads += ["word_errors", "words", "character_errors", "characters"]
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(heads)
        for text in texts:
            example = data.examples[text.row]
            table.writerow([
                example.corpus, example.id, example.speaker, "yes" if text.unseen else "no",
                text.reference, text.transcript, text.word_errors, text.words,
                text.character_errors, text.characters,
            ])  # fmt: skip


def _tasks(data: TaskData) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return ((GENDER, data.gender), (STYLE, data.style))


def _name(number: Any, names: Sequence[str]) -> str:
    return "" if int(number) == UNKNOWN else names[int(number)]


def _chosen(figures: Mapping[str, Estimate]) -> dict[str, Estimate]:
    return {name: figures[name] for name in _FIGURES if name in figures}


def _accuracies(
    answers: TaskAnswers, data: TaskData
) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
    """Return the accuracies of gender and style, and of always saying the commonest class."""
    found, guessed = {}, {}
    for task, _ in _tasks(data):
        right = rights(answers, data, task)
        if right is None or not len(right):
            continue
        found[f"{task}_accuracy"] = _mean(right)
        targets = getattr(data.targets, task).numpy()
        trained = targets[data.parts.train]
        commonest = np.bincount(trained[trained != UNKNOWN]).argmax()
        truth = targets[answers.rows]
        always = (truth[truth != UNKNOWN] == commonest).astype(np.float64)
        guessed[f"{task}_accuracy"] = _mean(always)
    return found, guessed


def _mean(values: Float) -> Estimate:
    return estimate(lambda w: np.asarray(w @ values / w.sum(axis=1)), len(values))


def _rates(texts: Sequence[TextErrors]) -> dict[str, Estimate]:
    """Return errors over everything said, of resampled rows for the intervals."""
    if not texts:
        return {}
    words = np.array([(t.word_errors, t.words) for t in texts], dtype=np.float64)
    characters = np.array([(t.character_errors, t.characters) for t in texts], dtype=np.float64)
    return {WER: _rate(words), CER: _rate(characters)}


def _rate(counts: Float) -> Estimate:
    def of(weights: Float) -> Float:
        sums = weights @ counts
        return np.asarray(sums[:, 0] / sums[:, 1])

    return estimate(of, len(counts))


def _json(figures: Mapping[str, Estimate]) -> dict[str, dict[str, float | None]]:
    return {
        name: {key: _number(getattr(found, key)) for key in ("value", "low", "high")}
        for name, found in figures.items()
    }


def _number(value: float) -> float | None:
    return float(value) if value == value else None
