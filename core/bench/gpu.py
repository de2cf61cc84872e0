"""The same encoders on a GPU, where there is one: absolute times, and the share of its peak."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from typing import Any

from core.bench.architectures import KLUE_VOCABULARY, Architectures, SpeechShape, TextShape
from core.bench.emotion_model import speech_encoder, text_encoder
from core.bench.peak import QUICK_SIZE, operations, peaks
from core.bench.report import Measurement, Part
from core.bench.timing import summarise
from core.types import SAMPLE_RATE

SIZE = 8192
BATCH = 32
SECONDS, TOKENS = 4.0, 32
_DTYPES = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}


def measure(architectures: Architectures, quick: bool) -> list[Part]:
    """Measure one utterance and a batch in each precision; nothing without a GPU."""
    import torch

    if not torch.cuda.is_available():
        return []
    rounds = 5 if quick else 30
    highest = peaks(QUICK_SIZE if quick else SIZE, "cuda")
    name = torch.cuda.get_device_name()
    rows = [Measurement(f"{name}: peak, {p}", r / 1e12, "Top/s") for p, r in highest.items()]
    for shape in (architectures.speech, architectures.large, architectures.text):
        rows += _encoder(shape, highest, rounds)
    return [Part(tuple(rows), (), {"gpu": name})]


def _encoder(
    shape: SpeechShape | TextShape, highest: dict[str, float], rounds: int
) -> list[Measurement]:
    model, given = _subject(shape)
    work = operations(model, given)
    rows = []
    for precision, rate in highest.items():
        for batch in (1, BATCH):
            seconds = _times(model, given, _DTYPES[precision], batch, rounds)
            share = batch * work / min(seconds) / rate
            rows.append(
                summarise(
                    f"{shape.name}, {batch} at once, {precision}",
                    [1000 * s for s in seconds],
                    "ms",
                    note=f"{share:.0%} of the {precision} peak",
                )
            )
    return rows


def _subject(shape: SpeechShape | TextShape) -> tuple[Any, Any]:
    import torch

    if isinstance(shape, TextShape):
        return text_encoder(shape).model, torch.randint(
            5, min(shape.vocabulary, KLUE_VOCABULARY), (1, TOKENS)
        )
    return speech_encoder(shape).model, torch.randn(1, round(SECONDS * SAMPLE_RATE))


def _times(model: Any, given: Any, dtype: str, batch: int, rounds: int) -> Sequence[float]:
    """Return seconds per call; the input is in the GPU's memory already."""
    import torch

    kind = getattr(torch, dtype)
    moved = copy.deepcopy(model).to("cuda", kind)
    rows = given.repeat(batch, 1).cuda()
    rows = rows.to(kind) if rows.is_floating_point() else rows
    with torch.inference_mode():
        return [_timed(lambda: moved(rows)) for _ in range(rounds + 3)][3:]


def _timed(action: Callable[[], object]) -> float:
    import torch

    torch.cuda.synchronize()
    began = time.perf_counter()
    action()
    torch.cuda.synchronize()
    return time.perf_counter() - began
