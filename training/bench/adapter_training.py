"""How long a step of stage 2 takes beside one of full fine-tuning, and how much memory.

Both learn emotion, gender and style from the same batch. Steps take turns in one process; memory is
measured in a process of its own for each.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import torch

from core.bench.architectures import SpeechShape
from core.bench.memory import resident_megabytes
from core.bench.memory_watch import watched_memory
from core.bench.report import Measurement
from core.bench.subject import one_thread
from core.bench.timing import Sample, interleave, ratios, summarise
from core.models.adapters.config import AdapterConfig
from core.models.encoders.convolutions import frame_counts
from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder
from core.models.two_stage import TwoStageModel
from core.types import SAMPLE_RATE
from training.bench.adapter_subjects import (
    CACHED,
    CLIPS,
    FULL,
    PLAIN,
    SECONDS,
    STAGE_2,
    Way,
    convolved,
    model,
    stepping,
    waveforms,
)

STEP, MEMORY = 0.75, 0.9
"""Targets: stage 2 / full fine-tuning."""
_STEPS = 3
"""After the first one the optimiser's averages are there as well."""


@dataclass(frozen=True, slots=True)
class Given:
    """What is trained on what; `rows` clips of so many seconds."""

    shape: SpeechShape
    rows: int = CLIPS
    seconds: float = SECONDS


def otherwise(how: str, *, onednn: bool = False, precision: str = "fp32") -> tuple[Way, ...]:
    """Return the three ways of training computed otherwise, under names that say how."""
    return tuple(
        replace(way, name=f"{way.name}, {how}", onednn=onednn, precision=precision) for way in PLAIN
    )


def kinds() -> dict[str, tuple[Way, ...]]:
    """Return the three ways of training in all the manners of computing that this machine has.

    By what is said of the manner in ratios; empty: as PyTorch does it.
    """
    found = {"": PLAIN}
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return found
    found[", both by oneDNN"] = otherwise("linear layers by oneDNN", onednn=True)
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():
        found[", both in bf16"] = otherwise("products in bf16", precision="bf16")
    return found


def timed(given: Given, rounds: int, *, targets: bool) -> Iterator[Measurement]:
    """Measure steps of every way, in turns."""
    found = kinds()
    runs = _runs(given, [way for ways in found.values() for way in ways], rounds)
    for way in (way for ways in found.values() for way in ways):
        yield summarise(f"a step of {way.name}", _ms(runs[way.name]), "ms", note=f"{rounds} rounds")
    for said, (full, *others) in found.items():
        for way, plain in zip(others, PLAIN[1:], strict=True):
            yield summarise(
                f"{plain.name} / full{said}: a step",
                ratios(runs[way.name], runs[full.name]),
                "",
                target=STEP if targets and full is FULL else None,
            )
    for _, way, _ in list(found.values())[1:]:
        times = ratios(runs[way.name], runs[FULL.name])
        yield summarise(f"{way.name} / full as PyTorch does it: a step", times, "")


def _runs(given: Given, ways: Sequence[Way], rounds: int) -> dict[str, list[Sample]]:
    """Time steps in turns; all ways of full training share a model, as do those of stage 2."""
    full, adapted = model(given.shape, None), model(given.shape, AdapterConfig())
    rows = waveforms(given.rows, given.seconds)
    features = convolved(adapted, rows)
    actions = {
        way.name: stepping(way, adapted if way.adapters else full, features if way.cached else rows)
        for way in ways
    }
    return interleave(actions, rounds)


@dataclass(frozen=True, slots=True)
class Memory:
    """Of a process that trains: MB at the highest point, and MB of that which training added."""

    peak: float
    added: float


def memory(given: Given, *, targets: bool) -> Iterator[Measurement]:
    """Measure the memory of every way, each in a process of its own."""
    found = {way: _in_own_process(way, given) for way in PLAIN}
    for way, taken in found.items():
        yield Measurement(f"peak memory, {way.name}", taken.peak, "MB", note="whole process")
    for way in (STAGE_2, CACHED):
        of, base = found[way], found[FULL]
        yield Measurement(
            f"{way.name} / full: peak memory",
            of.peak / base.peak,
            "",
            target=MEMORY if targets else None,
            note=f"without the interpreter and its libraries {of.added / base.added:.2f}",
        )


def _in_own_process(way: Way, given: Given) -> Memory:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(measure_memory, way, given).result()


def measure_memory(way: Way, given: Given) -> Memory:
    """Return how much memory this process takes to build a model and train it for some steps."""
    _load_libraries()
    before = resident_megabytes()
    with one_thread(), watched_memory() as watch:
        made = model(given.shape, AdapterConfig() if way.adapters else None)
        step = stepping(way, made, _features(made, given) if way.cached else _rows(given))
        for _ in range(_STEPS):
            step()
    return Memory(before + watch.growth, watch.growth)


def _load_libraries() -> None:
    """Train a tiny model, so that what is loaded on use is there."""
    tiny = Given(SpeechShape("tiny", 32, 1, 2, 8), rows=2, seconds=0.5)
    made = model(tiny.shape, AdapterConfig())
    stepping(STAGE_2, made, _rows(tiny))()


def _rows(given: Given) -> torch.Tensor:
    return waveforms(given.rows, given.seconds)


def _features(made: TwoStageModel, given: Given) -> torch.Tensor:
    """Return features as they would be read from a cache; made up, so that none is computed."""
    assert isinstance(made.speech, PretrainedSpeechEncoder)
    samples = torch.tensor([round(given.seconds * SAMPLE_RATE)])
    frames = int(frame_counts(samples, made.speech.model.feature_extractor))
    return torch.randn(given.rows, frames, given.shape.channels)


def _ms(samples: Sequence[Sample]) -> list[float]:
    return [1000 * sample.processor for sample in samples]
