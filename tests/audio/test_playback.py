from __future__ import annotations

import queue
import threading
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.audio.playback import PlaybackEvent, Player, Playing, Stopped, read_span
from core.errors import DeviceError, MediaError
from core.types import FloatArray

RATE = 16_000
WAIT = 10.0


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Ten seconds whose amplitude says which second it is: second n has the value n / 20."""
    path = tmp_path / "ten.wav"
    values = np.repeat(np.arange(10) / 20, RATE)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((values * 32767).astype("<i2").tobytes())
    return path


class FakeOutput:
    """Takes sound at once; holds it while `gate` is closed."""

    def __init__(self) -> None:
        self.rate = RATE
        self.heard: list[FloatArray] = []
        self.closed: list[bool] = []
        self.gate = threading.Event()
        self.gate.set()
        self.threads: set[str] = set()

    def write(self, samples: FloatArray) -> None:
        self.threads.add(threading.current_thread().name)
        self.gate.wait(WAIT)
        self.heard.append(samples.copy())

    def close(self, abort: bool) -> None:
        self.closed.append(abort)


class Bench:
    """A player on a fake output, and what it told."""

    def __init__(self) -> None:
        self.output = FakeOutput()
        self.events: queue.Queue[PlaybackEvent] = queue.Queue()
        self.player = Player(self.events.put, lambda: self.output)

    def until_stopped(self) -> tuple[list[float], Stopped]:
        positions = []
        while True:
            event = self.events.get(timeout=WAIT)
            if isinstance(event, Stopped):
                return positions, event
            positions.append(event.position)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.output.gate.set()
    made.player.close()


def test_exactly_the_wanted_stretch_is_heard(bench: Bench, recording: Path) -> None:
    bench.player.play(recording, 3.25, 6.5)
    positions, stopped = bench.until_stopped()
    heard = np.concatenate(bench.output.heard)
    assert len(heard) == pytest.approx(3.25 * RATE, abs=2)
    assert heard[0] == pytest.approx(3 / 20, abs=1e-3)
    assert heard[-1] == pytest.approx(6 / 20, abs=1e-3)
    assert np.count_nonzero(np.abs(heard - 4 / 20) < 1e-3) == pytest.approx(RATE, abs=2)
    assert positions == sorted(positions)
    assert positions[-1] == pytest.approx(6.5, abs=0.01)
    assert stopped.error is None
    assert bench.output.closed == [False]
    assert bench.output.threads == {"emoscope-playback"}


def test_a_new_stretch_replaces_the_old_one(bench: Bench, recording: Path) -> None:
    bench.output.gate.clear()
    bench.player.play(recording, 0.0, 9.0)
    bench.player.play(recording, 8.0, 8.5)
    bench.output.gate.set()
    positions, _ = bench.until_stopped()
    assert positions[-1] == pytest.approx(8.5, abs=0.01)
    assert sum(map(len, bench.output.heard)) < 2 * RATE


def test_stopping_returns_at_once_and_is_told(bench: Bench, recording: Path) -> None:
    bench.output.gate.clear()
    bench.player.play(recording, 0.0, 9.0)
    while not bench.output.threads:
        pass
    bench.player.stop()
    bench.output.gate.set()
    _, stopped = bench.until_stopped()
    assert stopped.error is None
    assert sum(map(len, bench.output.heard)) < RATE
    assert bench.output.closed == [True]


def test_it_plays_again_after_a_stop(bench: Bench, recording: Path) -> None:
    for _ in range(2):
        bench.player.play(recording, 1.0, 1.5)
        positions, _ = bench.until_stopped()
        assert positions[-1] == pytest.approx(1.5, abs=0.01)


def test_a_missing_file_is_an_error_that_is_told(bench: Bench, tmp_path: Path) -> None:
    bench.player.play(tmp_path / "gone.wav", 0.0, 1.0)
    _, stopped = bench.until_stopped()
    assert isinstance(stopped.error, MediaError)
    assert "gone.wav" in str(stopped.error)


def test_no_output_device_is_an_error_that_is_told(recording: Path) -> None:
    def refuse() -> FakeOutput:
        raise DeviceError("no loudspeaker")

    events: queue.Queue[PlaybackEvent] = queue.Queue()
    player = Player(events.put, refuse)
    player.play(recording, 0.0, 1.0)
    event = events.get(timeout=WAIT)
    assert isinstance(event, Stopped)
    assert isinstance(event.error, DeviceError)
    player.close()


def test_closing_ends_the_thread_and_later_calls_do_nothing(recording: Path) -> None:
    output = FakeOutput()
    player = Player(lambda event: None, lambda: output)
    player.play(recording, 0.0, 9.0)
    player.close()
    player.play(recording, 0.0, 9.0)
    assert not [t for t in threading.enumerate() if t.name == "emoscope-playback"]


def test_a_stretch_is_found_in_a_compressed_file(recording: Path, tmp_path: Path) -> None:
    import av

    path = tmp_path / "ten.flac"
    with av.open(str(path), "w") as target, av.open(str(recording)) as source:
        stream = target.add_stream("flac", rate=RATE)
        for frame in source.decode(audio=0):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    heard = np.concatenate(list(read_span(path, 7.0, 8.0, RATE)))
    assert len(heard) == pytest.approx(RATE, abs=2)
    assert np.allclose(heard, 7 / 20, atol=1e-3)


def test_positions_are_told_while_it_plays(bench: Bench, recording: Path) -> None:
    bench.player.play(recording, 2.0, 2.2)
    first = bench.events.get(timeout=WAIT)
    assert isinstance(first, Playing)
    assert 2.0 < first.position <= 2.1
    bench.until_stopped()
