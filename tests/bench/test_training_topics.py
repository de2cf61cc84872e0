from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
import torch

from core.types import Modality
from training.bench import encoders, extraction, training_step
from training.bench.encoders import Size, Subject, subject, utterance_seconds
from training.data.batches import FeatureSource, InputSource
from training.data.feature_cache import ExtractionConfig, bank_of, feature_bank
from training.data.feature_store import FeatureStore

TINY = Size("tiny", width=64, layers=1, convolutions=16)


@pytest.fixture(scope="module")
def made() -> Iterator[Subject]:
    with subject(TINY, utterance_seconds(2 * extraction.BATCH)) as found:
        yield found


def test_clips_are_as_long_as_utterances_are(made: Subject) -> None:
    for count in (16, 1000):
        lengths = utterance_seconds(count)
        assert np.mean(lengths) == pytest.approx(4.0, abs=0.1)
        assert min(lengths) >= 1
        assert max(lengths) <= encoders.LONGEST
    assert made.seconds == utterance_seconds(2 * extraction.BATCH)
    assert all(example.text for example in made.examples)


def test_both_ways_keep_every_frame_of_every_clip(made: Subject) -> None:
    part = made.examples[:4]
    extraction.extract_padded(made, part, made.folder / "padded")
    padded = FeatureStore(made.folder / "padded", "0" * 64).bank([str(n) for n in range(4)])
    exact = bank_of(made.speech, made.processor, part, Modality.SPEECH)
    assert padded.lengths.tolist() == exact.lengths.tolist()
    longest = int(np.argmax([e.end for e in part]))
    # padding changes what such an encoder says (its norm runs over the zeros), hardly so here
    assert torch.cosine_similarity(padded.pooled[longest], exact.pooled[longest], dim=0) > 0.9


def test_both_ways_are_timed_over_the_same_clips(made: Subject) -> None:
    exact, padded = extraction.timed(made, rounds=2)
    assert len(exact) == len(padded) == 2
    kept = [len(list((made.folder / f"exact-{n}").rglob("shard-*.json"))) for n in range(2)]
    assert kept == [1, 1]


def test_a_step_trains_the_head_and_leaves_the_encoders(made: Subject) -> None:
    bank = feature_bank(made.speech, made.text, made.processor, made.examples)
    model = training_step._model(made, "low_rank_rsa_cfn")
    frozen = {n: p.clone() for n, p in model.named_parameters() if not p.requires_grad}
    trained = {n: p.clone() for n, p in model.named_parameters() if p.requires_grad}
    training_step.stepping(model, made, FeatureSource(bank), 2)()
    now = dict(model.named_parameters())
    assert frozen
    assert all(torch.equal(now[name], value) for name, value in frozen.items())
    assert any(not torch.equal(now[name], value) for name, value in trained.items())


def test_both_ways_of_a_step_compute_the_same(made: Subject) -> None:
    bank = feature_bank(
        made.speech, made.text, made.processor, made.examples,
        config=ExtractionConfig(sequence="float32"),
    )  # fmt: skip
    model = training_step._model(made, "mlp_mixer").eval()
    rows = np.array([3, 1, 8])
    whole = InputSource(made.examples, made.processor, (Modality.SPEECH, Modality.TEXT))
    inputs, _ = whole.load(rows, None)
    _, features = FeatureSource(bank).load(rows, None)
    assert inputs is not None
    assert features is not None
    with torch.no_grad():
        live, cached = model(model.encode(inputs)), model(features)
    torch.testing.assert_close(live.logits, cached.logits, atol=1e-5, rtol=0)


def test_less_and_less_is_computed_in_vain() -> None:
    *counted, timed = training_step._buckets(rounds=1)
    shares = [measurement.value for measurement in counted]
    assert all(first > second for first, second in pairwise(shares))
    assert shares[-1] < 1.05
    assert timed.value > 1
