"""What is computed for many blocks at once is what is computed for each: bit by bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import psutil
import pytest

from core.audio.crosstalk import CrosstalkGate, CrosstalkSettings, likeness
from core.audio.io import read_audio
from core.audio.level import CLIP, SILENCE_DBFS, Level, measure_level
from core.audio.vad import SileroVad
from core.pipeline.bulk_cutting import BLOCKS, BulkCutter
from core.pipeline.cutting import Cut, Cutter, VoiceCutter
from core.pipeline.offline import analyze_file
from core.resources import sample_dialogue
from core.types import SAMPLE_RATE, WINDOW, AudioBlock, FloatArray
from tests.batch.corpus import write_wav
from tests.checkpoints import voice
from tests.fakes import FakeAnalyzer


@pytest.fixture(scope="module")
def dialogue() -> FloatArray:
    """Two channels, (2, n): the sample, and itself half a minute later and softer."""
    path = sample_dialogue()
    if not path.is_file():
        pytest.skip("the bundled sample is not there")
    left = read_audio(path)[0]
    leak = 0.02 * left
    return np.stack([left, np.roll(left, 30 * SAMPLE_RATE) * 0.5 + leak])


def blocks(samples: FloatArray, start: int = 0) -> list[AudioBlock]:
    ends = range(WINDOW, samples.shape[1] + 1, WINDOW)
    return [AudioBlock(samples[:, end - WINDOW : end], start + end - WINDOW) for end in ends]


def cuts(cutter: Cutter, heard: list[AudioBlock], total: int) -> list[Cut]:
    found = [cut for block in heard for cut in cutter.push(block)[1]]
    return [cut for cut in (*found, *cutter.flush(total)) if cut.utterance.is_final]


def described(found: list[Cut]) -> list[tuple[object, ...]]:
    spoken = (cut.utterance for cut in found)
    return [(u.index, u.channel, u.speaker, u.start, u.end, u.samples.tobytes()) for u in spoken]


@pytest.mark.parametrize("size", [1, 2, 7, BLOCKS, 500])
def test_many_windows_at_once_have_the_probabilities_of_each(
    dialogue: FloatArray, size: int
) -> None:
    samples = dialogue[0, : 500 * WINDOW]
    one, many = SileroVad(), SileroVad()
    expected = [one.probability(window) for window in samples.reshape(-1, WINDOW)]
    pieces = [samples[at : at + size * WINDOW] for at in range(0, samples.size, size * WINDOW)]
    assert np.concatenate([many.probabilities(piece) for piece in pieces]).tolist() == expected
    assert many.probability(samples[:WINDOW]) == one.probability(samples[:WINDOW])
    assert many.probabilities(samples[:0]).size == 0


@pytest.mark.parametrize("channels", [1, 2])
def test_the_same_utterances_are_found(dialogue: FloatArray, channels: int) -> None:
    samples = dialogue[:channels]
    speakers = ["A", "B"][:channels]
    heard = blocks(samples)
    expected = described(cuts(VoiceCutter(speakers), heard, samples.shape[1]))
    assert described(cuts(BulkCutter(speakers), heard, samples.shape[1])) == expected
    assert len(expected) > 10
    assert {channel for _, channel, *_ in expected} == set(range(channels))


def test_lost_samples_end_an_utterance_there_too(dialogue: FloatArray) -> None:
    heard = blocks(dialogue)
    gap = [*heard[:400], *heard[405:]]
    total = dialogue.shape[1]
    expected = described(cuts(VoiceCutter(["A", "B"]), gap, total))
    assert described(cuts(BulkCutter(["A", "B"]), gap, total)) == expected


def test_levels_are_what_they_were() -> None:
    chance = np.random.default_rng(3)
    for _ in range(2000):
        samples = chance.normal(0, 10 ** chance.uniform(-6, 0.5), 512).astype(np.float32)
        assert measure_level(samples) == plain_level(samples)


def plain_level(samples: FloatArray) -> Level:
    """The level as its definition says it."""
    magnitude = np.abs(samples)
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    peak = float(magnitude.max())
    in_db = [max(SILENCE_DBFS, 20 * float(np.log10(max(v, 1e-12)))) for v in (rms, peak)]
    return Level(*in_db, float(np.mean(magnitude >= CLIP)))


def test_the_gate_against_leaks_decides_as_its_definition_says() -> None:
    chance = np.random.default_rng(5)
    gate = CrosstalkGate()
    recent = np.zeros((2, 4 * WINDOW), np.float32)
    decided = set()
    for number in range(1500):
        if number % 40 == 0:
            softness = 10 ** (-chance.uniform(0, 30) / 20)
        loud = chance.normal(0, 0.1 * (number % 90 > 15), WINDOW)
        block = np.stack([loud, loud * softness + chance.normal(0, 1e-3, WINDOW)])
        block = block[:: 1 if number % 80 < 40 else -1].astype(np.float32)
        recent = np.concatenate([recent, block], axis=1)[:, -4 * WINDOW :]
        expected = plain_own(recent)
        assert gate.own(block) == expected
        decided.add(expected)
    assert len(decided) == 3


def plain_own(recent: FloatArray) -> tuple[bool, bool]:
    """Which channel's sound is its own, after what was heard last, (2, 4 * 512)."""
    settings = CrosstalkSettings()
    power = np.mean(np.square(recent[:, -2 * WINDOW :], dtype=np.float64), axis=1)
    softer = int(np.argmin(power))
    below = 10 * np.log10(max(power[1 - softer], 1e-20) / max(power[softer], 1e-20))
    copy = below >= settings.softer and likeness(*recent, settings.longest_delay) >= 0.35
    leaks = power[1 - softer] >= 1e-10 and (below >= settings.much_softer or copy)
    return not (leaks and softer == 0), not (leaks and softer == 1)


def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    talk = np.concatenate([voice(3.0, 140.0, 1), np.zeros(SAMPLE_RATE, np.float32)])
    channels = np.stack([talk, np.roll(talk, talk.size // 2)])
    growth = []
    for minutes in (1, 10):
        repeated = np.tile(channels, round(minutes * 60 * SAMPLE_RATE / talk.size))
        media = write_wav(tmp_path / f"{minutes}.wav", repeated)
        del repeated
        before = psutil.Process().memory_info().rss
        outcome = analyze_file(media, FakeAnalyzer(), None, lambda event: None, channels="both")
        growth.append(psutil.Process().memory_info().rss - before)
        assert outcome.error is None
        assert outcome.recording.duration == round(minutes * 60 * SAMPLE_RATE)
    # its sound alone, as it is judged, would be 77 MB
    assert growth[1] - max(growth[0], 0) < 40e6, growth
