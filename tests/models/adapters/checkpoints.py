"""Two-stage checkpoints with random weights, and adapters of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from core.labels import EMOTIONS
from core.models.adapters import load_adapter_state, train_adapters_only
from core.models.adapters.checkpoint import save_adapter_checkpoint
from core.models.adapters.config import AdapterConfig
from core.models.checkpoint import load_checkpoint, save_checkpoint
from core.models.encoders.pretrained import load_pretrained_speech, make_processor
from core.models.two_stage import TwoStageModel, make_specification
from core.models.two_stage_config import TaskHeads, TwoStageConfig
from core.types import FloatArray
from tests.checkpoints import voice
from tests.models.adapters.material import BOTH, learnt

HEADS = TaskHeads(gender=("female", "male"), style=("acted", "spontaneous"), adapter=4, fusion=True)
PAPERS: dict[str, Any] = {"training": {"seed": 0}, "metrics": {}, "card": "# Tiny\n"}


def shaken(model: TwoStageModel, seed: int) -> TwoStageModel:
    """Move the heads away from where they start, so that answers differ."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.head_parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return model


def make_base(folder: Path, encoder: Path, *, seed: int = 0, half: bool = True) -> Path:
    """Write a two-stage checkpoint without adapters around a pretrained encoder."""
    speech = load_pretrained_speech(encoder)
    config = TwoStageConfig({}, TaskHeads(symbols=("a", "b", "c")))
    torch.manual_seed(seed)
    model = TwoStageModel(make_specification(EMOTIONS), config, speech=speech.encoder)
    save_checkpoint(
        folder,
        shaken(model, seed),
        make_processor(speech, longest_seconds=4.0),
        name="first stage",
        architecture="two_stage",
        half=half,
        **PAPERS,
    )
    return folder


def adapted_model(
    base: Path, *, config: AdapterConfig = BOTH, heads: TaskHeads = HEADS, seed: int = 1
) -> TwoStageModel:
    """Return a model as the second stage leaves it: LoRA open, the encoder that of the base."""
    loaded = load_checkpoint(base)
    encoder: Any = loaded.model.speech
    settings = TwoStageConfig({}, heads, config)
    torch.manual_seed(seed)
    model = shaken(TwoStageModel(make_specification(EMOTIONS), settings, speech=encoder), seed)
    load_adapter_state(model, learnt(model, seed))
    train_adapters_only(model)
    return model.eval()


def make_adapter(folder: Path, base: Path, *, name: str = "second stage", **options: Any) -> Path:
    """Write an adapter of a base; options as those of `adapted_model`, and `half`."""
    half = options.pop("half", True)
    model = adapted_model(base, **options)
    save_adapter_checkpoint(folder, model, base=base, name=name, half=half, **PAPERS)
    return folder


def narrower(heads: TaskHeads = HEADS) -> TaskHeads:
    """Return heads of other sizes."""
    return replace(heads, gender=(), adapter=2, fusion=False)


@torch.inference_mode()
def answer(model: Any, processor: Any, sound: FloatArray | None = None) -> torch.Tensor:
    """Return the logits for a buzz."""
    inputs = processor(voice(0.7) if sound is None else sound)
    logits: torch.Tensor = model(model.encode(inputs)).logits
    return logits.clone()
