"""What whoever feeds a waveform model needs from its processor: the app, training and the bench.

A processor cuts an utterance into pieces the model can take, makes each what the model was trained
on, turns text into tokens, and puts both into a batch. It keeps no state, so it may be shared
between threads; how much evidence an utterance gives is measured elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from core.types import FloatArray

if TYPE_CHECKING:
    from core.models.outputs import ModelInputs
    from core.models.tokenizer import TokenizedText


@dataclass(frozen=True, slots=True)
class SpeechPiece:
    """A stretch of an utterance as the model takes it.

    Attributes:
        waveform: (n,) prepared samples, to be handed to `batch`.
        start, seconds: where it lies, in seconds from the start of the utterance.
        weight: how much of the speech it holds; the weights of all pieces sum to one.
    """

    waveform: FloatArray
    start: float
    seconds: float
    weight: float


class PreparesWaveforms(Protocol):
    """The processor of a model that takes samples instead of measured frames."""

    @property
    def languages(self) -> tuple[str, ...]:
        """ISO 639-1 codes whose text the model knows; empty: it takes no text."""

    @property
    def longest_seconds(self) -> float:
        """Longer speech is judged in pieces, or cut."""

    def pieces(self, samples: FloatArray) -> tuple[SpeechPiece, ...]:
        """Cut mono samples (n,) at 16 kHz into prepared pieces of at most `longest_seconds`."""

    def prepare(self, samples: FloatArray) -> FloatArray:
        """Prepare mono samples (n,) as one piece; what is too long is cut off."""

    def understands(self, text: str, language: str | None) -> bool:
        """Tell whether a text (not empty) may enter the model; language: ISO 639-1 or None."""

    def language_of(self, text: str) -> str | None:
        """Return the language of a text if it can be told from its letters, else None."""

    def tokenize(self, text: str) -> TokenizedText:
        """Return the subwords of a text and their spans of characters."""

    def batch(
        self,
        speech: Sequence[FloatArray] | None = None,
        texts: Sequence[TokenizedText] | None = None,
    ) -> ModelInputs:
        """Pad prepared waveforms, and tokens, to the longest of each."""
