"""Praat TextGrids, read with praatio: one interval tier per speaker."""

from __future__ import annotations

from pathlib import Path

from praatio import textgrid
from praatio.utilities.errors import PraatioException

from core.dialogue.export.textgrid import EMOTION_TIER, NOBODY
from core.dialogue.recording import Annotation
from core.errors import TranscriptFileError

_FINE_TIERS = ("word", "phone", "syllable", "phoneme", "segment")
"""Tiers a forced aligner adds below the utterances."""


def read(path: Path) -> list[Annotation]:
    """Return the intervals of every tier of utterances. Raises TranscriptFileError."""
    try:
        grid = textgrid.openTextgrid(
            str(path), includeEmptyIntervals=False, reportingMode="silence"
        )
    except (OSError, PraatioException, ValueError, IndexError, KeyError) as error:
        problem = f"{path} is no TextGrid that can be read ({_reason(error)})."
        raise TranscriptFileError(problem, "Save it from Praat as a text file.") from error
    tiers = [tier for tier in grid.tiers if isinstance(tier, textgrid.IntervalTier)]
    wanted = [tier for tier in tiers if _is_utterances(tier.name)] or [
        tier for tier in tiers if not tier.name.endswith(EMOTION_TIER)
    ]
    names = [tier.name for tier in wanted]
    return [
        Annotation(float(entry.start), float(entry.end), " ".join(entry.label.split()), speaker)
        for tier, speaker in zip(wanted, _speakers(names), strict=True)
        for entry in tier.entries
    ]


def _is_utterances(name: str) -> bool:
    lowered = name.lower()
    return not lowered.endswith(EMOTION_TIER) and not any(fine in lowered for fine in _FINE_TIERS)


def _speakers(names: list[str]) -> list[str | None]:
    """Return who speaks on each tier; our own name for nobody is nobody again."""
    return [None if name.strip() in ("", NOBODY) else name.strip() for name in names]


def _reason(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:120] or type(error).__name__
