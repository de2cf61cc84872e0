"""Which text of an utterance a model reads, and why it may read none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.pipeline.verdict import ReadText
from core.types import Modality, Transcript

if TYPE_CHECKING:
    from core.models.checkpoint import LoadedModel

WORDS_A_SECOND = 3
"""Spoken at most, about: a look at the newest seconds of speech takes in so many words ..."""
LEAST_WORDS = 4
"""... but no fewer than these, or it would not know what is spoken of."""


def words_in(seconds: float) -> int:
    """Return how many of the newest words a look at the newest `seconds` takes in."""
    return max(LEAST_WORDS, round(WORDS_A_SECOND * seconds))


def read(loaded: LoadedModel, transcript: Transcript | None, words: int | None = None) -> ReadText:
    """Return the text that enters a model, as tokens, or a note of why none does.

    Args:
        words: the newest words only, so many; None: all of them.
    """
    modalities = loaded.specification.modalities
    if Modality.TEXT not in modalities:
        return ReadText()
    without = ("speech_only",) if Modality.SPEECH in modalities else ()
    if transcript is not None and transcript.rejection is not None:
        return ReadText(notes=("text_rejected", *without))
    text = transcript.text.strip() if transcript is not None else ""
    if transcript is None or not text:
        return ReadText(notes=without)
    if not loaded.processor.understands(text, transcript.language):
        return ReadText(notes=("text_language_unknown", *without))
    if words is not None:
        text = " ".join(text.split()[-words:])
    return ReadText(text, loaded.processor.tokenize(text))
