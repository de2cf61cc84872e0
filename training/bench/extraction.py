"""Topic `extraction`: features of a folder of clips, by exact length and padded to 10 s.

Ours is what the system stage does: decode, encode, and keep on disk. The other way does the same by
the same classes, but fills every batch up to 10 s of samples and runs the library's own model over
it, with an attention mask, as scripts around these models do.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.bench.report import Measurement, Report
from core.bench.subject import one_thread
from core.bench.timing import Sample, interleave, ratios, summarise
from core.types import SAMPLE_RATE, Modality
from training.bench.encoders import BASE, LONGEST, SMALL, Subject, subject, utterance_seconds
from training.data.example import Example
from training.data.feature_cache import ExtractionConfig, bank_of
from training.data.feature_store import FeatureStore
from training.data.loading import AudioLoader

RATIO = 2.5
BATCH = 8


def measure(quick: bool) -> Report:
    """Measure both ways over the same clips, round by round."""
    size = SMALL if quick else BASE
    rounds, clips = (2, BATCH) if quick else (3, 2 * BATCH)
    with one_thread(), subject(size, rounds * utterance_seconds(clips)) as made:
        bank_of(made.speech, made.processor, made.examples[:1], Modality.SPEECH)  # warms up
        exact, padded = timed(made, rounds)
    seconds = sum(made.seconds)
    saved = ratios(padded, exact)
    speed = [seconds / rounds / sample.processor for sample in exact]
    padding = rounds * clips * LONGEST / seconds
    return Report(
        "extraction",
        (
            summarise(
                "padded to 10 s / exact lengths", saved, "", target=RATIO, at_least=True,
                note=f"{rounds} rounds of {clips} clips",
            ),
            Measurement(
                "samples padded to 10 s / samples there are", padding, "", note="counted"
            ),
            summarise("speech encoded a second, exact lengths", speed, "s"),
        ),
        (
            f"{size.name}; clips of 1 to 10 s, {seconds / len(made.examples):.1f} s on average.",
            "One thread, fp32, processor time, decoding and writing included.",
        ),
    )  # fmt: skip


def timed(made: Subject, rounds: int) -> tuple[list[Sample], list[Sample]]:
    """Return what each round cost by exact lengths, and padded; rounds share the clips evenly."""
    clips = len(made.examples) // rounds
    parts = [made.examples[n * clips : (n + 1) * clips] for n in range(rounds)]
    numbers = {"exact": count(), "padded": count()}

    def exact() -> None:
        number = next(numbers["exact"])
        config = ExtractionConfig()
        cache = made.folder / f"exact-{number}"
        bank_of(
            made.speech, made.processor, parts[number], Modality.SPEECH, cache=cache, config=config
        )

    def padded() -> None:
        number = next(numbers["padded"])
        for first in range(0, clips, BATCH):
            part = parts[number][first : first + BATCH]
            extract_padded(made, part, made.folder / f"padded-{number}-{first}")

    runs = interleave({"exact": exact, "padded": padded}, rounds, warm_up=0)
    return runs["exact"], runs["padded"]


@torch.no_grad()
def extract_padded(made: Subject, examples: Sequence[Example], folder: Path) -> None:
    """Encode one batch filled up to 10 s, and keep what is valid of it."""
    loader, store = AudioLoader(), FeatureStore(folder, "0" * 64)
    samples = [made.processor.prepare(loader.samples(example)) for example in examples]
    waveform = torch.zeros(len(samples), round(LONGEST * SAMPLE_RATE))
    mask = torch.zeros(waveform.shape, dtype=torch.long)
    for row, heard in enumerate(samples):
        waveform[row, : len(heard)] = torch.from_numpy(np.ascontiguousarray(heard))
        mask[row, : len(heard)] = 1
    model = made.speech.model
    hidden: Tensor = model(waveform, attention_mask=mask).last_hidden_state  # type: ignore[operator]
    lengths: Tensor = model._get_feat_extract_output_lengths(mask.sum(dim=1))  # type: ignore[operator, union-attr]
    for row, length in enumerate(lengths.tolist()):
        valid = hidden[row, :length]
        store.add(str(row), valid.half(), valid.mean(dim=0))
    store.flush()
