"""KEMDy19: two tables per session, folders per dialogue, columns 9-12."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import CorpusError
from tests.training.corpora.kemdy_factory import HEADER_19, row_19, write_pair, write_table
from training.data.corpora.kemdy19 import read

WOMAN = "Sess01_impro01_F001"
MAN = "Sess01_script02_M012"


def corpus(root: Path, woman: list[str], man: list[str] | None = None) -> Path:
    write_table(root, "Sess01_F_res.csv", HEADER_19, woman)
    if man is not None:
        write_table(root, "Sess01_M_res.csv", HEADER_19, man)
    write_pair(root, 1, WOMAN, "어서 와요".encode(), inside="Sess01_impro01")
    write_pair(root, 1, MAN, "고마워요".encode(), inside="Sess01_script02")
    return root


def test_a_row_becomes_an_example(tmp_path: Path) -> None:
    (example,) = read(corpus(tmp_path, [row_19(MAN, "neutral;fear", "2", "4")])).examples
    assert example.audio == tmp_path / "wav/Session01/Sess01_script02" / f"{MAN}.wav"
    assert (example.corpus, example.id, example.text) == ("kemdy19", MAN, "고마워요")
    assert example.labels == ("neutral", "fear")
    assert (example.valence, example.arousal) == (-0.5, 0.5)
    assert (example.speaker, example.gender) == ("kemdy19/Sess01_M", "M")
    assert (example.session, example.dialogue) == ("kemdy19/Sess01", "kemdy19/Sess01_script02")


def test_both_tables_give_each_segment_once(tmp_path: Path) -> None:
    rows = [row_19(WOMAN, "happy", "4", "4"), row_19(MAN)]
    reading = read(corpus(tmp_path, rows, list(reversed(rows))), strict=True)
    assert [e.id for e in reading.examples] == [WOMAN, MAN]


def test_the_second_table_fills_in_what_the_first_lacks(tmp_path: Path) -> None:
    reading = read(corpus(tmp_path, [row_19(WOMAN)], [row_19(WOMAN), row_19(MAN)]), strict=True)
    assert len(reading.examples) == 2


def test_tables_that_disagree_are_reported(tmp_path: Path) -> None:
    corpus(tmp_path, [row_19(WOMAN, "happy")], [row_19(WOMAN, "sad")])
    reading = read(tmp_path)
    assert [e.labels for e in reading.examples] == [("happy",)]
    (problem,) = reading.problems
    assert problem.source.endswith("Sess01_M_res.csv:3")
    assert "Sess01_F_res.csv:3" in problem.reason
    with pytest.raises(CorpusError, match=r"Sess01_M_res\.csv, line 3"):
        read(tmp_path, strict=True)


def test_twice_in_one_table_is_a_problem(tmp_path: Path) -> None:
    reading = read(corpus(tmp_path, [row_19(WOMAN), row_19(WOMAN)]))
    assert len(reading.examples) == 1
    assert "already in line 3" in reading.problems[0].reason


@pytest.mark.parametrize("name", ["Sess01_eval.csv", "Session01_M_res.csv", "Sess01F_res.csv"])
def test_other_names_of_tables_are_read(tmp_path: Path, name: str) -> None:
    corpus(tmp_path, [row_19(WOMAN)])
    (tmp_path / "annotation/Sess01_F_res.csv").rename(tmp_path / "annotation" / name)
    assert len(read(tmp_path, strict=True).examples) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_texts_of_either_encoding(tmp_path: Path, encoding: str) -> None:
    corpus(tmp_path, [row_19(WOMAN)])
    write_pair(tmp_path, 1, WOMAN, "하하 크크".encode(encoding), inside="Sess01_impro01")
    assert read(tmp_path).examples[0].text == "하하 크크"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,2,3", "at least 13 columns, found 3"),
        (row_19("Sess01_impro01_X001"), "not a segment of kemdy19"),
        (row_19("Sess01_impro01_F099"), "has no wav and no txt file"),
    ],
)
def test_a_malformed_row_is_named_and_skipped(tmp_path: Path, row: str, reason: str) -> None:
    reading = read(corpus(tmp_path, [row, row_19(MAN)]))
    assert [e.id for e in reading.examples] == [MAN]
    assert reason in reading.problems[0].reason
    assert reading.problems[0].source.endswith("Sess01_F_res.csv:3")
