"""The names that corpora give to the seven classes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from core.labels import EMOTIONS

_SYNONYMS = {
    # calm was recorded for RAVDESS as a second neutral (Livingstone & Russo 2018, PLoS ONE 13(5))
    "neutral": ("calm", "neutrality", "neu"),
    "happy": ("happiness", "joy", "joyful", "hap"),
    "angry": ("anger", "mad", "ang"),
    "surprise": ("surprised", "sur"),
    "sad": ("sadness", "sorrow"),
    "fear": ("fearful", "scared", "afraid", "fea"),
    "disgust": ("disgusted", "disqust", "dis"),
}

CLASS_NAMES: Mapping[str, str] = MappingProxyType(
    {name: c for c in EMOTIONS for name in (c, *_SYNONYMS[c])}
)


def class_of(name: str) -> str | None:
    """Return the class a corpus's name stands for, None when it is none of the seven."""
    return CLASS_NAMES.get(name.strip().lower())
