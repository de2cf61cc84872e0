"""The state of a training run on disk: safetensors and JSON, replaced as a whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from core.errors import CheckpointError

_POINTER = "state.json"
_FROZEN = "frozen.safetensors"


@dataclass(frozen=True)
class RunState:
    """Weights now, averaged, and of the best epoch so far, with the optimiser's moments.

    averaged and best: empty where there are none. generators: within an epoch, the state of each
    process's random generators, by "rank.name".
    """

    model: dict[str, Tensor]
    averaged: dict[str, Tensor]
    best: dict[str, Tensor]
    optimizer: torch.optim.Optimizer
    generators: dict[str, Tensor] = field(default_factory=dict)


def write_state(run_dir: Path, state: RunState, position: Mapping[str, Any]) -> None:
    """Write a state; the one before stays valid until `state.json` points at the new one.

    `position` holds the `step`, which must differ from that of the state before.
    """
    folder = run_dir / f"state-{position['step']:08d}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("model", "averaged", "best", "generators"):
        _save(getattr(state, name), folder / f"{name}.safetensors")
    _save(_moments(state.optimizer), folder / "optimizer.safetensors")
    pointer = run_dir / f"{_POINTER}.new"
    pointer.write_text(json.dumps({"folder": folder.name, **position}, indent=1), encoding="utf-8")
    os.replace(pointer, run_dir / _POINTER)
    for old in run_dir.glob("state-*"):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)


def read_fingerprint(run_dir: Path) -> str | None:
    """Return of what a state was trained on, empty if it does not say; None without a state.

    Raises CheckpointError when the state is damaged.
    """
    pointer = run_dir / _POINTER
    if not pointer.is_file():
        return None
    try:
        return str(json.loads(pointer.read_text(encoding="utf-8")).get("fingerprint", ""))
    except (OSError, ValueError, AttributeError) as error:
        raise _damaged(run_dir, error) from error


def read_state(
    run_dir: Path, optimizer: torch.optim.Optimizer
) -> tuple[RunState, dict[str, Any]] | None:
    """Return the state and its position, having filled `optimizer`; None when there is no state.

    Raises CheckpointError when the state is damaged, or one of another model.
    """
    pointer = run_dir / _POINTER
    if not pointer.is_file():
        return None
    try:
        position = json.loads(pointer.read_text(encoding="utf-8"))
        folder = run_dir / position["folder"]
        model = load_file(folder / "model.safetensors")
        averaged, best, generators = (
            _load(folder / f"{name}.safetensors") for name in ("averaged", "best", "generators")
        )
        _fill(optimizer, load_file(folder / "optimizer.safetensors"))
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise _damaged(run_dir, error) from error
    return RunState(model, averaged, best, optimizer, generators), position


def write_frozen(run_dir: Path, weights: Mapping[str, Tensor]) -> None:
    """Write what training does not change, once per run: what is there already stays."""
    if (run_dir / _FROZEN).is_file():
        return
    part = run_dir / f"{_FROZEN}.new"
    _save(weights, part)
    if part.is_file():
        os.replace(part, run_dir / _FROZEN)


def read_frozen(run_dir: Path) -> dict[str, Tensor]:
    """Return what `write_frozen` wrote, empty if nothing. Raises CheckpointError."""
    try:
        return _load(run_dir / _FROZEN)
    except (OSError, SafetensorError) as error:
        raise _damaged(run_dir, error) from error


def checksum(weights: Mapping[str, Tensor]) -> str:
    """Return a fingerprint of weights that is quick to compute: of sums, not of every byte."""
    found = hashlib.sha256()
    for name in sorted(weights):
        value = weights[name].detach().double()
        size, energy = float(value.abs().sum()), float(value.square().sum())
        # A GPU adds up in another order, so the last digits don't count.
        found.update(f"{name} {tuple(value.shape)} {size:.8e} {energy:.8e}".encode())
    return found.hexdigest()


def clear_state(run_dir: Path) -> None:
    """Remove the state of a run that is not gone on with."""
    (run_dir / _POINTER).unlink(missing_ok=True)
    (run_dir / _FROZEN).unlink(missing_ok=True)
    for old in run_dir.glob("state-*"):
        shutil.rmtree(old, ignore_errors=True)


def _damaged(run_dir: Path, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"The training state in {run_dir} is damaged: {error}.",
        "Delete the folder, or train without --resume.",
    )


def _save(tensors: Mapping[str, Tensor], path: Path) -> None:
    if tensors:
        save_file({name: value.contiguous() for name, value in tensors.items()}, path)


def _load(path: Path) -> dict[str, Tensor]:
    return load_file(path) if path.is_file() else {}


def _moments(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    state = optimizer.state_dict()["state"]
    return {
        f"{index}.{name}": torch.as_tensor(value).detach().clone().contiguous()
        for index, values in state.items()
        for name, value in values.items()
    }


def _fill(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    current = optimizer.state_dict()
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": current["param_groups"]})
