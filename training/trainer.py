"""The one training loop: AdamW on a one-cycle schedule, averaged weights, resumable after a kill.

A run is a directory. At the end of every epoch its state (weights, averaged weights, optimiser
moments as safetensors; position and history as JSON, never pickle) replaces the one before, so a
killed run loses at most one epoch. Every epoch draws from generators seeded by (seed, epoch), hence
a resumed run ends with bit-identical weights.

    objective = Objective(model, batches, steps_per_epoch, loss, validate)
    outcome = Trainer(TrainerConfig(epochs=10), objective, run_dir, Reporter()).fit(resume=True)
    # `model` now holds the best (averaged) weights; outcome.best is their validation metric
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from training.progress import Reporter
from training.run_state import RunState, read_state, write_state


@dataclass(frozen=True, slots=True)
class TrainerConfig:
    """How to optimise; every stage's YAML has these keys under `trainer`."""

    epochs: int
    learning_rate: float = 1e-3
    """Peak of the one-cycle schedule (Smith & Topin 2019, arXiv 1708.07120)."""
    warmup: float = 0.1
    """Share of all steps spent rising to the peak; the rest falls along a cosine."""
    weight_decay: float = 0.01
    """Applied to matrices only, not to biases, norms and embeddings."""
    gradient_clip: float = 1.0
    ema_decay: float = 0.999
    """Decay of the averaged weights that are validated and kept; 0 keeps the raw weights."""
    bf16: bool = False
    """Compute matrix products in bfloat16 (weights stay float32)."""
    patience: int = 0
    """Stop after this many epochs without a better metric; 0 never stops early."""
    metric: str = "loss"
    """Validation metric by which the best epoch is kept; `loss` is minimised, others maximised."""
    keep: str = "best"
    """`best` epoch by the metric, or the `last`."""
    seed: int = 7

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.learning_rate <= 0 or not 0 <= self.warmup < 1:
            raise ValueError("epochs and learning_rate must be positive and warmup in [0, 1)")
        if self.keep not in ("best", "last"):
            raise ValueError("keep must be 'best' or 'last'")


@dataclass(frozen=True)
class Objective:
    """What is trained, on what, and how it is judged.

    batches: (epoch, generator) -> that epoch's batches; draw all randomness from the generator.
    loss: (model, batch) -> named losses; `loss` is minimised, the others are shown.
    validate: model in evaluation mode (averaged weights) -> named metrics.
    """

    model: nn.Module
    batches: Callable[[int, np.random.Generator], Iterable[Any]]
    steps_per_epoch: int
    loss: Callable[[nn.Module, Any], Mapping[str, Tensor]]
    validate: Callable[[nn.Module], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: best value and epoch (from 1) of the metric, and one row per epoch."""

    best: float
    best_epoch: int
    history: tuple[Mapping[str, float], ...] = field(default=())


class Trainer:
    """Runs an objective in a run directory."""

    def __init__(
        self, config: TrainerConfig, objective: Objective, run_dir: Path, reporter: Reporter
    ) -> None:
        self._config = config
        self._objective = objective
        self._run_dir = run_dir
        self._reporter = reporter
        self._model = objective.model
        self._optimizer = torch.optim.AdamW(
            parameter_groups(self._model, config.weight_decay), lr=config.learning_rate
        )
        self._averaged: dict[str, Tensor] = {}
        self._best: dict[str, Tensor] = {}
        self._step = 0

    def fit(self, resume: bool = False) -> Outcome:
        """Train to the end and leave the kept weights in the model.

        With `resume` a run that was killed goes on where its last epoch ended.
        """
        self._run_dir.mkdir(parents=True, exist_ok=True)
        history = self._restore() if resume else []
        if not history:
            self._averaged = _copy(self._model.state_dict())
        while not self._is_over(history):
            history.append(self._run_epoch(len(history)))
            self._after_epoch(history)
        kept = self._best if self._config.keep == "best" else self._averaged
        self._model.load_state_dict(kept)
        self._model.eval()
        best_epoch = _best_epoch(history, self._config.metric)
        return Outcome(history[best_epoch][self._config.metric], best_epoch + 1, tuple(history))

    def _is_over(self, history: list[dict[str, float]]) -> bool:
        if len(history) >= self._config.epochs:
            return True
        if not self._config.patience or not history:
            return False
        return len(history) - 1 - _best_epoch(history, self._config.metric) >= self._config.patience

    def _run_epoch(self, epoch: int) -> dict[str, float]:
        """Train one epoch and validate; return its losses (`train_*`), metrics and seconds."""
        started = time.monotonic()
        generator = np.random.default_rng((self._config.seed, epoch))
        torch.manual_seed(int(generator.integers(2**31)))
        sums: dict[str, float] = {}
        batches = self._objective.batches(epoch, generator)
        title = f"epoch {epoch + 1}/{self._config.epochs}"
        self._model.train()
        count = 0
        for batch in self._reporter.track(batches, self._objective.steps_per_epoch, title):
            for name, value in self._train_step(batch).items():
                sums[name] = sums.get(name, 0.0) + value
            count += 1
        row = {f"train_{name}": value / max(count, 1) for name, value in sums.items()}
        row.update(self._validate())
        row["seconds"] = round(time.monotonic() - started, 1)
        self._reporter.metrics(title, row)
        return row

    def _train_step(self, batch: Any) -> dict[str, float]:
        rate = self._learning_rate()
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._config.bf16):
            losses = self._objective.loss(self._model, batch)
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(losses["loss"])
        if self._config.gradient_clip > 0:
            nn.utils.clip_grad_norm_(self._model.parameters(), self._config.gradient_clip)
        self._optimizer.step()
        self._step += 1
        self._average()
        return {name: float(value.detach()) for name, value in losses.items()}

    def _learning_rate(self) -> float:
        total = self._config.epochs * self._objective.steps_per_epoch
        return self._config.learning_rate * one_cycle(self._step, total, self._config.warmup)

    @torch.no_grad()
    def _average(self) -> None:
        """Move the averaged weights towards the current ones (the decay grows with the steps)."""
        decay = min(self._config.ema_decay, (1 + self._step) / (10 + self._step))
        if self._config.ema_decay == 0:
            decay = 0.0
        for name, value in self._model.state_dict().items():
            if value.is_floating_point():
                self._averaged[name].lerp_(value, 1 - decay)
            else:
                self._averaged[name].copy_(value)

    @torch.no_grad()
    def _validate(self) -> dict[str, float]:
        """Judge the averaged weights, then put the raw ones back."""
        raw = _copy(self._model.state_dict())
        self._model.load_state_dict(self._averaged)
        self._model.eval()
        try:
            return {name: float(v) for name, v in self._objective.validate(self._model).items()}
        finally:
            self._model.load_state_dict(raw)

    def _after_epoch(self, history: list[dict[str, float]]) -> None:
        if _best_epoch(history, self._config.metric) == len(history) - 1:
            self._best = _copy(self._averaged)
        state = RunState(
            _copy(self._model.state_dict()), self._averaged, self._best, self._optimizer
        )
        write_state(self._run_dir, state, {"step": self._step, "history": history})

    def _restore(self) -> list[dict[str, float]]:
        found = read_state(self._run_dir, self._optimizer)
        if found is None:
            return []
        state, position = found
        self._model.load_state_dict(state.model)
        self._averaged, self._best = state.averaged, state.best
        self._step = int(position["step"])
        history = [dict(row) for row in position["history"]]
        self._reporter.say(f"resuming after epoch {len(history)}")
        return history


def one_cycle(step: int, total: int, warmup: float) -> float:
    """Return the learning rate factor: 0.04 -> 1 over the warm-up, then a cosine down to 1e-3."""
    rising = max(1, round(total * warmup))
    if step < rising:
        return 0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * step / rising))
    done = min(1.0, (step - rising) / max(1, total - rising))
    return 1e-3 + (1 - 1e-3) * 0.5 * (1 + math.cos(math.pi * done))


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return AdamW groups: decay for weight matrices, none for vectors and embeddings."""
    embeddings = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    parameters = [p for p in model.parameters() if p.requires_grad]
    decayed = [p for p in parameters if p.ndim > 1 and id(p) not in embeddings]
    plain = [p for p in parameters if p.ndim <= 1 or id(p) in embeddings]
    return [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]


def _best_epoch(history: list[dict[str, float]], metric: str) -> int:
    values = [row[metric] if metric != "loss" else -row[metric] for row in history]
    return int(np.argmax(values))


def _copy(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in state.items()}
