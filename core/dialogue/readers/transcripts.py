"""Transcripts beside a recording: found, read, put in order, and what was wrong with them said."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from core.dialogue.recording import Annotation
from core.errors import TranscriptFileError
from core.types import Message

READERS: dict[str, str] = {
    ".srt": "core.dialogue.readers.subtitles:read_srt",
    ".vtt": "core.dialogue.readers.subtitles:read_vtt",
    ".textgrid": "core.dialogue.readers.textgrid:read",
    ".csv": "core.dialogue.readers.table:read",
    ".tsv": "core.dialogue.readers.table:read",
}
"""Reader by suffix, in the order in which a transcript beside a recording is looked for."""

SHORTEST = 0.02
"""Seconds; what is shorter can't be judged."""


@dataclass(frozen=True, slots=True)
class TranscriptFile:
    """What a transcript file says, ordered by start, and what was odd about it."""

    path: Path
    annotations: tuple[Annotation, ...]
    messages: tuple[Message, ...] = ()


def find_transcript(media: Path, beside: Iterable[Path] | None = None) -> Path | None:
    """Return the transcript of the same name beside a recording, or None.

    Args:
        media: the recording.
        beside: files to choose from; None: those of its folder, which is listed for that.
    """
    try:
        files = sorted(media.parent.iterdir() if beside is None else beside)
    except OSError:
        return None
    by_suffix = {p.suffix.lower(): p for p in files if p.stem == media.stem and p != media}
    return next((by_suffix[suffix] for suffix in READERS if suffix in by_suffix), None)


def read_transcript(path: Path) -> TranscriptFile:
    """Read a transcript, whatever its format.

    Empty lines and impossible times are left out and counted in `messages`, as are overlaps and
    lines out of order (which are kept). Raises TranscriptFileError, naming file and line, when
    the file can't be read or nothing in it can be used.
    """
    name = READERS.get(path.suffix.lower())
    if name is None:
        kinds = ", ".join(suffix[1:] for suffix in READERS)
        raise TranscriptFileError(f"{path} is no transcript known here.", f"Known are {kinds}.")
    module, function = name.split(":")
    reader: Callable[[Path], Sequence[Annotation]] = getattr(import_module(module), function)
    return tidy(path, reader(path))


def tidy(path: Path, annotations: Sequence[Annotation]) -> TranscriptFile:
    """Put annotations in order and say what was odd. Raises TranscriptFileError if none is left."""
    usable = [a for a in annotations if a.text.strip() and _possible(a)]
    if not usable:
        raise TranscriptFileError(
            f"{path} has no line with a text and a time.",
            "Take it away to have the speech recognised instead.",
        )
    ordered = sorted(usable, key=lambda a: (a.start, a.end))
    counts = {
        "transcript_lines_skipped": len(annotations) - len(usable),
        "transcript_out_of_order": _out_of_order(usable),
        "transcript_overlaps": _overlaps(ordered),
    }
    messages = tuple(
        Message(code, {"name": path.name, "count": str(count)})
        for code, count in counts.items()
        if count
    )
    return TranscriptFile(path, tuple(ordered), messages)


def _possible(annotation: Annotation) -> bool:
    times = (annotation.start, annotation.end)
    return all(map(math.isfinite, times)) and 0 <= annotation.start <= annotation.end - SHORTEST


def _out_of_order(annotations: Sequence[Annotation]) -> int:
    """Count the lines that begin before the line above them, by the same speaker."""
    latest: dict[str | None, float] = {}
    count = 0
    for annotation in annotations:
        count += annotation.start < latest.get(annotation.speaker, 0.0)
        latest[annotation.speaker] = annotation.start
    return count


def _overlaps(ordered: Sequence[Annotation]) -> int:
    """Count lines that begin while the same speaker is still speaking."""
    busy: dict[str | None, float] = {}
    count = 0
    for annotation in ordered:
        # A frame of rounding is no overlap.
        count += annotation.start < busy.get(annotation.speaker, 0.0) - 0.05
        busy[annotation.speaker] = max(annotation.end, busy.get(annotation.speaker, 0.0))
    return count
