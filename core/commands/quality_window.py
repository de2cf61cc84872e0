"""What `emoscope quality --whisper` says of Whisper's short window."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rich.table import Table
from rich.text import Text

from core.asr.window_checks import (
    LEAST_EQUAL,
    LEAST_UNITS,
    LEAST_UTTERANCES,
    MOST_RISE,
    MOST_RISE_SURELY,
    LanguageErrors,
    WindowCheck,
)
from core.asr.word_errors import BY_CHARACTER

_COLUMNS = ("utterances", "same text", "differing", "30 s window", "short window")
_OBJECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "too_few_utterances": f"too little to tell: it takes {LEAST_UTTERANCES} utterances and "
        f"{LEAST_UNITS} words or syllables",
        "texts_differ": f"fewer than {100 * LEAST_EQUAL:g} % of the texts are the same",
        "words_differ": f"more than {100 * MOST_RISE:g} % of the words differ",
        "more_errors": f"errors rise by more than {100 * MOST_RISE:g} points, or may by more than "
        f"{100 * MOST_RISE_SURELY:g}",
    }
)


def window_table(check: WindowCheck) -> Table:
    """Return a row for every language: how texts differ, and error rates where it is known."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    made.add_column(f"whisper {check.model}")
    for name in _COLUMNS:
        made.add_column(name, justify="right")
    made.add_column("verdict", overflow="fold")
    for one in check.languages:
        made.add_row(_language(one), *_cells(one))
    return made


def _language(one: LanguageErrors) -> str:
    unit = "by character" if one.language in BY_CHARACTER else "by word"
    return f"{one.language or 'language unknown'}, {unit}"


def _cells(one: LanguageErrors) -> tuple[str | Text, ...]:
    whys = "; ".join(_OBJECTIONS.get(code, code) for code in one.objections)
    verdict = Text(f"does not pass: {whys}" if whys else "passes", "yellow" if whys else "green")
    return (
        str(one.utterances),
        f"{100 * one.equal / max(1, one.utterances):.1f} %",
        f"{100 * one.between:.2f} %",
        _rate(one.full),
        _rate(one.short),
        verdict,
    )


def _rate(errors: float | None) -> str:
    return "" if errors is None else f"{100 * errors:.2f} % wrong"


def window_lines(check: WindowCheck) -> tuple[str, ...]:
    """Say what follows for sessions with this model."""
    faster = f"The short window took 1/{check.speedup:g} of the processor's time here."
    good = ", ".join(one.language for one in check.languages if not one.objections)
    if not good:
        return (f"{check.model} goes on with windows of 30 s. {faster}",)
    return (f"{check.model} may look at the speech alone, in {good}. {faster}",)
