"""What recognition writes: symbols that training texts are spelled with.

Characters and syllables are one symbol per composed letter (a Hangul syllable is one). Jamo are the
letters of Hangul syllables, initial, vowel and final, as Unicode decomposes them; composing them
again is exact (Unicode Standard, section 3.12).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import Self

import torch
from torch import Tensor

from core.errors import ConfigError
from core.quality.error_rates import plain
from training.losses.ctc import BLANK
from training.multitask.config import UNITS

_FIRST_SYLLABLE, _LAST_SYLLABLE = "가", "힣"
_JAMO = "jamo"


@dataclass(frozen=True, slots=True)
class SpelledTexts:
    """Texts of B rows as numbers.

    Attributes:
        symbols: (B, L) numbers from 1, zeros beyond the end; L is at least 1.
        counts: (B,) symbols of each; 0 of a row without a text.
        dropped: symbols that the vocabulary lacks, over all rows.
    """

    symbols: Tensor
    counts: Tensor
    dropped: int


@dataclass(frozen=True)
class Vocabulary:
    """Symbols by number, the first is 1; 0 is the blank.

    A vocabulary is known by its symbols alone, so these are what a model keeps of it.

    Args:
        symbols: each once; Hangul either in syllables or in jamo.

    Raises:
        ConfigError: a symbol occurs twice or is empty.
    """

    symbols: tuple[str, ...]
    _numbers: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        numbers = {symbol: number for number, symbol in enumerate(self.symbols, BLANK + 1)}
        if len(numbers) != len(self.symbols) or "" in numbers:
            raise ConfigError("A vocabulary must have each symbol once, and none that is empty.")
        object.__setattr__(self, "_numbers", numbers)

    @classmethod
    def build(cls, texts: Iterable[str | None], units: str = "characters") -> Self:
        """Return the vocabulary of texts, in the order of Unicode; None is no text.

        Args:
            units: of `training.multitask.config.UNITS`. Characters and syllables differ in name
                only: which is meant for what.

        Raises:
            ConfigError: there are no such units, or the texts hold nothing to be written.
        """
        if units not in UNITS:
            raise ConfigError(f"There are no units {units!r}.", f"There are: {', '.join(UNITS)}.")
        spoken = (plain(text) for text in texts if text)
        found = {symbol for text in spoken for symbol in _spelled(text, apart=units == _JAMO)}
        if not found - {" "}:
            raise ConfigError(
                "No training row has a text, so recognition can't be learned.",
                "Leave the loss of recognition out, or use a corpus with texts.",
            )
        return cls(tuple(sorted(found)))

    @property
    def in_jamo(self) -> bool:
        """Whether Hangul is written in jamo: there is no syllable among the symbols."""
        return not any(_is_syllable(symbol) for symbol in self.symbols)

    def encode(self, text: str) -> tuple[int, ...]:
        """Return the numbers of a text's symbols; those that are not here are left out."""
        return tuple(n for s in self._apart(text) if (n := self._numbers.get(s)) is not None)

    def dropped(self, text: str) -> int:
        """Return how many symbols of a text are not here."""
        return sum(symbol not in self._numbers for symbol in self._apart(text))

    def spell(self, texts: Sequence[str | None]) -> SpelledTexts:
        """Return the texts of a batch; None is no text."""
        rows = [torch.tensor(self.encode(text or ""), dtype=torch.int64) for text in texts]
        counts = torch.tensor([len(row) for row in rows], dtype=torch.int64)
        symbols = torch.full((len(rows), max(1, *map(len, rows), 0)), BLANK, dtype=torch.int64)
        for at, row in enumerate(rows):
            symbols[at, : len(row)] = row
        return SpelledTexts(symbols, counts, sum(self.dropped(text or "") for text in texts))

    def decode(self, numbers: Iterable[int]) -> str:
        """Return the text of numbers, with jamo composed to syllables; blanks are passed over."""
        joined = "".join(self.symbols[n - 1] for n in numbers if n != BLANK)
        return " ".join(unicodedata.normalize("NFC", joined).split())

    def greedy(self, logits: Tensor, lengths: Tensor) -> list[str]:
        """Return the texts of the likeliest alignments, a symbol per run of equal positions.

        Args:
            logits: (B, T, V + 1), the blank at 0. lengths: (B,) positions that count.
        """
        best = logits.argmax(dim=2).tolist()
        cut = (row[:length] for row, length in zip(best, lengths.tolist(), strict=True))
        return [self.decode(number for number, _ in groupby(row)) for row in cut]

    def _apart(self, text: str) -> tuple[str, ...]:
        return _spelled(plain(text), apart=self.in_jamo)


def _spelled(text: str, *, apart: bool) -> tuple[str, ...]:
    """Return the symbols of a normalised text, with syllables taken apart or whole."""
    if not apart:
        return tuple(text)
    return tuple(chain.from_iterable(_jamo(c) if _is_syllable(c) else c for c in text))


def _jamo(syllable: str) -> str:
    return unicodedata.normalize("NFD", syllable)


def _is_syllable(symbol: str) -> bool:
    return len(symbol) == 1 and _FIRST_SYLLABLE <= symbol <= _LAST_SYLLABLE
