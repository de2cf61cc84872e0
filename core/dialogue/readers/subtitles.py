"""SubRip and WebVTT transcripts, read with pysubs2."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pysubs2
from pysubs2.exceptions import Pysubs2Error

from core.dialogue.readers.speakers import split_speaker, without_emotion_lines
from core.dialogue.readers.text_file import read_text
from core.dialogue.recording import Annotation
from core.errors import TranscriptFileError

_TIMES = re.compile(r"^\s*(\S.*?)\s*-->\s*(\S+)", re.MULTILINE)
_TIMESTAMP = re.compile(r"^(?:\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{1,3}$")
_TAG = re.compile(r"</?(?!v[\s.])[a-zA-Z0-9:.][^<>]*>")
_VOICE_END = re.compile(r"</v>")


def read_srt(path: Path) -> list[Annotation]:
    """Return the cues of a SubRip file in file order. Raises TranscriptFileError."""
    return _read(path, "srt")


def read_vtt(path: Path) -> list[Annotation]:
    """Return the cues of a WebVTT file in file order. Raises TranscriptFileError."""
    return _read(path, "vtt")


def _read(path: Path, kind: str) -> list[Annotation]:
    text = read_text(path)
    _check_times(path, text)
    try:
        # Tags are kept: a voice tag names the speaker.
        cues = pysubs2.SSAFile.from_string(text, format_=kind, keep_html_tags=True)
    except (Pysubs2Error, ValueError, IndexError) as error:
        raise TranscriptFileError(f"{path} is no {kind.upper()} file.", _REMEDY) from error
    return [_annotation(cue.start, cue.end, cue.text, kind) for cue in cues]


_REMEDY = "Write times as 00:01:02,345 --> 00:01:04,000 with the text below."


def _check_times(path: Path, text: str) -> None:
    """Name the first line whose times nobody can read: the parser would skip its cue silently."""
    for match in _TIMES.finditer(text):
        for stamp in match.groups():
            if not _TIMESTAMP.match(stamp):
                line = text.count("\n", 0, match.start(1)) + 1
                problem = f"{path}, line {line}: {stamp!r} is no time."
                raise TranscriptFileError(problem, _REMEDY)


def _annotation(start: int, end: int, text: str, kind: str) -> Annotation:
    speaker, words = split_speaker(_plain(text.replace("\\N", "\n")))
    words = without_emotion_lines(words)
    if kind == "vtt" and speaker is not None:
        speaker = html.unescape(speaker)
    words = html.unescape(words) if kind == "vtt" else words
    return Annotation(start / 1000, end / 1000, " ".join(words.split()), speaker)


def _plain(text: str) -> str:
    """Remove every tag but a voice tag."""
    return _TAG.sub("", _VOICE_END.sub("", text))
