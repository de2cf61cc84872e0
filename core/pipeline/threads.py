"""How many threads a model may use beside a window that must stay smooth."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.models.processor_loading import AnyProcessor

MOST = 4
"""More threads hardly help one utterance at a time."""

LEFT_ALONE = 2
"""Cores for the window and for speech recognition, where there are more than two."""

LEAST = 2
"""Even on two cores. Measured there with wav2vec2-base and 4 s of speech (median in ms, and nine in
ten beside a core that is 70 % busy): OpenVINO 139 and 241 with two threads, 256 and 264 with one;
ONNX Runtime 152 and 227, 282 and 282; oneDNN 195 and 332, 346 and 344. That holds for threads that
sleep while they wait. Those that spin are 2.4 to 4.7 times slower beside a busy core, so `core.cli`
tells OpenMP to sleep, `core.models.runtimes` the others; who starts the core otherwise sets
OMP_WAIT_POLICY=PASSIVE before torch is imported."""


def threads_for(processor: AnyProcessor, available: int) -> int:
    """Return how many threads to judge with: one for a compact model, which needs no more.

    Args:
        processor: of the model; pretrained encoders take samples, compact ones measured frames.
        available: cores.
    """
    from core.models.processor import Processor  # needs torch, which counting cores does not

    if isinstance(processor, Processor):
        return 1
    return max(min(LEAST, available), min(MOST, available - LEFT_ALONE))
