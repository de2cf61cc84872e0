from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import CheckpointError
from core.models.tokenizer import TextTokenizer

LINES = [
    "I really love this, thank you so much!",
    "Why would you do that? That is so sad.",
    "정말 고마워요, 너무 행복해요.",
    "왜 그런 말을 하는 거야? 정말 화가 나.",
] * 20


@pytest.fixture(scope="module")
def tokenizer() -> TextTokenizer:
    return TextTokenizer.train(LINES, 600)


def test_spans_point_into_the_text(tokenizer: TextTokenizer) -> None:
    text = "I  LOVE 정말 this!!!!"
    tokens = tokenizer.encode(text)
    pieces = [piece.strip() for piece in tokens.pieces(text)[1:]]
    assert "".join(pieces).replace(" ", "").startswith("ILOVE정말this!")
    assert tokens.spans[0] == (0, 0)
    assert len(tokens.ids) == len(tokens.spans)


def test_case_width_and_repeated_marks_do_not_matter(tokenizer: TextTokenizer) -> None:
    assert tokenizer.encode("LOVE!!!!!!").ids == tokenizer.encode("ｌｏｖｅ!!").ids
    assert tokenizer.encode("ㅋㅋㅋㅋㅋ").ids == tokenizer.encode("ㅋㅋ").ids


@pytest.mark.parametrize("text", ["🦄", "뷁", "Zażółć gęślą jaźń", "\u0000", "漢字"])
def test_unseen_characters_are_spelled_in_bytes(tokenizer: TextTokenizer, text: str) -> None:
    assert len(tokenizer.encode(text).ids) > 1
    assert tokenizer.encode(text).ids != tokenizer.encode("").ids


def test_an_empty_text_is_one_start_token(tokenizer: TextTokenizer) -> None:
    assert len(tokenizer.encode("  ").ids) == 1


def test_a_long_text_is_cut(tokenizer: TextTokenizer) -> None:
    short = TextTokenizer.train(LINES, 600, max_tokens=8)
    assert len(short.encode("really love " * 50).ids) == 8
    assert [len(ids) for ids in short.encode_ids(["love " * 50])] == [8]


def test_batches_agree_with_single_texts(tokenizer: TextTokenizer) -> None:
    texts = ["Thank you!", "화가 나", ""]
    assert tokenizer.encode_ids(texts) == [list(tokenizer.encode(text).ids) for text in texts]


def test_merge_dropout_cuts_texts_another_way_only_while_asked(tokenizer: TextTokenizer) -> None:
    whole = tokenizer.encode_ids(LINES)
    dropped = tokenizer.encode_ids(LINES, dropout=0.5)
    assert sum(map(len, dropped)) > sum(map(len, whole))
    assert tokenizer.encode_ids(LINES) == whole


def test_saving_and_loading_changes_nothing(tokenizer: TextTokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path)
    loaded = TextTokenizer.load(tmp_path)
    assert loaded.encode_ids(LINES) == tokenizer.encode_ids(LINES)
    assert (loaded.vocabulary_size, loaded.pad_id) == (tokenizer.vocabulary_size, tokenizer.pad_id)


def test_a_damaged_or_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"tokenizer\.json"):
        TextTokenizer.load(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"tokenizer\.json"):
        TextTokenizer.load(tmp_path)
