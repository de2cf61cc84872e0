"""The processor of a checkpoint, of whichever kind its folder holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from core.errors import CheckpointError
from core.models import pretrained_processor, processor
from core.models.pretrained_processor import PretrainedProcessor
from core.models.processor import Processor

AnyProcessor: TypeAlias = Processor | PretrainedProcessor
"""Measures frames by a speaker's baseline, or hands waveforms to a pretrained encoder."""

_LOADERS: Mapping[str, Callable[[Path], AnyProcessor]] = MappingProxyType(
    {
        processor.CONFIG: Processor.load,
        pretrained_processor.CONFIG: PretrainedProcessor.load,
    }
)
"""The file that tells a kind -> what reads its folder."""


def load_processor(folder: Path) -> AnyProcessor:
    """Read a processor folder of a checkpoint; offline.

    Raises:
        CheckpointError: the folder holds none, or one that can't be read.
    """
    found = [load for name, load in _LOADERS.items() if (folder / name).is_file()]
    if len(found) != 1:
        what = "more than one processor" if found else f"none of {', '.join(_LOADERS)}"
        raise CheckpointError(f"{folder} holds {what}.", "Restore the checkpoint.")
    return found[0](folder)
