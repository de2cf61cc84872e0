"""Topic `adapters`: what stage 2 saves beside full fine-tuning, and what adapters cost afterwards.

wav2vec2-base with random weights, LoRA of rank 64 and bottlenecks of 64; then personal adapters of
the model that ships.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from core.bench.architectures import REAL, SpeechShape
from core.bench.report import Measurement, Report
from core.bench.subject import one_thread
from core.errors import EmoscopeError
from training.bench import adapter_files, adapter_inference, adapter_training, personal_adapters
from training.bench.adapter_subjects import CLIPS, SECONDS
from training.bench.adapter_training import Given

NEEDED = 7e9
"""Bytes that have to be free: an AdamW for each way of computing stands beside the others."""
SMALL = SpeechShape("a small stand-in (4 layers of 256; quick)", 256, 4, 4, 128)


def measure(quick: bool) -> Report:
    """Measure both; the targets are those of the real size.

    Raises:
        EmoscopeError: there is not enough memory to train the real size in every way at once.
    """
    if not quick and psutil.virtual_memory().available < NEEDED:
        raise EmoscopeError(
            f"Training wav2vec2-base in three ways in turns takes {NEEDED / 1e9:.0f} GB, which are"
            " not free.",
            "Close other programs and measure again, or measure with --quick.",
        )
    shape = SMALL if quick else REAL.speech
    personal = tuple(personal_adapters.measured(quick))
    with one_thread():
        adapters = tuple(measured(Given(shape), quick))
    notes = (
        f"{shape.name} with random weights, batches of {CLIPS} clips of {SECONDS:.0f} s; emotion,"
        " gender and style. A step is forward, backward, clipping and a fused AdamW.",
        "One thread, fp32 unless said otherwise, processor time; switches by the clock. Cached:"
        " features of the frozen CNN were computed once, which changes no result.",
        "The embedded model learns from a person's turns on the threads that it has in the window.",
    )
    return Report("adapters", (*adapters, *personal), notes)


def measured(given: Given, quick: bool) -> Iterator[Measurement]:
    """Measure training, files, switches and answers."""
    targets = not quick
    yield from adapter_training.memory(given, targets=targets)
    yield from adapter_training.timed(given, 2 if quick else 5, targets=targets)
    with TemporaryDirectory(prefix="emoscope-bench-") as name:
        folders = adapter_files.write(given.shape, Path(name))
        yield from adapter_files.sizes(folders, targets=targets)
        yield from adapter_inference.switches(folders, 5 if quick else 20, targets=targets)
    yield from adapter_inference.cost(given.shape, 5 if quick else 30, targets=targets)
