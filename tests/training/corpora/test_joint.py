"""Several corpora read as one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from core.errors import CorpusError
from training.data.corpora.registry import read_corpus

from .kemdy_factory import HEADER_19, HEADER_20, row_19, row_20, write_pair, write_table
from .recordings import write_wav


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    """KEMDy19 and KEMDy20 beside each other, a segment of the same session and actor each."""
    old, new = tmp_path / "KEMDy19_v1_3", tmp_path / "KEMDy20_v1_2"
    write_table(old, "Sess01_F_res.csv", HEADER_19, [row_19("Sess01_script01_F001", "happy")])
    write_pair(old, 1, "Sess01_script01_F001")
    write_table(new, "Sess01_eval.csv", HEADER_20, [row_20("Sess01_script01_User001F_001")])
    write_pair(new, 1, "Sess01_script01_User001F_001", text="n/ 네".encode("cp949"))
    return tmp_path


def test_kemdy_is_both_and_keeps_people_apart(corpora: Path) -> None:
    reading = read_corpus("kemdy", corpora, strict=True)
    old, new = reading.examples
    assert (old.corpus, old.style, old.label) == ("kemdy19", "acted", "happy")
    assert (new.corpus, new.style, new.label) == ("kemdy20", "spontaneous", "neutral")
    assert (old.speaker, new.speaker) == ("kemdy19/Sess01_F", "kemdy20/Sess01_User001F")
    assert old.session != new.session
    assert new.text == "네"
    assert reading.classes == ()


def test_options_reach_both(corpora: Path) -> None:
    assert read_corpus("kemdy", corpora, clean=False).examples[1].text == "n/ 네"


@pytest.mark.parametrize("name", ["KEMDy19", "KEMDy20"])
def test_without_one_of_the_two_there_is_no_style(corpora: Path, name: str) -> None:
    next(corpora.glob(f"{name}*")).rename(corpora / "elsewhere")
    with pytest.raises(CorpusError, match=f"no folder of {name.lower()}"):
        read_corpus("kemdy", corpora)


def test_corpora_of_one_folder_or_of_several_are_joined(corpora: Path) -> None:
    write_wav(corpora / "Actor_12" / "03-01-05-02-01-01-12.wav")
    named = {"ravdess": {"path": "Actor_12"}, "kemdy20": {"path": "KEMDy20_v1_2", "clean": False}}
    reading = read_corpus("joint", corpora, corpora=named)
    assert [e.corpus for e in reading.examples] == ["ravdess", "kemdy20"]
    assert reading.examples[1].text == "n/ 네"
    assert read_corpus("joint", corpora, corpora=["kemdy19"]).examples[0].corpus == "kemdy19"


def test_classes_are_those_of_all_ours_first(corpora: Path) -> None:
    write_wav(corpora / "Actor_12" / "03-01-05-02-01-01-12.wav")
    ravdess = {"path": "Actor_12", "classes": "own"}
    both = {"ravdess": ravdess, "kemdy20": {"path": "KEMDy20_v1_2"}}
    classes = read_corpus("joint", corpora, corpora=both).classes
    assert classes[:7] == ("neutral", "happy", "angry", "surprise", "sad", "fear", "disgust")
    assert classes[7:] == ("calm",)
    alone = read_corpus("joint", corpora, corpora={"ravdess": ravdess})
    assert alone.classes[:3] == ("neutral", "calm", "happy")


def test_problems_of_all_are_told(corpora: Path) -> None:
    for table in corpora.glob("*/annotation/*.csv"):
        table.write_text(table.read_text("utf-8") + "torn\n", encoding="utf-8")
    reading = read_corpus("kemdy", corpora)
    assert Counter("KEMDy19" in p.source for p in reading.problems) == {True: 1, False: 1}


def test_what_makes_no_sense_is_refused(corpora: Path) -> None:
    with pytest.raises(CorpusError, match="is told of none"):
        read_corpus("joint", corpora)
    with pytest.raises(CorpusError, match="is told of itself"):
        read_corpus("joint", corpora, corpora=["joint"])
    with pytest.raises(CorpusError, match="no corpus 'kemdy21'"):
        read_corpus("joint", corpora, corpora=["kemdy21"])
    with pytest.raises(CorpusError, match=r"kemdy20 has no such option.*volume"):
        read_corpus("joint", corpora, corpora={"kemdy20": {"volume": 11}})


@pytest.mark.real_data
def test_the_shared_corpora_are_one(shared_data: Path) -> None:
    names = ["ravdess", "nemo", "emotiontts_ko"]
    reading = read_corpus("joint", shared_data / "speech", strict=True, corpora=names)
    assert Counter(e.corpus for e in reading.examples) == {
        "ravdess": 1200, "nemo": 4225, "emotiontts_ko": 240
    }  # fmt: skip
    assert reading.classes == ()
