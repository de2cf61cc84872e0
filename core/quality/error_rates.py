"""Word and character error rates of recognised text, counted by JiWER.

What does not change what was said is taken away first: case, punctuation, and how Hangul is
composed. Korean is compared by syllable without spaces, since spacing is a matter of taste there.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorCounts:
    """Edits that turn references into hypotheses; `length` is that of the references."""

    substitutions: int
    deletions: int
    insertions: int
    length: int

    @property
    def errors(self) -> int:
        """Edits altogether."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """Edits by length; with nothing to be said, 0 if nothing was recognised, else 1."""
        return self.errors / self.length if self.length else float(self.errors > 0)


def word_error_rate(reference: str | Sequence[str], hypothesis: str | Sequence[str]) -> float:
    """Return the share of words that are wrong, over one text or all of several."""
    return word_errors(_listed(reference), _listed(hypothesis)).rate


def character_error_rate(reference: str | Sequence[str], hypothesis: str | Sequence[str]) -> float:
    """Return the share of characters (Korean: syllables) that are wrong; spaces do not count."""
    return character_errors(_listed(reference), _listed(hypothesis)).rate


def word_errors(references: Sequence[str], hypotheses: Sequence[str]) -> ErrorCounts:
    """Count wrong words. Raises ValueError if there are not as many of one as of the other."""
    return _counts([plain(r) for r in references], [plain(h) for h in hypotheses])


def character_errors(references: Sequence[str], hypotheses: Sequence[str]) -> ErrorCounts:
    """Count wrong characters, spaces left out. Raises ValueError like `word_errors`."""
    return _counts([_spelled(r) for r in references], [_spelled(h) for h in hypotheses])


def _counts(references: list[str], hypotheses: list[str]) -> ErrorCounts:
    if len(references) != len(hypotheses):
        raise ValueError(f"{len(references)} references, but {len(hypotheses)} hypotheses")
    if not references:
        return ErrorCounts(0, 0, 0, 0)
    import jiwer

    found = jiwer.process_words(references, hypotheses)
    length = found.hits + found.substitutions + found.deletions
    return ErrorCounts(found.substitutions, found.deletions, found.insertions, length)


def _listed(text: str | Sequence[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def plain(text: str) -> str:
    """Return words in lower case, without punctuation, one space between them, letters composed.

    An apostrophe leaves no gap (it's: its), any other sign does.
    """
    composed = unicodedata.normalize("NFC", text).casefold()
    kept = (c if unicodedata.category(c)[0] in "LMN" else _gap(c) for c in composed)
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))


def _gap(sign: str) -> str:
    """Return what stands for a sign that is no letter: nothing within a word (it's), else a gap."""
    return "" if sign in "'’" else " "


def _spelled(text: str) -> str:
    """Return the characters of a text as words of their own."""
    return " ".join(plain(text).replace(" ", ""))
