from __future__ import annotations

import gc
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from core.models.calibration import DoubtLimits
from core.models.device import choose_device
from core.models.inference import Inference
from core.models.speech_features import SpeechFeatureExtractor
from core.pipeline.analyzer import PARTIAL_SECONDS, ModelAnalyzer, load_analyzer
from core.types import AttentionKind, Doubt, Modality, Transcript, Utterance
from tests.checkpoints import make_checkpoint, voice

ENGLISH = Transcript("I am so happy to see you", language="en")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    limits = DoubtLimits(voiced_seconds=0.4, snr_db=6.0, margin=0.0, entropy=1.1)
    return make_checkpoint(tmp_path_factory.mktemp("models") / "tiny", limits=limits)


@pytest.fixture(scope="module")
def loaded(checkpoint) -> ModelAnalyzer:
    analyzer = load_analyzer(checkpoint)
    analyzer.warm_up()
    return analyzer


@pytest.fixture
def analyzer(loaded) -> ModelAnalyzer:
    loaded.reset()
    return loaded


def said(seconds: float, index: int = 0, pitch: float = 150.0, **more) -> Utterance:
    samples = voice(seconds, pitch, seed=index)
    return Utterance(index, 0, samples.size, samples, **more)


def grown(whole: Utterance, seconds: float) -> Utterance:
    """The utterance as it was when only its beginning had been heard."""
    n = int(seconds * 16_000)
    return replace(whole, end=n, samples=whole.samples[:n], is_final=False)


def test_importing_it_imports_no_torch(checkpoint):
    code = (
        "import sys; from core.pipeline.analyzer import load_analyzer; "
        f"print(load_analyzer({str(checkpoint)!r}).model.name); sys.exit('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "tiny"


def test_a_result_says_everything(analyzer):
    result = analyzer.final(said(2.0), ENGLISH)
    assert sum(result.probabilities) == pytest.approx(1.0)
    assert result.modalities == (Modality.SPEECH, Modality.TEXT)
    for alone in result.by_modality.values():
        assert sum(alone) == pytest.approx(1.0)
    assert sum(result.modality_share.values()) == pytest.approx(1.0)
    assert result.affect_derived
    assert -1 <= result.arousal <= 1
    assert result.model.digest == analyzer.model.digest
    assert result.model.device == "cpu"
    assert result.notes == ()
    assert result.compute_seconds > 0


def test_it_is_deterministic(analyzer):
    first, second = (analyzer.final(said(1.5), ENGLISH) for _ in range(2))
    assert replace(first, compute_seconds=0, attentions=()) == replace(
        second, compute_seconds=0, attentions=()
    )


def test_without_text_speech_alone_decides(analyzer):
    result = analyzer.final(said(1.5), None)
    assert result.modalities == (Modality.SPEECH,)
    assert result.probabilities == result.by_modality[Modality.SPEECH]
    assert dict(result.modality_share) == {Modality.SPEECH: 1.0}
    assert result.notes == ("speech_only",)


@pytest.mark.parametrize(
    ("transcript", "notes"),
    [
        (Transcript("Ich bin so froh", language="de"), ("text_language_unknown", "speech_only")),
        (Transcript("", rejection="no_speech"), ("text_rejected", "speech_only")),
        (Transcript("happy", language="en", rejection="loop"), ("text_rejected", "speech_only")),
        (Transcript("  ", language="en"), ("speech_only",)),
    ],
)
def test_text_that_may_not_enter_changes_nothing_and_is_noted(analyzer, transcript, notes):
    without = analyzer.final(said(1.5), None)
    result = analyzer.final(said(1.5), transcript)
    assert result.probabilities == without.probabilities
    assert result.notes == notes


def test_text_changes_the_result(analyzer):
    results = [
        analyzer.final(said(1.5), Transcript(text, language="en"))
        for text in ("I am so happy to see you", "why are you angry with me")
    ]
    assert results[0].by_modality[Modality.SPEECH] == results[1].by_modality[Modality.SPEECH]
    assert results[0].probabilities != results[1].probabilities


def test_hangul_needs_no_language(analyzer):
    assert Modality.TEXT in analyzer.final(said(1.0), Transcript("정말 기쁘다")).modalities


def test_a_growing_utterance_costs_no_more_when_it_is_long(analyzer):
    whole = said(16.0)
    costs = []
    for quarter in range(4, 65):
        before = analyzer.frames_measured
        analyzer.partial(grown(whole, quarter / 4), None)
        costs.append(analyzer.frames_measured - before)
    frames_a_quarter = 16_000 / 4 / 256
    assert max(costs[1:]) <= np.ceil(frames_a_quarter)
    before = analyzer.frames_measured
    analyzer.final(whole, None)
    assert analyzer.frames_measured - before <= frames_a_quarter


def test_the_model_sees_only_the_newest_seconds_of_a_growing_utterance(checkpoint, monkeypatch):
    analyzer = load_analyzer(checkpoint)
    analyzer.warm_up()
    seen: list[tuple[int, int]] = []
    run = Inference.__call__

    def spy(self, inputs, *more):
        seen.append((inputs.speech.shape[1], inputs.tokens.shape[1]))
        return run(self, inputs, *more)

    monkeypatch.setattr(Inference, "__call__", spy)
    whole = said(16.0)
    text = Transcript("I am so happy to see you today " * 6, language="en")
    for seconds in (4.0, 16.0):
        analyzer.partial(grown(whole, seconds), text)
    assert seen[0][1] == seen[1][1]
    assert seen[1][0] == round(PARTIAL_SECONDS * 62.5)
    assert seen[0][0] <= seen[1][0]


def test_a_partial_look_equals_a_final_one_while_the_utterance_is_short(analyzer):
    whole = said(3.0)
    for seconds in (1.0, 2.0, 2.75):
        partial = analyzer.partial(grown(whole, seconds), None)
    fresh = analyzer.final(replace(grown(whole, 2.75), index=9), None)
    assert partial.probabilities == pytest.approx(fresh.probabilities, abs=1e-5)


def test_a_look_that_comes_late_sees_the_same(analyzer):
    whole = said(12.0)
    for seconds in (2.0, 7.0, 11.0):
        partial = analyzer.partial(grown(whole, seconds), None)
    again = analyzer.partial(replace(grown(whole, 11.0), index=5), None)
    assert partial.probabilities == pytest.approx(again.probabilities, abs=1e-5)


def test_a_long_utterance_is_judged_in_chunks(analyzer):
    result = analyzer.final(said(35.0), ENGLISH)
    assert sum(result.probabilities) == pytest.approx(1.0)
    maps = {m.kind: m for m in result.attentions}
    spans = maps[AttentionKind.TOKEN].key_axis.spans
    assert spans[0][0] == 0.0
    assert spans[-1][1] == pytest.approx(35.0, abs=0.1)
    assert all(b[0] == pytest.approx(a[1]) for a, b in pairwise(spans))


def test_a_baseline_comes_from_remember_alone(analyzer):
    utterance = said(4.0, speaker="A")
    before = analyzer.final(utterance, None)
    analyzer.partial(utterance, None)
    assert analyzer.final(utterance, None).probabilities == before.probabilities
    analyzer.remember(utterance)
    after = analyzer.final(utterance, None)
    assert before.baseline_seconds == 0
    assert after.baseline_seconds == pytest.approx(4.0, abs=0.1)
    assert after.probabilities != before.probabilities


def test_an_utterance_is_remembered_once(analyzer):
    for _ in range(3):
        analyzer.remember(said(2.0, speaker="A"))
    heard = analyzer.final(said(1.0, index=1, speaker="A"), None).baseline_seconds
    assert heard == pytest.approx(2.0, abs=0.1)


def test_speakers_have_their_own_baselines(analyzer):
    other = said(2.0, index=1, speaker="B")
    before = analyzer.final(other, None)
    analyzer.remember(said(4.0, index=0, speaker="A", pitch=250.0))
    assert analyzer.final(other, None).probabilities == before.probabilities
    unnamed = [said(1.0, index=i, channel=i) for i in (0, 1)]
    analyzer.remember(replace(unnamed[0], index=7))
    found = [analyzer.final(u, None).baseline_seconds for u in unnamed]
    assert found[0] > 0
    assert found[1] == 0


def test_reset_forgets(analyzer):
    utterance = said(2.0, speaker="A")
    before = analyzer.final(utterance, None)
    analyzer.remember(utterance)
    analyzer.reset()
    after = analyzer.final(utterance, None)
    assert after.baseline_seconds == 0
    assert after.probabilities == before.probabilities
    analyzer.remember(utterance)
    assert analyzer.final(utterance, None).baseline_seconds > 0


@pytest.mark.parametrize("seconds", [0.02, 2.0, 40.0])
def test_maps_are_bounded_named_and_sum_to_one(analyzer, seconds):
    text = Transcript("happy angry train sad " * 60, language="en")
    result = analyzer.final(said(seconds), text)
    kinds = {m.kind for m in result.attentions}
    assert kinds == set(AttentionKind) - {AttentionKind.SPATIAL, AttentionKind.TURN}
    for m in result.attentions:
        assert max(m.weights.shape) <= 256
        assert isinstance(m.weights, np.ndarray)
        assert m.weights.sum(axis=1) == pytest.approx(np.ones(len(m.weights)), abs=1e-4)
        for axis, size in zip((m.query_axis, m.key_axis), m.weights.shape, strict=True):
            assert len(axis.labels) in (0, size)
            assert len(axis.spans) in (0, size)


def test_rows_of_the_word_map_are_the_words_of_the_text(analyzer):
    text = Transcript("Why so angry,  안녕하세요 today?", language="en")
    maps = {m.kind: m for m in analyzer.final(said(1.5), text).attentions}
    assert maps[AttentionKind.TOKEN].query_axis.labels == tuple(text.text.split())
    labels = maps[AttentionKind.FEATURE].key_axis.labels
    assert labels == ("speech", "text")


def test_nothing_that_leaves_holds_a_tensor(analyzer):
    result = analyzer.final(said(1.5), ENGLISH)
    held = [*result.probabilities, *result.modality_share.values(), result.arousal]
    assert all(type(value) is float for value in held)
    assert all(m.weights.base is None or m.weights.base.base is None for m in result.attentions)
    assert all(type(m.weights) is np.ndarray for m in result.attentions)


def test_no_tensor_is_kept_between_looks(analyzer):
    def tensors() -> int:
        gc.collect()
        return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())

    kept = [analyzer.final(said(1.0, index=i), ENGLISH) for i in range(2)]
    before = tensors()
    for index in range(2, 8):
        kept.append(analyzer.partial(said(1.0, index=index), ENGLISH))
        kept.append(analyzer.final(said(1.0, index=index), ENGLISH))
        analyzer.remember(said(1.0, index=index))
    assert tensors() == before
    assert len(kept) == 14


@pytest.mark.parametrize(
    ("samples", "doubt"),
    [
        (voice(0.25), Doubt.TOO_SHORT),
        (np.zeros(32_000, np.float32), Doubt.TOO_SHORT),
        (np.random.default_rng(0).normal(0, 0.1, 48_000).astype(np.float32), Doubt.TOO_NOISY),
    ],
)
def test_thin_evidence_is_doubted(analyzer, samples, doubt):
    result = analyzer.final(Utterance(0, 0, samples.size, samples), None)
    assert doubt in result.doubts
    assert result.uncertain


def test_broken_samples_do_not_break_the_result(analyzer):
    samples = voice(2.0)
    samples[5_000:5_100] = np.nan
    samples[9_000] = np.inf
    result = analyzer.final(Utterance(0, 0, samples.size, samples), None)
    assert sum(result.probabilities) == pytest.approx(1.0)


def test_clear_speech_is_not_doubted(analyzer):
    assert analyzer.final(said(3.0), None).doubts == ()


def test_even_probabilities_are_doubted(tmp_path):
    path = make_checkpoint(tmp_path / "even", limits=DoubtLimits(margin=0.999))
    analyzer = load_analyzer(path)
    assert analyzer.final(said(3.0), None).doubts == (Doubt.TOO_EVEN,)


def test_the_reason_for_the_device_is_given(analyzer, checkpoint):
    assert load_analyzer(checkpoint).model.device_reason == "not_loaded"
    if not torch.cuda.is_available():
        assert analyzer.model.device_reason in ("torch_without_cuda", "no_cuda_device")
    assert choose_device("cpu").reason == "chosen"


def test_other_sound_in_the_same_place_is_judged_for_itself(analyzer):
    first, second = voice(2.0, 110.0, 1), voice(2.0, 220.0, 2)
    expected = analyzer.final(Utterance(0, 0, second.size, second), None)
    analyzer.reset()
    for look in (analyzer.partial, analyzer.final):
        look(Utterance(0, 0, first.size, first), None)
        result = look(Utterance(0, 0, second.size, second), None)
        assert result.probabilities == expected.probabilities


def test_an_utterance_is_summarised_once_for_its_looks_and_its_baseline(analyzer, monkeypatch):
    counted = []
    real = SpeechFeatureExtractor.functionals

    def functionals(self, frames):
        counted.append(len(frames))
        return real(self, frames)

    monkeypatch.setattr(SpeechFeatureExtractor, "functionals", functionals)
    for index in range(3):
        utterance = said(2.0, index=index)
        analyzer.final(utterance, None)
        analyzer.final(utterance, ENGLISH)
        analyzer.remember(utterance)
    assert len(counted) == 3
