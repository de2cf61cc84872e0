"""Symbols of recognition: spelling, composing, and reading CTC logits."""

from __future__ import annotations

import unicodedata

import pytest
import torch

from core.errors import ConfigError
from core.quality.error_rates import character_error_rate, plain, word_error_rate
from training.multitask.vocabulary import Vocabulary

SYLLABLES = [chr(code) for code in range(0xAC00, 0xD7A4)]


def logits_of(paths: list[list[int]], symbols: int) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.tensor(paths), symbols + 1).float()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's LATE,  isn't it?", "its late isnt it"),
        ("well-known\tthing…", "well known thing"),
        ("Zażółć GĘŚLĄ jaźń!", "zażółć gęślą jaźń"),
        ("오늘은, 3시에 K-pop을…", "오늘은 3시에 k pop을"),
        (unicodedata.normalize("NFD", "Ćma 가각"), "ćma 가각"),
        ("?!", ""),
    ],
)
def test_texts_are_lowercased_and_lose_their_punctuation(text, expected):
    assert plain(text) == expected
    assert plain(expected) == expected


def test_normalising_costs_no_word_and_no_character():
    for text in ("It's LATE, isn't it?", "Straße — 3,5 km", "정말요? 응, 3시에 K-pop!"):
        assert word_error_rate(text, plain(text)) == 0
        assert character_error_rate(text, plain(text)) == 0


def test_jamo_of_every_syllable_compose_to_it_again():
    text = " ".join(SYLLABLES)
    vocabulary = Vocabulary.build([text], "jamo")
    assert len(SYLLABLES) == 11_172
    assert len(vocabulary.symbols) == 19 + 21 + 27 + 1
    assert vocabulary.decode(vocabulary.encode(text)) == text
    assert vocabulary.decode(vocabulary.encode(text.replace(" ", ""))) == text.replace(" ", "")


def test_a_syllable_has_an_initial_a_vowel_and_perhaps_a_final():
    vocabulary = Vocabulary.build(["각 가"], "jamo")
    assert vocabulary.symbols == (" ", "\u1100", "\u1161", "\u11a8")
    assert vocabulary.encode("각 가") == (2, 3, 4, 1, 2, 3)


@pytest.mark.parametrize("units", ["characters", "syllables", "jamo"])
def test_mixed_texts_come_back(units):
    text = "나는 k pop 3곡을 zażółć 들었다 ㅋㅋ"
    vocabulary = Vocabulary.build([text, "값 뷁"], units)
    assert vocabulary.decode(vocabulary.encode(text)) == text
    assert vocabulary.in_jamo == (units == "jamo")


def test_syllables_are_one_symbol_each_and_so_are_polish_letters():
    symbols = Vocabulary.build(["Żółw, 뷁!"], "syllables").symbols
    assert symbols == (" ", "w", "ó", "ł", "ż", "뷁")
    assert len(Vocabulary.build(["각각 가"], "syllables").encode("각 가")) == 3


def test_what_was_not_in_the_training_texts_is_left_out_and_counted():
    vocabulary = Vocabulary.build(["abc", None, ""])
    assert vocabulary.symbols == ("a", "b", "c")
    assert vocabulary.encode("Cab, x a!") == (3, 1, 2, 1)
    assert vocabulary.dropped("Cab, x a!") == 3  # x, and two spaces
    jamo = Vocabulary.build(["가"], "jamo")
    assert jamo.encode("갔") == (1, 2)
    assert jamo.dropped("갔") == 1


def test_numbers_start_behind_the_blank_and_do_not_depend_on_the_order_of_texts():
    one, other = Vocabulary.build(["ba", "c d"]), Vocabulary.build(["d c", "ab"])
    assert one == other
    assert one.symbols == (" ", "a", "b", "c", "d")
    assert one.encode(" a") == (2,)


@pytest.mark.parametrize("units", ["characters", "syllables", "jamo"])
def test_symbols_alone_make_the_same_vocabulary(units):
    built = Vocabulary.build(["Hello 안녕"], units)
    again = Vocabulary(built.symbols)
    assert again == built
    assert again.encode("hello 안녕") == built.encode("hello 안녕")
    assert again.decode(built.encode("안녕")) == "안녕"


def test_a_batch_is_filled_up_with_blanks():
    vocabulary = Vocabulary.build(["abc"])
    spelled = vocabulary.spell(["cab", None, "a?", "xyz"])
    assert spelled.symbols.tolist() == [[3, 1, 2], [0, 0, 0], [1, 0, 0], [0, 0, 0]]
    assert spelled.counts.tolist() == [3, 0, 1, 0]
    assert spelled.dropped == 3
    assert vocabulary.spell([None]).symbols.shape == (1, 1)


def test_greedy_reading_merges_runs_drops_blanks_and_stops_at_the_length():
    vocabulary = Vocabulary.build(["ab"])  # 1 is a, 2 is b
    paths = [[1, 1, 0, 1, 2, 2], [0, 2, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0]]
    read = vocabulary.greedy(logits_of(paths, 2), torch.tensor([6, 4, 6]))
    assert read == ["aab", "b", ""]


def test_greedy_reading_composes_jamo_and_tidies_spaces():
    vocabulary = Vocabulary.build(["각 가"], "jamo")
    path = [1, 2, 0, 3, 4, 1, 0, 1, 2, 3, 1]
    assert vocabulary.greedy(logits_of([path], 4), torch.tensor([11])) == ["각 가"]


def test_texts_without_anything_to_write_are_refused():
    with pytest.raises(ConfigError, match="No training row has a text"):
        Vocabulary.build([None, "", " ?! "])
    with pytest.raises(ConfigError, match="no units 'words'"):
        Vocabulary.build(["a"], "words")
    with pytest.raises(ConfigError, match="each symbol once"):
        Vocabulary(("a", "a"))
