from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import CorpusError
from training.data.corpora import goemotions, kote
from training.data.text_corpora import read_corpus, split_rows
from training.data.text_rows import TextRow

LABELS = ["joy", "anger", "neutral"]


def corpus(tmp_path: Path, name: str, part: str, text: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "labels.txt").write_text("\n".join(LABELS), encoding="utf-8")
    (folder / f"{part}.tsv").write_text(text, encoding="utf-8")
    return folder


def test_goemotions_rows_keep_quotes_and_several_labels(tmp_path: Path) -> None:
    folder = corpus(tmp_path, "goemotions_en", "dev", 'He said "no"\t0,1\tid1\nPlain\t2\tid2\n')
    first, second = goemotions.read(folder, "dev")
    assert first == TextRow('He said "no"', ("joy", "anger"), "goemotions_en", "en", 0)
    assert second.labels == ("neutral",)


def test_the_translation_needs_no_comment_id(tmp_path: Path) -> None:
    folder = corpus(tmp_path, "goemotions_ko", "train", "좋아\t0\n")
    assert goemotions.read(folder, "train")[0].language == "ko"


def test_kote_rows_are_unquoted(tmp_path: Path) -> None:
    folder = corpus(tmp_path, "kote", "val", '7\t"그는 ""싫다"" 했다"\t1,2\n8\t좋아\t0\n')
    rows = kote.read(folder, "val")
    assert rows[0].text == '그는 "싫다" 했다'
    assert rows[1].labels == ("joy",)


@pytest.mark.parametrize(
    "bad", ["no tab here", "text\t9\tid", "text\tjoy\tid", "\t0\tid", "a\t\tid"]
)
def test_a_malformed_goemotions_row_is_named(tmp_path: Path, bad: str) -> None:
    folder = corpus(tmp_path, "goemotions_en", "dev", f"fine\t0\tid\n{bad}\n")
    with pytest.raises(CorpusError, match=r"dev\.tsv, line 2"):
        goemotions.read(folder, "dev")


@pytest.mark.parametrize("bad", ["only two\tfields", "1\ttext\t9", '1\t"torn', "1\t\t0"])
def test_a_malformed_kote_row_is_named(tmp_path: Path, bad: str) -> None:
    folder = corpus(tmp_path, "kote", "val", f"7\tfine\t0\n{bad}\n")
    with pytest.raises(CorpusError, match=r"val\.tsv, line"):
        kote.read(folder, "val")


def test_a_missing_part_or_label_file_is_named(tmp_path: Path) -> None:
    folder = corpus(tmp_path, "kote", "val", "")
    with pytest.raises(CorpusError, match=r"train\.tsv"):
        kote.read(folder, "train")
    (folder / "labels.txt").unlink()
    with pytest.raises(CorpusError, match=r"labels\.txt"):
        kote.read(folder, "val")


def test_an_unknown_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="unheard"):
        read_corpus(tmp_path, "unheard", "train")


def test_parallel_rows_share_a_part_and_nothing_is_lost() -> None:
    english = [TextRow(f"e{n}", (), "en", "en", n) for n in range(100)]
    korean = [TextRow(f"k{n}", (), "ko", "ko", n) for n in range(100)]
    parts = [split_rows(rows, (0.7, 0.2, 0.1), seed=3) for rows in (english, korean)]
    for one, other in zip(*parts, strict=True):
        assert [row.number for row in one] == [row.number for row in other]
    assert [len(part) for part in parts[0]] == [70, 20, 10]
    assert split_rows(english, (0.7, 0.2, 0.1), seed=4)[0] != parts[0][0]
