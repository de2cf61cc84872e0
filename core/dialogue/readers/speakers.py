"""Who speaks, as subtitle files write it: "[A] ...", "A: ...", "<v A>..."."""

from __future__ import annotations

import re

_BRACKET = re.compile(r"^\[(?P<name>[^\]\n]{1,40})\][:\s]*(?P<text>.*)$", re.DOTALL)
_COLON = re.compile(r"^(?P<name>[^\s:：\d][^:：\n]{0,23})[:：]\s+(?P<text>\S.*)$", re.DOTALL)
_VOICE = re.compile(r"^<v(?:\.[^\s>]+)?\s+(?P<name>[^>]+)>(?P<text>.*)$", re.DOTALL)
_EMOTION_LINE = re.compile(r"^‹.*›$")
_SOUNDS = frozenset(
    (
        *("music", "applause", "laughter", "laughs", "laughing", "noise", "silence", "sighs"),
        *("inaudible", "음악", "박수", "웃음", "소음"),
    )
)
"""What stands in brackets without being a name."""


def split_speaker(text: str) -> tuple[str | None, str]:
    """Return (speaker, words) of one subtitle; the speaker is None when none is named."""
    text = text.strip()
    for pattern, is_name in ((_VOICE, bool), (_BRACKET, _is_no_sound), (_COLON, _is_name)):
        match = pattern.match(text)
        if match and is_name(match["name"].strip()):
            return match["name"].strip(), match["text"].strip()
    return None, text


def _is_no_sound(name: str) -> bool:
    return bool(name) and name.split()[0].lower() not in _SOUNDS


def _is_name(name: str) -> bool:
    """Tell "Mary Ann: yes" and "화자 1: 네" from "Well, he said: no"."""
    first, *others = name.split()
    names = all(not word[0].islower() for word in others)
    return len(others) < 3 and names and "," not in name and _is_no_sound(first)


def without_emotion_lines(text: str) -> str:
    """Drop the lines in which our own subtitle exports name the emotion."""
    return "\n".join(line for line in text.split("\n") if not _EMOTION_LINE.match(line.strip()))
