"""An evaluation as tables for people and as JSON for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from core.models.manifest import CheckpointInfo
from training.evaluation import scoring
from training.evaluation.causal import BUDGETS
from training.evaluation.metrics import Estimate
from training.evaluation.scoring import Scores
from training.evaluation.text_scores import TextScores

_TITLES: Mapping[str, str] = {
    scoring.MAJORITY: "always the commonest class",
    scoring.SVM_RAW: "SVM, one for all corpora",
    scoring.SVM_CORPUS_RAW: "SVM of this corpus",
    scoring.SVM_PERSONAL: "SVM, one for all, speaker-normalised",
    scoring.SVM_CORPUS_PERSONAL: "SVM of this corpus, speaker-normalised",
    scoring.SPEECH: "speech",
    **{scoring.causal_name(b): f"speech, {b} s heard before" for b in BUDGETS},
    scoring.PERSONAL: "speech, personal baseline",
    scoring.PERSONAL_WITH_TEXT: "  the same, clips with text only",
    scoring.TEXT: "text",
    scoring.FUSED: "speech and text, personal baseline",
    scoring.PERSONAL_WITH_TEXT + scoring.TELLING: "  speech, scripts of one emotion only",
    scoring.TEXT + scoring.TELLING: "  text, scripts of one emotion only",
    scoring.FUSED + scoring.TELLING: "  both, scripts of one emotion only",
}


@dataclass(frozen=True, slots=True)
class GroupReport:
    """Scores of one corpus or language by way of judging; `classes` are those that occur."""

    name: str
    classes: tuple[str, ...]
    speakers: int
    scores: Mapping[str, Scores]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything that was found out."""

    info: CheckpointInfo
    corpora: tuple[GroupReport, ...] = ()
    languages: tuple[GroupReport, ...] = ()
    texts: tuple[TextScores, ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)


def print_report(evaluation: Evaluation, console: Console) -> None:
    """Print every table."""
    info = evaluation.info
    console.print(f"Checkpoint {info.name} {info.version}, weights sha256 {info.digest[:12]}")
    for note in evaluation.notes:
        console.print(f"  {note}", markup=False)
    for group in evaluation.corpora:
        _print_group(group, console)
        _print_confusion(group, info.specification.labels, console)
    if evaluation.languages:
        _print_languages(evaluation.languages, console)
    if evaluation.texts:
        _print_texts(evaluation.texts, info.specification.labels, console)
    console.print(
        "Intervals: 95 %, 1000 bootstrap resamples over clips or rows; clips of one speaker are"
        " alike, so with few speakers the truth may lie outside."
    )


def _print_group(group: GroupReport, console: Console) -> None:
    table = Table(title=f"{group.name}: {', '.join(group.classes)}", title_justify="left")
    table.add_column("judged by")
    for heading in ("clips", "UAR", "WA", "F1 weighted", "F1 macro", "ECE"):
        table.add_column(heading, justify="right")
    for name, found in group.scores.items():
        figures = (found.uar, found.wa, found.f1_weighted, found.f1_macro, found.ece)
        table.add_row(_TITLES[name], str(found.n), *(_cell(figure) for figure in figures))
    console.print()
    console.print(table)
    console.print(f"  {group.speakers} speakers")
    for note in group.notes:
        console.print(f"  {note}", markup=False)


def _print_languages(groups: Sequence[GroupReport], console: Console) -> None:
    table = Table(title="By language, UAR", title_justify="left")
    shown = (scoring.SPEECH, scoring.PERSONAL, scoring.TEXT, scoring.FUSED)
    for heading in ("language", "clips", "speakers", *(_TITLES[name] for name in shown)):
        table.add_column(heading)
    for group in groups:
        found = (group.scores.get(name) for name in shown)
        cells = (_cell(None if scores is None else scores.uar) for scores in found)
        clips = str(group.scores[scoring.SPEECH].n)
        table.add_row(group.name, clips, str(group.speakers), *cells)
    console.print()
    console.print(table)


def _cell(figure: Estimate | None) -> str:
    if figure is None:
        return ""
    return f"{figure.value:.3f} ({figure.low:.3f}-{figure.high:.3f})"


def _print_confusion(group: GroupReport, labels: Sequence[str], console: Console) -> None:
    for name in (scoring.SPEECH, scoring.PERSONAL, scoring.FUSED):
        if name in group.scores:
            title = f"{group.name}, {_TITLES[name].strip()}: rows are the truth"
            console.print(_confusion(group.scores[name].matrix, group.classes, labels, title))


def _confusion(
    matrix: np.ndarray[Any, Any], classes: Sequence[str], labels: Sequence[str], title: str
) -> Table:
    chosen = [labels.index(c) for c in classes]
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for name in (*classes, "recall"):
        table.add_column(name, justify="right")
    for index in chosen:
        row = matrix[index]
        recall = row[index] / row.sum() if row.sum() else math.nan
        table.add_row(labels[index], *(f"{row[c]:.0f}" for c in chosen), f"{recall:.2f}")
    return table


def _print_texts(texts: Sequence[TextScores], labels: Sequence[str], console: Console) -> None:
    table = Table(title="Text alone", title_justify="left")
    for heading in ("corpus", "parts", "language", "rows", "F1 macro", "F1 weighted", *labels):
        table.add_column(heading)
    for found in texts:
        parts = ", ".join(found.parts) + (" (one label a row)" if found.single else "")
        table.add_row(
            found.name,
            parts,
            found.language,
            str(found.n),
            _cell(found.f1_macro),
            _cell(found.f1_weighted),
            *(f"{value:.2f}" for value in found.per_class),
        )
    console.print()
    console.print(table)


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures; null where one makes no sense."""
    info = evaluation.info
    return {
        "corpora": {group.name: _group_json(group) for group in evaluation.corpora},
        "text": {found.name: _text_json(found) for found in evaluation.texts},
        "languages": {group.name: _group_json(group) for group in evaluation.languages},
        "checkpoint": {"name": info.name, "version": info.version, "digest": info.digest},
        "notes": list(evaluation.notes),
    }


def _group_json(group: GroupReport) -> dict[str, Any]:
    uar = {
        "uar": scoring.SPEECH,
        "uar_personal": scoring.PERSONAL,
        "uar_text": scoring.TEXT,
        "uar_fused": scoring.FUSED,
        "svm_uar": _of_corpus(group, scoring.SVM_CORPUS_RAW, scoring.SVM_RAW),
        "svm_uar_personal": _of_corpus(group, scoring.SVM_CORPUS_PERSONAL, scoring.SVM_PERSONAL),
        "svm_pooled_uar": scoring.SVM_RAW,
        "svm_pooled_uar_personal": scoring.SVM_PERSONAL,
        "uar_personal_with_text": scoring.PERSONAL_WITH_TEXT,
        "majority_uar": scoring.MAJORITY,
    }
    speech = group.scores[scoring.SPEECH]
    figures: dict[str, Estimate | None] = {
        key: group.scores[name].uar if name in group.scores else None for key, name in uar.items()
    }
    figures |= {
        "wa": speech.wa,
        "f1_weighted": speech.f1_weighted,
        "f1_macro": speech.f1_macro,
        "ece": speech.ece,
        "ece_personal": group.scores[scoring.PERSONAL].ece,
        "ece_fused": group.scores[scoring.FUSED].ece if scoring.FUSED in group.scores else None,
    }
    causal = {str(b): group.scores[scoring.causal_name(b)].uar for b in BUDGETS}
    return {
        "n": speech.n,
        "classes": list(group.classes),
        **{key: _value(figure) for key, figure in figures.items()},
        "uar_causal": {key: _value(figure) for key, figure in causal.items()},
        "telling_scripts": _telling_json(group),
        "speakers": group.speakers,
        "confusion": speech.matrix.astype(int).tolist(),
        "intervals": {
            **{key: _bounds(f) for key, f in figures.items() if f is not None},
            "uar_causal": {key: _bounds(figure) for key, figure in causal.items()},
        },
        "notes": list(group.notes),
    }


def _telling_json(group: GroupReport) -> dict[str, Any] | None:
    """Return the figures on clips whose script serves one emotion, if that is a part of them."""
    keys = {"personal": scoring.PERSONAL_WITH_TEXT, "text": scoring.TEXT, "fused": scoring.FUSED}
    found = {key: group.scores.get(name + scoring.TELLING) for key, name in keys.items()}
    if any(scores is None for scores in found.values()):
        return None
    scored = {key: scores for key, scores in found.items() if scores is not None}
    return {
        "n": scored["text"].n,
        **{f"uar_{key}": scores.uar.value for key, scores in scored.items()},
        "intervals": {f"uar_{key}": _bounds(scores.uar) for key, scores in scored.items()},
    }


def _of_corpus(group: GroupReport, own: str, pooled: str) -> str:
    """Return the SVM to be compared with: the corpus's own, or the common one of a new corpus."""
    return own if own in group.scores else pooled


def _text_json(found: TextScores) -> dict[str, Any]:
    return {
        "f1_macro": _value(found.f1_macro),
        "f1_weighted": _value(found.f1_weighted),
        "n": found.n,
        "parts": list(found.parts),
        "language": found.language,
        "f1": [None if math.isnan(value) else value for value in found.per_class],
        "intervals": {
            "f1_macro": _bounds(found.f1_macro),
            "f1_weighted": _bounds(found.f1_weighted),
        },
    }


def _value(figure: Estimate | None) -> float | None:
    return None if figure is None or math.isnan(figure.value) else figure.value


def _bounds(figure: Estimate) -> list[float | None]:
    return [None if math.isnan(x) else x for x in (figure.low, figure.high)]
