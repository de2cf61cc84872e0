from __future__ import annotations

import unicodedata

import pytest

from core.quality.error_rates import character_error_rate, word_error_rate, word_errors


def test_substituted_left_out_and_added_words_are_counted() -> None:
    said, heard = (
        ["the train is late", "we wait", "so it goes"],
        ["the rain is late", "wait", "so it goes on"],
    )
    counts = word_errors(said, heard)
    assert (counts.substitutions, counts.deletions, counts.insertions) == (1, 1, 1)
    assert counts.rate == pytest.approx(3 / 9)


def test_errors_count_over_all_texts_not_text_by_text() -> None:
    assert word_error_rate(["a b c d", "e"], ["a b c d", "x"]) == pytest.approx(1 / 5)


def test_case_punctuation_and_composition_are_no_errors() -> None:
    assert word_error_rate("It's late, isn't it?", "its LATE isnt it") == 0.0
    assert character_error_rate("안녕", unicodedata.normalize("NFD", "안녕")) == 0.0


def test_korean_is_counted_by_syllable_and_spacing_is_no_error() -> None:
    assert character_error_rate("안녕 하세요", "안녕하세여") == pytest.approx(1 / 5)
    assert word_error_rate("안녕 하세요", "안녕하세요") == pytest.approx(1.0)


@pytest.mark.parametrize(("said", "rate"), [("", 0.0), ("anything at all", 1.0)])
def test_where_nothing_was_said_everything_recognised_is_wrong(said: str, rate: float) -> None:
    assert word_error_rate("", said) == rate


def test_nothing_compared_is_no_error_and_unequal_numbers_are_refused() -> None:
    assert word_error_rate([], []) == 0.0
    with pytest.raises(ValueError, match="2 references"):
        word_error_rate(["a", "b"], ["a"])
