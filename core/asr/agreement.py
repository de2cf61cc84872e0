"""Text that grows while somebody speaks: what two passes agree on is stable.

LocalAgreement-2 of Macháček, Dabre and Bojar (2023), "Turning Whisper into Real-Time Transcription
System", section 3: the longest common prefix of two consecutive hypotheses is confirmed, and a
confirmed word is never taken back.
"""

from __future__ import annotations

from collections.abc import Sequence


class LocalAgreement:
    """The hypotheses of one utterance."""

    def __init__(self) -> None:
        self._stable: list[str] = []
        self._previous: list[str] = []

    @property
    def stable(self) -> tuple[str, ...]:
        """The confirmed words."""
        return tuple(self._stable)

    @property
    def words(self) -> tuple[str, ...]:
        """The confirmed words and those the last pass heard after them."""
        return (*self._stable, *self._previous[len(self._stable) :])

    def update(self, words: Sequence[str]) -> tuple[str, str]:
        """Take the words of a new pass; return stable and tentative text."""
        confirmed = len(self._stable)
        agreed = common_prefix(self._previous, words)
        if agreed > confirmed:
            self._stable += words[confirmed:agreed]
        self._previous = list(words)
        return self.current()

    def current(self) -> tuple[str, str]:
        """Return stable and tentative text without a new pass."""
        return " ".join(self._stable), " ".join(self.words[len(self._stable) :])

    def agrees(self, words: Sequence[str]) -> bool:
        """Whether `words` begin with the confirmed ones."""
        return common_prefix(self._stable, words) == len(self._stable)

    def release(self, count: int) -> tuple[str, ...]:
        """Hand over the first `count` words for good: later passes begin after them."""
        released = self.words[:count]
        self._stable = self._stable[count:]
        self._previous = self._previous[count:]
        return released


def common_prefix(first: Sequence[str], second: Sequence[str]) -> int:
    """Return how many leading words are the same but for case and punctuation."""
    count = 0
    for a, b in zip(first, second, strict=False):
        if bare(a) != bare(b):
            break
        count += 1
    return count


def bare(word: str) -> str:
    """Return a word without what passes may disagree on: case and punctuation."""
    return "".join(character for character in word.casefold() if character.isalnum()) or word
