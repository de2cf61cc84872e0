"""Checkpoints of both ways of training on disk: the whole model, and an adapter of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from core.bench.architectures import SpeechShape
from core.bench.report import Measurement
from core.models.adapters.checkpoint import save_adapter_checkpoint
from core.models.adapters.config import AdapterConfig
from core.models.checkpoint import load_checkpoint, save_checkpoint
from core.models.pretrained_processor import PretrainedProcessor, PretrainedProcessorConfig
from core.models.two_stage import TwoStageModel
from core.models.two_stage_config import ARCHITECTURE
from training.bench.adapter_subjects import model, shaken

SHARE = 1 / 15
"""Target: adapter / whole model."""
_CARD = "# Random weights\n\nFor measuring size and speed. Knows nothing.\n"


@dataclass(frozen=True, slots=True)
class Folders:
    """Of a whole model, and of adapters that were trained on it."""

    whole: Path
    adapters: tuple[Path, ...]


def write(shape: SpeechShape, root: Path, adapters: int = 2) -> Folders:
    """Write a fully trained model, and so many adapters of it, in fp16 as training does."""
    whole = root / "whole"
    save_checkpoint(
        whole,
        model(shape, None),
        PretrainedProcessor(PretrainedProcessorConfig()),
        name="whole",
        architecture=ARCHITECTURE,
        training={},
        metrics={},
        card=_CARD,
    )
    folders = tuple(_adapter(root / f"adapter-{seed}", whole, seed) for seed in range(adapters))
    return Folders(whole, folders)


def _adapter(folder: Path, whole: Path, seed: int) -> Path:
    """Write an adapter of random weights."""
    base = load_checkpoint(whole).model
    assert isinstance(base, TwoStageModel)
    config = replace(base.architecture, adapters=AdapterConfig())
    made = TwoStageModel(base.specification, config, speech=base.speech)
    shaken(made, seed)
    save_adapter_checkpoint(
        folder, made, base=whole, name=folder.name, training={}, metrics={}, card=_CARD
    )
    return folder


def sizes(folders: Folders, *, targets: bool) -> Iterator[Measurement]:
    """Compare the folders, whatever lies in them."""
    whole, adapter = size(folders.whole), size(folders.adapters[0])
    yield Measurement("checkpoint of full fine-tuning", whole / 1e6, "MB", note="on disk, fp16")
    yield Measurement("checkpoint of stage 2", adapter / 1e6, "MB", note="on disk, fp16")
    yield Measurement(
        "stage 2 / full: checkpoint",
        adapter / whole,
        "",
        target=SHARE if targets else None,
        note=f"1/{whole / adapter:.1f}, the whole folder",
    )


def size(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
