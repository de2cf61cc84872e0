from __future__ import annotations

import pytest

from core.models.language import detect_language
from core.models.tokenizer import TextTokenizer
from core.resources import embedded_checkpoint


@pytest.fixture(scope="module")
def tokenizer() -> TextTokenizer:
    return TextTokenizer.load(embedded_checkpoint() / "processor")


@pytest.mark.parametrize(
    "text",
    [
        "I can't believe you did that.",
        "Kids are talking by the door.",
        "yes",
        "Thank you so much!",
        "What a wonderful café.",
        "I’m puzzled",
        "Get out of here, 2019 was terrible",
    ],
)
def test_english_is_known(tokenizer: TextTokenizer, text: str) -> None:
    assert detect_language(text, tokenizer) == "en"


@pytest.mark.parametrize(
    "text",
    [
        "너한테 그 말을 들으니까 정말 마음이 아프다.",
        "네",
        "ㅋㅋㅋㅋ",
        "Netflix에서 봤어요",
        "OK 알겠어",
    ],
)
def test_korean_is_known(tokenizer: TextTokenizer, text: str) -> None:
    assert detect_language(text, tokenizer) == "ko"


@pytest.mark.parametrize(
    "text",
    [
        "Ona była wtedy jeszcze bardzo młoda.",  # Polish
        "To jest moja ulubiona ksiazka do czytania",  # Polish without diacritics
        "Der Lappen liegt auf dem Eisschrank.",  # German
        "Das will sie am Mittwoch abgeben.",
        "Je ne sais pas ce que tu veux dire",  # French
        "No me gusta nada lo que dices",  # Spanish
        "Ik ben heel blij vandaag",  # Dutch
        "今日はとても楽しかった",  # Japanese
        "你今天怎么样",  # Chinese
        "Мне очень грустно сегодня",  # Russian
        "",
        "12345 !!!",
        "😂😂",
    ],
)
def test_another_language_or_none_is_unknown(tokenizer: TextTokenizer, text: str) -> None:
    assert detect_language(text, tokenizer) is None
