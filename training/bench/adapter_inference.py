"""What an adapter costs once it is trained: in every answer, and when one takes another's place."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import nn

from core.bench.architectures import SpeechShape
from core.bench.emotion_model import speech_encoder
from core.bench.report import Measurement
from core.bench.timing import (
    Sample,
    interleave,
    measure_once,
    milliseconds,
    quartiles,
    ratios,
    summarise,
)
from core.models.adapters import attach, merge
from core.models.adapters.config import AdapterConfig, BottleneckConfig, LoraConfig
from core.models.adapters.switching import switch_checkpoint
from core.models.checkpoint import LoadedModel, load_checkpoint
from core.models.outputs import ModelInputs
from training.bench.adapter_files import Folders
from training.bench.adapter_subjects import SECONDS, shaken, waveforms

LORA = AdapterConfig(LoraConfig(), None)
BOTH = AdapterConfig()
BOTTLENECK = AdapterConfig(None, BottleneckConfig())
COST = 0.03
"""How far the time with merged LoRA may be from the time without, as a share of it."""
SWITCH_MS = 200.0
BASE, MERGED, UNMERGED = "no adapter", "LoRA merged", "LoRA beside the weights"
NARROW, EVERYTHING = "bottlenecks", "LoRA merged and bottlenecks"


def adapted(encoder: nn.Module, config: AdapterConfig, seed: int = 0) -> nn.Module:
    """Attach adapters that change the output, and return the encoder as it is after training."""
    attach(encoder, config)
    shaken(encoder, seed)
    return encoder.eval().requires_grad_(False)


def encoders(shape: SpeechShape) -> dict[str, nn.Module]:
    """Return the same encoder without adapters, and with each kind."""
    base = speech_encoder(shape)
    merged, both = (adapted(copy.deepcopy(base), config) for config in (LORA, BOTH))
    merge(merged)
    merge(both)
    return {
        BASE: base,
        MERGED: merged,
        UNMERGED: adapted(copy.deepcopy(base), LORA),
        NARROW: adapted(copy.deepcopy(base), BOTTLENECK),
        EVERYTHING: both,
    }


def answering(encoder: nn.Module, seconds: float) -> Callable[[], object]:
    """Return what encodes a clip of so many seconds."""
    rows = waveforms(1, seconds)
    given = ModelInputs(waveform=rows, waveform_mask=torch.ones_like(rows, dtype=torch.bool))

    @torch.inference_mode()
    def answer() -> None:
        encoder(given)

    return answer


def cost(
    shape: SpeechShape, rounds: int, *, targets: bool, seconds: float = SECONDS
) -> Iterator[Measurement]:
    """Compare answers with and without adapters, in turns."""
    actions = {name: answering(encoder, seconds) for name, encoder in encoders(shape).items()}
    runs = interleave(actions, rounds, warm_up=2)
    base = runs.pop(BASE)
    yield summarise(
        f"{seconds:.0f} s of speech encoded, {BASE}", [1000 * s.processor for s in base], "ms"
    )
    for name, samples in runs.items():
        yield summarise(f"{name} / {BASE}: time of an answer", ratios(samples, base), "")
    away = abs(quartiles(ratios(runs[MERGED], base))[1] - 1)
    yield Measurement(
        f"{MERGED}: how far from 1",
        away,
        "",
        target=COST if targets else None,
        note=f"median of {rounds} rounds",
    )


def switches(folders: Folders, rounds: int, *, targets: bool) -> Iterator[Measurement]:
    """Time one adapter taking another's place, from its files, beside loading its base anew."""
    current = Switched(load_checkpoint(folders.whole))
    ways: dict[str, list[Sample]] = {"adapter": [], "base": [], "reload": []}
    for _ in range(rounds):
        for folder in folders.adapters:
            ways["adapter"].append(measure_once(partial(current.to, folder)))
        ways["base"].append(measure_once(partial(current.to, folders.whole)))
        ways["reload"].append(measure_once(partial(load_checkpoint, folders.whole)))
    took = {way: milliseconds(samples) for way, samples in ways.items()}
    notes = {
        way: f"{_processor(samples):.0f} ms of processor time" for way, samples in ways.items()
    }
    name = "an adapter takes the place of another, or of none"
    yield summarise(
        name, took["adapter"], "ms", note=f"from the disk, verified; {notes['adapter']}"
    )
    slowest, note = max(took["adapter"]), f"of {len(took['adapter'])}"
    target = SWITCH_MS if targets else None
    yield Measurement("the same, the slowest", slowest, "ms", target, note=note)
    yield summarise("an adapter makes way for none", took["base"], "ms", note=notes["base"])
    yield summarise("the base loaded anew instead", took["reload"], "ms", note=notes["reload"])


def _processor(samples: Sequence[Sample]) -> float:
    """Return the median in ms of processor time."""
    return quartiles([1000 * sample.processor for sample in samples])[1]


class Switched:
    """A loaded model that answers as one adapter after the other."""

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded

    def to(self, folder: Path) -> None:
        """Let it answer as the adapter, or the base, in a folder."""
        self.loaded = switch_checkpoint(self.loaded, folder)
