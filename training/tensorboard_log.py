"""Losses, learning rates and metrics for TensorBoard: `tensorboard --logdir RUNS`."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.progress import Reporter

FOLDER = "tensorboard"


class TensorBoardLog:
    """Writes scalars over the steps; does nothing where TensorBoard is not installed.

    Args:
        folder: of the run; the events get a folder of their own in it.
        step: that the run starts or goes on from; later events of an earlier run are dropped.
        reporter: told when TensorBoard is missing.
        enabled: write nothing otherwise.
    """

    def __init__(self, folder: Path, step: int, reporter: Reporter, *, enabled: bool) -> None:
        self._writer = _open(folder / FOLDER, step, reporter) if enabled else None

    def write(self, group: str, values: Mapping[str, float], step: int) -> None:
        """Write `group/name` for every finite value."""
        if self._writer is None:
            return
        for name, value in values.items():
            if math.isfinite(value):
                self._writer.add_scalar(f"{group}/{name}", value, step)

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()


def _open(folder: Path, step: int, reporter: Reporter) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        reporter.say(
            "TensorBoard is not installed, so nothing is written for it;"
            " pip install 'emoscope[training]' brings it."
        )
        return None
    if not step:
        shutil.rmtree(folder, ignore_errors=True)  # of an earlier run in the same place
    return SummaryWriter(str(folder), purge_step=step or None)
