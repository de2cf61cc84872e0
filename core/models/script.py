"""Which languages a text can be in, told from its letters alone."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from core.models.language import KOREAN_SHARE

SCRIPTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "HANGUL": frozenset({"ko"}),
        "HIRAGANA": frozenset({"ja"}),
        "KATAKANA": frozenset({"ja"}),
        "CJK": frozenset({"zh", "ja"}),
        "CYRILLIC": frozenset({"ru", "uk", "be", "bg", "sr", "mk", "kk", "ky", "mn"}),
        "GREEK": frozenset({"el"}),
        "HEBREW": frozenset({"he", "yi"}),
        "ARABIC": frozenset({"ar", "fa", "ur", "ps", "ug"}),
        "DEVANAGARI": frozenset({"hi", "mr", "ne", "sa"}),
        "BENGALI": frozenset({"bn", "as"}),
        "TAMIL": frozenset({"ta"}),
        "TELUGU": frozenset({"te"}),
        "THAI": frozenset({"th"}),
        "GEORGIAN": frozenset({"ka"}),
        "ARMENIAN": frozenset({"hy"}),
    }
)
"""Script (the first word of a letter's Unicode name) -> ISO 639-1 codes written in it."""

_NOT_LATIN = frozenset().union(*SCRIPTS.values())


def script_of(text: str) -> str | None:
    """Return the script most letters of a text are in, None without letters."""
    names = (unicodedata.name(c, "").split(" ")[0] for c in text if c.isalpha())
    counted = Counter(name.split("-")[0] for name in names if name)
    if not counted:
        return None
    if counted["HANGUL"] >= KOREAN_SHARE * counted.total():
        return "HANGUL"
    if counted["HIRAGANA"] + counted["KATAKANA"] > 0 and counted["CJK"]:
        return "HIRAGANA"  # Japanese mixes three scripts; Chinese has no kana
    return counted.most_common(1)[0][0]


def language_among(text: str, languages: tuple[str, ...]) -> str | None:
    """Return the first of `languages` whose script the text is written in, None if there is none.

    Languages of one script can't be told apart this way: a German text counts as English to a
    model that knows English only, as a name or a foreign phrase in a subtitle would.
    """
    script = script_of(text)
    if script is None:
        return None
    for language in languages:
        if language in SCRIPTS.get(script, ()):
            return language
        if script == "LATIN" and language not in _NOT_LATIN:
            return language
    return None
