"""The real path: a sound is played into a virtual microphone and heard through PortAudio."""

from __future__ import annotations

import time

import numpy as np
import pytest

from core.audio.io import read_audio
from core.audio.microphone import MicrophoneSource
from core.errors import DeviceError
from core.pipeline.protocols import EndOfSource
from core.resources import sample_dialogue
from core.types import SAMPLE_RATE, WINDOW, FloatArray, Message
from tests.audio.voices import voice
from tests.pulse import VirtualMicrophone

pytestmark = pytest.mark.microphone


class Listener:
    """Reads a source and keeps its blocks, checked to follow each other, and its messages."""

    def __init__(self, source: MicrophoneSource) -> None:
        self.source = source
        self.blocks: list[FloatArray] = []
        self.messages: list[tuple[float, Message]] = []

    @property
    def samples(self) -> FloatArray:
        return np.concatenate(self.blocks, axis=1)

    @property
    def codes(self) -> list[str]:
        return [message.code for _, message in self.messages]

    def listen(self, seconds: float, until: str | None = None) -> None:
        """Listen for some seconds, or until a message with this code came."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and (until is None or until not in self.codes):
            block = self.source.read(0.05)
            if block is not None:
                assert block.start == len(self.blocks) * WINDOW
                assert block.samples.shape == (self.source.channels, WINDOW)
                self.blocks.append(block.samples)
            now = time.monotonic()
            self.messages += [(now, message) for message in self.source.take_messages()]

    def listen_until(self, code: str, seconds: float = 15.0) -> Message:
        self.listen(seconds, until=code)
        assert code in self.codes, f"no {code} within {seconds} s, only {self.codes}"
        return self.messages[self.codes.index(code)][1]


PIECE = 4_800
"""Samples compared at a time: a player on a busy machine falls silent for moments in between."""


def likeness(heard: FloatArray, played: FloatArray) -> float:
    """Return how like its best place in what was heard a typical piece of what was played is."""
    energy = np.convolve(heard**2, np.ones(PIECE), "valid")
    found = []
    for begin in range(0, played.size - PIECE + 1, PIECE):
        piece = played[begin : begin + PIECE]
        if np.abs(piece).max() > 0.02:
            products = np.correlate(heard, piece, "valid")
            found.append(float(np.max(products / np.sqrt(energy * np.sum(piece**2) + 1e-6))))
    return float(np.median(found))


@pytest.mark.parametrize("rate", [None, 48_000])
def test_what_is_spoken_is_heard(rate: int | None, virtual_microphone: VirtualMicrophone) -> None:
    spoken = read_audio(sample_dialogue())[0, : 2 * SAMPLE_RATE]
    with virtual_microphone.used_here():
        source = MicrophoneSource(rate=rate)
        source.start()
        listener = Listener(source)
        listener.listen(0.5)
        player = virtual_microphone.play(spoken)
        listener.listen(3.5)
        clock = source.clock
        source.stop()
        with pytest.raises(EndOfSource):
            source.read(1.0)
    assert player.wait() == 0
    assert likeness(listener.samples[0], spoken) > 0.97
    assert clock.ratio == pytest.approx(1.0, abs=0.03)
    assert clock.filled == 0
    assert listener.codes == []


def test_the_two_sides_of_a_stereo_microphone_are_two_channels() -> None:
    left, right = voice(1, 1), voice(1, 2)
    with VirtualMicrophone(channels=2) as microphone, microphone.used_here():
        source = MicrophoneSource("pulse", channels="both")
        source.start()
        assert source.channels == 2
        listener = Listener(source)
        listener.listen(0.3)
        microphone.play(np.stack([left, right]))
        listener.listen(2.5)
        source.stop()
    assert likeness(listener.samples[0], left) > 0.95
    assert likeness(listener.samples[1], right) > 0.95


def test_a_killed_device_is_noticed_and_picked_up_again_with_the_time_kept(
    virtual_microphone: VirtualMicrophone,
) -> None:
    with virtual_microphone.used_here():
        source = MicrophoneSource()
        source.start()
        listener = Listener(source)
        listener.listen(1.0)
        virtual_microphone.kill()
        killed = time.monotonic()
        listener.listen_until("device_lost")
        assert listener.messages[0][0] - killed < 1.5
        listener.listen(1.0)
        virtual_microphone.start()
        back = listener.listen_until("device_back")
        spoken = voice(1)
        virtual_microphone.play(spoken)
        listener.listen(2.5)
        clock = source.clock
        source.stop()
    samples = listener.samples[0]
    begin, count = int(back.values["start"]), int(back.values["samples"])
    assert not samples[begin : begin + count - SAMPLE_RATE // 4].any()
    assert count > SAMPLE_RATE
    assert clock.filled == pytest.approx(count / SAMPLE_RATE, abs=0.3)
    assert clock.ratio == pytest.approx(1.0, abs=0.05)
    assert likeness(samples[begin + count :], spoken) > 0.95
    assert listener.codes == ["device_lost", "device_back"]


def test_a_hung_device_is_noticed_and_holds_nobody_up(
    virtual_microphone: VirtualMicrophone,
) -> None:
    with virtual_microphone.used_here():
        source = MicrophoneSource()
        source.start()
        listener = Listener(source)
        listener.listen(1.0)
        virtual_microphone.hang()
        hung = time.monotonic()
        listener.listen_until("device_lost")
        assert listener.messages[0][0] - hung < 1.5
        began = time.monotonic()
        source.stop()
        assert time.monotonic() - began < 1.0
        with pytest.raises(EndOfSource):
            source.read(1.0)
        virtual_microphone.resume()  # lets the abandoned thread finish


def test_a_device_that_hangs_for_a_while_comes_back(
    virtual_microphone: VirtualMicrophone,
) -> None:
    with virtual_microphone.used_here():
        source = MicrophoneSource()
        source.start()
        listener = Listener(source)
        listener.listen(0.5)
        virtual_microphone.hang()
        listener.listen_until("device_lost")
        virtual_microphone.resume()
        listener.listen_until("device_back")
        virtual_microphone.play(voice(1))
        listener.listen(2.0)
        source.stop()
    assert np.abs(listener.samples[0, -2 * SAMPLE_RATE :]).max() > 0.05


def test_a_microphone_that_is_not_there_is_refused_at_once(
    virtual_microphone: VirtualMicrophone,
) -> None:
    with virtual_microphone.used_here():
        with pytest.raises(DeviceError, match="is not connected"):
            MicrophoneSource("Bluetooth headset").start()
        source = MicrophoneSource()  # and the next one still works
        source.start()
        Listener(source).listen(0.3)
        source.stop()
