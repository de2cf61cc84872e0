"""CSV: one row per turn, one column per class; opens in a spreadsheet and in pandas."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from core.dialogue.recording import Recording
from core.types import ContextResult, EmotionResult, Turn, seconds

_HEAD = ("start", "end", "speaker", "text", "label", "confidence", "uncertain", "doubts")
_TAIL = ("arousal", "valence", "affect_derived", "modalities", "language", "notes", "model")
_CONTEXT = (
    "context_label",
    "context_confidence",
    "context_alone",
    "hindsight_label",
    "hindsight_confidence",
    "context_model",
    "context_model_digest",
)


def write(recording: Recording, language: str) -> str:
    """Return the table with a header row; classes are columns `p_<class>`.

    `label` is empty where labels stand for themselves and none reaches its threshold; several are
    joined as in "happy + surprise", and `confidence` is that of the first. Where a dialogue model
    read the turns, more columns say what it said when a turn was the newest (`context_label`), of
    the turn without the others (`context_alone`), and in the end (`hindsight_label`).
    """
    labels = _labels(recording.turns)
    in_context = any(turn.context is not None for turn in recording.turns)
    more = _CONTEXT if in_context else ()
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*_HEAD, *(f"p_{label}" for label in labels), *_TAIL, "model_digest", *more])
    for turn in recording.turns:
        writer.writerow(_row(turn, labels) + (_context_cells(turn) if in_context else []))
    return buffer.getvalue()


def _labels(turns: Sequence[Turn]) -> tuple[str, ...]:
    """Return every class that occurs, in the order of the models."""
    return tuple(dict.fromkeys(label for t in turns if t.emotion for label in t.emotion.labels))


def _row(turn: Turn, labels: Sequence[str]) -> list[str]:
    transcript = turn.transcript
    return [
        f"{seconds(turn.start):.3f}",
        f"{seconds(turn.end):.3f}",
        turn.speaker or "",
        transcript.text if transcript else "",
        *_emotion_cells(turn.emotion, labels),
        (transcript.language or "") if transcript else "",
        " ".join(turn.notes),
        turn.emotion.model.name if turn.emotion else "",
        turn.emotion.model.digest if turn.emotion else "",
    ]


def _emotion_cells(emotion: EmotionResult | None, labels: Sequence[str]) -> list[str]:
    if emotion is None:
        return [""] * (4 + len(labels) + 4)
    known = dict(zip(emotion.labels, emotion.probabilities, strict=True))
    return [
        " + ".join(emotion.given),
        f"{emotion.confidence:.4f}" if emotion.given else "",
        str(emotion.uncertain).lower(),
        " ".join(emotion.doubts),
        *(f"{known[label]:.6f}" if label in known else "" for label in labels),
        _number(emotion.arousal),
        _number(emotion.valence),
        str(emotion.affect_derived).lower(),
        " ".join(emotion.modalities),
    ]


def _context_cells(turn: Turn) -> list[str]:
    context = turn.context
    return [
        *_said(context),
        context.label_alone if context else "",
        *_said(turn.hindsight),
        context.model.name if context else "",
        context.model.digest if context else "",
    ]


def _said(result: ContextResult | None) -> list[str]:
    return ["", ""] if result is None else [result.label, f"{result.confidence:.4f}"]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
