"""The state of a training run on disk: safetensors and JSON, replaced as a whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from core.errors import CheckpointError

_POINTER = "state.json"


@dataclass(frozen=True)
class RunState:
    """Weights now, averaged, and of the best epoch so far, with the optimiser's moments."""

    model: dict[str, Tensor]
    averaged: dict[str, Tensor]
    best: dict[str, Tensor]
    optimizer: torch.optim.Optimizer


def write_state(run_dir: Path, state: RunState, position: Mapping[str, Any]) -> None:
    """Write a state; the one before stays valid until `state.json` points at the new one."""
    folder = run_dir / f"state-{position['step']:08d}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("model", "averaged", "best"):
        tensors = {k: v.contiguous() for k, v in getattr(state, name).items()}
        save_file(tensors, folder / f"{name}.safetensors")
    save_file(_moments(state.optimizer), folder / "optimizer.safetensors")
    pointer = run_dir / f"{_POINTER}.new"
    pointer.write_text(json.dumps({"folder": folder.name, **position}, indent=1), encoding="utf-8")
    os.replace(pointer, run_dir / _POINTER)
    for old in run_dir.glob("state-*"):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)


def read_state(
    run_dir: Path, optimizer: torch.optim.Optimizer
) -> tuple[RunState, dict[str, Any]] | None:
    """Return the state and its position, having filled `optimizer`; None when there is no state.

    Raises CheckpointError when the state is damaged.
    """
    pointer = run_dir / _POINTER
    if not pointer.is_file():
        return None
    try:
        position = json.loads(pointer.read_text(encoding="utf-8"))
        folder = run_dir / position["folder"]
        parts = [
            load_file(folder / f"{name}.safetensors") for name in ("model", "averaged", "best")
        ]
        _fill(optimizer, load_file(folder / "optimizer.safetensors"))
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        remedy = "Delete the folder, or train without --resume."
        raise CheckpointError(
            f"The training state in {run_dir} is damaged: {error}.", remedy
        ) from error
    return RunState(parts[0], parts[1], parts[2], optimizer), position


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
