"""KEMDy20: two header rows, compound labels, cp949, session 17, and rows that can't be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import CorpusError
from tests.training.corpora.kemdy_factory import HEADER_20, row_20, write_pair, write_table
from training.data.corpora.kemdy20 import read

FIRST = "Sess01_script01_User001F_001"
SECOND = "Sess01_script01_User002M_001"


def corpus(root: Path, *rows: str, session: int = 1) -> Path:
    write_table(root, f"Sess{session:02}_eval.csv", HEADER_20, rows)
    for stem in (FIRST, SECOND):
        write_pair(root, 1, stem)
    return root


def test_a_row_becomes_an_example(tmp_path: Path) -> None:
    corpus(tmp_path, row_20(FIRST, "happy", "4.2", "2.5"))
    (tmp_path / "wav/Session01" / f"{FIRST}.txt").write_bytes("정말 좋아요\n".encode("cp949"))
    (example,) = read(tmp_path).examples
    assert example.audio == tmp_path / "wav/Session01" / f"{FIRST}.wav"
    assert (example.start, example.end) == (None, None)  # the recording is the segment
    assert (example.corpus, example.id, example.language) == ("kemdy20", FIRST, "ko")
    assert example.text == "정말 좋아요"
    assert example.labels == ("happy",)
    assert example.valence == pytest.approx(0.6)
    assert example.arousal == pytest.approx(-0.25)
    assert (example.speaker, example.gender) == ("kemdy20/Sess01_User001F", "F")
    assert (example.session, example.dialogue) == ("kemdy20/Sess01", "kemdy20/Sess01_script01")
    assert example.source == f"{tmp_path / 'annotation' / 'Sess01_eval.csv'}:3"


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        ("disqust", ("disgust",)),
        ("neutral;happy", ("neutral", "happy")),
        ("sad; angry;disqust", ("sad", "angry", "disgust")),
        ("Neutral", ("neutral",)),
        ("happy;happy", ("happy",)),
    ],
)
def test_labels_and_ties(tmp_path: Path, written: str, labels: tuple[str, ...]) -> None:
    (example,) = read(corpus(tmp_path, row_20(FIRST, written))).examples
    assert example.labels == labels


@pytest.mark.parametrize(
    ("rating", "value"), [("1", -1.0), ("3", 0.0), ("5.0", 1.0), ("2.1", -0.45), ("", None)]
)
def test_ratings_go_from_minus_one_to_one(tmp_path: Path, rating: str, value: float | None) -> None:
    (example,) = read(corpus(tmp_path, row_20(FIRST, "sad", rating, rating))).examples
    assert example.valence == (value if value is None else pytest.approx(value))
    assert example.arousal == example.valence


def test_turns_follow_the_start_in_the_session(tmp_path: Path) -> None:
    late, early = row_20(FIRST), row_20(SECOND).replace("10.5", "2.0")
    reading = read(corpus(tmp_path, late, early))
    assert [(e.id, e.turn) for e in reading.examples] == [(FIRST, 1), (SECOND, 0)]
    without = read(corpus(tmp_path, late, early.replace("2.0", "")))
    assert [e.turn for e in without.examples] == [0, 1]


def test_session_17_is_found_though_its_names_begin_with_another(tmp_path: Path) -> None:
    corpus(tmp_path, row_20(FIRST))
    own = write_pair(tmp_path, 17, "Sess17_script02_User033F_001")
    also = write_pair(tmp_path, 17, "Sess17_script02_User034M_001")
    rows = [
        row_20("Sess16_script02_User033F_001", "sad"),
        row_20("Sess17_script02_User034M_001", "angry"),
    ]
    write_table(tmp_path, "Sess17_eval.csv", HEADER_20, rows)
    _, first, second = read(tmp_path, strict=True).examples
    assert (first.audio, second.audio) == (own, also)
    assert first.id == "Sess17_script02_User033F_001"
    assert first.speaker == "kemdy20/Sess17_User033F"
    assert first.session == second.session == "kemdy20/Sess17"


@pytest.mark.parametrize(("gone", "reason"), [(".wav", "no wav file"), (".txt", "no txt file")])
def test_half_a_pair_is_skipped_and_reported(tmp_path: Path, gone: str, reason: str) -> None:
    corpus(tmp_path, row_20(FIRST), row_20(SECOND))
    (tmp_path / "wav/Session01" / f"{SECOND}{gone}").unlink()
    reading = read(tmp_path)
    assert [e.id for e in reading.examples] == [FIRST]
    (problem,) = reading.problems
    assert problem.source.endswith("Sess01_eval.csv:4")
    assert reason in problem.reason
    kept = read(tmp_path, pairs_only=False).examples[1]
    assert (kept.audio is None, kept.text is None) == (gone == ".wav", gone == ".txt")


def test_a_recording_without_samples_is_reported(tmp_path: Path) -> None:
    corpus(tmp_path, row_20(FIRST), row_20(SECOND))
    write_pair(tmp_path, 1, SECOND, frames=0)
    assert "holds no audio" in read(tmp_path).problems[0].reason


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("5,1.0,2.0," + SECOND, "at least 7 columns, found 4"),
        (row_20(SECOND, "bored"), "'bored' is no emotion"),
        (row_20(SECOND, ""), "no emotion"),
        (row_20(SECOND, "sad", "6.5"), "valence 6.5 is not between 1 and 5"),
        (row_20(SECOND, "sad", "3", "0"), "arousal 0 is not between 1 and 5"),
        (row_20(SECOND, "sad", "high"), "valence: 'high' is not a number"),
        (row_20(SECOND, "sad", "3", "nan"), "arousal: 'nan' is not a finite number"),
        (row_20("Sess01_script01_Anna_001"), "not a segment of kemdy20"),
        (row_20(""), "not a segment of kemdy20"),
        (row_20(FIRST), "already in line 3"),
        (row_20('"' + SECOND), "not valid CSV"),
    ],
)
def test_a_malformed_row_is_named_skipped_or_fatal(tmp_path: Path, row: str, reason: str) -> None:
    third = "Sess01_script01_User001F_002"
    write_pair(tmp_path, 1, third)
    corpus(tmp_path, row_20(FIRST), row, row_20(third))
    reading = read(tmp_path)
    assert [e.id for e in reading.examples] == [FIRST, third]
    (problem,) = reading.problems
    assert problem.source == f"{tmp_path / 'annotation' / 'Sess01_eval.csv'}:4"
    assert reason in problem.reason
    with pytest.raises(CorpusError, match=r"Sess01_eval\.csv, line 4"):
        read(tmp_path, strict=True)


def test_blank_rows_are_no_problem(tmp_path: Path) -> None:
    reading = read(corpus(tmp_path, row_20(FIRST), "", ",,,,,,", row_20(SECOND)), strict=True)
    assert len(reading.examples) == 2


def test_a_table_without_one_of_its_header_rows_loses_nothing(tmp_path: Path) -> None:
    corpus(tmp_path)
    write_table(tmp_path, "Sess01_eval.csv", HEADER_20[:1], [row_20(FIRST), row_20(SECOND)])
    assert len(read(tmp_path, strict=True).examples) == 2


@pytest.mark.parametrize("encoding", ["cp949", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("text", ["크크", "어떡해 진짜요?", "뷁 OK 3시", "네"])
def test_korean_is_read_in_whichever_encoding(tmp_path: Path, encoding: str, text: str) -> None:
    corpus(tmp_path, row_20(FIRST))
    write_pair(tmp_path, 1, FIRST, text.encode(encoding))
    assert read(tmp_path).examples[0].text == text


def test_a_damaged_text_is_reported_not_guessed(tmp_path: Path) -> None:
    corpus(tmp_path, row_20(FIRST), row_20(SECOND))
    damaged = "안녕하세요".encode("cp949")[:-1] + b"\xff"
    path = write_pair(tmp_path, 1, SECOND, damaged).with_suffix(".txt")
    for pairs_only in (True, False):
        reading = read(tmp_path, pairs_only=pairs_only)
        assert [e.id for e in reading.examples] == [FIRST]
        assert str(path) in reading.problems[0].reason
        assert "cp949" in reading.problems[0].reason


def test_marks_are_removed_unless_kept(tmp_path: Path) -> None:
    corpus(tmp_path, row_20(FIRST))
    write_pair(tmp_path, 1, FIRST, "n/ 그게 (70%)  b/ 칠십 l/\n".encode("cp949"))
    assert read(tmp_path).examples[0].text == "그게 칠십"
    assert read(tmp_path, clean=False).examples[0].text == "n/ 그게 (70%) b/ 칠십 l/"


def test_the_folder_may_hold_the_corpus(tmp_path: Path) -> None:
    corpus(tmp_path / "KEMDy20_v1_1", row_20(FIRST))
    assert len(read(tmp_path).examples) == 1


def test_another_folder_says_what_was_expected(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(CorpusError, match="annotation"):
            read(root)
    (tmp_path / "annotation").mkdir()
    (tmp_path / "wav").mkdir()
    with pytest.raises(CorpusError, match=r"no table of kemdy20.*SessNN_eval"):
        read(tmp_path)


def test_a_table_with_another_name_is_reported(tmp_path: Path) -> None:
    corpus(tmp_path, row_20(FIRST))
    write_table(tmp_path, "notes.csv", HEADER_20, [row_20(SECOND)])
    reading = read(tmp_path)
    assert len(reading.examples) == 1
    assert reading.problems[0].source.endswith("notes.csv")
