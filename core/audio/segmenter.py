"""Cuts a stream of audio into utterances, which grow while they are spoken."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from core.audio.growing import Growing, History
from core.audio.speech_gate import GateSettings, SpeechGate
from core.audio.vad import VoiceActivityDetector
from core.types import SAMPLE_RATE, AudioBlock, FloatArray, Utterance


@dataclass(frozen=True, slots=True)
class SegmenterSettings:
    """When an utterance begins and ends; times in seconds.

    threshold: speech probability that opens an utterance.
    release: how far below the threshold speech that has begun still counts as speech.
    pre_roll: audio kept from before the first speech, so that no onset is lost.
    hangover: silence after which the utterance is over.
    padding: how much of that silence still belongs to it.
    min_speech: detected speech below this is no utterance.
    max_length: a longer utterance is cut at its quietest point.
    min_remainder: how far before its end the cut is at least.
    max_candidate: what may be speech but is not confirmed keeps only the newer half of this.
    partial_interval: how often a growing utterance is handed out.
    """

    threshold: float = 0.3
    release: float = 0.15
    pre_roll: float = 0.3
    hangover: float = 0.3
    padding: float = 0.1
    min_speech: float = 0.16
    max_length: float = 15.0
    min_remainder: float = 0.5
    max_candidate: float = 4.0
    partial_interval: float = 0.25
    gate: GateSettings = field(default_factory=GateSettings)

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1 or not 0 <= self.release < self.threshold:
            raise ValueError("threshold must lie in (0, 1) and release below it")
        if self.padding > self.hangover or self.max_length < 4 * self.min_remainder:
            raise ValueError("padding must not exceed hangover, nor max_length be tiny")


def index_allocator() -> Callable[[], int]:
    """Return a function that gives 0, 1, 2 ...; share one among the segmenters of a session."""
    return itertools.count().__next__


def _samples(duration: float) -> int:
    return round(duration * SAMPLE_RATE)


class Segmenter:
    """Turns the blocks of one channel into utterances: growing partials, then a final.

    A partial never reaches beyond `padding` after the last speech. Once that much silence was heard
    one partial is `paused`, once in each pause: if nothing more is said, it covers exactly the same
    samples as the final that follows after the rest of the hangover. If speech resumes, if the
    utterance is cut for its length, or if a source that ends was padded, the final covers others:
    start and end tell. A sample belongs to at most one utterance, and one that is cut for its
    length may end before the last partial of it did.
    """

    def __init__(
        self,
        settings: SegmenterSettings,
        vad: VoiceActivityDetector,
        channel: int = 0,
        next_index: Callable[[], int] | None = None,
        speaker: str | None = None,
    ) -> None:
        self._settings = settings
        self._vad = vad
        self._channel = channel
        self._next_index = next_index or index_allocator()
        self._speaker = speaker
        self._gate = SpeechGate(settings.gate, settings.min_speech)
        self._history = History(_samples(settings.pre_roll))
        self._open: Growing | None = None
        self._position: int | None = None
        self._padding = _samples(settings.padding)
        self._limit = _samples(settings.max_length)
        self._floor = 0
        self.probability = 0.0
        """Speech probability of the newest block."""

    @property
    def speaking(self) -> bool:
        """True while an utterance is open that has been confirmed to be speech."""
        return self._open is not None and self._open.index is not None

    def push(self, block: AudioBlock, *, own: bool = True) -> tuple[Utterance, ...]:
        """Hear the next block and return what became known, oldest first.

        A block that does not follow the previous one (samples were lost) ends the open utterance.
        What is not the channel's `own` (see `core.audio.crosstalk`) is no speech.
        """
        ended: tuple[Utterance, ...] = ()
        if block.start != self._position:
            ended = self._restart(block.start)
        samples = block.samples[self._channel]
        probability = self._vad.probability(samples)
        self.probability = probability if own else 0.0
        self._position = block.start + samples.size
        return ended + self._advance(samples, block.start)

    def flush(self, total: int | None = None) -> tuple[Utterance, ...]:
        """End the open utterance, as at the end of the source; `total` is the source's length.

        With `total` the zero-padding of the last block stays outside.
        """
        growing, self._open = self._open, None
        if growing is None:
            return ()
        return self._finished(growing, limit=total)

    def reset(self) -> None:
        """Forget everything: the next block begins a stream."""
        self._restart(0)
        self._position, self._floor = None, 0

    def _restart(self, start: int) -> tuple[Utterance, ...]:
        ended = self.flush()
        self._vad.reset()
        self._history.clear()
        self._floor = start
        return ended

    def _advance(self, samples: FloatArray, start: int) -> tuple[Utterance, ...]:
        settings = self._settings
        growing = self._open
        if growing is None:
            if self.probability < settings.threshold:
                self._history.push(samples)
                return ()
            growing = self._open = self._opened(start)
        growing.append(samples, self.probability, self.probability >= self._keep(growing))
        if growing.silence >= _samples(settings.hangover):
            return self._closed(growing)
        if growing.length >= self._limit:
            # Behind a cut there must be speech, or the rest would be an utterance of silence.
            over = growing.silence >= _samples(settings.min_remainder)
            return self._closed(growing) if over else self._split(growing)
        if growing.index is None and growing.length >= _samples(settings.max_candidate):
            self._open = growing = growing.rest(growing.position - growing.length // 2, self._limit)
        return self._partial(growing)

    def _keep(self, growing: Growing) -> float:
        """Speech that has begun continues at a lower probability than it takes to begin."""
        speaking = growing.silence == 0
        return self._settings.threshold - (self._settings.release if speaking else 0.0)

    def _opened(self, start: int) -> Growing:
        before = self._history.take()
        before = before[max(0, before.size - (start - self._floor)) :]
        return Growing(before, start - before.size, self._limit)

    def _closed(self, growing: Growing) -> tuple[Utterance, ...]:
        self._open = None
        ended = self._finished(growing)
        if ended:
            self._floor = ended[-1].end
        self._history.clear()
        self._history.push(growing.view(max(growing.start, self._floor), growing.position))
        return ended

    def _confirm(self, growing: Growing) -> bool:
        if growing.index is None and self._gate.accepts(growing.evidence()):
            growing.index = self._next_index()
        return growing.index is not None

    def _partial(self, growing: Growing) -> tuple[Utterance, ...]:
        end = growing.end(self._padding)
        paused = growing.silence >= max(self._padding, 1) and end != growing.paused_at
        grown = end - max(growing.shown, growing.start)
        # In silence a partial would only hold up the paused one, which is a moment away.
        due = growing.silence == 0 or growing.index is None
        due = due and grown >= _samples(self._settings.partial_interval)
        if not (due or paused) or not self._confirm(growing):
            return ()
        growing.shown = end
        if paused:
            growing.paused_at = end
        growing.revision += 1
        return (replace(self._utterance(growing, end, is_final=False), paused=paused),)

    def _finished(self, growing: Growing, limit: int | None = None) -> tuple[Utterance, ...]:
        if not self._confirm(growing):
            return ()
        end = growing.end(self._padding)
        growing.revision += 1
        return (self._utterance(growing, end if limit is None else min(end, limit), True),)

    def _split(self, growing: Growing) -> tuple[Utterance, ...]:
        """Cut where it is quietest in the second half; the rest is a new utterance."""
        confirmed = self._confirm(growing)
        cut = growing.quietest(_samples(self._settings.min_remainder))
        self._floor = cut
        self._open = growing.rest(cut, self._limit)
        if not confirmed:
            return ()
        self._open.index = self._next_index()
        growing.revision += 1
        return (self._utterance(growing, cut, is_final=True),)

    def _utterance(self, growing: Growing, end: int, is_final: bool) -> Utterance:
        samples = growing.view(growing.start, end)
        assert growing.index is not None
        return Utterance(
            index=growing.index,
            start=growing.start,
            end=end,
            samples=samples.copy() if is_final else samples,
            speaker=self._speaker,
            channel=self._channel,
            is_final=is_final,
            revision=growing.revision,
        )
