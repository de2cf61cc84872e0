"""What is not speech stays unheard, and what is speech is not lost to that."""

from __future__ import annotations

import csv
import os
import random
from pathlib import Path

import numpy as np
import pytest

from core.audio.io import read_audio
from core.audio.microphone import MicrophoneSource
from core.audio.segmenter import Segmenter, SegmenterSettings
from core.audio.speech_gate import Evidence, GateSettings, SpeechGate
from core.audio.vad import SileroVad
from core.types import SAMPLE_RATE, WINDOW, FloatArray, Utterance
from tests.audio.noises import NOISES, everything, make_noise, pink
from tests.audio.voices import cut, quiet, voice
from tests.pulse import VirtualMicrophone


def utterances(samples: FloatArray) -> list[Utterance]:
    found = cut(samples, Segmenter(SegmenterSettings(), SileroVad()))
    return [utterance for utterance in found if utterance.is_final]


@pytest.mark.parametrize("name", sorted(NOISES))
def test_noise_and_tones_are_no_utterance(name: str) -> None:
    for seed, peak in ((0, 0.8), (1, 0.2), (2, 0.05)):
        assert utterances(make_noise(name, 8.0, seed, peak)) == []


def test_silence_is_no_utterance() -> None:
    assert utterances(quiet(20)) == []


def evidence(samples: FloatArray, probability: float = 0.95) -> Evidence:
    count = samples.size // WINDOW
    return Evidence(np.full(count, probability, np.float32), samples[: count * WINDOW])


def test_the_gate_refuses_what_holds_its_pitch_even_if_the_detector_is_certain() -> None:
    gate = SpeechGate(GateSettings(), min_speech=0.16)
    assert gate.accepts(evidence(voice(1)))
    for name in ("hum", "throb", "melody"):
        assert not gate.accepts(evidence(make_noise(name, 1.0)))


def test_the_gate_wants_enough_and_certain_speech() -> None:
    gate = SpeechGate(GateSettings(), min_speech=0.16)
    assert not gate.accepts(evidence(voice(0.13)))
    assert not gate.accepts(evidence(voice(1), probability=0.6))
    assert gate.accepts(evidence(voice(0.2)))


def clips(shared_data: Path, count: int) -> list[FloatArray]:
    with (shared_data / "speech" / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    chosen = random.Random(5)
    found = []
    for corpus in sorted({row["corpus"] for row in rows}):
        of_corpus = [row for row in rows if row["corpus"] == corpus]
        for row in chosen.sample(of_corpus, count):
            samples = read_audio(shared_data / "speech" / row["path"])[0]
            found.append(np.concatenate([quiet(0.5), samples, quiet(0.7)]))
    return found


@pytest.mark.real_data
@pytest.mark.parametrize("snr", [None, 5])
def test_real_speech_passes_clean_and_in_noise(shared_data: Path, snr: int | None) -> None:
    rng = np.random.default_rng(0)
    heard, all_clips = 0, clips(shared_data, 15)
    for samples in all_clips:
        if snr is not None:
            noise = pink(samples.size / SAMPLE_RATE, rng)
            ratio = 10 ** (-snr / 20) * np.sqrt(np.mean(samples**2) / np.mean(noise**2))
            samples = (samples + ratio * noise).astype(np.float32)
        heard += bool(utterances(samples))
    assert heard >= len(all_clips) - 1


@pytest.mark.slow
@pytest.mark.microphone
@pytest.mark.timeout(1200)
@pytest.mark.skipif(
    "EMOSCOPE_LONG_TESTS" not in os.environ, reason="ten minutes; set EMOSCOPE_LONG_TESTS to run it"
)
def test_ten_minutes_of_silence_fan_and_tones_through_the_microphone_give_nothing(
    virtual_microphone: VirtualMicrophone,
) -> None:
    sound = everything(600.0)
    with virtual_microphone.used_here():
        source = MicrophoneSource()
        source.start()
        segmenter = Segmenter(SegmenterSettings(), SileroVad())
        player = virtual_microphone.play(sound)
        found: list[Utterance] = []
        blocks = 0
        while player.poll() is None:
            block = source.read(0.1)
            if block is not None:
                blocks += 1
                found.extend(segmenter.push(block))
        clock = source.clock
        source.stop()
    assert blocks * WINDOW > 599 * SAMPLE_RATE
    assert clock.ratio == pytest.approx(1.0, abs=0.001)
    assert source.take_messages() == ()
    assert [*found, *segmenter.flush()] == []
