"""Topic `training`: a step of training on cached features, beside one that runs the encoders.

Both ways go through the classes the system stage uses: batches by length, the model, its loss, and
AdamW. End to end the encoders are frozen as well, but run in every step, from the audio file on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import pad

from core.bench.report import Measurement, Report
from core.bench.subject import one_thread
from core.bench.timing import Sample, interleave, ratios, summarise
from core.labels import EMOTIONS
from core.models.fusion.cross_attention import CrossAttentionConfig, CrossAttentionHead
from core.models.outputs import Encoded
from core.models.specification import Problem
from core.models.speech_text import SpeechTextConfig, SpeechTextModel, make_specification
from core.types import Modality
from training.batch_objective import run_batch
from training.bench.encoders import BASE, SMALL, Subject, subject, utterance_seconds
from training.data.batch import Batch
from training.data.batches import (
    BatchConfig,
    BatchSource,
    FeatureSource,
    InputSource,
    SystemBatches,
)
from training.data.buckets import BucketConfig, Rows, padded_share, shuffled_batches
from training.data.encoded_bank import EncodedBank
from training.data.feature_cache import FeatureBank, feature_bank
from training.data.targets import targets_of
from training.losses import LossConfig, make_loss

RATIO = 40.0
BATCH = 8
STEPS = 10
"""Steps on cached features that are timed together, since one takes milliseconds."""
SYSTEMS = {"low_rank_rsa_cfn": "low-rank RSA-CFN", "mlp_mixer": "MLP-Mixer"}
CLIPS = 1000
WIDTH = 768
FRAMES_A_SECOND, TOKENS = 50, 20


def measure(quick: bool) -> Report:
    """Measure steps of two heads both ways, and what sorting by length saves."""
    size = SMALL if quick else BASE
    with one_thread(), subject(size, utterance_seconds(2 * BATCH)) as made:
        bank = feature_bank(
            made.speech, made.text, made.processor, made.examples, cache=made.folder / "cache"
        )
        steps = [m for name in SYSTEMS for m in _steps(made, bank, name, quick)]
        saved = _buckets(rounds=2 if quick else 5)
    mean = sum(made.seconds) / len(made.examples)
    return Report(
        "training",
        (*steps, *saved),
        (
            f"{size.name}; batches of {BATCH} clips of 1 to 10 s, {mean:.1f} s on average.",
            "One thread, fp32, processor time; a step is batch, forward, backward and AdamW.",
        ),
    )


def _steps(made: Subject, bank: FeatureBank, name: str, quick: bool) -> Iterator[Measurement]:
    rounds = 2 if quick else 4  # even: an epoch has a batch of short clips and one of long ones
    model = _model(made, name)
    title = SYSTEMS[name]
    processed = InputSource(made.examples, made.processor, (Modality.SPEECH, Modality.TEXT))
    actions = {
        "cached": stepping(model, made, FeatureSource(bank), STEPS),
        "end to end": stepping(model, made, processed, 1),
    }
    actions["cached"]()  # warms up
    runs = interleave(actions, rounds, warm_up=0)
    cached = [Sample(run.wall / STEPS, run.processor / STEPS) for run in runs["cached"]]
    yield summarise(
        f"{title}: a step end to end / on cached sequences",
        ratios(runs["end to end"], cached),
        "",
        target=None if quick else RATIO,  # of encoders of real size
        at_least=True,
        note=f"{rounds} rounds",
    )
    yield summarise(f"{title}: a step on cached sequences", _ms(cached), "ms")


def _model(made: Subject, name: str) -> SpeechTextModel:
    config = SpeechTextConfig(name)
    specification = make_specification(config, EMOTIONS, languages=("ko",))
    return SpeechTextModel(specification, config, speech=made.speech, text=made.text)


def stepping(
    model: SpeechTextModel, made: Subject, source: BatchSource, steps: int
) -> Callable[[], object]:
    """Return what takes so many steps of training."""
    targets = targets_of(made.examples, EMOTIONS, Problem.SINGLE_LABEL)
    batches = SystemBatches(source, targets, None, BatchConfig(size=BATCH, prefetch=0))
    criterion = make_loss(LossConfig(), Problem.SINGLE_LABEL, None)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4)
    generator = np.random.default_rng(0)

    def endless() -> Iterator[Batch]:
        while True:
            yield from batches(0, generator)

    stream = endless()

    def step() -> None:
        batch = next(stream)
        loss = criterion(run_batch(model, batch), batch.targets)["loss"]
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimizer.step()

    def run() -> None:
        model.train()
        for _ in range(steps):
            step()

    return run


def _buckets(rounds: int) -> Iterator[Measurement]:
    """Compare batches by length with batches padded to the longest clip there is."""
    seconds = np.array(utterance_seconds(CLIPS))
    order = np.random.default_rng(1).permutation(CLIPS)
    by_length, by_chance = (
        shuffled_batches(order, seconds, BucketConfig(16, pool=pool), np.random.default_rng(2))
        for pool in (64, 1)
    )
    needed = float(seconds.sum())
    shares = {
        "the longest of all": CLIPS * float(seconds.max()) / needed,
        "the longest of a random batch": padded_share(by_chance, seconds),
        "the longest of a batch by length": padded_share(by_length, seconds),
    }
    for what, share in shares.items():
        yield Measurement(f"computed / needed, padded to {what}", share, "", note="counted")
    yield _bucket_time(seconds, by_chance, by_length, rounds)


def _bucket_time(
    seconds: NDArray[np.float64], by_chance: list[Rows], by_length: list[Rows], rounds: int
) -> Measurement:
    """Time steps of attention of words over cached frames, whose cost is that of the frames."""
    torch.manual_seed(0)
    head = CrossAttentionHead(CrossAttentionConfig(WIDTH, WIDTH))
    frames = np.round(FRAMES_A_SECOND * seconds).astype(int)
    shared, words = torch.randn(int(frames.max()), WIDTH).half(), torch.randn(TOKENS, WIDTH).half()
    pooled, nothing = torch.empty(CLIPS, WIDTH), torch.empty(CLIPS, 0)
    heard = EncodedBank(tuple(shared[:n] for n in frames), pooled, nothing)
    read = EncodedBank((words,) * CLIPS, pooled, nothing)

    def steps(batches: list[Rows], longest: int) -> None:
        for rows in batches[:STEPS]:
            speech = _padded(heard.batch(rows), longest)
            logits, _ = head(speech, read.batch(rows))
            torch.autograd.backward(logits.square().mean())

    runs = interleave(
        {
            "longest": partial(steps, by_chance, len(shared)),
            "by length": partial(steps, by_length, 0),
        },
        rounds,
    )
    return summarise(
        "steps of cross-attention, padded to the longest of all / by length",
        ratios(runs["longest"], runs["by length"]),
        "",
        note=f"{STEPS} batches of 16 a round, forward and backward",
    )


def _padded(encoded: Encoded, length: int) -> Encoded:
    lacking = max(0, length - encoded.sequence.shape[1])
    sequence = pad(encoded.sequence, (0, 0, 0, lacking))
    return Encoded(sequence, pad(encoded.mask, (0, lacking)), encoded.pooled, encoded.logits)


def _ms(samples: list[Sample]) -> list[float]:
    return [1000 * sample.processor for sample in samples]
