from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from torch import Tensor, nn

from core.errors import CheckpointError, ConfigError
from training.progress import Reporter
from training.trainer import Objective, Trainer, TrainerConfig, TrainingError

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


def test_without_a_run_directory_nothing_is_written(tmp_path: Path) -> None:
    with_folder, without = objective(), objective()
    Trainer(CONFIG, with_folder, tmp_path / "run", quiet()).fit()
    outcome = Trainer(replace(CONFIG, save_every=3), without, None, quiet()).fit(resume=True)
    assert len(outcome.history) == 4
    assert torch.equal(
        with_folder.model.get_parameter("0.weight"), without.model.get_parameter("0.weight")
    )


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


def test_a_new_run_does_not_go_on_from_an_old_one(tmp_path: Path) -> None:
    Trainer(CONFIG, objective(), tmp_path, quiet()).fit()
    with pytest.raises(KilledError):
        Trainer(CONFIG, objective(kill_after=0), tmp_path, quiet()).fit()
    assert not (tmp_path / "state.json").exists()


def test_frozen_parameters_stay_and_come_back(tmp_path: Path) -> None:
    def frozen(seed: int, kill_after: int | None = None) -> Objective:
        task = objective(seed, kill_after)
        task.model.get_submodule("0").requires_grad_(False)
        return task

    first = frozen(0, kill_after=2)
    before = first.model.get_parameter("0.weight").clone()
    with pytest.raises(KilledError):
        Trainer(CONFIG, first, tmp_path, quiet()).fit()
    again = frozen(99)
    Trainer(CONFIG, again, tmp_path, quiet()).fit(resume=True)
    assert torch.equal(again.model.get_parameter("0.weight"), before)
    assert not torch.equal(
        again.model.get_parameter("3.weight"), frozen(0).model.get_parameter("3.weight")
    )


def test_frozen_weights_that_are_loaded_again_must_be_the_same(tmp_path: Path) -> None:
    def reloading(seed: int, kill_after: int | None = None) -> Objective:
        task = replace(objective(seed, kill_after), reloads_frozen=True)
        task.model.get_submodule("0").requires_grad_(False)
        return task

    with pytest.raises(KilledError):
        Trainer(CONFIG, reloading(0, kill_after=2), tmp_path, quiet()).fit()
    assert not (tmp_path / "frozen.safetensors").exists()
    with pytest.raises(CheckpointError, match="another model"):
        Trainer(CONFIG, reloading(1), tmp_path, quiet()).fit(resume=True)
    assert len(Trainer(CONFIG, reloading(0), tmp_path, quiet()).fit(resume=True).history) == 4


def test_without_averaging_the_weights_are_the_last_ones(tmp_path: Path) -> None:
    config = replace(CONFIG, ema_decay=0.0, keep="last")
    task = objective()
    Trainer(config, task, tmp_path, quiet()).fit()
    saved = load_file(next(tmp_path.glob("state-*/model.safetensors")))
    assert not list(tmp_path.glob("state-*/averaged.safetensors"))
    for name, value in task.model.state_dict().items():
        assert torch.equal(value, saved[name])


def with_loss(change: Callable[[int, Tensor], Tensor]) -> Objective:
    """The usual objective, whose loss is changed by (step from 0, loss)."""
    task = objective()
    steps = iter(range(1000))

    def loss(model: nn.Module, rows: Tensor) -> Mapping[str, Tensor]:
        plain = task.loss(model, rows)["loss"]
        return {"loss": change(next(steps), plain), "plain": plain}

    return replace(task, loss=loss)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_loss_that_is_no_number_stops_with_a_remedy(tmp_path: Path, precision: str) -> None:
    task = with_loss(lambda step, loss: loss * torch.nan if step == 10 else loss)
    config = replace(CONFIG, precision=precision)
    with pytest.raises(TrainingError, match=r"step 11 is not finite \(loss nan, plain 0") as caught:
        Trainer(config, task, tmp_path, quiet()).fit()
    assert "Lower learning_rate (now 0.05)" in caught.value.remedy
    assert ("fp32" in caught.value.remedy) == (precision == "bf16")
    assert json.loads((tmp_path / "state.json").read_text())["step"] == 8  # the epoch before
    assert all(value.isfinite().all() for value in task.model.state_dict().values())


def test_a_gradient_that_is_no_number_leaves_the_weights_alone(tmp_path: Path) -> None:
    # The value is finite, its derivative is not: sqrt at zero.
    task = with_loss(lambda step, loss: loss + (loss * 0).sqrt() if step == 3 else loss)
    with pytest.raises(TrainingError, match="gradient of step 4"):
        Trainer(CONFIG, task, tmp_path, quiet()).fit()
    assert all(value.isfinite().all() for value in task.model.state_dict().values())


def test_a_metric_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'recall'.*It gives: accuracy"):
        Trainer(replace(CONFIG, metric="recall"), objective(), tmp_path, quiet()).fit()


def test_an_epoch_without_a_metric_is_never_the_best(tmp_path: Path) -> None:
    values = iter([0.2, 0.4, float("nan"), 0.3])
    task = replace(objective(), validate=lambda model: {"accuracy": next(values)})
    outcome = Trainer(CONFIG, task, tmp_path, quiet()).fit()
    assert (outcome.best, outcome.best_epoch) == (0.4, 2)


def test_the_seed_decides_what_comes_out(tmp_path: Path) -> None:
    found = []
    for number, seed in enumerate((3, 3, 4)):
        task = objective()
        Trainer(replace(CONFIG, seed=seed), task, tmp_path / str(number), quiet()).fit()
        found.append(task.model.get_parameter("0.weight").clone())
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_dropout_differs_from_epoch_to_epoch(tmp_path: Path) -> None:
    drawn: list[Tensor] = []

    def loss(model: nn.Module, rows: Tensor) -> Mapping[str, Tensor]:
        drawn.append(torch.rand(3))
        return task.loss(model, rows)

    task = objective()
    Trainer(replace(CONFIG, epochs=2), replace(task, loss=loss), tmp_path, quiet()).fit()
    assert not torch.equal(drawn[0], drawn[8])
