"""The formats a dialogue can be written in, by name; each is one file of this package."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from core.dialogue.atomic import write_atomically
from core.dialogue.recording import Recording
from core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its file suffix and "module:function" of its writer (recording, language) -> text.

    `encoding` has a byte order mark where the usual reader of the format guesses wrong without.
    """

    suffix: str
    writer: str
    title: str
    encoding: str = "utf-8"


FORMATS: dict[str, Format] = {
    "jsonl": Format(".jsonl", "core.dialogue.export.jsonl:write", "JSON Lines"),
    "csv": Format(".csv", "core.dialogue.export.table:write", "CSV", "utf-8-sig"),
    "srt": Format(".srt", "core.dialogue.export.subtitles:write_srt", "SubRip"),
    "vtt": Format(".vtt", "core.dialogue.export.subtitles:write_vtt", "WebVTT"),
    "textgrid": Format(".TextGrid", "core.dialogue.export.textgrid:write", "Praat TextGrid"),
    "html": Format(".html", "core.dialogue.export.html:write", "HTML report"),
}

LANGUAGES = ("en", "ko")
"""Languages the words of an export can be in; what was said stays as it was."""


def render(recording: Recording, name: str, language: str = "en") -> str:
    """Return the text of a recording in a format. Raises ConfigError for an unknown name."""
    if name not in FORMATS:
        raise ConfigError(f"There is no format {name!r}.", f"Choose among {', '.join(FORMATS)}.")
    module, function = FORMATS[name].writer.split(":")
    writer: Callable[[Recording, str], str] = getattr(import_module(module), function)
    return writer(recording, language if language in LANGUAGES else "en")


def export(recording: Recording, name: str, path: Path, language: str = "en") -> Path:
    """Write a recording to `path` in the named format, atomically, and return the path.

    Raises ConfigError for an unknown format and JournalError when it can't be written.
    """
    write_atomically(path, render(recording, name, language), FORMATS[name].encoding)
    return path


def parse_formats(names: str | Iterable[str]) -> tuple[str, ...]:
    """Return the formats of "jsonl,html" or ["jsonl", "html"], each once. Raises ConfigError."""
    given = names.split(",") if isinstance(names, str) else names
    wanted = [name.strip().lower() for name in given if name.strip()]
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown or not wanted:
        raise ConfigError(
            f"There is no format {unknown[0]!r}." if unknown else "No format was named.",
            f"Choose among {', '.join(FORMATS)}.",
        )
    return tuple(dict.fromkeys(wanted))
