"""Corpora by name, and what readers share."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import CorpusError
from tests.training.corpora.kemdy_factory import HEADER_20, row_20, write_pair, write_table
from training.data.corpora.registry import CORPORA, read_corpus, reader
from training.data.corpora.rows import RowLog, csv_rows, number, read_text, require_folder


@pytest.mark.parametrize("name", CORPORA)
def test_every_reader_is_there(name: str) -> None:
    assert callable(reader(name))


@pytest.mark.parametrize("name", CORPORA)
def test_a_folder_that_is_not_there_says_what_was_expected(name: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="nowhere") as caught:
        read_corpus(name, tmp_path / "nowhere")
    assert caught.value.remedy


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(CorpusError, match=r"'unheard'.*kemdy20.*iemocap.*kote"):
        reader("unheard")


def test_an_option_the_reader_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"no such option.*volume"):
        read_corpus("kemdy20", tmp_path, volume=11)


def test_a_corpus_without_one_usable_row_is_refused(tmp_path: Path) -> None:
    write_table(tmp_path, "Sess01_eval.csv", HEADER_20, [row_20("Sess01_script01_User001F_001")])
    write_pair(tmp_path, 1, "other")
    with pytest.raises(CorpusError, match=r"1 problems, the first at .*csv:3: .*no wav"):
        read_corpus("kemdy20", tmp_path)


def test_problems_are_counted_or_fatal(tmp_path: Path) -> None:
    log = RowLog()
    log.report(tmp_path / "a.csv", 7, "it is torn")
    log.report(tmp_path / "b.csv", None, "it is empty")
    sources = [problem.source for problem in log.problems]
    assert sources == [f"{tmp_path / 'a.csv'}:7", str(tmp_path / "b.csv")]
    with pytest.raises(CorpusError, match=r"a\.csv, line 7: it is torn"):
        RowLog(strict=True).report(tmp_path / "a.csv", 7, "it is torn")


def test_lines_are_counted_over_quoted_fields(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('a,"two\nlines"\n\nb,c\n', encoding="utf-8")
    assert list(csv_rows(path, RowLog())) == [(1, ["a", "two\nlines"]), (4, ["b", "c"])]


def test_a_stray_quotation_mark_costs_one_row_where_rows_are_lines(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('a,b\n"c,d\ne,f\n', encoding="utf-8")
    log = RowLog()
    assert list(csv_rows(path, log, multiline=False)) == [(1, ["a", "b"]), (3, ["e", "f"])]
    assert [problem.source for problem in log.problems] == [f"{path}:2"]


def test_text_in_no_known_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(CorpusError, match="utf-8-sig or cp949"):
        read_text(path)
    with pytest.raises(CorpusError, match="missing"):
        read_text(tmp_path / "missing")
    with pytest.raises(CorpusError, match="expected here"):
        require_folder(tmp_path / "missing", "what is expected here")


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "1,5"])
def test_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        number(text)
    assert number(" 1.5 ") == 1.5
