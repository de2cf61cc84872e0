"""Rates of words and characters that recognition got wrong, by hand."""

from __future__ import annotations

import pytest

from training.multitask.word_errors import CER, WER, recognition_errors


def test_english_is_judged_by_words():
    found = recognition_errors(
        ["Kids are talking, by the door.", "yes"], ["kids are walking", "yes"]
    )
    assert found.main == WER
    assert found.rate == found.wer == pytest.approx(4 / 7)  # one word is wrong, three are lacking
    assert found.cer == pytest.approx((1 + 9) / (23 + 3))  # t became w; nine are lacking
    assert (found.texts, found.without) == (2, 0)


def test_korean_is_judged_by_syllables_and_spacing_is_an_error_of_words_only():
    found = recognition_errors(["오늘은 비가 온다"], ["오늘은비가 온가"])
    assert found.main == CER
    assert found.rate == found.cer == pytest.approx(1 / 7)
    assert found.wer == pytest.approx(1.0)


def test_rows_that_say_nothing_are_left_out_whatever_was_recognised():
    found = recognition_errors([None, "", " …", "a b"], ["x", "y z", "", "a"])
    assert (found.texts, found.without) == (1, 3)
    assert found.wer == pytest.approx(1 / 2)
    assert found.words.insertions == 0


def test_nothing_recognised_is_everything_wrong_and_more_than_all_can_be():
    assert recognition_errors(["a b"], [""]).wer == 1
    assert recognition_errors(["a"], ["b c d"]).wer == 3
    assert recognition_errors([None], ["a"]).wer == 0
    assert recognition_errors([], []).texts == 0


def test_unequal_numbers_are_refused():
    with pytest.raises(ValueError, match="zip"):
        recognition_errors(["a"], [])
