"""What finished trainings on several tasks said, kept so that an interrupted run can go on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from training.reproduce.two_stage_scores import Choice, Errors, ScoredAnswers

_PARTS: Mapping[str, type[Choice] | type[Errors]] = {
    "emotion": Choice,
    "gender": Choice,
    "style": Choice,
    "words": Errors,
    "symbols": Errors,
}
"""Attributes of answers that are pairs of arrays."""
_NUMBERS = ("classes", "train_rows", "trained", "heads", "stored", "seconds", "fold", "seed")


class KeptAnswers:
    """One file per training, named by a key of everything that it depended on.

    Args:
        folder: of the files; made when the first one is kept.
        resume: whether those that lie there already are used.
    """

    def __init__(self, folder: Path, *, resume: bool) -> None:
        self._folder = folder
        self._resume = resume

    def find(self, key: str) -> ScoredAnswers | None:
        """Return what a training said; None if it has to be run (again)."""
        path = self._folder / f"{key}.safetensors"
        if not self._resume or not path.is_file():
            return None
        try:
            with safe_open(path, framework="numpy") as file:
                about = json.loads(file.metadata()["about"])
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return _answers(arrays, about)
        except (SafetensorError, OSError, ValueError, KeyError, TypeError):
            return None  # damaged, or of an older version: it is run again

    def keep(self, key: str, answers: ScoredAnswers) -> None:
        """Write what a training said; whole, or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        arrays = {"rows": np.ascontiguousarray(answers.rows)}
        for name, kind in _PARTS.items():
            part = getattr(answers, name)
            for each in fields(kind) if part is not None else ():
                arrays[f"{name}.{each.name}"] = np.ascontiguousarray(getattr(part, each.name))
        about: dict[str, Any] = {name: getattr(answers, name) for name in _NUMBERS}
        about["commonest"] = dict(answers.commonest)
        fresh = self._folder / f"{key}.new"
        save_file(arrays, fresh, {"about": json.dumps(about)})
        fresh.replace(self._folder / f"{key}.safetensors")


def _answers(arrays: Mapping[str, np.ndarray], about: Mapping[str, Any]) -> ScoredAnswers:
    parts: dict[str, Any] = {}
    for name, kind in _PARTS.items():
        names = [each.name for each in fields(kind)]
        if f"{name}.{names[0]}" in arrays:
            parts[name] = kind(*(arrays[f"{name}.{each}"] for each in names))
    numbers = {name: about[name] for name in _NUMBERS}
    return ScoredAnswers(rows=arrays["rows"], commonest=about["commonest"], **parts, **numbers)
