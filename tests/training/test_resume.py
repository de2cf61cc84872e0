"""A training process that is really killed, at a random step, ends with the same weights."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from core.errors import CheckpointError
from tests.training.tiny_training import STEPS, train
from training import random_state
from training.run_state import clear_state, read_fingerprint, read_state
from training.system_training import forget_state

EPOCHS = 3
TASK: dict[str, Any] = {"affect": "mse", "dropout": 0.3}


def kill(project: Path, out: Path, trainer: dict[str, Any], batch: int) -> None:
    """Train in a process of its own, which kills itself before a batch."""
    runs = [{"name": "run", "trainer": trainer, "kill": batch, **TASK}]
    command = [sys.executable, "-m", "tests.training.tiny_training", str(out), json.dumps(runs)]
    finished = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120)
    assert finished.returncode == -signal.SIGKILL, finished.stderr


def check_state(run: Path, trainer: dict[str, Any], batch: int) -> None:
    """The newest state that was due is there, and no pickle; what follows it is half written."""
    size = trainer.get("accumulate", 1)
    per_epoch = -(-STEPS // size)
    epoch, within = divmod(batch, STEPS)
    done, every = within // size, trainer["save_every"]
    saved = range(per_epoch * epoch, per_epoch * epoch + done + 1)
    due = max(s for s in saved if s % per_epoch == 0 or (every and s % every == 0))
    assert json.loads((run / "state.json").read_text())["step"] == due
    files = {path.suffix for path in run.rglob("*") if path.is_file()}
    assert files == {".safetensors", ".json"}
    assert len(list(run.glob("state-*"))) == 1
    half = run / "state-00000099"  # of a process that died before it could point to it
    half.mkdir()
    (half / "model.safetensors").write_bytes(b"half a")


@pytest.mark.parametrize(
    "trainer",
    [
        {"save_every": 1},
        {"save_every": 3, "accumulate": 2, "ema_decay": 0.0},
        {"save_every": 0, "schedule": "cosine", "keep": "best"},
    ],
    ids=["every step", "every third, accumulating", "epochs only"],
)
def test_a_killed_process_resumes_to_the_same_weights(
    project: Path, tmp_path: Path, trainer: dict[str, Any]
) -> None:
    trainer = {"epochs": EPOCHS, **trainer}
    train(tmp_path, "whole", trainer, resume=False, **TASK)
    batch = random.SystemRandom().randrange(STEPS + 1, EPOCHS * STEPS)
    kill(project, tmp_path, trainer, batch)
    check_state(tmp_path / "run", trainer, batch)
    random.seed(99)  # nothing may come from generators as they happen to be
    torch.manual_seed(99)
    train(tmp_path, "run", trainer, resume=True, **TASK)
    whole = load_file(tmp_path / "whole.0.safetensors")
    resumed = load_file(tmp_path / "run.0.safetensors")
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), f"{name}, killed before batch {batch}"
    histories = [json.loads((tmp_path / f"{n}.0.json").read_text()) for n in ("whole", "run")]
    assert "resuming after epoch" in histories[1]["log"]
    assert not (tmp_path / "run" / "state-00000099").exists()
    for one, two in zip(*(h["history"] for h in histories), strict=True):
        assert {**one, "seconds": 0} == {**two, "seconds": 0}


def test_all_generators_come_back() -> None:
    random_state.seed_all(11)
    np.random.standard_normal()  # leaves a second value waiting
    random.gauss(0, 1)
    state = {name: value.clone() for name, value in random_state.capture().items()}

    def draw() -> tuple[float, ...]:
        return (
            float(torch.rand(1)), float(torch.randn(1)), np.random.standard_normal(),
            np.random.random(), random.gauss(0, 1), random.random(),
        )  # fmt: skip

    first = draw()
    draw()
    random_state.restore(state)
    assert draw() == first


def test_clearing_leaves_nothing_to_go_on_from(tmp_path: Path) -> None:
    train(tmp_path, "run", {"epochs": 1}, resume=False)
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.ones(1))])
    clear_state(tmp_path / "run")
    assert read_state(tmp_path / "run", optimizer) is None
    assert not list((tmp_path / "run").iterdir())


def test_the_state_of_another_model_is_refused(tmp_path: Path) -> None:
    train(tmp_path, "run", {"epochs": 1}, resume=False)
    pointer = tmp_path / "run" / "state.json"
    position = json.loads(pointer.read_text())
    pointer.write_text(json.dumps({**position, "frozen": "other"}))
    with pytest.raises(CheckpointError, match="another model"):
        train(tmp_path, "run", {"epochs": 2}, resume=True)


def test_a_kill_while_a_state_is_forgotten_leaves_no_pointer_to_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state-00000004").mkdir()
    (tmp_path / "state.json").write_text('{"folder": "state-00000004"}', encoding="utf-8")

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        forget_state(tmp_path)
    assert read_fingerprint(tmp_path) is None
