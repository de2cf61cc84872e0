"""What ships in assets/checkpoints/embedded: whole, small, calibrated, and better than chance."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.labels import EMOTIONS
from core.models.calibration import Path as JudgedBy
from core.models.checkpoint import LoadedModel, load_checkpoint, read_training
from core.models.manifest import CARD
from core.pipeline.analyzer import ModelAnalyzer, load_analyzer
from core.resources import embedded_checkpoint
from core.types import Modality, Transcript, Utterance
from tests.checkpoints import voice
from training.evaluation.baselines import FOLDER, Baselines
from training.evaluation.clips import Clip, read_clips, read_samples
from training.evaluation.metrics import unweighted_average_recall
from training.evaluation.seen import Seen

MEGABYTES = 30


@pytest.fixture(scope="module")
def folder() -> Path:
    return embedded_checkpoint()


@pytest.fixture(scope="module")
def loaded(folder) -> LoadedModel:
    return load_checkpoint(folder)


@pytest.fixture(scope="module")
def analyzer(folder) -> ModelAnalyzer:
    return load_analyzer(folder, device="cpu")


def test_it_is_small_enough_to_ship(folder):
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    assert size < MEGABYTES * 1e6


def test_it_is_calibrated_on_every_path(loaded):
    assert set(loaded.calibration.temperatures) == set(JudgedBy)
    assert len(loaded.calibration.text_thresholds) == len(EMOTIONS)
    assert loaded.specification.labels == EMOTIONS
    assert set(loaded.specification.languages) == {"en", "ko"}


def test_it_names_what_it_saw_and_keeps_its_baselines(loaded, folder):
    seen = Seen.from_training(read_training(loaded.info))
    assert set(seen.speakers) == {"ravdess", "nemo", "emotiontts_ko"}
    for corpus, speakers in seen.calibration_speakers.items():
        assert not speakers & seen.speakers[corpus]
    baselines = Baselines.load(folder / FOLDER)
    assert baselines is not None
    assert {"all", *seen.speakers} <= set(baselines.raw)
    card = (folder / CARD).read_text(encoding="utf-8")
    for name in ("RAVDESS", "nEMO", "GoEmotions", "KOTE", "CC BY-NC-SA"):
        assert name in card


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("I am so happy and grateful, this is wonderful!", "en", "happy"),
        ("I hate this, you make me so angry.", "en", "angry"),
        ("I am so sad, I miss him and I can't stop crying.", "en", "sad"),
        ("정말 행복해요, 너무 감사합니다!", "ko", "happy"),
        ("너무 화가 난다. 진짜 짜증나고 열받아.", "ko", "angry"),
        ("너무 슬퍼서 눈물이 나요.", "ko", "sad"),
    ],
)
def test_it_reads_plain_words(analyzer, text, language, expected):
    sound = voice(1.0)
    result = analyzer.final(Utterance(0, 0, sound.size, sound), Transcript(text, language=language))
    read = result.by_modality[Modality.TEXT]
    assert EMOTIONS[read.index(max(read))] == expected


@pytest.mark.real_data
def test_it_hears_emotion_in_the_voices_of_speakers_it_was_not_trained_on(
    shared_data, loaded, analyzer
):
    seen = Seen.from_training(read_training(loaded.info))
    clips = [c for c in read_clips(shared_data) if c.corpus == "ravdess"]
    unseen = [c for c in clips if c.speaker not in seen.speakers["ravdess"]]
    if not unseen:
        pytest.skip("the weights were trained on every speaker there is")
    chosen = [c for c in unseen if c.speaker == min(u.speaker for u in unseen)]
    truth = [EMOTIONS.index(c.label or "") for c in chosen]
    assert unweighted_average_recall(truth, hear(analyzer, chosen)) > 1 / 7 + 0.2


def hear(analyzer: ModelAnalyzer, clips: list[Clip]) -> list[int]:
    """What the analyzer says of each clip, by the voice alone, when it knows the speaker."""
    analyzer.reset()
    sounds = [read_samples(clip.path) for clip in clips]
    utterances = [Utterance(i, 0, s.size, s, speaker="A") for i, s in enumerate(sounds)]
    for utterance in utterances:
        analyzer.remember(utterance)
    return [EMOTIONS.index(analyzer.final(u, None).label) for u in utterances]
