"""The listening thread's work: blocks of the source in, journal and utterances out."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from core.audio.level import measure_level
from core.pipeline.cutting import Cut, Cutter
from core.pipeline.events import AudioHeard, Event, Notice, Severity
from core.pipeline.pace import Pace
from core.pipeline.protocols import AudioSource, EndOfSource
from core.types import AudioBlock, Message

log = logging.getLogger(__name__)

READ_TIMEOUT = 0.1
"""Seconds one read may wait; a stop is noticed within it."""

DRAIN_SECONDS = 2.0
"""How much of what a device still holds is read when a session stops."""


class AudioSink(Protocol):
    """Keeps the sound of a session."""

    def write_audio(self, block: AudioBlock) -> None:
        """Append a block; errors are told, not raised."""
        ...


class ListeningWorker:
    """Reads a source until it ends or `stopping` is set, and always flushes the tail.

    Args:
        dispatch: called with every cut, on this thread.
        tick: called about every `tick_seconds`.
    """

    def __init__(
        self,
        source: AudioSource,
        pace: Pace,
        stopping: threading.Event,
        emit: Callable[[Event], None],
        dispatch: Callable[[Cut], None],
        tick: Callable[[], None],
        *,
        live: bool,
        sink: AudioSink | None = None,
        tick_seconds: float = 1.0,
    ) -> None:
        self._source = source
        self._pace = pace
        self._stopping = stopping
        self._emit = emit
        self._dispatch = dispatch
        self._tick = tick
        self._live = live
        self._sink = sink
        self._tick_seconds = tick_seconds
        self._ticked = time.monotonic()
        self._ended = False

    def run(self, cutter: Cutter) -> None:
        """Read the (started) source to its end. Raises what the source raises, after the tail."""
        try:
            self._read_all(cutter)
        finally:
            self._source.stop()
            self._tell()
            total = self._source.total_samples if self._ended else None
            self._pass_on(cutter.flush(total))

    def _read_all(self, cutter: Cutter) -> None:
        try:
            while not self._stopping.is_set():
                self._hear(self._source.read(READ_TIMEOUT), cutter)
                self._tell()
                self._maybe_tick()
            if self._live:
                self._drain(cutter)
        except EndOfSource:
            self._ended = True

    def _drain(self, cutter: Cutter) -> None:
        """Take what the device heard before the stop, so that no last word is lost."""
        until = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < until:
            block = self._source.read(0.0)
            if block is None:
                return
            self._hear(block, cutter)

    def _hear(self, block: AudioBlock | None, cutter: Cutter) -> None:
        if block is None:
            return
        self._pace.heard(block)
        if self._sink is not None:
            self._sink.write_audio(block)
        speech, cuts = cutter.push(block)
        levels = [measure_level(channel) for channel in block.samples]
        self._emit(
            AudioHeard(
                block,
                speech,
                tuple(level.rms_dbfs for level in levels),
                tuple(level.clipping for level in levels),
            )
        )
        self._pass_on(cuts)
        if not self._live and (progress := self._pace.progress(self._source.total_samples)):
            self._emit(progress)

    def _pass_on(self, cuts: tuple[Cut, ...]) -> None:
        for cut in cuts:
            self._dispatch(cut)

    def _tell(self) -> None:
        for message in self._source.take_messages():
            for notice in _notices(message):
                self._emit(notice)

    def _maybe_tick(self) -> None:
        now = time.monotonic()
        if now - self._ticked >= self._tick_seconds:
            self._ticked = now
            self._tick()


def _notices(message: Message) -> tuple[Notice, ...]:
    """Return how a source's message is shown: a device that is back withdraws its loss."""
    if message.code == "device_back":
        lost = Message("device_lost", message.values)
        return Notice(lost, Severity.INFO, active=False), Notice(message)
    return (Notice(message, Severity.WARNING),)
