"""Text files as they come: UTF-8, UTF-16 with its mark, or Korean Windows (cp949)."""

from __future__ import annotations

import codecs
from pathlib import Path

from core.errors import TranscriptFileError

LARGEST = 64 * 2**20
"""Bytes; a transcript of a day has a few megabytes."""


def read_text(path: Path) -> str:
    """Return the text of a file with "\\n" line ends. Raises TranscriptFileError."""
    try:
        if path.stat().st_size > LARGEST:
            raise TranscriptFileError(f"{path} is too large for a transcript.", "Choose another.")
        content = path.read_bytes()
    except IsADirectoryError as error:
        raise TranscriptFileError(f"{path} is a folder.", "Choose a file inside it.") from error
    except OSError as error:
        problem = f"{path} can't be read ({error.strerror})."
        raise TranscriptFileError(problem, "Check its name and permissions.") from error
    text = _decode(path, content)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decode(path: Path, content: bytes) -> str:
    utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if utf16 else ("utf-8-sig", "cp949"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise TranscriptFileError(
        f"{path} is not a text file in UTF-8 or Korean Windows encoding.",
        "Save it as UTF-8.",
    )
