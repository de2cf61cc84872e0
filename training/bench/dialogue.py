"""Topic `dialogue`: what context costs: a new turn, the graph, an epoch of training, cut models.

Weights and features are made up; they change nothing about the time. New turns go through the
class the app uses, with a checkpoint that was written and read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from core.bench.report import Measurement, Report
from core.bench.subject import one_thread
from core.bench.timing import Sample, interleave, ratios, summarise
from core.models.context.checkpoint import save_dialogue_checkpoint
from core.models.context.inference import DialogueInference, TurnFeatures
from core.models.context.specification import DialogueSpecification
from core.models.mglra import MGLRA
from core.models.size import number_of_parameters, weight_bytes
from core.pipeline.dialogue_context import ModelContext, load_context
from core.types import SAMPLE_RATE, FloatArray, Modality, Turn, TurnStatus
from training.bench import dialogue_graph, dialogue_training
from training.bench.dialogue_training import LABELS, SIZES

WINDOW = 16
LENGTHS = (10, 100, 1000)
MILLISECONDS = 10.0
FLAT = 1.25
"""A new turn in the longest dialogue against one in the middle one, both beyond the window."""
PARTS = (1, 2, 4, 8)
MODELS: Mapping[str, Mapping[str, Any]] = {
    "full, as wide as by default": {},
    "released, as wide as published": {"variant": "released"},
}


def measure(quick: bool) -> Report:
    """Measure all four."""
    rounds = 6 if quick else 30
    with one_thread():
        measurements = [
            *_new_turn(rounds),
            *dialogue_graph.measured(rounds),
            *(m for name in MODELS for m in _cuts(name, rounds)),
            *dialogue_training.measured(quick),
        ]
    return Report(
        "dialogue",
        tuple(measurements),
        (
            f"A new turn: {', '.join(SIZES)} of the embedded model's widths, a window of {WINDOW}"
            " turns, in context and alone, with attention and all nested sizes.",
            "One thread, fp32, processor time, the clock's where nothing else runs. The second"
            " thread is left free: in steps this small two of PyTorch's wait for each other.",
        ),
    )


def build(options: Mapping[str, Any]) -> MGLRA:
    """Return a model with nested sizes, of random weights."""
    torch.manual_seed(0)
    specification = DialogueSpecification(LABELS, SIZES, window=WINDOW)
    config = {**options, "nested": {"sizes": [], "shared": True}}
    return MGLRA.from_config(specification, config).eval()


def _new_turn(rounds: int) -> Iterator[Measurement]:
    with TemporaryDirectory(prefix="emoscope-bench-") as folder:
        runs = interleave(
            {str(n): _adding(Path(folder) / str(n), n) for n in LENGTHS}, rounds, warm_up=2
        )
    for length in LENGTHS:
        yield summarise(
            f"a new turn after {length}", _ms(runs[str(length)]), "ms", target=MILLISECONDS
        )
    middle, longest = (runs[str(length)] for length in LENGTHS[1:])
    yield summarise(
        f"a new turn after {LENGTHS[2]} / after {LENGTHS[1]}",
        ratios(longest, middle),
        "",
        target=FLAT,
    )


def _adding(folder: Path, turns: int) -> Callable[[], object]:
    """Return what adds a turn to a dialogue that has so many."""
    save_dialogue_checkpoint(
        folder, build({}), name="bench", architecture="mglra", training={}, metrics={}, card="None."
    )
    context = load_context(folder)
    context.warm_up()
    noise = np.random.default_rng(turns)
    said = 0

    def add() -> None:
        nonlocal said
        add_turn(context, said, features(noise))
        said += 1

    for _ in range(turns):
        add()
    return add


def add_turn(context: ModelContext, number: int, given: dict[str, FloatArray]) -> None:
    """Let a dialogue model hear a final turn of one of two speakers."""
    start = number * 3 * SAMPLE_RATE
    turn = Turn(number, start, start + 2 * SAMPLE_RATE, "AB"[number % 2], TurnStatus.FINAL)
    context.add(turn, {Modality(name): values for name, values in given.items()})


def features(noise: np.random.Generator) -> dict[str, FloatArray]:
    """Return what a turn without content would give."""
    return {name: noise.standard_normal(s.dim, dtype=np.float32) for name, s in SIZES.items()}


def _cuts(name: str, rounds: int) -> Iterator[Measurement]:
    """Compare a model cut to parts of its representation, on a full window."""
    model, noise = build(MODELS[name]), np.random.default_rng(0)
    window = [TurnFeatures(features(noise), "AB"[place % 2]) for place in range(WINDOW)]
    cut = {part: model.cut(model.head.levels[0] // part) for part in PARTS}
    actions = {str(part): _judging(smaller, window) for part, smaller in cut.items()}
    runs = interleave(actions, rounds, warm_up=2)
    for part, smaller in cut.items():
        size = f"{name}, {model.head.levels[0] // part} of {model.head.levels[0]} dimensions"
        count, megabytes = number_of_parameters(smaller), weight_bytes(smaller) / 2e6
        note = f"{count:,} parameters, {megabytes:.2f} MB in fp16"
        yield summarise(size, _ms(runs[str(part)]), "ms", note=note)
        if part > 1:
            yield summarise(f"{size}: whole / cut", ratios(runs["1"], runs[str(part)]), "")


def _judging(model: MGLRA, window: list[TurnFeatures]) -> Callable[[], object]:
    inference = DialogueInference(model)
    return lambda: inference([window])


def _ms(samples: list[Sample]) -> list[float]:
    return [1000 * sample.processor for sample in samples]
