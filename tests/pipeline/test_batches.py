"""Many utterances at once say what each says alone, in the order they were given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.models.device import CUDA, DeviceChoice
from core.models.inference import Inference
from core.models.manifest import read_info
from core.models.systems.registry import SYSTEMS
from core.pipeline.analyzer import ModelAnalyzer, Wishes, load_analyzer
from core.pipeline.batching import Item, batches_of, in_order
from core.types import AttentionKind, Transcript, Utterance
from tests.checkpoints import make_checkpoint, make_speech_text_checkpoint, voice
from tests.models.fake_gpu import FakeGpu
from tests.pipeline.test_every_checkpoint import HEADS

LENGTHS = (1.2, 3.0, 0.8, 7.5, 3.1, 0.02, 2.9, 1.1)
TEXTS = (
    "I am so happy to see you today", None, "why are you angry with me", "the train is late again",
    "it is nothing", "so", None, "왜 이렇게 화가 났어요",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("batches")


def utterances() -> list[Utterance]:
    found, start = [], 0
    for index, seconds in enumerate(LENGTHS):
        samples = voice(seconds, 110 + 15 * index, seed=index)
        found.append(Utterance(index, start, start + samples.size, samples))
        start += samples.size
    return found


def transcripts() -> list[Transcript | None]:
    return [
        None if text is None else Transcript(text, language="en" if text.isascii() else "ko")
        for text in TEXTS
    ]


def assert_equal(found, expected) -> None:
    assert (found is None) == (expected is None)
    if found is None:
        return
    assert found.probabilities == pytest.approx(expected.probabilities, abs=1e-5)
    assert found.modalities == expected.modalities
    assert found.notes == expected.notes
    for modality, values in expected.by_modality.items():
        assert found.by_modality[modality] == pytest.approx(values, abs=1e-5)
    for modality, vector in expected.features.items():
        np.testing.assert_allclose(found.features[modality], vector, atol=1e-5)
    assert [m.name for m in found.attentions] == [m.name for m in expected.attentions]
    for one, other in zip(found.attentions, expected.attentions, strict=True):
        np.testing.assert_allclose(one.weights, other.weights, atol=1e-5)
        assert one.query_axis.labels == other.query_axis.labels


@pytest.mark.parametrize("pretrained", [False, True], ids=["compact", "pretrained"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_batch_says_what_each_says_alone(folder, system, pretrained):
    path = make_speech_text_checkpoint(
        folder / f"{system}{pretrained}" / system,
        system=system,
        pretrained=pretrained,
        head=HEADS.get(system),
    )
    analyzer = load_analyzer(path, "cpu")
    together = analyzer.final_in_batches(utterances(), transcripts())
    analyzer.reset()
    alone = [analyzer.final(u, t) for u, t in zip(utterances(), transcripts(), strict=True)]
    for found, expected in zip(together, alone, strict=True):
        assert_equal(found, expected)


def test_words_over_time_are_those_of_ones_own_text(folder):
    analyzer = load_analyzer(make_checkpoint(folder / "tiny"), "cpu")
    for result, text in zip(
        analyzer.final_in_batches(utterances(), transcripts()), TEXTS, strict=True
    ):
        maps = {m.kind: m for m in result.attentions}
        if text is not None:
            assert maps[AttentionKind.TOKEN].query_axis.labels == tuple(text.split())


def test_on_a_processor_they_are_judged_one_by_one(folder, monkeypatch):
    path = make_speech_text_checkpoint(folder / "cpu" / "cat", system="cat", pretrained=True)
    analyzer = load_analyzer(path, "cpu")
    assert analyzer.batch_rows == 1
    analyzer.warm_up()
    before = analyzer.work.calls
    analyzer.final_many(utterances(), transcripts())
    assert analyzer.work.calls - before == len(LENGTHS)


def on_fake_gpu(path: Path, gpu: FakeGpu) -> ModelAnalyzer:
    def infer(loaded) -> Inference:
        return Inference(loaded.model, DeviceChoice(CUDA, "cuda_found"), gpu)

    return ModelAnalyzer(read_info(path), Wishes(infer=infer))


def test_on_a_gpu_they_are_judged_in_few_batches(folder):
    path = make_speech_text_checkpoint(folder / "gpu" / "cat", system="cat", pretrained=True)
    gpu = FakeGpu()
    analyzer = on_fake_gpu(path, gpu)
    assert analyzer.batch_rows > 1
    before = analyzer.work.calls
    found = analyzer.final_many(utterances() * 3, transcripts() * 3)
    assert analyzer.work.calls - before <= len(LENGTHS)
    expected = load_analyzer(path, "cpu")
    for result, utterance, transcript in zip(
        found, utterances() * 3, transcripts() * 3, strict=True
    ):
        assert_equal(result, expected.final(utterance, transcript))


def test_a_gpu_that_fills_up_half_way_loses_nothing(folder):
    path = make_speech_text_checkpoint(folder / "full" / "cat", system="cat", pretrained=True)
    analyzer = on_fake_gpu(path, FakeGpu(rows=1))
    found = analyzer.final_many(utterances(), transcripts())
    expected = load_analyzer(path, "cpu")
    for result, utterance, transcript in zip(found, utterances(), transcripts(), strict=True):
        assert_equal(result, expected.final(utterance, transcript))
    assert analyzer.model.device == "cuda"


def test_personal_baselines_want_one_after_another(folder):
    analyzer = on_fake_gpu(make_checkpoint(folder / "personal"), FakeGpu())
    assert analyzer.batch_rows == 1


def test_batches_hold_what_is_of_like_length():
    items = [Item(i, 1, seconds, 8) for i, seconds in enumerate((1.0, 9.0, 1.1, 8.0, 0.95))]
    batches = batches_of(items)
    assert [[item.index for item in batch] for batch in batches] == [[4, 0, 2], [3, 1]]
    for batch in batches:
        assert min(i.seconds for i in batch) >= 0.8 * max(i.seconds for i in batch)


def test_batches_keep_to_their_limits_and_leave_nothing_out():
    rng = np.random.default_rng(0)
    items = [
        Item(i, int(rng.integers(1, 4)), float(rng.uniform(0.5, 10)), None if i % 3 else 9)
        for i in range(200)
    ]
    batches = batches_of(items, rows=16, seconds=60.0)
    assert sorted(item.index for batch in batches for item in batch) == list(range(200))
    for batch in batches:
        rows = sum(item.rows for item in batch)
        assert len(batch) == 1 or rows <= 16
        assert len(batch) == 1 or rows * max(item.seconds for item in batch) <= 60.0
        assert len({item.tokens is None for item in batch}) == 1
    assert batches_of([Item(0, 40, 10.0)], rows=16) == [[Item(0, 40, 10.0)]]


def test_results_come_in_the_order_of_the_questions():
    items = [Item(i, 1, seconds) for i, seconds in enumerate((3.0, 1.0, 2.0))]
    found = in_order(4, batches_of(items), lambda batch: [item.seconds for item in batch])
    assert found == [3.0, 1.0, 2.0, None]
