"""SubRip and WebVTT: the words as subtitles, the speaker before them and the emotion after.

The emotion stands on a line of its own between angle quotation marks, which readers of these
files (`core.dialogue.readers`) leave out again.
"""

from __future__ import annotations

import html
from collections.abc import Callable

from core.dialogue.export.wording import emotion_phrase
from core.dialogue.recording import Recording
from core.types import Turn, seconds

EMOTION_LINE = "‹{}›"


def write_srt(recording: Recording, language: str) -> str:
    """Return the turns as SubRip; a speaker is written as "[A] "."""
    cues = (
        f"{number}\n{_span(turn, ',')}\n{_srt_text(turn, language)}\n"
        for number, turn in enumerate(recording.turns, 1)
    )
    return "\n".join(cues)


def write_vtt(recording: Recording, language: str) -> str:
    """Return the turns as WebVTT; a speaker is a voice tag and the emotion is a class."""
    cues = (f"{_span(turn, '.')}\n{_vtt_text(turn, language)}\n" for turn in recording.turns)
    return "\n".join([f"WEBVTT\nLanguage: {language}\n", *cues])


def _span(turn: Turn, point: str) -> str:
    return f"{_time(turn.start, point)} --> {_time(turn.end, point)}"


def _time(sample: int, point: str) -> str:
    milliseconds = round(seconds(sample) * 1000)
    total, rest = divmod(milliseconds, 1000)
    return f"{total // 3600:02d}:{total // 60 % 60:02d}:{total % 60:02d}{point}{rest:03d}"


def _srt_text(turn: Turn, language: str) -> str:
    # A line that is empty would end the cue.
    speaker = f"[{_one_line(turn.speaker)}] " if turn.speaker else ""
    lines = [f"{speaker}{_words(turn)}".strip(), _emotion(turn, language, str)]
    return "\n".join(line for line in lines if line) or "…"


def _vtt_text(turn: Turn, language: str) -> str:
    words = html.escape(_words(turn), quote=False)
    if turn.emotion is not None and turn.emotion.given and words:
        classes = ".".join(_css_name(label) for label in turn.emotion.given)
        words = f"<c.{classes}>{words}</c>"
    lines = [line for line in (words, _emotion(turn, language, _escape)) if line]
    text = "\n".join(lines) or "…"
    return f"<v {_escape(_one_line(turn.speaker))}>{text}" if turn.speaker else text


def _words(turn: Turn) -> str:
    return _one_line(turn.transcript.text) if turn.transcript else ""


def _emotion(turn: Turn, language: str, escape: Callable[[str], str]) -> str:
    if turn.emotion is None:
        return ""
    return escape(EMOTION_LINE.format(emotion_phrase(turn.emotion, language)))


def _escape(text: str) -> str:
    return html.escape(text, quote=False)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _css_name(label: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in label)
