"""Recordings, folders and lists of them in; every recording once, and what was left out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.dialogue.export.formats import FORMATS
from core.dialogue.readers.transcripts import READERS
from core.errors import ConfigError

_MEDIA = """3g2 3gp aac ac3 aif aifc aiff amr ape asf au avi caf dts eac3 f4v flac flv gsm m2ts m4a
    m4b m4v mka mkv mov mp2 mp3 mp4 mpc mpeg mpg mts mxf oga ogg ogv opus ra rm snd sph spx tak ts
    tta voc vob w64 wav weba webm wma wmv wv"""
MEDIA = frozenset(_MEDIA.split())
"""Suffixes taken for recordings in a folder, all of which FFmpeg opens (PyAV is built with it). A
file that is named is tried whatever its suffix."""

LIST = "@"
"""What marks a text file with a name per line."""


@dataclass(frozen=True, slots=True)
class Found:
    """A recording, and the folder under the results' folder that its results belong in."""

    path: Path
    folder: Path = Path()


@dataclass(frozen=True, slots=True)
class Inputs:
    """Recordings in the order they were named (those of a folder by name); what was left out."""

    recordings: tuple[Found, ...]
    skipped: tuple[Path, ...] = ()


def find_inputs(named: Sequence[str | Path], results: Path) -> Inputs:
    """Return the recordings that are meant.

    A folder stands for all recordings in it and below, and their results are laid out as they are.
    "@FILE" stands for the names in a text file, one a line, from that file's own folder on; what
    follows a "#" at the beginning of a line is no name.

    Args:
        named: recordings, folders and lists.
        results: the folder of the results; what lies in it is no input.

    Raises:
        ConfigError: a list can't be read, or no recording is left.
    """
    recordings: list[Found] = []
    skipped: list[Path] = []
    seen: set[str] = set()
    for path in _listed(named):
        if not path.is_dir() or _is_media(path):
            recordings.append(Found(path))
            seen.add(_real(path))
            continue
        inside = list(_walk(path, _real(results)))
        media = [file for file in inside if _is_media(file)]
        new = [file for file in media if _real(file) not in seen]
        seen.update(map(_real, new))
        recordings += [Found(file, file.parent.relative_to(path)) for file in new]
        skipped += [file for file in inside if not _is_media(file) and not _is_companion(file)]
        skipped += [] if media else [path]
    if not recordings:
        raise ConfigError(
            f"There are no recordings in {', '.join(map(str, named))}.",
            "Name recordings, or a folder with some in it.",
        )
    return Inputs(tuple(recordings), tuple(skipped))


def _listed(named: Sequence[str | Path]) -> Iterator[Path]:
    for name in map(str, named):
        if name.startswith(LIST) and not Path(name).exists():
            yield from _read_list(Path(name[len(LIST) :]))
        else:
            yield Path(name)


def _read_list(path: Path) -> Iterator[Path]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise ConfigError(
            f"The list {path} can't be read ({reason}).", "It has a name of a file on every line."
        ) from error
    names = (line.strip() for line in lines)
    return (path.parent / name for name in names if name and not name.startswith("#"))


def _walk(folder: Path, results: str) -> Iterator[Path]:
    """Yield the files under a folder by name, but for hidden ones and those of the results."""
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and _real(here / name) != results
        )
        yield from (here / name for name in sorted(files) if not name.startswith("."))


def _real(path: Path) -> str:
    """Return one name for all names of a file; of links in a circle their own."""
    return os.path.realpath(path)


def _is_media(file: Path) -> bool:
    return file.suffix[1:].lower() in MEDIA


def _is_companion(file: Path) -> bool:
    """Tell a transcript, or an earlier result, from a file that nothing is done with."""
    suffixes = {kind.suffix.lower() for kind in FORMATS.values()}
    return file.suffix.lower() in READERS or file.suffix.lower() in suffixes
