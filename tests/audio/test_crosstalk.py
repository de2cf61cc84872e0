"""Two people with a channel each: who leaks into the other's channel has no turns there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from core.audio.crosstalk import CrosstalkGate, CrosstalkSettings, likeness
from core.audio.io import read_audio
from core.audio.vad import SileroVad, VoiceActivityDetector
from core.pipeline.cutting import VoiceCutter
from core.types import SAMPLE_RATE, WINDOW, AudioBlock, FloatArray, Utterance
from tests.audio.voices import ScriptedVad, quiet, voice
from training.data.corpora.speech import read_manifest


def blocks(samples: FloatArray) -> list[AudioBlock]:
    whole = samples[:, : samples.shape[1] // WINDOW * WINDOW]
    return [AudioBlock(whole[:, p : p + WINDOW], p) for p in range(0, whole.shape[1], WINDOW)]


def utterances(samples: FloatArray, vad: type[VoiceActivityDetector]) -> list[Utterance]:
    cutter = VoiceCutter(["left", "right"], vad=vad)
    cuts = [cut for block in blocks(samples) for cut in cutter.push(block)[1]]
    cuts += cutter.flush(samples.shape[1])
    return [cut.utterance for cut in cuts if cut.utterance.is_final]


def taking_turns(turns: Sequence[FloatArray], leak: float, delay: int = 40) -> FloatArray:
    """Return two channels (2, n): turns alternate, each heard `leak` dB softer on the other one."""
    rows: tuple[list[FloatArray], list[FloatArray]] = ([], [])
    for number, turn in enumerate(turns):
        copy = np.concatenate([np.zeros(delay, np.float32), turn])[: turn.size]
        rows[number % 2].extend([turn, quiet(0.6)])
        rows[1 - number % 2].extend([copy * 10 ** (leak / 20), quiet(0.6)])
    samples = np.stack([np.concatenate(row) for row in rows])
    noise = np.random.default_rng(0).normal(0, 1e-3, samples.shape)
    return (samples + noise).astype(np.float32)


class SharpVad(ScriptedVad):
    """Hears what is 30 dB softer than speech, as the real detector does."""

    def __init__(self) -> None:
        super().__init__(limit=0.006)


@pytest.mark.parametrize("leak", [-10, -20, -30])
def test_a_leak_gets_no_turns_and_costs_the_speaker_none(leak: float) -> None:
    turns = [voice(1.0 + 0.2 * seed, seed) for seed in range(6)]
    found = utterances(taking_turns(turns, leak), SharpVad)
    assert [u.speaker for u in found] == ["left", "right"] * 3
    for utterance, turn in zip(found, turns, strict=True):
        assert utterance.end - utterance.start > turn.size


def test_without_the_gate_the_leak_would_be_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CrosstalkGate, "own", lambda self, samples: (True, True))
    turns = [voice(1.0, seed) for seed in range(4)]
    assert len(utterances(taking_turns(turns, -20), SharpVad)) == 8


@pytest.mark.parametrize("softer", [0.0, -6.0, -12.0])
def test_two_who_speak_at_once_are_both_heard(softer: float) -> None:
    own = np.stack([voice(2.0, 1), voice(2.0, 2) * 10 ** (softer / 20)])
    samples = np.concatenate([np.zeros((2, SAMPLE_RATE), np.float32), own], axis=1)
    found = utterances(samples, SharpVad)
    assert {u.speaker for u in found} == {"left", "right"}
    heard = {
        name: sum(u.duration for u in found if u.speaker == name) for name in ("left", "right")
    }
    assert min(heard.values()) > 1.6


def test_a_soft_speaker_is_heard_while_the_other_channel_is_silent() -> None:
    noise = np.random.default_rng(0).normal(0, 1e-3, 2 * SAMPLE_RATE).astype(np.float32)
    found = utterances(np.stack([noise, voice(2.0, 1, amplitude=0.02)]), SharpVad)
    assert [u.speaker for u in found] == ["right"]


def test_a_soft_speaker_is_heard_beside_a_channel_of_loud_noise() -> None:
    class Voice(SharpVad):
        """Takes no steady noise for speech, as the real detector."""

        def probability(self, samples: FloatArray) -> float:
            return 0.0 if float(np.abs(samples).max()) > 0.1 else super().probability(samples)

    noise = np.random.default_rng(0).normal(0, 0.2, 2 * SAMPLE_RATE).astype(np.float32)
    (found,) = utterances(np.stack([noise, voice(2.0, 1, amplitude=0.02)]), Voice)
    assert found.speaker == "right"
    assert found.duration > 1.6


def test_silence_leaks_into_nothing() -> None:
    assert CrosstalkGate().own(np.zeros((2, WINDOW), np.float32)) == (True, True)


def test_likeness_is_one_for_a_delayed_copy_and_small_for_another_voice() -> None:
    left, other = voice(0.128, 1), voice(0.128, 5)
    assert likeness(left, -0.1 * np.roll(left, 100), 256) > 0.8
    noise = np.random.default_rng(3).normal(size=left.size).astype(np.float32)
    assert likeness(left, noise, 256) < 0.35
    assert likeness(left, np.zeros_like(left), 256) == 0
    assert likeness(left, other, 256) <= 1


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="softer"):
        CrosstalkSettings(softer=20, much_softer=10)


def test_real_voices_leaking_at_20_db_get_no_turns(shared_data) -> None:
    folder = shared_data / "speech"
    clips = [c for c in read_manifest(folder) if c.speaker in ("ravdess/A01", "ravdess/A02")]
    first = [c for c in clips if c.speaker == "ravdess/A01"][10:60:20]
    second = [c for c in clips if c.speaker == "ravdess/A02"][10:60:20]
    turns = [
        read_audio(folder / c.path)[0] for pair in zip(first, second, strict=True) for c in pair
    ]
    turns = [turn * 0.3 / np.abs(turn).max() for turn in turns]
    found = utterances(taking_turns(turns, -20), SileroVad)
    assert [u.speaker for u in found] == ["left", "right"] * 3
