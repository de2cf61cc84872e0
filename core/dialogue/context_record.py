"""What the dialogue says of a turn as a JSON object and back: part of the turn's record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.types import ContextResult, ContextScope, Doubt, Modality, ModelInfo

MOST_TURNS = 64
"""Of a larger window only the turns that were attended to most are written down."""


def context_to_record(result: ContextResult | None) -> dict[str, Any] | None:
    """Return a result in context as plain JSON values; `attention` is by index of the turn."""
    if result is None:
        return None
    turns, attention = _strongest(result)
    weights = zip(turns, attention, strict=True) if attention else ()
    return {
        "label": result.label,
        "probabilities": _by_label(result.labels, result.probabilities),
        "alone": _by_label(result.labels, result.alone),
        "scope": result.scope.value,
        "doubts": [doubt.value for doubt in result.doubts],
        "turns": list(turns),
        "attention": {str(turn): round(weight, 5) for turn, weight in weights},
        "nested": {
            str(size): [round(p, 4) for p in probabilities]
            for size, probabilities in result.nested.items()
        },
        "model": {
            "name": result.model.name,
            "version": result.model.version,
            "digest": result.model.digest,
            "modalities": [modality.value for modality in result.model.modalities],
            "languages": list(result.model.languages),
        },
        "compute_seconds": round(result.compute_seconds, 5),
    }


def context_from_record(record: Mapping[str, Any] | None) -> ContextResult | None:
    """Return what `context_to_record` wrote; None of turns without, as all once were.

    Raises KeyError, TypeError, ValueError or AttributeError for anything else.
    """
    if record is None:
        return None
    labels = tuple(record["probabilities"])
    turns = tuple(int(turn) for turn in record["turns"])
    attention = {int(turn): float(weight) for turn, weight in record["attention"].items()}
    model = record["model"]
    return ContextResult(
        labels=labels,
        probabilities=tuple(float(p) for p in record["probabilities"].values()),
        scope=ContextScope(record["scope"]),
        alone=tuple(float(record["alone"][label]) for label in labels),
        turns=turns,
        attention=tuple(attention[turn] for turn in turns) if attention else (),
        model=ModelInfo(
            name=str(model["name"]),
            version=str(model["version"]),
            digest=str(model["digest"]),
            labels=labels,
            modalities=tuple(Modality(name) for name in model["modalities"]),
            # Without them nothing could warn of a language that the model never read.
            languages=tuple(str(code) for code in model.get("languages", ())),
        ),
        nested={
            int(size): tuple(float(p) for p in values) for size, values in record["nested"].items()
        },
        compute_seconds=float(record["compute_seconds"]),
        doubts=tuple(Doubt(name) for name in record.get("doubts", ())),
    )


def _strongest(result: ContextResult) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return the turns worth writing down, in their order, and the attention on each."""
    count = len(result.turns)
    if count <= MOST_TURNS:
        return result.turns, result.attention
    strength = result.attention or tuple(range(count))  # else the nearest to the end
    kept = sorted(sorted(range(count), key=lambda i: -strength[i])[:MOST_TURNS])
    attention = tuple(result.attention[i] for i in kept) if result.attention else ()
    return tuple(result.turns[i] for i in kept), attention


def _by_label(labels: tuple[str, ...], probabilities: tuple[float, ...]) -> dict[str, float]:
    return {label: round(p, 6) for label, p in zip(labels, probabilities, strict=True)}
