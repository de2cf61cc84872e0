"""What finished trainings of a reproduction said, kept so that an interrupted one can go on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from core.models.specification import Problem
from training import config as configuration
from training.evaluation.system_scores import Affect, Judged
from training.system_config import SystemConfig
from training.system_facts import Sizes

_ARRAYS = ("truth", "probabilities", "chosen", "rows")


class KeptTrainings:
    """One file per training, under a key of everything that was configured and of the split.

    Args:
        folder: of the files; made when the first one is kept.
        resume: whether those that lie there already are used.
    """

    def __init__(self, folder: Path, resume: bool) -> None:
        self._folder = folder
        self._resume = resume

    def load(self, config: SystemConfig, split: str) -> tuple[Judged, Sizes] | None:
        """Return what a training said and its sizes; None if it has to be run (again)."""
        path = self._path(config, split)
        if not self._resume or not path.is_file():
            return None
        try:
            with safe_open(path, framework="numpy") as file:
                about = json.loads(file.metadata()["about"])
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return _judged(arrays, about), Sizes(**about["sizes"])
        except (SafetensorError, OSError, ValueError, KeyError, TypeError):
            return None  # damaged, or of an older version: it is run again

    def save(self, config: SystemConfig, split: str, judged: Judged, sizes: Sizes) -> None:
        """Keep what a training said."""
        self._folder.mkdir(parents=True, exist_ok=True)
        arrays = {name: np.ascontiguousarray(getattr(judged, name)) for name in _ARRAYS}
        for name, affect in judged.affect.items():
            arrays[f"{name}_truth"] = np.ascontiguousarray(affect.truth)
            arrays[f"{name}_prediction"] = np.ascontiguousarray(affect.prediction)
        about = {
            "problem": judged.problem.value,
            "affect": list(judged.affect),
            "commonest": judged.commonest,
            "judges_labels": judged.judges_labels,
            "fold": judged.fold,
            "seed": judged.seed,
            "sizes": asdict(sizes),
        }
        path = self._path(config, split)
        fresh = path.with_suffix(".new")
        save_file(arrays, fresh, {"about": json.dumps(about)})
        fresh.replace(path)

    def _path(self, config: SystemConfig, split: str) -> Path:
        return self._folder / f"{configuration.digest([config, split])[:24]}.safetensors"


def _judged(arrays: Mapping[str, np.ndarray], about: Mapping[str, Any]) -> Judged:
    affect = {
        name: Affect(arrays[f"{name}_truth"], arrays[f"{name}_prediction"])
        for name in about["affect"]
    }
    return Judged(
        Problem(about["problem"]),
        truth=arrays["truth"],
        probabilities=arrays["probabilities"],
        chosen=arrays["chosen"],
        rows=arrays["rows"],
        affect=affect,
        commonest=int(about["commonest"]),
        judges_labels=bool(about["judges_labels"]),
        fold=int(about["fold"]),
        seed=int(about["seed"]),
    )
