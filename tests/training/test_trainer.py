from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import Tensor, nn

from core.errors import CheckpointError
from training.progress import Reporter
from training.trainer import Objective, Trainer, TrainerConfig, one_cycle, parameter_groups

CONFIG = TrainerConfig(epochs=4, learning_rate=0.05, ema_decay=0.9, metric="accuracy", seed=3)


class KilledError(Exception):
    pass


def objective(seed: int = 0, kill_after: int | None = None) -> Objective:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))
    inputs = torch.from_numpy(np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32))
    targets = (inputs[:, 0] + inputs[:, 1] > 0).long()

    def batches(epoch: int, generator: np.random.Generator) -> Iterator[Tensor]:
        if kill_after is not None and epoch >= kill_after:
            raise KilledError
        for rows in np.array_split(generator.permutation(64), 8):
            yield torch.from_numpy(rows)

    def loss(model: nn.Module, rows: Tensor) -> Mapping[str, Tensor]:
        return {"loss": nn.functional.cross_entropy(model(inputs[rows]), targets[rows])}

    def validate(model: nn.Module) -> Mapping[str, float]:
        return {"accuracy": float((model(inputs).argmax(-1) == targets).float().mean())}

    return Objective(model, batches, 8, loss, validate)


def quiet(stream: io.StringIO | None = None) -> Reporter:
    return Reporter(Console(file=stream or io.StringIO(), width=200))


def test_training_learns_and_keeps_the_best_epoch(tmp_path: Path) -> None:
    task = objective()
    config = replace(CONFIG, epochs=12)
    log = io.StringIO()
    outcome = Trainer(config, task, tmp_path / "run", quiet(log)).fit()
    assert outcome.best > 0.85
    assert task.validate(task.model)["accuracy"] == outcome.best
    assert outcome.best == max(row["accuracy"] for row in outcome.history)
    assert len(log.getvalue().splitlines()) == 12


def test_a_killed_run_resumes_to_identical_weights(tmp_path: Path) -> None:
    whole = objective()
    Trainer(CONFIG, whole, tmp_path / "whole", quiet()).fit()
    killed = objective(kill_after=2)
    with pytest.raises(KilledError):
        Trainer(CONFIG, killed, tmp_path / "killed", quiet()).fit()
    resumed = objective(seed=99)  # other initial weights: everything must come from the state
    Trainer(CONFIG, resumed, tmp_path / "killed", quiet()).fit(resume=True)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name


def test_the_state_holds_no_pickle_and_only_the_newest_epoch(tmp_path: Path) -> None:
    Trainer(CONFIG, objective(), tmp_path, quiet()).fit()
    files = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {".safetensors", ".json"}
    assert len(list(tmp_path.glob("state-*"))) == 1
    assert json.loads((tmp_path / "state.json").read_text())["step"] == 32


def test_a_damaged_state_is_named(tmp_path: Path) -> None:
    Trainer(CONFIG, objective(), tmp_path, quiet()).fit()
    next(tmp_path.glob("state-*/optimizer.safetensors")).write_bytes(b"torn")
    with pytest.raises(CheckpointError, match=str(tmp_path)):
        Trainer(CONFIG, objective(), tmp_path, quiet()).fit(resume=True)


def test_training_stops_early_when_nothing_improves(tmp_path: Path) -> None:
    task = objective()
    stuck = replace(task, validate=lambda model: {"accuracy": 0.5})
    config = replace(CONFIG, epochs=20, patience=3)
    assert len(Trainer(config, stuck, tmp_path, quiet()).fit().history) == 4


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    first = objective()
    Trainer(CONFIG, first, tmp_path, quiet()).fit()
    again = objective(seed=5, kill_after=0)
    Trainer(CONFIG, again, tmp_path, quiet()).fit(resume=True)
    assert torch.equal(first.model[0].weight, again.model[0].weight)  # type: ignore[index]


def test_bfloat16_training_learns(tmp_path: Path) -> None:
    config = replace(CONFIG, precision="bf16", epochs=12)
    assert Trainer(config, objective(), tmp_path, quiet()).fit().best > 0.8


def test_one_cycle_rises_then_falls() -> None:
    factors = [one_cycle(step, 100, 0.2) for step in range(101)]
    assert factors.index(max(factors)) == 20
    assert factors[20] == pytest.approx(1.0)
    assert factors[0] < 0.05
    assert factors[100] < 0.01


def test_only_matrices_decay() -> None:
    model = nn.ModuleDict({"e": nn.Embedding(5, 3), "l": nn.Linear(3, 2), "n": nn.LayerNorm(3)})
    decayed, plain = parameter_groups(model, 0.1)
    assert [p.shape for p in decayed["params"]] == [(2, 3)]
    assert len(plain["params"]) == 4
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.1, 0.0)
