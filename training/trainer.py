"""The one training loop: AdamW on a schedule, averaged weights, resumable after a kill.

A run is a directory. At the end of every epoch, and every so many steps if asked, its state
(weights, averaged weights, optimiser moments, random generators as safetensors; position and
history as JSON, never pickle) replaces the one before. Every epoch draws from generators seeded by
(seed, epoch), hence a resumed run ends with bit-identical weights: within an epoch, its batches are
drawn again and those done are skipped.

    objective = Objective(model, batches, steps_per_epoch, loss, validate)
    outcome = Trainer(TrainerConfig(epochs=10), objective, run_dir, Reporter()).fit(resume=True)
    # `model` now holds the best (averaged) weights; outcome.best is their validation metric

The same call trains on a CPU, a GPU, or in several processes (see `training.distributed`): each
draws the same batches, takes its share, and only the first one validates, writes and reports. Their
update is that of one process, except for dropout, which every process draws for its own rows.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.errors import CheckpointError, ConfigError
from training import random_state
from training.averaged_weights import AveragedWeights, frozen_names, on_cpu
from training.distributed import training_processes
from training.objective import Objective, Outcome
from training.optimisation import one_cycle, parameter_groups
from training.progress import Reporter, RunClock
from training.run_state import (
    RunState,
    checksum,
    clear_state,
    read_fingerprint,
    read_frozen,
    read_state,
    write_frozen,
    write_state,
)
from training.tensorboard_log import TensorBoardLog
from training.trainer_config import TrainerConfig, check_device
from training.updater import TrainingError, Updater

__all__ = [
    "Objective", "Outcome", "Trainer", "TrainerConfig", "TrainingError", "one_cycle",
    "parameter_groups",
]  # fmt: skip


@dataclass
class _Epoch:
    """An epoch as far as it has come: steps done, their summed losses, and seconds spent."""

    done: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    generators: dict[str, torch.Tensor] = field(default_factory=dict)

    def add(self, losses: dict[str, float]) -> None:
        """Count a step."""
        self.done += 1
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value


class Trainer:
    """Runs an objective in a run directory; without one nothing is written, nor can it go on.

    Args:
        fingerprint: of what the objective trains on. A state of another is not gone on with.

    Raises:
        ConfigError: this machine, or the model, can't do what the configuration asks for.
    """

    def __init__(
        self,
        config: TrainerConfig,
        objective: Objective,
        run_dir: Path | None,
        reporter: Reporter,
        fingerprint: str = "",
    ) -> None:
        movable = objective.place is not None
        check_device(config, cuda=movable and torch.cuda.is_available())
        self._processes = training_processes(
            shared=objective.split is not None, movable=movable, device=config.device
        )
        self._config = config
        self._objective = objective
        self._run_dir = run_dir
        self._fingerprint = fingerprint
        self._reporter = reporter if self._processes.is_main else Reporter(silent=True)
        self._model = objective.model
        self._updater = Updater(config, objective, self._processes)
        self._weights = AveragedWeights(self._model, config.ema_decay)
        self._best: dict[str, torch.Tensor] = {}
        self._history: list[dict[str, float]] = []
        self._begun = _Epoch()
        self._step = 0
        self._checksum = checksum(self._frozen()) if objective.reloads_frozen else ""
        self._steps_per_epoch = -(-objective.steps_per_epoch // config.accumulate)

    def fit(self, resume: bool = False) -> Outcome:
        """Train to the end and leave the kept weights in the model.

        With `resume` a run that was killed goes on where its last state was written; from the
        start, and says so, if what it trains on has changed since.

        Raises:
            TrainingError: a loss or gradient is not finite; the last state is kept.
            CheckpointError: the state to go on from is damaged.
        """
        self._begin(resume)
        total = self._config.epochs * self._steps_per_epoch
        clock = RunClock(total, self._step)
        enabled = self._config.tensorboard and self._processes.is_main and bool(self._run_dir)
        log = TensorBoardLog(self._run_dir or Path(), self._step, self._reporter, enabled=enabled)
        try:
            with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
                while not self._is_over():
                    self._history.append(self._run_epoch(clock, log))
                    self._after_epoch()
        finally:
            log.close()
        kept = self._best if self._config.keep == "best" else self._weights.values()
        self._model.load_state_dict(kept, strict=False)
        self._model.eval()
        best = _best_epoch(self._history, self._config.metric)
        return Outcome(self._history[best][self._config.metric], best + 1, tuple(self._history))

    def _begin(self, resume: bool) -> None:
        if self._run_dir is None:
            return
        self._run_dir.mkdir(parents=True, exist_ok=True)
        if resume:
            self._restore()
        self._processes.wait()  # nobody writes while another still reads
        if not self._processes.is_main:
            return
        if not self._step:
            clear_state(self._run_dir)
        if not self._objective.reloads_frozen:
            write_frozen(self._run_dir, self._frozen())

    def _frozen(self) -> dict[str, torch.Tensor]:
        state = self._model.state_dict()
        return {name: state[name] for name in frozen_names(self._model)}

    def _is_over(self) -> bool:
        if len(self._history) >= self._config.epochs:
            return True
        if not self._config.patience or not self._history:
            return False
        waited = len(self._history) - 1 - _best_epoch(self._history, self._config.metric)
        return waited >= self._config.patience

    def _run_epoch(self, clock: RunClock, log: TensorBoardLog) -> dict[str, float]:
        """Train one epoch and validate; return its losses (`train_*`), metrics and seconds."""
        epoch, begun = self._begun, len(self._history)
        started = time.monotonic() - epoch.seconds
        groups = self._groups(begun)
        title = f"epoch {begun + 1}/{self._config.epochs}"
        self._model.train()
        steps = self._reporter.track(
            groups, self._steps_per_epoch, title, done=epoch.done, clock=clock
        )
        for batches in steps:
            self._train_step(batches, log)
            clock.tick()
            epoch.seconds = time.monotonic() - started
            self._maybe_save()
        row = {f"train_{name}": value / max(epoch.done, 1) for name, value in epoch.sums.items()}
        row.update(self._validate())
        row["seconds"] = round(time.monotonic() - started, 1)
        self._reporter.metrics(title, row)
        log.write("epoch", row, self._step)
        self._begun = _Epoch()
        return row

    def _groups(self, epoch: int) -> Iterator[list[Any]]:
        """Return what is left of an epoch: the batches of one step at a time."""
        generator = np.random.default_rng((self._config.seed, epoch))
        # Each process drops out other units, the first one those that it would alone.
        random_state.seed_all(int(generator.integers(2**31)) + self._processes.rank)
        groups = _grouped(self._objective.batches(epoch, generator), self._config.accumulate)
        for _ in range(self._begun.done):
            next(groups, None)
        self._restore_generators()
        return groups

    def _restore_generators(self) -> None:
        found = self._begun.generators
        if not found:
            return
        ranks = {name.split(".", 1)[0] for name in found}
        mine = f"{self._processes.rank}." if str(self._processes.rank) in ranks else "0."
        random_state.restore(
            {name.removeprefix(mine): v for name, v in found.items() if name.startswith(mine)}
        )

    def _train_step(self, batches: list[Any], log: TensorBoardLog) -> None:
        total = self._config.epochs * self._steps_per_epoch
        rates = self._updater.rates(self._step, total)
        losses, norm = self._updater.update(batches, self._step)
        self._step += 1
        self._weights.update(self._step)
        self._begun.add(losses)
        log.write("train", {**losses, "gradient_norm": norm}, self._step)
        log.write("learning_rate", rates, self._step)

    def _validate(self) -> dict[str, float]:
        """Judge the kept weights on the main process, and tell the others."""
        found = None
        if self._processes.is_main:
            with self._weights.swapped_in() as model:
                model.eval()
                found = {k: float(v) for k, v in self._objective.validate(model).items()}
        values = self._processes.from_main(found)
        if self._config.metric not in values:
            raise ConfigError(
                f"The validation gives no metric '{self._config.metric}'.",
                f"It gives: {', '.join(values)}.",
            )
        return values

    def _after_epoch(self) -> None:
        if _best_epoch(self._history, self._config.metric) == len(self._history) - 1:
            self._best = self._weights.values()
        self._write({})

    def _maybe_save(self) -> None:
        """Write the state within an epoch; at its end there is a full one anyway."""
        every = self._config.save_every
        if not every or self._step % every or self._begun.done >= self._steps_per_epoch:
            return
        generators = {
            f"{rank}.{name}": each
            for name, value in random_state.capture().items()
            for rank, each in enumerate(self._processes.gather(value))
        }
        self._write(generators)

    def _write(self, generators: dict[str, torch.Tensor]) -> None:
        if not self._processes.is_main or self._run_dir is None:
            return
        epoch = self._begun
        position = {
            "step": self._step,
            "history": self._history,
            "scaler": self._updater.precision.state(),
            "frozen": self._checksum,
            "fingerprint": self._fingerprint,
            "epoch": {"done": epoch.done, "sums": epoch.sums, "seconds": epoch.seconds},
        }
        state = RunState(
            on_cpu(self._weights.current()), self._weights.mean, self._best,
            self._updater.optimizer, generators,
        )  # fmt: skip
        write_state(self._run_dir, state, position)

    def _restore(self) -> None:
        assert self._run_dir is not None
        if read_fingerprint(self._run_dir) not in (None, self._fingerprint):
            self._reporter.say("what is trained on has changed, training again from the start")
            return
        found = read_state(self._run_dir, self._updater.optimizer)
        if found is None:
            return
        state, position = found
        weights = read_frozen(self._run_dir) | state.model
        if self._objective.reloads_frozen:
            weights = self._frozen() | weights
        same = position.get("frozen", "") == self._checksum
        if not same or self._model.state_dict().keys() != weights.keys():
            raise CheckpointError(
                f"The training state in {self._run_dir} is one of another model.",
                "Delete the folder, or train without --resume.",
            )
        self._model.load_state_dict(weights)
        self._weights.restore(state.averaged)
        self._best = state.best
        self._updater.precision.restore(position.get("scaler", {}))
        self._step = int(position["step"])
        self._history = [dict(row) for row in position["history"]]
        self._begun = _Epoch(**position.get("epoch", {}), generators=state.generators)
        where = f" and {self._begun.done} steps" if self._begun.done else ""
        self._reporter.say(f"resuming after epoch {len(self._history)}{where}")


def _grouped(batches: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Yield lists of `size` batches, and of those left at the end."""
    rest = iter(batches)
    while group := list(itertools.islice(rest, size)):
        yield group


def _best_epoch(history: list[dict[str, float]], metric: str) -> int:
    values = [row[metric] if metric != "loss" else -row[metric] for row in history]
    return int(np.argmax([-math.inf if math.isnan(value) else value for value in values]))
