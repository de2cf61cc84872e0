"""Two real processes train a dialogue model together, and agree with one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from tests.training.context.dialogues import generated
from tests.training.context.tiny_dialogue import CHOICE, train
from training.context.answers import answers
from training.context.objective import split_dialogues
from training.context.packed import pack
from training.context.training import build_model
from training.data.dialogues import UNLABELLED

TEST = generated(12, 5)


def said_by(weights: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    model = build_model(CHOICE, TEST)
    model.load_state_dict(load_file(weights))
    return answers(model.eval(), TEST, "full").logits


def test_two_processes_train_what_one_trains(project: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    command += ["--master_port", "0", "--rdzv_backend", "c10d", "--rdzv_endpoint", "localhost:0"]
    command += ["-m", "tests.training.context.tiny_dialogue", str(tmp_path / "two")]
    finished = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=180)
    assert finished.returncode == 0, finished.stderr
    train(tmp_path / "one")
    one, two = said_by(tmp_path / "one"), said_by(tmp_path / "two")
    untrained = answers(build_model(CHOICE, TEST, 1).eval(), TEST, "full").logits
    np.testing.assert_allclose(one, two, rtol=0, atol=1e-5)
    assert np.abs(one - untrained).max() > 1e-2


def test_a_process_without_a_dialogue_takes_part_with_nothing_that_counts() -> None:
    packed = pack(TEST, 4)
    batch = packed.windows(packed.starts[:2], packed.ends[:2])
    idle, fraction = split_dialogues(batch, 4, 5)
    assert fraction == 0.0
    assert idle.inputs.mask.shape == (1, batch.inputs.mask.shape[1])
    assert torch.equal(idle.labels, torch.full_like(idle.labels, UNLABELLED))
    assert not any(there.any() for there in idle.inputs.present.values())
