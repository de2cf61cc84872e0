"""Whether a file is all there, where FFmpeg takes what is left of it for the whole."""

from __future__ import annotations

import struct
from pathlib import Path

OGG_TAIL = 1 << 17
"""Bytes at the end of a file in which the last Ogg page (at most 64 KiB) begins."""

UNKNOWN_SIZES = (0, 0xFFFFFFFF, 0x7FFFFFFF)
"""Data sizes in a WAV header that was written to a pipe and never completed."""


def stated_wav_bytes(path: Path) -> int | None:
    """Return the length of the data chunk as a RIFF header states it, None when it does not."""
    with path.open("rb") as file:
        if file.read(4) != b"RIFF" or not file.seek(8) or file.read(4) != b"WAVE":
            return None
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            if name == b"data":
                return None if size in UNKNOWN_SIZES else size
            file.seek(size + size % 2, 1)
    return None


def ogg_is_complete(path: Path) -> bool:
    """Return whether the last page of an Ogg file is marked as the end of its stream."""
    with path.open("rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - OGG_TAIL))
        tail = file.read()
    page = tail.rfind(b"OggS")
    return page >= 0 and len(tail) > page + 5 and bool(tail[page + 5] & 4)
