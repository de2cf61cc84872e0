"""The recordings and transcripts of KEMDy19 and KEMDy20: finding, decoding and cleaning them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

SESSION_PREFIX = re.compile(r"^sess(?:ion)?0*(\d+)_", re.IGNORECASE)
"""What a segment's name begins with: its session."""

_SESSION_FOLDER = re.compile(r"^sess(?:ion)?0*(\d+)$", re.IGNORECASE)
_MARKS = re.compile(r"[cnNulb*+/]/")
_BRACKETS = re.compile(r"\([^)]*\)")
_FOREIGN = re.compile(r"[^\W\d_A-Za-z\u1100-\u11FF\u3130-\u318F\uAC00-\uD7A3]")
"""Letters that are neither Latin without accents nor Hangul: signs of a wrong encoding."""


class SegmentFiles:
    """The files below `wav`, by session and segment.

    Some names in a table begin with another session than the folder and the file do (session 17 of
    KEMDy20), so a segment is looked for in the folder of its table's session first, by what follows
    the session in its name.
    """

    def __init__(self, folder: Path) -> None:
        self._by_segment: dict[tuple[int, str, str], Path] = {}
        self._by_stem: dict[tuple[str, str], Path] = {}
        for path in sorted(folder.rglob("*")):
            suffix, stem = path.suffix.lower(), path.stem.lower()
            session = _SESSION_FOLDER.match(path.relative_to(folder).parts[0])
            if suffix in (".wav", ".txt") and session is not None:
                rest = SESSION_PREFIX.sub("", stem)
                self._by_segment.setdefault((int(session.group(1)), rest, suffix), path)
                self._by_stem.setdefault((stem, suffix), path)

    def find(self, session: int, rest: str, stem: str, suffix: str) -> Path | None:
        """Return the file of a segment, None if there is none.

        Args:
            session: of the table; rest: the segment's name behind its session; stem: all of it.
            suffix: ".wav" or ".txt".
        """
        path = self._by_segment.get((session, rest.lower(), suffix))
        return path if path is not None else self._by_stem.get((stem.lower(), suffix))


def decode_korean(data: bytes, encodings: Sequence[str]) -> str | None:
    """Return `data` in the first encoding that gives Korean, else the first that fits, else None.

    Both ways of mistaking one encoding for the other happen: "크" in cp949 is valid UTF-8, and
    Korean in UTF-8 can be valid cp949. Either shows as letters of other scripts.
    """
    fitting = []
    for encoding in encodings:
        try:
            fitting.append(data.decode(encoding))
        except UnicodeDecodeError:
            continue
    korean = [text for text in fitting if _FOREIGN.search(text) is None]
    return next(iter(korean or fitting), None)


def clean_transcript(text: str) -> str:
    """Return a transcript without its marks, as the RSA-CFN code does.

    Removed are marks of noise, breath, laughter and the like ("n/", "b/", "l/", "+/", "*/") and
    what stands in brackets (the other spelling of a number, a comment).
    """
    return " ".join(_BRACKETS.sub("", _MARKS.sub("", text)).split())
