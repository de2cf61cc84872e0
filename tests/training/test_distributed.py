"""Two real processes train together on the CPU, and agree with one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from core.errors import ConfigError
from tests.training.tiny_training import STEPS, tiny_batches, train
from training import distributed
from training.batch_objective import split_batch
from training.distributed import Processes, alone, training_processes

AGREEING: list[dict[str, Any]] = [
    {"name": "mse", "affect": "mse"},
    {"name": "ccc", "affect": "ccc"},
    {"name": "accumulated", "trainer": {"accumulate": 3, "ema_decay": 0.0}},
]
RANDOM: dict[str, Any] = {
    "name": "random",
    "dropout": 0.3,
    "trainer": {"accumulate": 2, "save_every": 1, "epochs": 2},
}


def launch(
    project: Path, out: Path, runs: list[dict[str, Any]]
) -> subprocess.CompletedProcess[str]:
    """Train in two processes that find each other as those of a launcher do."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    command += ["--master_port", "0", "--rdzv_backend", "c10d", "--rdzv_endpoint", "localhost:0"]
    command += ["-m", "tests.training.tiny_training", str(out), json.dumps(runs)]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def pair(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which two processes have trained everything."""
    out = tmp_path_factory.mktemp("pair")
    finished = launch(project, out, [*AGREEING, RANDOM])
    assert finished.returncode == 0, finished.stderr
    return out


def difference(first: dict[str, Tensor], second: dict[str, Tensor]) -> float:
    assert first.keys() == second.keys()
    return max(float((first[name] - second[name]).abs().max()) for name in first)


@pytest.mark.parametrize("run", AGREEING, ids=lambda run: str(run["name"]))
def test_two_processes_agree_with_one(run: dict[str, Any], pair: Path, tmp_path: Path) -> None:
    train(tmp_path, **{"trainer": {}, "resume": False, **run})
    name = run["name"]
    single = load_file(tmp_path / f"{name}.0.safetensors")
    for rank in (0, 1):
        assert difference(single, load_file(pair / f"{name}.{rank}.safetensors")) < 1e-6
    ours = json.loads((tmp_path / f"{name}.0.json").read_text())["history"]
    theirs = json.loads((pair / f"{name}.0.json").read_text())["history"]
    for one, two in zip(ours, theirs, strict=True):
        for key in one.keys() - {"seconds"}:
            assert one[key] == pytest.approx(two[key], abs=1e-5), key


def test_the_trained_weights_are_not_those_before(pair: Path) -> None:
    trained = load_file(pair / "mse.0.safetensors")
    other = load_file(pair / "ccc.0.safetensors")
    assert torch.equal(trained["encoder.weight"], other["encoder.weight"])  # frozen
    assert difference(trained, other) > 1e-3


def test_only_the_first_process_reports(pair: Path) -> None:
    logs = [json.loads((pair / f"mse.{rank}.json").read_text())["log"] for rank in (0, 1)]
    assert len(logs[0].splitlines()) == 3
    assert logs[1] == ""


@pytest.mark.slow
def test_two_killed_processes_resume_to_the_same_weights(
    project: Path, pair: Path, tmp_path: Path
) -> None:
    kill = int(np.random.default_rng().integers(3, 2 * STEPS))
    killed = launch(project, tmp_path, [{**RANDOM, "kill": kill}])
    assert killed.returncode != 0
    assert "SIGKILL" in killed.stderr
    assert not list(tmp_path.glob("*.safetensors"))
    resumed = launch(project, tmp_path, [{**RANDOM, "resume": True}])
    assert resumed.returncode == 0, resumed.stderr
    assert "resuming" in json.loads((tmp_path / "random.0.json").read_text())["log"]
    for rank in (0, 1):
        whole = load_file(pair / f"random.{rank}.safetensors")
        found = load_file(tmp_path / f"random.{rank}.safetensors")
        for name, value in whole.items():
            assert torch.equal(value, found[name]), f"{name} after a kill before batch {kill}"


def test_shares_hold_every_row_once() -> None:
    batch = next(tiny_batches(0, np.random.default_rng(0)))
    shares = [split_batch(batch, rank, 3) for rank in range(3)]
    rows = torch.cat([share.rows for share, _ in shares])
    assert sorted(rows.tolist()) == sorted(batch.rows.tolist())
    assert sum(fraction for _, fraction in shares) == pytest.approx(1.0)
    first = shares[1][0]
    assert first.features is not None
    assert first.features.speech is not None
    assert batch.features is not None
    assert batch.features.speech is not None
    assert torch.equal(first.features.speech.pooled, batch.features.speech.pooled[1::3])
    assert torch.equal(first.targets.labels, batch.targets.labels[1::3])


@pytest.mark.parametrize("rank", [1, 2])
def test_a_process_without_a_row_takes_part_without_weight(rank: int) -> None:
    whole = next(tiny_batches(0, np.random.default_rng(0)))
    batch, _ = split_batch(whole, 0, len(whole.rows))  # one row
    idle, fraction = split_batch(batch, rank, 3)
    assert fraction == 0.0
    assert len(idle.rows) == 1
    assert float(idle.targets.weights.sum()) == 0.0


def test_one_process_has_nobody_to_wait_for() -> None:
    found = distributed.current()
    assert (found.rank, found.count, found.is_main) == (0, 1, True)
    found.wait()
    assert found.from_main({"accuracy": 0.5}) == {"accuracy": 0.5}
    assert float(found.sum(torch.tensor(2.0))) == 2.0


def test_what_only_one_process_can_do_is_not_started_by_two(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cpu = torch.device("cpu")
    monkeypatch.setattr(distributed, "current", lambda: Processes(1, 2, cpu))
    with pytest.raises(ConfigError, match="can't be shared"):
        training_processes(shared=False, movable=True)
    gpu = torch.device("cuda", 1)
    monkeypatch.setattr(distributed, "current", lambda: Processes(1, 2, gpu))
    with pytest.raises(ConfigError, match="launched for GPUs"):
        training_processes(shared=True, movable=True, device="cpu")
    assert training_processes(shared=True, movable=True).device == gpu


def test_what_can_not_move_stays_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = torch.device("cuda", 0)
    monkeypatch.setattr(distributed, "current", lambda: Processes(0, 1, gpu))
    cpu = alone(torch.device("cpu"))
    assert training_processes(shared=True, movable=False) == cpu
    assert training_processes(shared=True, movable=True, device="cpu") == cpu
    assert training_processes(shared=True, movable=True).device == gpu


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed._accelerator.cache_clear()
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(ConfigError, match=r"needs the package accelerate.*emoscope\[training\]"):
        distributed.current()
