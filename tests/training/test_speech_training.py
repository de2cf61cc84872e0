"""The speech stage on a few seconds of tones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.audio.io import read_audio
from core.models.encoders.speech import SpeechEncoder
from core.models.processor import Processor
from core.models.speech_features import PITCH
from tests.training.corpus_factory import SPEAKERS, make_data
from training import config as configuration
from training.data.augmentation import AugmentationConfig, augment_frames, random_span
from training.data.speech_bank import VirtualSpeakers
from training.data.speech_batches import (
    SamplingConfig,
    SpeechBatch,
    SpeechBatches,
    SpeechSource,
    global_statistics,
)
from training.progress import Reporter
from training.speech import (
    SpeechConfig,
    SpeechCorpus,
    SpeechLossConfig,
    load_corpus,
    masked_loss,
    run,
)
from training.speech_artifacts import load_speech_encoder
from training.speech_cv import cross_validate
from training.speech_scoring import causal, personal, raw
from training.stages import StageContext

YAML = Path(__file__).resolve().parents[2] / "training" / "configs" / "embedded" / "speech.yaml"


def shipped() -> SpeechConfig:
    mapping = configuration.read_yaml(YAML)
    mapping.pop("stage")
    return configuration.from_mapping(SpeechConfig, mapping, YAML)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("speech"))


@pytest.fixture(scope="module")
def context(data: Path, tmp_path_factory: pytest.TempPathFactory) -> StageContext:
    out = tmp_path_factory.mktemp("run")
    mine = StageContext("speech", data, out, 7, True, False, Reporter())
    mine.folder.mkdir()
    run(shipped(), mine)
    return mine


@pytest.fixture(scope="module")
def corpus(data: Path, context: StageContext) -> SpeechCorpus:
    config = replace(shipped(), virtual_speakers=shipped().virtual_speakers[:1])
    return load_corpus(data, config, context.out / "measured", Reporter(), quick=True)


@pytest.fixture(scope="module")
def source(corpus: SpeechCorpus) -> SpeechSource:
    rows = np.arange(len(corpus.clips))
    statistics = global_statistics(corpus.clips, corpus.banks[0], rows)
    return SpeechSource(corpus.clips, corpus.banks, statistics, corpus.extractor)


@pytest.fixture(scope="module")
def trained(context: StageContext) -> tuple[SpeechEncoder, Processor]:
    return load_speech_encoder(context.folder)


def test_the_stage_leaves_an_encoder_and_who_was_used_for_what(
    context: StageContext, trained: tuple[SpeechEncoder, Processor]
) -> None:
    encoder, processor = trained
    inputs = processor(np.zeros(16_000, np.float32))
    assert inputs.speech is not None
    assert inputs.speech_mask is not None
    with torch.inference_mode():
        out = encoder(inputs.speech, inputs.speech_mask, inputs.functionals)
    assert torch.isfinite(out.logits).all()
    split = json.loads((context.folder / "split.json").read_text(encoding="utf-8"))
    everybody = split["train"] + split["calibration"] + split["held_out"]
    assert sorted(everybody) == [f"tones/{name}" for name in SPEAKERS]
    assert split["calibration"]
    assert split["held_out"]


def test_training_and_live_features_are_the_same(
    data: Path, corpus: SpeechCorpus, trained: tuple[SpeechEncoder, Processor]
) -> None:
    _, processor = trained
    for number in (0, 5):
        samples = read_audio(data / "speech" / corpus.clips[number].path)[0]
        live = processor.measure(samples)
        assert np.allclose(live.frames, corpus.banks[0].frames_of(number), atol=1e-5)
        kept = corpus.banks[0].functionals[number]
        assert np.allclose(live.functionals, kept, atol=1e-5, equal_nan=True)


def test_training_and_live_baselines_are_the_same(source: SpeechSource) -> None:
    rows, bank = np.array([0, 1, 2]), source.banks[0]
    training, live = source.baseline(rows), source.baseline(None)
    for row in rows:
        live.update(bank.frames_of(int(row)), bank.functionals[row])
    frames, functionals = bank.frames_of(4), bank.functionals[4]
    for ours, theirs in zip(
        training.normalise(frames, functionals), live.normalise(frames, functionals), strict=True
    ):
        assert np.allclose(ours, theirs, atol=1e-5)


def test_a_faster_virtual_speaker_has_a_higher_voice(corpus: SpeechCorpus) -> None:
    channel = corpus.extractor.config.mel_bands + PITCH
    real, slow = (np.median(bank.frames_of(0)[:, channel]) for bank in corpus.banks)
    assert slow - real == pytest.approx(np.log2(0.88), abs=0.03)


def test_a_bad_channel_changes_the_sound_the_same_way_every_time() -> None:
    samples = np.sin(np.arange(8000) / 9).astype(np.float32)
    copy = VirtualSpeakers(channel=True)
    once, again, other = copy.alter(samples, 1), copy.alter(samples, 1), copy.alter(samples, 2)
    assert np.array_equal(once, again)
    assert not np.allclose(once, other)
    assert once.shape == samples.shape


def batches(source: SpeechSource, *, with_frames: bool) -> SpeechBatches:
    rows = np.arange(len(source.clips))
    sampling = SamplingConfig(most_per_corpus=40, least_per_corpus=40)
    return SpeechBatches(source, rows, sampling, AugmentationConfig(), 8, with_frames=with_frames)


def drawn(source: SpeechSource, seed: int, *, with_frames: bool) -> Iterator[SpeechBatch]:
    return batches(source, with_frames=with_frames)(0, np.random.default_rng(seed))


@pytest.mark.parametrize("with_frames", [True, False])
def test_batches_depend_on_the_seed_alone(source: SpeechSource, with_frames: bool) -> None:
    first, second = (list(drawn(source, 3, with_frames=with_frames)) for _ in range(2))
    assert len(first) == batches(source, with_frames=with_frames).steps == 5
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one.functionals, other.functionals)
        assert torch.equal(one.labels, other.labels)


def test_personal_functionals_always_know_the_speaker(source: SpeechSource) -> None:
    found = list(drawn(source, 4, with_frames=False))
    assert all((batch.personal[:, -1] > 0).all() for batch in found)
    assert any((batch.functionals[:, -1] == 0).any() for batch in found)


def test_classes_that_a_corpus_lacks_hardly_count(source: SpeechSource) -> None:
    batch = next(drawn(source, 5, with_frames=False))
    logits = torch.zeros(8, 7)
    wrong = logits.clone()
    wrong[~batch.allowed] += 2.0
    config = SpeechLossConfig(label_smoothing=0.0)
    plain = masked_loss(logits, batch, config)
    assert plain == pytest.approx(np.log(4), abs=0.05)
    assert plain < masked_loss(wrong, batch, config) < plain + 0.15


def test_augmentation_crops_masks_and_leaves_the_original() -> None:
    config = AugmentationConfig(crop=50)
    generator = np.random.default_rng(0)
    start, stop = random_span((10, 200), 210, config, generator)
    assert stop - start == 50
    frames = np.ones((120, 68), np.float32)
    changed = augment_frames(frames, 64, config, generator)
    assert (frames == 1).all()
    assert changed.shape == frames.shape
    assert not np.allclose(changed, frames)


def test_causal_baselines_never_hear_the_clip_itself(source: SpeechSource) -> None:
    short, long = causal(source, 1.0, seed=0), causal(source, 4.0, seed=0)
    whole, nothing = personal(source), raw(source)
    for row in range(len(source.clips)):
        assert nothing(row).seconds == 0
        assert 0 < short(row).seconds <= long(row).seconds < whole(row).seconds
        assert short(row).seconds <= 1.0


def test_cross_validation_reports_every_figure_with_its_interval(
    data: Path, tmp_path: Path, context: StageContext
) -> None:
    config = shipped()
    quick = replace(
        config,
        virtual_speakers=(),
        heads_trainer=replace(config.heads_trainer, epochs=1),
        trainer=replace(config.trainer, epochs=1),
        encoder=replace(config.encoder, dim=16, blocks=1, attention_layers=1, heads=2),
        sampling=SamplingConfig(most_per_corpus=16, least_per_corpus=16),
        heads_batch=8,
        frames_batch=8,
    )
    report = tmp_path / "report.json"
    assert cross_validate(quick, data, tmp_path, (0,), report, Reporter()) is None
    figures = cross_validate(quick, data, tmp_path, (1, 2, 3), report, Reporter())
    assert figures == json.loads(report.read_text(encoding="utf-8"))
    assert figures is not None
    tones = figures["corpora"]["tones"]
    assert tones["n"] == 8 * len(SPEAKERS)
    for name in ("uar", "uar_personal", "uar_causal_10", "svm_uar", "svm_uar_personal"):
        assert tones[name]["low"] <= tones[name]["value"] <= tones[name]["high"]
    lines = report.with_suffix(".csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + tones["n"]
