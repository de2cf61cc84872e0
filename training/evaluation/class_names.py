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

KOTE_NAMES = (
    "불평/불만", "환영/호의", "감동/감탄", "지긋지긋", "고마움", "슬픔", "화남/분노", "존경",
    "기대감", "우쭐댐/무시함", "안타까움/실망", "비장함", "의심/불신", "뿌듯함", "편안/쾌적",
    "신기함/관심", "아껴주는", "부끄러움", "공포/무서움", "절망", "한심함", "역겨움/징그러움",
    "짜증", "어이없음", "없음", "패배/자기혐오", "귀찮음", "힘듦/지침", "즐거움/신남", "깨달음",
    "죄책감", "증오/혐오", "흐뭇함(귀여움/예쁨)", "당황/난처", "경악", "부담/안_내킴", "서러움",
    "재미없음", "불쌍함/연민", "놀람", "행복", "불안/걱정", "기쁨", "안심/신뢰",
)  # fmt: skip
"""The 44 labels of KOTE in the order of their ids (Jeon, Lee & Kim 2022, arXiv 2205.05300)."""


def class_of(name: str) -> str | None:
    """Return the class a corpus's name stands for, None when it is none of the seven."""
    return CLASS_NAMES.get(name.strip().lower())
