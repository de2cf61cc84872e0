"""What was understood last: it helps with what comes next, and must not mislead it."""

from __future__ import annotations

from dataclasses import dataclass

from core.asr.agreement import bare
from core.types import SAMPLE_RATE, Utterance

RECENT = 10.0
"""Seconds after which a text says nothing about the next one."""
PROMPT_CHARACTERS = 120
_REMEMBERED = 4
"""Texts of each channel."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A text that passed every gate.

    end: sample index where its utterance ended. likelihood: mean log-probability of its tokens, as
    `core.asr.decoder.Decoder.likelihood` has it; None where that is not known.
    """

    index: int
    end: int
    speaker: str | None
    language: str
    text: str
    likelihood: float | None = None


class AcceptedTexts:
    """The newest accepted texts of every channel.

    An utterance may be accepted several times (each pause, the end, a second look): the last counts
    and none is context for another of the same utterance.
    """

    def __init__(self) -> None:
        self._newest: dict[int, list[Accepted]] = {}
        self._language: str | None = None

    def accept(
        self, utterance: Utterance, language: str, text: str, likelihood: float | None = None
    ) -> None:
        """Remember a text; if it is of an utterance that is known, in the place of its text."""
        new = Accepted(
            utterance.index, utterance.end, utterance.speaker, language, text, likelihood
        )
        kept = self._newest.get(utterance.channel, [])
        if any(entry.index == new.index for entry in kept):
            kept = [new if entry.index == new.index else entry for entry in kept]
        elif not kept or kept[-1].index < new.index:  # a second look may come too late
            kept = [*kept, new][-_REMEMBERED:]
            self._language = language
        self._newest[utterance.channel] = kept

    def likelihood_of(self, utterance: Utterance, text: str) -> float | None:
        """Return how likely an accepted text of this utterance was, if that is known."""
        kept = self._newest.get(utterance.channel, [])
        known = (e for e in kept if (e.index, e.text) == (utterance.index, text))
        return next((entry.likelihood for entry in known), None)

    def forget(self, utterance: Utterance) -> None:
        """Take back what was accepted in a pause of an utterance that came to nothing."""
        kept = self._newest.get(utterance.channel, [])
        self._newest[utterance.channel] = [e for e in kept if e.index != utterance.index]

    def language_for(self, utterance: Utterance) -> str | None:
        """Return what was spoken last on this channel, or at all; None at the beginning."""
        kept = self._newest.get(utterance.channel)
        return kept[-1].language if kept else self._language

    def prompt_for(self, utterance: Utterance, language: str) -> str | None:
        """Return the end of what the same speaker said just before, in the same language."""
        kept = self._newest.get(utterance.channel, [])
        before = [entry for entry in kept if entry.index < utterance.index]
        if not before or not _leads_to(before[-1], utterance, language):
            return None
        return tail(before[-1].text) or None


def _leads_to(entry: Accepted, utterance: Utterance, language: str) -> bool:
    pause = (utterance.start - entry.end) / SAMPLE_RATE
    same = (entry.speaker, entry.language) == (utterance.speaker, language)
    return same and 0 <= pause <= RECENT


def tail(text: str) -> str:
    """Return the last whole words of a text that fit a prompt."""
    if len(text) <= PROMPT_CHARACTERS:
        return text
    return text[-PROMPT_CHARACTERS:].partition(" ")[2]


def repeats(text: str, prompt: str) -> bool:
    """Whether a text says no more than its prompt: Whisper writes that where nothing is said."""
    return bare(text) == bare(prompt)
