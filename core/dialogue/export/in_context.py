"""How the report shows what the dialogue said of a turn, beside what the turn itself said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.dialogue.export.wording import (
    clock,
    context_phrase,
    emotion_word,
    languages_phrase,
    words,
)
from core.dialogue.influence import Reading, emotion_shifts
from core.types import ContextResult, ModelInfo, Turn, seconds

_NAMED = 3
"""So many turns that were attended to are named."""


@dataclass(frozen=True, slots=True)
class ShownReading:
    """A reading of a turn that differs: what it is called, its label and phrase, on what it rests,
    and whether it is not sure.
    """

    name: str
    label: str
    phrase: str
    details: str
    uncertain: bool


class ContextView:
    """What the dialogue said of the turns of one recording, in words.

    Shifts are marked where a dialogue model read the turns, and are those of its readings.
    """

    def __init__(self, turns: Sequence[Turn], language: str) -> None:
        self._language = language
        self._words = words(language)
        self._turns = {turn.index: turn for turn in turns}
        found = emotion_shifts(turns, Reading.CONTEXT) if self.model else ()
        self._shifts: Mapping[int, str] = {shift.turn: shift.before for shift in found}

    @property
    def model(self) -> ModelInfo | None:
        """The dialogue model; None where turns were not read in context."""
        return next((t.context.model for t in self._turns.values() if t.context), None)

    @property
    def help(self) -> str:
        """Say what the readings are, and which languages the model that gave them learned from.

        What a shift is, is said where there are any: none are without the speakers.
        """
        learned = "" if self.model is None else languages_phrase(self.model, self._language)
        shift = self._words["shift_help"] if self._shifts else ""
        return " ".join(part for part in (self._words["context_help"], shift, learned) if part)

    def readings(self, turn: Turn) -> list[ShownReading]:
        """Return what the dialogue said where it differs from what was said before it."""
        found = []
        said = turn.emotion.given if turn.emotion is not None else ()
        for name, result in (("in_context", turn.context), ("with_hindsight", turn.hindsight)):
            if result is None:
                continue
            if result.label not in said:
                found.append(self._shown(self._words[name], result, turn.index))
            said = (result.label,)
        return found

    def shift(self, turn: Turn) -> str:
        """Return that the speaker's emotion changed, and from which; empty if it did not."""
        before = self._shifts.get(turn.index)
        if before is None:
            return ""
        return self._words["shift_from"].format(emotion_word(before, self._language))

    def _shown(self, name: str, result: ContextResult, index: int) -> ShownReading:
        phrase = context_phrase(result, self._language)
        details = self._details(result, index)
        return ShownReading(name, result.label, phrase, details, result.uncertain)

    def _details(self, result: ContextResult, index: int) -> str:
        """Say why it is not sure, what the model says of the turn alone, and where it looked most.

        That is, at which other turns.
        """
        alone = emotion_word(result.label_alone, self._language)
        parts = [self._words[doubt.value] for doubt in result.doubts]
        parts.append(f"{self._words['alone']}: {alone} {100 * max(result.alone):.0f} %")
        others = [
            (weight, self._turns[turn])
            for turn, weight in zip(result.turns, result.attention, strict=bool(result.attention))
            if turn != index and turn in self._turns
        ]
        strongest = sorted(others, key=lambda pair: -pair[0])[:_NAMED]
        if strongest:
            named = ", ".join(
                f"{clock(seconds(turn.start))} {turn.speaker or ''}".strip()
                + f" {100 * weight:.0f} %"
                for weight, turn in strongest
            )
            parts.append(f"{self._words['looked_at']}: {named}")
        return " · ".join(parts)
