"""Judging a recording's utterances in batches, where that pays: on a GPU.

A recording's utterances are found faster than they are judged, so when the first of a group is to
be judged the others are known. Groups are always the same ones (so many in a row as they end), so
that results don't depend on how busy the machine is.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from core.pipeline.batching import BatchAnalyzer
from core.pipeline.cutting import Cut, Cutter
from core.pipeline.judging import usable
from core.pipeline.personal import Personalised
from core.pipeline.protocols import Analyzer
from core.types import AudioBlock, EmotionResult, ModelInfo, Transcript, Utterance

if TYPE_CHECKING:
    from core.personal.types import PersonalAdapterInfo

log = logging.getLogger(__name__)

_Known: TypeAlias = tuple[Utterance, Transcript | None]


class Upcoming:
    """Complete utterances that were found and not judged yet; every method from any thread."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._known: deque[_Known] = deque()
        self._ended = False

    def add(self, cuts: Sequence[Cut]) -> None:
        """Note what was found, if it is complete."""
        finals = [(c.utterance, usable(c.transcript)) for c in cuts if c.utterance.is_final]
        if finals:
            with self._condition:
                self._known.extend(finals)
                self._condition.notify_all()

    def end(self) -> None:
        """Note that no more will be found."""
        with self._condition:
            self._ended = True
            self._condition.notify_all()

    def take(self, count: int) -> list[_Known]:
        """Return the next `count`, waiting until so many are known, or the last ones."""
        with self._condition:
            while len(self._known) < count and not self._ended:
                self._condition.wait()
            return [self._known.popleft() for _ in range(min(count, len(self._known)))]


class NotingCutter:
    """A `Cutter` that tells `upcoming` what another one finds, before anybody has to judge it."""

    def __init__(self, cutter: Cutter, upcoming: Upcoming) -> None:
        self._cutter = cutter
        self._upcoming = upcoming

    def push(self, block: AudioBlock) -> tuple[tuple[float, ...], tuple[Cut, ...]]:
        """Hear the next block."""
        speech, cuts = self._cutter.push(block)
        self._upcoming.add(cuts)
        return speech, cuts

    def flush(self, total: int | None) -> tuple[Cut, ...]:
        """End what is open; nothing comes after it."""
        try:
            cuts = self._cutter.flush(total)
            self._upcoming.add(cuts)
            return cuts
        finally:
            self._upcoming.end()


class BatchedAnalyzer:
    """An `Analyzer` that judges group by group and hands out results one by one.

    Args:
        analyzer: does the work; it must do more than one at a time.
        batches: the same, as what it is besides.
        upcoming: what will be asked for, in that order.
    """

    def __init__(self, analyzer: Analyzer, batches: BatchAnalyzer, upcoming: Upcoming) -> None:
        self._analyzer = analyzer
        self._batches = batches
        self._upcoming = upcoming
        self._ready: dict[tuple[int, int, int], EmotionResult | None] = {}

    @property
    def model(self) -> ModelInfo:
        """What the results name as their model."""
        return self._analyzer.model

    def warm_up(self) -> None:
        """Load the model."""
        self._analyzer.warm_up()

    def partial(
        self, utterance: Utterance, transcript: Transcript | None, seconds: float | None = None
    ) -> EmotionResult | None:
        """Judge a growing utterance, which a recording has no use for."""
        return self._analyzer.partial(utterance, transcript, seconds)

    def final(self, utterance: Utterance, transcript: Transcript | None) -> EmotionResult | None:
        """Return the result of a complete utterance, judged together with its group."""
        key = _key(utterance)
        while key not in self._ready:
            group = self._upcoming.take(self._batches.batch_rows)
            if not group:  # it was not announced
                return self._analyzer.final(utterance, transcript)
            self._judge(group)
        result = self._ready.pop(key)
        # after trouble with the group, by itself: an error is then that of the one it belongs to
        return result if result is not None else self._analyzer.final(utterance, transcript)

    def _judge(self, group: Sequence[_Known]) -> None:
        utterances, transcripts = zip(*group, strict=True)
        try:
            results = self._batches.final_many(utterances, transcripts)
        except Exception as error:
            log.warning("%d utterances not judged together", len(group), exc_info=error)
            results = [None] * len(group)
        self._ready.update(zip(map(_key, utterances), results, strict=True))

    def remember(self, utterance: Utterance) -> None:
        """Let a complete utterance shape its speaker's baseline."""
        self._analyzer.remember(utterance)

    def use_personal(
        self, adapter: PersonalAdapterInfo | None, speakers: tuple[str, ...] = ()
    ) -> None:
        """Use a personal adapter from the next group on, if the analyzer can."""
        if isinstance(self._analyzer, Personalised):
            self._analyzer.use_personal(adapter, speakers)

    def reset(self) -> None:
        """Forget every speaker."""
        self._analyzer.reset()


def _key(utterance: Utterance) -> tuple[int, int, int]:
    return utterance.index, utterance.channel, utterance.start
