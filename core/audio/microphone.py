"""The live microphone: captured at the device's own rate, delivered at 16 kHz, watched for loss."""

from __future__ import annotations

import threading
import time
from collections import deque

import numpy as np

from core.audio.capture import Capture
from core.audio.channels import ChannelMode, select_channels
from core.audio.clock import ClockReport, LagWatch, RateEstimate
from core.audio.keeper import DeviceKeeper
from core.audio.timeline import Timeline
from core.pipeline.protocols import EndOfSource
from core.types import SAMPLE_RATE, AudioBlock, FloatArray, Message

STALL_SECONDS = 1.0
"""Without a callback for this long the device counts as lost."""

POLL_SECONDS = 0.005

FILL_BEHIND_SECONDS = 0.15
"""Silence for a lost device is delivered this long after the clock, about as late as its sound."""


class MicrophoneSource:
    """An input device as a source of blocks.

    The thread that calls `read` takes frames from the ring, resamples them, and notices when none
    come any more; then it delivers silence, so that sample time follows the clock, until the
    keeper has the device back.

    Messages: `device_lost` (name), `device_back` (name, seconds, start, samples: the gap),
    `samples_lost` (name, seconds: the device or this program was too slow).

    Args:
        device_name: as `devices.find_device` takes it; None for the system's default.
        channels: what to take from a device with several channels.
        rate: sample rate to open the device at, instead of its own (for tests).
    """

    def __init__(
        self,
        device_name: str | None = None,
        channels: ChannelMode | str = ChannelMode.MONO,
        rate: int | None = None,
    ) -> None:
        self._name = device_name
        self._mode = ChannelMode(channels)
        self._rate = rate
        self._stopped = threading.Event()
        self._stopped.set()
        self._messages: deque[Message] = deque()
        self._keeper: DeviceKeeper | None = None
        self._capture: Capture | None = None
        self._description = device_name or "default"
        self._timeline = Timeline(self._mode.outputs(2))
        self._estimate = RateEstimate()
        self._lag = LagWatch()
        self._heard = 0.0
        self._gap_start = 0

    @property
    def description(self) -> str:
        """Name of the device."""
        return self._description

    @property
    def channels(self) -> int:
        """Rows of every block; certain after `start`."""
        return self._timeline.channels

    @property
    def total_samples(self) -> int | None:
        """None: a live source has no length."""
        return None

    @property
    def clock(self) -> ClockReport:
        """Frames received against the clock, so far."""
        timeline, capture = self._timeline, self._capture
        delivered = timeline.end / SAMPLE_RATE
        measured = self._estimate.frames_per_second
        return ClockReport(
            elapsed=delivered + max(0.0, timeline.lag(self._heard)),
            delivered=delivered,
            filled=timeline.filled / SAMPLE_RATE,
            rate_ratio=measured / capture.rate if measured and capture else None,
        )

    def start(self) -> None:
        """Open the device. Raises DeviceError, also when the audio system does not answer."""
        self._stopped.clear()
        self._messages.clear()
        self._keeper = DeviceKeeper(self._name, self._rate)
        capture = self._keeper.start()
        self._timeline = Timeline(self._mode.outputs(capture.channels))
        self._attach(capture)

    def read(self, timeout: float) -> AudioBlock | None:
        """Return the next block of 512 samples, None after `timeout` s. Raises EndOfSource."""
        deadline = time.monotonic() + timeout
        while not self._stopped.is_set():
            now = time.monotonic()
            self._collect(now)
            block = self._timeline.pop()
            if block is not None or now >= deadline:
                return block
            self._stopped.wait(min(POLL_SECONDS, deadline - now))
        raise EndOfSource

    def take_messages(self) -> tuple[Message, ...]:
        """Return what happened since the last call."""
        return tuple(self._messages.popleft() for _ in range(len(self._messages)))

    def stop(self) -> None:
        """Stop delivering and close the device; returns in a moment even when it hangs."""
        self._stopped.set()
        if self._keeper is not None:
            self._keeper.stop()

    def _collect(self, now: float) -> None:
        """Bring everything up to `now` into blocks: frames, or silence while the device is lost."""
        assert self._keeper is not None
        if self._capture is not None:
            self._receive(self._capture, now)
            return
        self._timeline.fill_until(now - FILL_BEHIND_SECONDS)
        capture = self._keeper.current
        if capture is not None and capture.ring.available:
            self._return(capture, now)
        elif capture is not None and now - capture.opened_at > 2 * STALL_SECONDS:
            self._keeper.give_up()

    def _attach(self, capture: Capture) -> None:
        self._capture = capture
        self._description = capture.name
        self._timeline.attach(capture.rate)
        self._estimate = RateEstimate()
        self._lag = LagWatch()
        self._heard = time.monotonic()

    def _receive(self, capture: Capture, now: float) -> None:
        frames, missed = capture.ring.read(capture.ring.capacity)
        if missed:
            self._skip(missed, capture)
        if len(frames):
            self._heard = now
            self._estimate.add(now, capture.ring.written)
            self._timeline.feed(self._rows(frames), now)
            lost = self._lag.lost(now, self._timeline.lag(now))
            self._skip(round(lost * capture.rate), capture)
        elif capture.finished or now - self._heard > STALL_SECONDS:
            self._lose()

    def _rows(self, frames: FloatArray) -> FloatArray:
        """Return frames of shape (n, channels) as the rows this source delivers."""
        rows = select_channels(frames.T, self._mode)
        if rows.shape[0] < self.channels:  # the device that came back has fewer channels
            rows = np.repeat(rows, self.channels, axis=0)
        return rows

    def _skip(self, frames: int, capture: Capture) -> None:
        if frames:
            self._timeline.skip(frames)
            seconds = f"{frames / capture.rate:.2f}"
            self._messages.append(
                Message("samples_lost", {"name": capture.name, "seconds": seconds})
            )

    def _lose(self) -> None:
        assert self._keeper is not None
        self._capture = None
        self._timeline.detach()
        self._gap_start = self._timeline.end
        self._messages.append(Message("device_lost", {"name": self._description}))
        self._keeper.give_up()

    def _return(self, capture: Capture, now: float) -> None:
        self._attach(capture)
        self._receive(capture, now)
        samples = self._timeline.end - self._gap_start
        values = {
            "name": capture.name,
            "seconds": f"{samples / SAMPLE_RATE:.1f}",
            "start": str(self._gap_start),
            "samples": str(samples),
        }
        self._messages.append(Message("device_back", values))
