"""The text of an utterance that is being spoken, found out at a cost that its length can't raise.

Each pass listens from `begin` to the newest sample. Once words are confirmed their sound is left
behind, in the gap before the next word; what they say goes to the model as text instead. Where
nothing is confirmed for long, the oldest words are kept as they are: the final pass hears all of it
anyway. Cutting off confirmed sound, and handing its text on as a prompt, is from Macháček, Dabre
and Bojar (2023), section 3.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from core.asr.agreement import LocalAgreement, bare
from core.types import SAMPLE_RATE, Transcript, Word

LONGEST = 6.0
"""Seconds of sound that a pass listens to at most."""
_TIMED = 3.0
"""Seconds from which a pass also asks when each word was spoken, to know where to cut."""
_FULL = 5.0
"""Seconds at which something is cut off even if no two passes agree on anything."""
_LEFT = 1.0
"""Seconds of sound that a cut leaves at least: in less, Whisper makes words up."""
_LEFT_BY_FORCE = 2.0
_OVERLAP = 3
"""Words at a seam that may be heard on both of its sides."""
_MOST_AT_ONCE = 8
"""Utterances that may be spoken at once, one a channel, and some that were never finished."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a pass heard: words and where each begins and ends (s from the pass's first sample)."""

    words: tuple[str, ...] = ()
    starts: tuple[float, ...] = ()
    ends: tuple[float, ...] = ()

    def after(self, count: int, seconds: float = 0.0) -> Heard:
        """Return all but the first `count` words, as heard from `seconds` later."""
        starts = tuple(start - seconds for start in self.starts[count:])
        return Heard(self.words[count:], starts, tuple(end - seconds for end in self.ends[count:]))


def heard_words(text: str, timed: Sequence[Word], duration: float) -> Heard:
    """Split a text at its spaces, and give each part its time.

    Args:
        timed: the same text in the pieces that the model aligned; times in seconds.
        duration: seconds over which the words are spread evenly if nothing was aligned.
    """
    words = tuple(text.split())
    if not timed:
        edges = [duration * number / max(1, len(words)) for number in range(len(words) + 1)]
        return Heard(words, tuple(edges[:-1]), tuple(edges[1:]))
    starts, ends = [], []
    reached, wanted, at = 0, 0, 0
    for word in words:
        starts.append(timed[min(at, len(timed) - 1)].start)
        wanted += len(word)
        while reached < wanted and at < len(timed):
            reached += len("".join(timed[at].text.split()))
            at += 1
        ends.append(timed[max(0, at - 1)].end)
    return Heard(words, tuple(starts), tuple(ends))


class GrowingText:
    """Stable and tentative text of one utterance; `stable` only ever grows."""

    def __init__(self) -> None:
        self.begin = 0
        """Sample of the utterance from which the next pass listens."""
        self.language: str | None = None
        self._kept: list[str] = []
        self._agreement = LocalAgreement()
        self._last = Heard()

    @property
    def cut(self) -> bool:
        """Whether the beginning of the utterance has been left behind."""
        return self.begin > 0

    @property
    def kept(self) -> str:
        """The text of what was left behind."""
        return " ".join(self._kept)

    def ready(self, length: int) -> bool:
        """Prepare for a pass over an utterance of `length` samples; return whether to time words.

        The sound that a pass would listen to is cut to its newest `LONGEST` seconds.
        """
        surplus = (length - self.begin) / SAMPLE_RATE - LONGEST
        if surplus > 0:
            self._leave(sum(end <= surplus for end in self._last.ends), surplus)
        return (length - self.begin) / SAMPLE_RATE > _TIMED

    def hear(self, heard: Heard, length: int) -> None:
        """Take what a pass heard in the samples from `begin` to `length`."""
        self._last = self._without_overlap(heard)
        self._agreement.update(self._last.words)
        duration = (length - self.begin) / SAMPLE_RATE
        if duration > _TIMED:
            self._leave_behind(self._confirmed(), duration - _LEFT)
        duration = (length - self.begin) / SAMPLE_RATE
        if duration > _FULL:
            self._leave_behind(len(self._last.words), duration - _LEFT_BY_FORCE, force=True)

    def transcript(self) -> Transcript:
        """Return the text as it stands."""
        stable, tentative = self._agreement.current()
        together = " ".join(filter(None, (self.kept, stable)))
        return Transcript(together, tentative, language=self.language, is_final=False)

    def _without_overlap(self, heard: Heard) -> Heard:
        """Drop the words at the front that were heard before the seam already."""
        for count in range(min(_OVERLAP, len(self._kept), len(heard.words)), 0, -1):
            if [*map(bare, self._kept[-count:])] == [*map(bare, heard.words[:count])]:
                return heard.after(count)
        return heard

    def _confirmed(self) -> int:
        """Return how many words of the last pass are stable, if it still hears the stable ones."""
        stable = self._agreement.stable
        return len(stable) if self._agreement.agrees(self._last.words) else 0

    def _leave_behind(self, most: int, latest: float, force: bool = False) -> None:
        """Leave up to `most` words behind, and no sound later than `latest` seconds."""
        starts = (*self._last.starts[1:], math.inf)
        gaps = [
            min((end + start) / 2, end + _LEFT)
            for end, start in zip(self._last.ends, starts, strict=False)
        ]
        count = sum(gap <= latest for gap in gaps[:most])
        if count or force:
            self._leave(count, gaps[count - 1] if count else latest)

    def _leave(self, count: int, seconds: float) -> None:
        """Keep the first `count` words for good and listen `seconds` later from now on.

        Confirmed words that the last pass did not hear again can't be placed in time: all are kept.
        """
        placed = self._agreement.agrees(self._last.words)
        stable = len(self._agreement.stable)
        self._kept += self._agreement.release(count if placed else max(count, stable))
        self.begin += round(seconds * SAMPLE_RATE)
        self._last = self._last.after(count, seconds)


class GrowingTexts:
    """The texts of all that is being spoken, by `Utterance.index`."""

    def __init__(self) -> None:
        self._texts: OrderedDict[int, GrowingText] = OrderedDict()

    def __len__(self) -> int:
        return len(self._texts)

    def of(self, index: int) -> GrowingText:
        """Return the text of an utterance, a new one if it is not known."""
        text = self._texts.setdefault(index, GrowingText())
        self._texts.move_to_end(index)
        if len(self._texts) > _MOST_AT_ONCE:
            self._texts.popitem(last=False)
        return text

    def finish(self, index: int) -> None:
        """Forget an utterance that is complete."""
        self._texts.pop(index, None)
