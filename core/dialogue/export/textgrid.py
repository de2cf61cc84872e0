"""Praat TextGrid: per speaker a tier of words and tiers of emotions.

Where a dialogue model read the turns, a tier holds what it said of each when it was the newest, and
one what it said in the end.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

from praatio import textgrid
from praatio.utilities.constants import Interval

from core.dialogue.export.wording import emotion_word, given_words
from core.dialogue.recording import Recording, speakers_of
from core.types import ContextResult, Turn, seconds

EMOTION_TIER = " (emotion)"
"""Ends the names of tiers that readers must not take for a speaker."""

CONTEXT_TIER = f" in context{EMOTION_TIER}"
HINDSIGHT_TIER = f" with hindsight{EMOTION_TIER}"

NOBODY = "speech"
"""Tier of turns whose speaker is not known."""


def write(recording: Recording, language: str) -> str:
    """Return the turns as a TextGrid in Praat's long text format.

    Intervals of one tier can't overlap: where turns of one speaker do, the earlier one ends early.
    """
    length = max([recording.duration_seconds, 0.001, *(seconds(t.end) for t in recording.turns)])
    grid = textgrid.Textgrid(0, length)
    for speaker in speakers_of(recording.turns) or (None,):
        turns = [turn for turn in recording.turns if turn.speaker == speaker]
        name = _tier_name(speaker, grid.tierNames)
        grid.addTier(_tier(name, turns, _words, length))
        labels = _tier(f"{name}{EMOTION_TIER}", turns, lambda t: _label(t, language), length)
        grid.addTier(labels)
        for ending, read in _READINGS.items():
            if any(read(turn) for turn in turns):
                said = partial(_said, read=read, language=language)
                grid.addTier(_tier(f"{name}{ending}", turns, said, length))
    return _as_text(grid)


def _tier_name(speaker: str | None, taken: Sequence[str]) -> str:
    name = " ".join((speaker or NOBODY).split()) or NOBODY
    return name if name not in taken else f"{name} {len(taken)}"


def _words(turn: Turn) -> str:
    return " ".join(turn.transcript.text.split()) if turn.transcript else ""


def _label(turn: Turn, language: str) -> str:
    if turn.emotion is None:
        return ""
    return given_words(turn.emotion, language) + ("?" if turn.emotion.uncertain else "")


_READINGS: Mapping[str, Callable[[Turn], ContextResult | None]] = MappingProxyType(
    {CONTEXT_TIER: lambda turn: turn.context, HINDSIGHT_TIER: lambda turn: turn.hindsight}
)


def _said(turn: Turn, read: Callable[[Turn], ContextResult | None], language: str) -> str:
    result = read(turn)
    return "" if result is None else emotion_word(result.label, language)


def _tier(
    name: str, turns: Sequence[Turn], text: Callable[[Turn], str], length: float
) -> textgrid.IntervalTier:
    entries = []
    nexts = [*(seconds(turn.start) for turn in turns[1:]), length]
    for turn, following in zip(turns, nexts, strict=False):
        start, end = seconds(turn.start), min(seconds(turn.end), following)
        if end > start:
            entries.append(Interval(start, end, text(turn)))
    return textgrid.IntervalTier(name, entries, 0, length)


def _as_text(grid: textgrid.Textgrid) -> str:
    # praatio writes to files only.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dialogue.TextGrid"
        grid.save(str(path), format="long_textgrid", includeBlankSpaces=True)
        return path.read_text(encoding="utf-8")
