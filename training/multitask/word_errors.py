"""How much of what was said recognition got wrong: words (WER) and characters (CER), by JiWER."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.models.script import script_of
from core.quality.error_rates import ErrorCounts, character_errors, plain, word_errors

WER, CER = "wer", "cer"


@dataclass(frozen=True, slots=True)
class RecognitionErrors:
    """Errors over all texts together, not a mean of rates.

    Attributes:
        words: by words; of Korean by what stands between spaces (eojeol), where spacing is a matter
            of taste. characters: by characters or syllables, without spaces.
        main: the figure that is usual for what is written, `WER`, or `CER` for Hangul.
        texts: how many were compared; `without`: rows that had no reference, which are left out.
    """

    words: ErrorCounts
    characters: ErrorCounts
    main: str
    texts: int
    without: int

    @property
    def wer(self) -> float:
        """Wrong words by words said; it may pass 1."""
        return self.words.rate

    @property
    def cer(self) -> float:
        """Wrong characters by characters said; it may pass 1."""
        return self.characters.rate

    @property
    def rate(self) -> float:
        """The main figure."""
        return {WER: self.wer, CER: self.cer}[self.main]


def recognition_errors(
    references: Sequence[str | None], hypotheses: Sequence[str]
) -> RecognitionErrors:
    """Compare what was said with what was recognised, text by text.

    Case, punctuation and how Hangul is composed are no errors. A reference that is None, or has no
    letters or digits, says nothing about what was said: its row is left out and counted.

    Raises:
        ValueError: there are not as many of one as of the other.
    """
    pairs = list(zip(references, hypotheses, strict=True))
    told = [(said, heard) for said, heard in pairs if said is not None and plain(said)]
    said, heard = [s for s, _ in told], [h for _, h in told]
    return RecognitionErrors(
        word_errors(said, heard),
        character_errors(said, heard),
        CER if script_of(" ".join(said)) == "HANGUL" else WER,
        len(told),
        len(pairs) - len(told),
    )
