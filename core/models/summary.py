"""What a checkpoint says about itself, for somebody who is about to use it; imports no torch."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.models.manifest import CARD, METRICS, CheckpointInfo, error_of, file_problems
from core.models.manifest import read_info as read_manifest
from core.models.registry import ARCHITECTURES
from core.models.specification import Problem

HEADLINES = ("uar", "f1_macro", "f1_weighted", "f1_micro", "ccc_arousal", "ccc_valence")
"""Figures worth a line, the most telling first."""

_MOST_FIGURES = 4
_LONGEST_LICENCE = 220
_LICENCE = re.compile(r"licen[cs]e", re.IGNORECASE)
_LICENCE_NAME = re.compile(r"\b(Apache-2\.0|MIT|CC BY[-\w. ]*|BSD|GPL)\b")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure: its name, its value with a 95 % interval, and what guessing reaches.

    where: the corpus it was measured on; empty where a checkpoint knows one only.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    guessing: float | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class CheckpointSummary:
    """A checkpoint as its card shows it.

    system: the published system it is, or the architecture.
    encoders: what it listens and reads with, by modality.
    licence: the line of its model card about licences; empty when there is none.
    megabytes: of its weights.
    """

    info: CheckpointInfo
    system: str
    encoders: Mapping[str, str]
    licence: str
    figures: tuple[Figure, ...]
    megabytes: float

    @property
    def exclusive(self) -> bool:
        """Whether it gives one label at a time."""
        return self.info.specification.problem is Problem.SINGLE_LABEL


def summarise(directory: Path | str) -> CheckpointSummary:
    """Verify the files of a checkpoint and return what is to be shown of it.

    Weights are read once, for their sha256: large ones take some seconds.

    Raises:
        CheckpointError: it is no checkpoint, or a file is missing, damaged or a pickle, or this
            version does not know its architecture.
    """
    info = read_manifest(directory)
    problems = file_problems(info)
    if info.architecture not in ARCHITECTURES:
        problems.append(f"this version knows no architecture named {info.architecture!r}")
    info.calibration.thresholds_for(info.specification.labels)
    if problems:
        raise error_of(info.path, problems)
    return CheckpointSummary(
        info=info,
        system=str(info.model_config.get("system", info.architecture)),
        encoders=_encoders(info.model_config),
        licence=licence_line(_text(info.path / CARD)),
        figures=headline(_json(info.path / METRICS)),
        megabytes=(info.path / info.weights).stat().st_size / 1e6,
    )


def _encoders(config: Mapping[str, Any]) -> dict[str, str]:
    """Return per modality the type of its encoder, as the configuration has it."""
    found = {}
    for name in ("speech", "text"):
        values = config.get(name)
        if isinstance(values, Mapping):
            model = values.get("model")
            kind = model.get("model_type") if isinstance(model, Mapping) else None
            found[name] = str(kind or values.get("kind") or "compact")
    return found


def licence_line(card: str) -> str:
    """Return the paragraph of a model card (Markdown) about licences as one line, or nothing."""
    plain = (" ".join(p.split()).replace("**", "").replace("`", "") for p in card.split("\n\n"))
    paragraphs = [p for p in plain if p and not p.startswith(("|", "#", "- ", "---"))]
    said = [p for p in paragraphs if _LICENCE.search(p)]
    found = said or [p for p in paragraphs if _LICENCE_NAME.search(p)]
    if not found:
        return ""
    sentences = re.split(r"(?<=[.;])\s+", found[0])
    first = next(
        (i for i, s in enumerate(sentences) if _LICENCE.search(s) or _LICENCE_NAME.search(s)), 0
    )
    line = " ".join(sentences[first:])
    if len(line) <= _LONGEST_LICENCE:
        return line
    return f"{line[:_LONGEST_LICENCE].rsplit(' ', 1)[0]}…"


def headline(metrics: Mapping[str, Any]) -> tuple[Figure, ...]:
    """Return the few figures of a `metrics.json` that are worth a line."""
    test = metrics.get("test")
    if isinstance(test, Mapping):
        guessing = metrics.get("majority")
        return _of_test(test, guessing if isinstance(guessing, Mapping) else {})
    held_out = metrics.get("held_out")
    corpora = held_out.get("corpora") if isinstance(held_out, Mapping) else None
    return _of_corpora(corpora) if isinstance(corpora, Mapping) else ()


def _of_test(test: Mapping[str, Any], guessing: Mapping[str, Any]) -> tuple[Figure, ...]:
    figures = []
    for name in HEADLINES:
        value = _number(test.get(name), "value")
        if value is not None:
            low, high = _number(test[name], "low"), _number(test[name], "high")
            figures.append(Figure(name, value, low, high, _number(guessing.get(name), "value")))
    return tuple(figures[:_MOST_FIGURES])


def _of_corpora(corpora: Mapping[str, Any]) -> tuple[Figure, ...]:
    figures = []
    for corpus, found in corpora.items():
        value = _number(found, "uar_personal")
        value = _number(found, "uar") if value is None else value
        if value is not None:
            guess = _number(found, "majority_uar")
            figures.append(Figure("uar", value, guessing=guess, where=str(corpus)))
    return tuple(figures[:_MOST_FIGURES])


def _number(values: Any, key: str) -> float | None:
    found = values.get(key) if isinstance(values, Mapping) else None
    return float(found) if isinstance(found, int | float) else None


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _json(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(_text(path))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
