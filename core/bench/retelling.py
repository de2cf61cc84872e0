"""A random Whisper writes one text again and again; people don't, so here no text is like the last.

Else a session would find the text's encoding in its cache, which nobody's speech lets it do.
"""

from __future__ import annotations

from dataclasses import replace

from core.bench.whisper_model import WORDS
from core.pipeline.protocols import Transcriber
from core.types import Message, Transcript, Utterance

_CHANGED = 3
"""Words at the beginning that tell utterances apart: a thousand of them."""


class Retelling:
    """A transcriber over another one, whose work it lets be done as it is."""

    def __init__(self, inner: Transcriber) -> None:
        self._inner = inner

    @property
    def name(self) -> str:
        """Model name."""
        return self._inner.name

    @property
    def smaller(self) -> str | None:
        """Name of a model that takes less time."""
        return self._inner.smaller

    def warm_up(self) -> None:
        """Load what is needed. Raises RecognitionError."""
        self._inner.warm_up()

    def partial(self, utterance: Utterance) -> Transcript:
        """Transcribe a growing utterance."""
        return retold(self._inner.partial(utterance), utterance.index)

    def final(self, utterance: Utterance) -> Transcript:
        """Transcribe a complete utterance."""
        return retold(self._inner.final(utterance), utterance.index)

    def better(self, utterance: Utterance, transcript: Transcript) -> Transcript | None:
        """Look at a complete utterance again."""
        found = self._inner.better(utterance, retold(transcript, _AS_WRITTEN))
        return None if found is None else retold(found, utterance.index)

    def take_messages(self) -> tuple[Message, ...]:
        """Return what happened since the last call."""
        return self._inner.take_messages()


_AS_WRITTEN = int("".join(map(str, range(_CHANGED))))
"""The number of the text that Whisper writes: its first words are those of these places."""


def retold(transcript: Transcript, number: int) -> Transcript:
    """Return a text of as many tokens that begins with the words of a number's digits."""
    stable = transcript.stable.split()
    words = [*stable, *transcript.tentative.split()]
    digits = f"{number % 10**_CHANGED:0{_CHANGED}d}"
    told = [WORDS[int(digit)] for digit in digits[: len(words)]] + words[_CHANGED:]
    cut = len(stable)
    return replace(transcript, stable=" ".join(told[:cut]), tentative=" ".join(told[cut:]))
