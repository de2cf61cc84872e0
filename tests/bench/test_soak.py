from __future__ import annotations

import time

import numpy as np
import pytest

from core.audio.sources import ArraySource
from core.bench import soak
from core.bench.accelerated import AcceleratedSource
from core.pipeline.protocols import EndOfSource
from core.types import SAMPLE_RATE, WINDOW
from tests.fakes import FakeAnalyzer
from tests.pulse import missing_tool


def ramp(seconds: float) -> np.ndarray:
    return np.linspace(-0.5, 0.5, round(seconds * SAMPLE_RATE) // WINDOW * WINDOW, dtype=np.float32)


def read_all(source: AcceleratedSource) -> list[np.ndarray]:
    blocks = []
    while True:
        try:
            block = source.read(0.05)
        except EndOfSource:
            return blocks
        if block is not None:
            blocks.append(block.samples[0])


def test_an_accelerated_source_delivers_everything_in_order_and_sooner() -> None:
    samples = ramp(4.0)
    source = AcceleratedSource(ArraySource(samples), speed=40)
    began = time.monotonic()
    source.start()
    blocks = read_all(source)
    took = time.monotonic() - began
    np.testing.assert_array_equal(np.concatenate(blocks), samples)
    assert took >= 0.9 * len(samples) / SAMPLE_RATE / 40


def test_an_accelerated_source_stands_still_while_nobody_keeps_up() -> None:
    ready = False
    source = AcceleratedSource(ArraySource(ramp(1.0)), speed=1000, keeps_up=lambda _: ready)
    source.start()
    assert source.read(0.02) is None
    assert source.read(0.02) is None
    ready = True
    block = source.read(0.5)
    assert block is not None
    assert block.start == 0


def test_a_short_soak_hears_and_writes_every_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "make_analyzer", FakeAnalyzer)
    monkeypatch.setattr(soak, "SAMPLES", 8)  # each collects garbage, of all tests before this one
    measurements, (note,) = soak.soak(hours=0.02, speed=500)
    found = {measurement.name: measurement for measurement in measurements}
    assert np.isfinite(found["memory slope"].value)
    # The last block of the sound is filled up to a whole one.
    assert found["frames heard / delivered"].value == pytest.approx(1, abs=1e-3)
    assert found["frames written to the journal / heard"].value == pytest.approx(1, abs=1e-3)
    assert "turns" in note
    assert not note.startswith("0.00")


@pytest.mark.microphone
@pytest.mark.skipif(missing_tool() is not None, reason="PulseAudio is not installed")
def test_frames_from_the_microphone_follow_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "make_analyzer", FakeAnalyzer)
    with soak.virtual_microphone():
        ratio = soak.listen(4.0)
    assert ratio == pytest.approx(1.0, abs=0.05)


def test_without_a_sound_server_the_rest_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "soak", lambda hours, speed: ((), ("two hours",)))
    monkeypatch.setenv("PATH", "")
    report = soak.measure(True)
    assert report.notes[0] == "two hours"
    assert "apt-get install pulseaudio" in report.notes[1]
