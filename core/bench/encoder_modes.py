"""One encoder and everything that can compute it here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from core.bench.emotion_model import speech_encoder, text_encoder
from core.bench.memory import resident_megabytes
from core.bench.peak import operations
from core.models.runtimes.base import RUNTIMES, Mode, Workplace, available, brief
from core.models.runtimes.exports import ExportCache
from core.types import SAMPLE_RATE

if TYPE_CHECKING:
    from torch import Tensor

    from core.bench.architectures import SpeechShape, TextShape
    from core.models.runtimes.base import Runtime

_CLASSES, _CLIPS = 7, 5

Compute = Callable[["Tensor"], "Tensor"]
"""An input (1, N) to a sequence (1, T, D)."""


@dataclass(frozen=True, slots=True)
class Task:
    """An encoder as transformers computes it, what it gets, and how a runtime is asked for it.

    operations: of one call. inputs: one for timing first, and others to compare on.
    """

    name: str
    eager: Compute
    inputs: tuple[Tensor, ...]
    operations: int
    fitted: Callable[[Runtime], Compute]


@dataclass(frozen=True, slots=True)
class Fitted:
    """One mode of one encoder.

    seconds: to make it, exports included. megabytes: of resident memory it takes on top of the
    model, after a run. error: the largest absolute difference from torch. same: whether a random
    read-out finds the same classes.
    """

    mode: Mode
    compute: Compute
    seconds: float
    megabytes: float
    error: float
    same: bool


def speech_task(shape: SpeechShape, seconds: float) -> Task:
    """Return a speech encoder with clips of this length; random weights."""
    import torch

    encoder = speech_encoder(shape)
    generator = torch.Generator().manual_seed(0)
    count = round(seconds * SAMPLE_RATE)
    clips = tuple(torch.randn(1, count, generator=generator) for _ in range(_CLIPS))

    def fitted(runtime: Runtime) -> Compute:
        stages = runtime.speech(encoder)
        return lambda clip: stages.contextualise(stages.convolve(clip))

    def eager(clip: Tensor) -> Tensor:
        found: Tensor = encoder.model(clip).last_hidden_state
        return found

    return Task(shape.name, eager, clips, operations(encoder.model, clips[0]), fitted)


def text_task(shape: TextShape, tokens: int) -> Task:
    """Return a text encoder with texts of this length; random weights."""
    import torch

    encoder = text_encoder(shape)
    generator = torch.Generator().manual_seed(0)
    texts = tuple(
        torch.randint(5, shape.vocabulary, (1, tokens), generator=generator) for _ in range(_CLIPS)
    )
    mask = torch.ones(1, tokens, dtype=torch.bool)

    def fitted(runtime: Runtime) -> Compute:
        stages = runtime.text(encoder)
        return lambda text: stages.read(text, mask)[0]

    def eager(text: Tensor) -> Tensor:
        found: Tensor = encoder.model(input_ids=text, attention_mask=mask.long()).last_hidden_state
        return found

    return Task(shape.name, eager, texts, operations(encoder.model, texts[0]), fitted)


def fit_modes(
    task: Task, folder: Path, threads: int = 1
) -> tuple[tuple[Fitted, ...], tuple[str, ...]]:
    """Make every mode that works here, and say of the others why they don't.

    Args:
        folder: of exports.
        threads: for one computation.
    """
    import torch

    place = Workplace(ExportCache(folder), f"random-{task.name}", threads)
    found: list[Fitted] = []
    problems: list[str] = []
    with torch.inference_mode():
        reference = [task.eager(given) for given in task.inputs]
        for mode in available():
            try:
                found.append(_fit(task, mode, place, reference))
            except Exception as failure:  # foreign libraries raise whatever they raise
                problems.append(f"{task.name} by {mode}: {brief(failure)}.")
    return tuple(found), tuple(problems)


def _fit(task: Task, mode: Mode, place: Workplace, reference: Sequence[Tensor]) -> Fitted:
    module, name = RUNTIMES[mode.runtime].split(":")
    runtime: Runtime = getattr(import_module(module), name)(mode, place)
    before, began = resident_megabytes(), time.perf_counter()
    compute = task.fitted(runtime)
    seconds = time.perf_counter() - began
    outputs = [compute(given) for given in task.inputs]
    megabytes = resident_megabytes() - before
    pairs = list(zip(outputs, reference, strict=True))
    error = max(float((ours - theirs).abs().max()) for ours, theirs in pairs)
    return Fitted(
        mode, compute, seconds, megabytes, error, _classes(outputs) == _classes(reference)
    )


def _classes(sequences: Sequence[Tensor]) -> list[int]:
    """Return what a fixed random read-out of the mean over time says of each."""
    import torch

    width = sequences[0].shape[-1]
    readout = torch.randn(width, _CLASSES, generator=torch.Generator().manual_seed(1))
    return [int((sequence.mean(dim=1) @ readout).argmax()) for sequence in sequences]
