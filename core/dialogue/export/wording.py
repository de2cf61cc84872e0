"""The words of exported documents, in English and Korean."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from core.types import EmotionResult

_EMOTIONS_KO: Mapping[str, str] = MappingProxyType(
    {
        "neutral": "중립",
        "happy": "기쁨",
        "angry": "분노",
        "surprise": "놀람",
        "sad": "슬픔",
        "fear": "두려움",
        "disgust": "혐오",
    }
)


def emotion_word(label: str, language: str) -> str:
    """Return the word for a class; one without a translation keeps its own name."""
    return _EMOTIONS_KO.get(label, label) if language == "ko" else label


def emotion_phrase(emotion: EmotionResult, language: str) -> str:
    """Return for example "happy 71 %", with a question mark when the result is uncertain."""
    doubt = "?" if emotion.uncertain else ""
    return f"{emotion_word(emotion.label, language)}{doubt} {emotion.confidence * 100:.0f} %"
