"""Text with the errors of a speech recogniser: what sounds alike is confused, words go missing.

Korean syllables are taken apart into their letters (jamo): a lax stop becomes a tense or aspirated
one, neighbouring vowels change places, a final consonant is lost or gained, as recognisers (and
listeners) do. Latin letters are confused with those of a similar sound.
"""

from __future__ import annotations

import numpy as np

from training.data.augment.config import RecognitionErrorsConfig

_FIRST_SYLLABLE, _LAST_SYLLABLE = 0xAC00, 0xD7A3
_VOWELS, _FINALS = 21, 28

_INITIAL_GROUPS = ((0, 1, 15), (3, 4, 16), (7, 8, 17), (9, 10), (12, 13, 14), (2, 5), (11, 18))
"""ㄱㄲㅋ, ㄷㄸㅌ, ㅂㅃㅍ, ㅅㅆ, ㅈㅉㅊ, ㄴㄹ, ㅇㅎ by their number in a syllable."""
_VOWEL_GROUPS = ((1, 5, 3, 7), (4, 8), (10, 11, 15), (13, 18), (18, 20), (16, 20), (0, 4), (19, 20))
"""ㅐㅔㅒㅖ, ㅓㅗ, ㅙㅚㅞ, ㅜㅡ, ㅡㅣ, ㅟㅣ, ㅏㅓ, ㅢㅣ."""
_FINAL_GROUPS = (
    (0, 4),
    (0, 21),
    (0, 8),
    (1, 2, 24),
    (7, 19, 20, 22, 23, 25),
    (4, 21, 16),
    (17, 26),
)
"""none-ㄴ, none-ㅇ, none-ㄹ, ㄱㄲㅋ, ㄷㅅㅆㅈㅊㅌ, ㄴㅇㅁ, ㅂㅍ."""
_LATIN_GROUPS = (
    "ae", "ei", "iy", "ou", "aou", "bp", "dt", "gk", "ckq", "cs", "sz", "fv", "vw", "mn", "lr",
    "jg",
)  # fmt: skip


def with_recognition_errors(
    text: str, config: RecognitionErrorsConfig, generator: np.random.Generator
) -> str:
    """Return a text as it might have been recognised; never empty unless it was."""
    if generator.random() >= config.chance:
        return text
    words = _without_some_words(text.split(), config.drop_word, generator)
    altered = "".join(_altered(character, config, generator) for character in " ".join(words))
    kept = " ".join(altered.split())
    return kept or " ".join(words) or text


def confused(character: str, generator: np.random.Generator) -> str:
    """Return a character that sounds like this one; one that sounds like no other stays."""
    code = ord(character)
    if _FIRST_SYLLABLE <= code <= _LAST_SYLLABLE:
        return _confused_syllable(code - _FIRST_SYLLABLE, generator)
    partners = [group for group in _LATIN_GROUPS if character.lower() in group]
    if not partners:
        return character
    group = partners[generator.integers(len(partners))].replace(character.lower(), "")
    chosen = group[generator.integers(len(group))]
    return chosen.upper() if character.isupper() else chosen


def _confused_syllable(number: int, generator: np.random.Generator) -> str:
    """Replace one letter of a syllable (0 is 가) by one that is easily mistaken for it."""
    letters = [number // (_VOWELS * _FINALS), number // _FINALS % _VOWELS, number % _FINALS]
    tables = (_INITIAL_GROUPS, _VOWEL_GROUPS, _FINAL_GROUPS)
    choices = [
        (place, other)
        for place, (letter, table) in enumerate(zip(letters, tables, strict=True))
        for group in table
        if letter in group
        for other in group
        if other != letter
    ]
    if choices:
        place, other = choices[generator.integers(len(choices))]
        letters[place] = other
    initial, vowel, final = letters
    return chr(_FIRST_SYLLABLE + (initial * _VOWELS + vowel) * _FINALS + final)


def _without_some_words(
    words: list[str], chance: float, generator: np.random.Generator
) -> list[str]:
    draws = generator.random(len(words))
    kept = [word for word, draw in zip(words, draws, strict=True) if draw >= chance]
    return kept or words[:1]


def _altered(
    character: str, config: RecognitionErrorsConfig, generator: np.random.Generator
) -> str:
    """Return what a recogniser makes of a character; spaces and marks are left alone."""
    if not character.isalnum() or generator.random() >= config.rate:
        return character
    kind = generator.random()
    if kind < config.substitute:
        return confused(character, generator)
    if kind < config.substitute + config.delete:
        return ""
    return character + confused(character, generator)
