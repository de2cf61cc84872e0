"""Checkpoints of every published system, and of classifiers others trained, judge what is heard."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import CheckpointError
from core.labels import EMOTIONS
from core.models.base import EmotionModel
from core.models.calibration import Calibration, DoubtLimits
from core.models.checkpoint import save_checkpoint
from core.models.ready_made_loading import Classifier, load_ready_made
from core.models.specification import Problem
from core.models.systems.registry import SYSTEMS
from core.models.systems.registry import system as published
from core.pipeline.analyzer import ModelAnalyzer, load_analyzer
from core.types import AttentionKind, Doubt, Modality, Transcript, Utterance
from tests.checkpoints import make_speech_text_checkpoint, voice
from training.generated.classifiers import write_audio_classifier, write_text_classifier

TEXT = Transcript("I am so happy to see you", language="en")
NARROW = {"projection": 8, "hidden": 16}
HEADS = {"rsa_cfn": NARROW, "hybrid": {"voters": {"rsa_cfn": NARROW}}}
"""Sizes of the heads whose published ones take a gigabyte."""

BOTH = tuple(name for name, entry in SYSTEMS.items() if len(entry.modalities) == 2)


def said(seconds: float, index: int = 0) -> Utterance:
    samples = voice(seconds, seed=index)
    return Utterance(index, 0, samples.size, samples)


def opened(folder: Path, system: str, **more) -> ModelAnalyzer:
    path = make_speech_text_checkpoint(
        folder / system, system=system, head=HEADS.get(system), **more
    )
    analyzer = load_analyzer(path)
    analyzer.warm_up()
    return analyzer


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("systems")


@pytest.fixture(scope="module")
def cat(folder) -> ModelAnalyzer:
    """Several labels at once, with arousal and valence; thresholds that some reach."""
    return opened(
        folder / "cat",
        "cat",
        pretrained=True,
        problem=Problem.MULTI_LABEL,
        affect=True,
        calibration=Calibration(thresholds=(0.5, 0.4, 0.6, 0.3, 0.5, 0.5, 0.5)),
    )


@pytest.fixture(scope="module")
def rsa(folder) -> ModelAnalyzer:
    return opened(folder / "rsa", "rsa", pretrained=True)


@pytest.mark.parametrize("pretrained", [False, True], ids=["compact", "pretrained"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_judges_what_it_takes(folder, system, pretrained):
    analyzer = opened(folder / f"{system}{pretrained}", system, pretrained=pretrained)
    takes = published(system).modalities
    partial = analyzer.partial(said(2.0), None)
    result = analyzer.final(said(2.0), TEXT)
    assert result is not None
    assert result.modalities == takes
    assert set(result.by_modality) == set(takes)
    for probabilities in (result.probabilities, *result.by_modality.values()):
        assert sum(probabilities) == pytest.approx(1.0)
    assert sum(result.modality_share.values()) == pytest.approx(1.0)
    assert set(result.features) == set(takes)
    for vector in result.features.values():
        assert vector.ndim == 1
        assert vector.size > 8
        assert vector.dtype == np.float32
        assert np.isfinite(vector).all()
    if Modality.SPEECH in takes:
        assert partial is not None
        assert partial.features == {}
        assert partial.modalities == (Modality.SPEECH,)
    else:
        assert partial is None


@pytest.mark.parametrize(("hears", "reads"), [(True, True), (True, False), (False, True)])
def test_classifiers_that_others_trained_go_the_same_way(tmp_path, hears, reads):
    names = {"neu": "neutral", "hap": "happy", "ang": "angry", "sad": "sad"}
    write_audio_classifier(tmp_path / "speech", list(names))
    write_text_classifier(tmp_path / "text", list(names), multi_label=True)
    model, processor = load_ready_made(
        Classifier(str(tmp_path / "speech"), names) if hears else None,
        Classifier(str(tmp_path / "text"), names, languages=("en",)) if reads else None,
    )
    save_checkpoint(
        tmp_path / "made",
        model,
        processor,
        name="made",
        architecture="ready_made",
        training={},
        metrics={},
        card="# Made\n",
    )
    analyzer = load_analyzer(tmp_path / "made")
    first, result = analyzer.final(said(2.0), None), analyzer.final(said(2.0), TEXT)
    assert (first is not None) == hears
    assert result is not None
    there = {Modality.SPEECH: hears, Modality.TEXT: reads}
    assert result.modalities == tuple(m for m, is_there in there.items() if is_there)
    assert sum(result.probabilities) == pytest.approx(1.0)


@pytest.mark.parametrize("system", BOTH)
def test_speech_comes_first_and_text_changes_the_answer(folder, system):
    analyzer = opened(folder / f"first-{system}", system, pretrained=True)
    first, fused = analyzer.final(said(2.0), None), analyzer.final(said(2.0), TEXT)
    assert first is not None
    assert fused is not None
    assert first.notes == ("speech_only",)
    assert first.probabilities == fused.by_modality[Modality.SPEECH]
    assert fused.probabilities != first.probabilities
    assert fused.notes == ()


def test_a_model_of_speech_ignores_the_text(folder):
    analyzer = opened(folder / "alone", "speech", pretrained=True)
    without, given = analyzer.final(said(2.0), None), analyzer.final(said(2.0), TEXT)
    assert without is not None
    assert given is not None
    assert given.probabilities == without.probabilities
    assert given.notes == without.notes == ()


def test_a_model_of_text_says_nothing_before_there_is_text_it_can_read(folder):
    analyzer = opened(folder / "text", "text", pretrained=True)
    assert analyzer.partial(said(1.0), None) is None
    assert analyzer.final(said(1.0), None) is None
    assert analyzer.final(said(1.0), Transcript("", rejection="no_speech")) is None
    assert analyzer.final(said(1.0), Transcript("Ich bin so froh", language="de")) is None
    result = analyzer.final(said(1.0), TEXT)
    assert result is not None
    assert result.modalities == (Modality.TEXT,)
    assert set(result.doubts) <= {Doubt.TOO_EVEN}  # the voice is no evidence for it
    louder = analyzer.final(said(3.0, index=1), TEXT)
    assert louder is not None
    assert louder.probabilities == result.probabilities


def test_labels_that_stand_for_themselves_are_not_made_to_sum_to_one(cat):
    result = cat.final(said(2.0), TEXT)
    assert not result.exclusive
    assert result.thresholds == (0.5, 0.4, 0.6, 0.3, 0.5, 0.5, 0.5)
    assert abs(sum(result.probabilities) - 1.0) > 0.05
    reached = {
        label
        for label, p, t in zip(EMOTIONS, result.probabilities, result.thresholds, strict=True)
        if p >= t
    }
    assert set(result.given) == reached
    for alone in result.by_modality.values():
        assert abs(sum(alone) - 1.0) > 0.05
    assert sum(result.modality_share.values()) == pytest.approx(1.0)


def test_no_label_reaches_a_threshold_that_is_too_high(folder):
    analyzer = opened(
        folder / "none",
        "cat",
        problem=Problem.MULTI_LABEL,
        calibration=Calibration(thresholds=(1.0,) * 7),
    )
    result = analyzer.final(said(2.0), TEXT)
    assert result is not None
    assert result.given == ()
    assert result.label == EMOTIONS[int(np.argmax(result.probabilities))]


def test_thresholds_that_do_not_fit_the_labels_are_refused_before_anything_loads(folder):
    path = make_speech_text_checkpoint(
        folder / "unfit",
        system="cat",
        problem=Problem.MULTI_LABEL,
        calibration=Calibration(thresholds=(0.5, 0.5)),
    )
    with pytest.raises(CheckpointError, match="2 thresholds for 7 labels"):
        load_analyzer(path)


def test_arousal_and_valence_come_from_the_heads_that_predict_them(cat, rsa):
    measured, derived = cat.final(said(2.0), TEXT), rsa.final(said(2.0), TEXT)
    assert not measured.affect_derived
    assert derived.affect_derived
    alone = cat.final(said(2.0), None)
    assert not alone.affect_derived
    assert (alone.arousal, alone.valence) != (measured.arousal, measured.valence)
    assert type(measured.arousal) is float


def test_a_class_without_a_place_on_the_plane_leaves_no_position(folder):
    analyzer = opened(folder / "own", "early", labels=("neutral", "excited", "frustrated"))
    result = analyzer.final(said(2.0), TEXT)
    assert result is not None
    assert (result.arousal, result.valence) == (None, None)
    assert set(result.labels) == {"neutral", "excited", "frustrated"}


def test_the_feature_map_is_cut_where_speech_ends(rsa):
    maps = {m.name: m for m in rsa.final(said(2.0), TEXT).attentions}
    blocks, profile = maps["features"], maps["feature_profile"]
    assert blocks.weights.shape == (2, 2)
    assert blocks.weights.sum(axis=1) == pytest.approx([1.0, 1.0], abs=1e-5)
    labels = profile.key_axis.labels
    assert labels == ("speech",) * 32 + ("text",) * 16
    assert profile.weights.shape == (1, 48)
    assert profile.weights.sum() == pytest.approx(1.0, abs=1e-5)
    assert {m.kind for m in (blocks, profile)} == {AttentionKind.FEATURE}


def test_features_that_attend_within_their_modality_only_have_no_profile(folder):
    analyzer = opened(folder / "within", "rsa_cfn")
    result = analyzer.final(said(2.0), TEXT)
    assert result is not None
    maps = {m.name: m for m in result.attentions}
    assert maps["features"].weights == pytest.approx(np.eye(2), abs=1e-5)
    assert "feature_profile" not in maps


def test_a_long_utterance_is_judged_in_pieces_the_encoder_was_trained_on(cat, monkeypatch):
    seen = watch_waveforms(cat, monkeypatch)
    result = cat.final(said(14.0, index=3), None)
    assert len(seen[0]) == 3
    assert max(seen[0]) <= 6.0
    assert sum(seen[0]) == pytest.approx(14.0, abs=0.01)
    assert result is not None


def test_a_partial_look_costs_the_same_however_long_somebody_speaks(cat, monkeypatch):
    seen = watch_waveforms(cat, monkeypatch)
    whole = said(16.0, index=4)
    for seconds in (2, 6, 16):
        n = seconds * 16_000
        cat.partial(replace(whole, end=n, samples=whole.samples[:n], is_final=False), None)
    assert [sum(chunks) for chunks in seen] == pytest.approx([2.0, 3.0, 3.0], abs=0.021)


def test_speech_is_encoded_once_for_the_first_answer_and_the_fused_one(cat, monkeypatch):
    seen = watch_waveforms(cat, monkeypatch)
    spoken = said(2.5, index=5)
    cat.final(spoken, None)
    fused = cat.final(spoken, TEXT)
    assert len(seen) == 1
    cat.reset()
    assert cat.final(spoken, TEXT).probabilities == fused.probabilities
    assert len(seen) == 2
    other = replace(spoken, samples=spoken.samples * 0.5 + 0.01)
    assert cat.final(other, TEXT).probabilities != fused.probabilities
    assert len(seen) == 3


def test_there_is_no_personal_baseline_for_a_pretrained_encoder(cat):
    spoken = replace(said(4.0, index=6), speaker="A")
    before = cat.final(spoken, None)
    cat.remember(spoken)
    after = cat.final(spoken, None)
    assert after.probabilities == before.probabilities
    assert after.baseline_seconds == 0.0


def test_compact_encoders_keep_the_personal_baseline(folder):
    analyzer = opened(folder / "personal", "early")
    spoken = replace(said(4.0), speaker="A")
    before = analyzer.final(spoken, None)
    analyzer.remember(spoken)
    after = analyzer.final(spoken, None)
    assert before is not None
    assert after is not None
    assert after.baseline_seconds > 3.0
    assert after.probabilities != before.probabilities


@pytest.mark.parametrize(
    ("samples", "doubt"),
    [
        (voice(0.2), Doubt.TOO_SHORT),
        (np.zeros(32_000, np.float32), Doubt.TOO_SHORT),
        (np.random.default_rng(0).normal(0, 0.1, 48_000).astype(np.float32), Doubt.TOO_NOISY),
    ],
)
def test_thin_evidence_is_doubted_whatever_listens(cat, samples, doubt):
    cat.reset()
    result = cat.final(Utterance(7, 0, samples.size, samples), None)
    assert doubt in result.doubts


def test_broken_samples_do_not_break_the_result(cat):
    samples = voice(2.0)
    samples[5_000:5_100] = np.nan
    samples[9_000] = np.inf
    result = cat.final(Utterance(8, 0, samples.size, samples), TEXT)
    assert all(math.isfinite(p) for p in result.probabilities)


def test_the_strongest_label_near_its_threshold_is_doubted(folder):
    limits = DoubtLimits(voiced_seconds=0.0, snr_db=-99.0, margin=0.1)
    at = {}
    for name, threshold in (("near", None), ("far", 0.99)):
        analyzer = opened(
            folder / f"edge-{name}",
            "cat",
            problem=Problem.MULTI_LABEL,
            limits=limits,
            calibration=Calibration(thresholds=(threshold,) * 7) if threshold else None,
        )
        result = analyzer.final(said(2.0), TEXT)
        assert result is not None
        strongest = max(p - t for p, t in zip(result.probabilities, result.thresholds, strict=True))
        assert (Doubt.BORDERLINE in result.doubts) == (abs(strongest) < 0.05)
        at[name] = result.doubts
    assert at["far"] == ()


def test_maps_leave_small_and_without_a_tensor(rsa):
    result = rsa.final(said(2.0), TEXT)
    assert all(type(m.weights) is np.ndarray for m in result.attentions)
    assert all(max(m.weights.shape) <= 256 for m in result.attentions)
    assert all(type(value) is float for value in (*result.probabilities, result.arousal))


def watch_waveforms(analyzer: ModelAnalyzer, monkeypatch) -> list[list[float]]:
    """Note the seconds of every chunk that reaches the model, one list a call with speech."""
    seen: list[list[float]] = []
    analyzer.reset()
    model: EmotionModel = analyzer._fitted.inference._model
    encode = type(model).encode

    def spy(self, inputs):
        if inputs.waveform is not None:
            seen.append((inputs.waveform_mask.sum(dim=1) / 16_000).tolist())
        return encode(self, inputs)

    monkeypatch.setattr(type(model), "encode", spy)
    return seen
