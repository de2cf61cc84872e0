"""The whole way, through a real sound server, on a real (virtual) screen, in its own process."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage

from core.audio.io import read_audio
from core.labels import EMOTIONS
from core.palette import LIGHT
from core.resources import embedded_checkpoint
from core.types import SAMPLE_RATE, FloatArray
from tests import pulse
from tests.desktop import screen
from tests.desktop.held_out import held_out_clips
from tests.desktop.screen import RunningApp, VirtualScreen

pytestmark = [pytest.mark.microphone, pytest.mark.window, pytest.mark.slow, pytest.mark.real_data]

CLIPS = 4
LOADING = 120.0


@pytest.fixture
def stage() -> Iterator[tuple[VirtualScreen, pulse.VirtualMicrophone]]:
    """A screen and a microphone of this test."""
    lacking = screen.missing_tool() or pulse.missing_tool()
    if lacking:
        pytest.skip(f"{lacking} is not installed")
    with VirtualScreen(1440, 900) as shown, pulse.VirtualMicrophone() as microphone:
        yield shown, microphone


@pytest.fixture
def speech(shared_data: Path) -> FloatArray:
    """Four emotional clips of people whom the shipped weights never heard, with pauses."""
    if not (embedded_checkpoint() / "training.yaml").is_file():
        pytest.skip("there is no embedded checkpoint")
    clips = [clip for clip in held_out_clips(shared_data) if 1.5 < clip.duration < 5]
    chosen = random.Random(7).sample(clips, CLIPS)
    pause = np.zeros(SAMPLE_RATE, np.float32)
    sounds = [read_audio(clip.path)[0] for clip in chosen]
    return np.concatenate([part for sound in sounds for part in (_loud(sound), pause)])


def _loud(sound: FloatArray) -> FloatArray:
    return (0.7 * sound / np.abs(sound).max()).astype(np.float32)


def wait_until(condition: Callable[[], object], timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def colours_in(path: Path) -> int:
    """How many pixels of the transcript have the colour of some emotion."""
    image = QImage(str(path)).convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    pixels = rows[560:860, : image.width() * 3].reshape(300, -1, 3)[:, 620:900].astype(int)
    found = 0
    for colour in LIGHT.values():
        wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        found += int((np.abs(pixels - wanted).max(axis=2) <= 2).sum())
    return found


def test_speech_into_the_microphone_appears_as_turns(
    stage: tuple[VirtualScreen, pulse.VirtualMicrophone], speech: FloatArray, tmp_path: Path
) -> None:
    shown, microphone = stage
    settings = tmp_path / "config" / "emoscope"
    settings.mkdir(parents=True)
    text = "[app]\ntheme=light\ninterface_language=en\nwhisper=off\n"
    (settings / "emoscope.ini").write_text(text, encoding="utf-8")
    app = RunningApp(shown, tmp_path, microphone.environment)
    try:
        window = shown.wait_for_window(timeout=LOADING)
        shown.do("windowmove", window, "0", "0")
        shown.do("windowsize", window, "1440", "900")
        shown.picture(tmp_path / "start.png")
        app.record(shown)
        microphone.play(speech)
        heard = wait_until(lambda: len(app.turns()) >= CLIPS, len(speech) / SAMPLE_RATE + LOADING)
        shown.picture(tmp_path / "live.png")
        assert heard, app.log.read_text(encoding="utf-8", errors="replace")[-2000:]
        shown.do("key", "ctrl+r")
        stopped = wait_until(lambda: any((app.data / "sessions").glob("*/closed")), 20)
        assert stopped
        assert app.process.poll() is None
    finally:
        status = app.close()
    turns = [json.loads(line) for line in app.turns()]
    for turn in turns:
        assert turn["label"] in EMOTIONS
        assert sum(turn["probabilities"].values()) == pytest.approx(1.0, abs=1e-3)
        assert turn["end"] - turn["start"] > 0.3
    assert colours_in(tmp_path / "start.png") == 0
    assert colours_in(tmp_path / "live.png") > CLIPS * 40
    assert "Traceback" not in app.log.read_text(encoding="utf-8", errors="replace")
    assert status == 0
