"""LocalAgreement-2: what two passes agree on is stable for good."""

from __future__ import annotations

import random

from core.asr.agreement import LocalAgreement


def test_a_word_is_stable_once_two_passes_agree_on_it() -> None:
    agreement = LocalAgreement()
    assert agreement.update(["I", "was"]) == ("", "I was")
    assert agreement.update(["I", "was", "there"]) == ("I was", "there")
    assert agreement.update(["I", "was", "their", "friend"]) == ("I was", "their friend")


def test_case_and_punctuation_do_not_count_as_disagreement() -> None:
    agreement = LocalAgreement()
    agreement.update(["정말", "좋아요."])
    assert agreement.update(["정말", "좋아요", "그래서"]) == ("정말 좋아요", "그래서")


def test_a_pass_that_hears_less_takes_nothing_back() -> None:
    agreement = LocalAgreement()
    agreement.update(["we", "walked", "home"])
    agreement.update(["we", "walked", "home"])
    assert agreement.update([]) == ("we walked home", "")
    assert agreement.update(["completely", "different"])[0] == "we walked home"


def test_stable_text_only_grows_whatever_the_passes_say() -> None:
    draw = random.Random(3)
    agreement = LocalAgreement()
    before: list[str] = []
    for length in range(1, 200):
        words = [draw.choice("abc") if draw.random() < 0.1 else "x" for _ in range(length // 4)]
        stable = agreement.update(words)[0].split()
        assert stable[: len(before)] == before
        before = stable
    assert before
