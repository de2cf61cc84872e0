"""What trained heads said, kept on disk: a comparison that was interrupted goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

VERSION = 1
"""Raised whenever the way from features to a trained head changes in this program's code."""


@dataclass(frozen=True)
class Trained:
    """What a head says of the test rows: logits (n, C); its weights, and seconds of training."""

    logits: NDArray[np.float64]
    parameters: int
    seconds: float


class KeptHeads:
    """A folder with one file per trained head, named by everything the head depends on.

    resume: whether heads that lie there already are used, or trained again.
    """

    def __init__(self, folder: Path, *, resume: bool) -> None:
        self._folder = folder
        self._resume = resume

    def find(self, key: str) -> Trained | None:
        """Return what was kept under a key; None when it is not there, damaged or not wanted."""
        if not self._resume:
            return None
        try:
            with safe_open(self._path(key), framework="numpy") as file:
                about = file.metadata()
                logits = file.get_tensor("logits")
            return Trained(logits, int(about["parameters"]), float(about["seconds"]))
        except (OSError, SafetensorError, KeyError, ValueError):
            return None

    def keep(self, key: str, trained: Trained) -> None:
        """Write it, whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        about = {"parameters": str(trained.parameters), "seconds": f"{trained.seconds:.1f}"}
        new = self._path(key).with_suffix(".new")
        save_file({"logits": trained.logits}, new, metadata=about)
        os.replace(new, self._path(key))

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.safetensors"


def key_of(system: str, recipe: Any, seed: int, *arrays: NDArray[Any]) -> str:
    """Return a digest of a training: the system, how it is trained, and on what.

    Args:
        recipe: a dataclass of plain values.
        arrays: features, labels and rows.
    """
    text = json.dumps([VERSION, system, asdict(recipe), seed], sort_keys=True)
    found = hashlib.sha256(text.encode())
    for array in arrays:
        found.update(f"{array.dtype} {array.shape}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:32]
