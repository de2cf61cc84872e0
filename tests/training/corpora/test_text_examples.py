from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from core.errors import ConfigError, CorpusError
from tests.training.corpus_factory import GOEMOTIONS, KOTE
from training.data.corpora import kote
from training.data.corpora.registry import read_corpus
from training.data.corpora.text_examples import read_goemotions, read_kote


def ids(*names: str) -> str:
    return ",".join(str(GOEMOTIONS.index(name)) for name in names)


@pytest.fixture
def goemotions(tmp_path: Path) -> Path:
    """The folder as published: three tables and emotions.txt."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "emotions.txt").write_text("\n".join(GOEMOTIONS), encoding="utf-8")
    (folder / "train.tsv").write_text(
        f'He said "no"\t{ids("joy", "love", "grief")}\tid1\nPlain\t{ids("neutral")}\tid2\n',
        encoding="utf-8",
    )
    (folder / "dev.tsv").write_text(f"Oh\t{ids('realization')}\tid3\n", encoding="utf-8")
    (folder / "test.tsv").write_text(f"Ew\t{ids('disgust')}\tid4\n", encoding="utf-8")
    return folder


def test_a_comment_may_have_several_classes(goemotions: Path) -> None:
    reading = read_corpus("goemotions", goemotions, strict=True)
    first, second, third, last = reading.examples
    assert (first.text, first.labels) == ('He said "no"', ("happy", "sad"))
    assert (first.corpus, first.language, first.part) == ("goemotions_en", "en", "train")
    assert first.source == f"{goemotions / 'train.tsv'}:1"
    assert [e.labels for e in (second, third, last)] == [("neutral",), ("surprise",), ("disgust",)]
    assert [e.part for e in reading.examples] == ["train", "train", "dev", "test"]
    assert reading.classes == ()


def test_the_own_labels_are_kept_when_asked(goemotions: Path) -> None:
    reading = read_goemotions(goemotions, classes="own", parts=["train"])
    assert reading.classes == tuple(GOEMOTIONS)
    assert reading.examples[0].labels == ("grief", "joy", "love")
    assert len(reading.examples) == 2


def test_original_and_translation_lie_beside_one_another(goemotions: Path) -> None:
    goemotions.rename(goemotions.parent / "goemotions_en")
    korean = goemotions.parent / "goemotions_ko"
    korean.mkdir()
    (korean / "labels.txt").write_text("\n".join(GOEMOTIONS), encoding="utf-8")
    (korean / "train.tsv").write_text(f"아니\t{ids('anger')}\n", encoding="utf-8")
    both = read_goemotions(goemotions.parent).examples
    assert Counter(e.language for e in both) == {"en": 4, "ko": 1}
    assert len({(e.corpus, e.id) for e in both}) == 5
    (only,) = read_goemotions(goemotions.parent, language="ko").examples
    assert (only.text, only.labels, only.corpus) == ("아니", ("angry",), "goemotions_ko")


def test_malformed_rows_are_reported_and_skipped(goemotions: Path) -> None:
    table = goemotions / "dev.tsv"
    table.write_text(f"a\t99\tid\n\nb\t{ids('joy')}\tid\nc\n\t1\tid\n", encoding="utf-8")
    reading = read_goemotions(goemotions, parts=["dev"])
    assert [e.id for e in reading.examples] == ["dev/2"]
    assert [p.source for p in reading.problems] == [f"{table}:{line}" for line in (1, 4, 5)]
    assert "'99' is no list of label ids 0 to 27" in reading.problems[0].reason
    assert reading.problems[1].reason.endswith("found 1 fields")
    assert reading.problems[2].reason.endswith("found no text")
    with pytest.raises(CorpusError, match=r"dev\.tsv, line 1: '99'"):
        read_goemotions(goemotions, parts=["dev"], strict=True)


def test_labels_the_map_does_not_know_are_refused(goemotions: Path) -> None:
    (goemotions / "emotions.txt").write_text("joy\nboredom\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="boredom"):
        read_goemotions(goemotions)


def test_missing_tables_and_options_are_refused(goemotions: Path, tmp_path: Path) -> None:
    (goemotions / "dev.tsv").unlink()
    with pytest.raises(CorpusError, match="part dev"):
        read_goemotions(goemotions, parts=["dev"])
    with pytest.raises(CorpusError, match=r"val.*train, dev, test"):
        read_goemotions(goemotions, parts=["val"])
    with pytest.raises(CorpusError, match="en, ko"):
        read_goemotions(goemotions, language="fr")
    (tmp_path / "empty").mkdir()
    for read in (read_goemotions, read_kote):
        with pytest.raises(CorpusError, match=r"no train\.tsv"):
            read(tmp_path / "empty")


@pytest.mark.parametrize("with_labels", [True, False])
def test_kote_is_read_with_and_without_a_file_of_labels(tmp_path: Path, with_labels: bool) -> None:
    if with_labels:
        (tmp_path / "labels.txt").write_text("\n".join(KOTE), encoding="utf-8")
    numbers = [KOTE.index(name) for name in ("슬픔", "화남/분노", "귀찮음")]
    (tmp_path / "val.tsv").write_text(
        f'7\t"그는 ""싫다""\n했다"\t{numbers[0]},{numbers[1]}\n8\t음\t{numbers[2]}\n9\t\t1\n',
        encoding="utf-8",
    )
    reading = read_corpus("kote", tmp_path)
    (example,) = reading.examples
    assert (example.text, example.labels) == ('그는 "싫다"\n했다', ("angry", "sad"))
    assert (example.part, example.language, example.corpus) == ("dev", "ko", "kote")
    assert [p.source for p in reading.problems] == [f"{tmp_path / 'val.tsv'}:4"]
    kept = read_kote(tmp_path, keep_unlabelled=True).examples
    assert [(e.labels, e.source.rpartition(":")[2]) for e in kept] == [
        *((("angry", "sad"), "1"), ((), "3"))
    ]
    assert read_kote(tmp_path, classes="own").examples[1].labels == ("귀찮음",)


@pytest.mark.real_data
def test_the_real_tables_are_read_whole(shared_data: Path) -> None:
    text = shared_data / "text"
    reading = read_corpus("goemotions", text, strict=True)
    counts = Counter((e.language, e.part) for e in reading.examples)
    assert counts == {
        (language, part): count
        for language in ("en", "ko")
        for part, count in (("train", 43410), ("dev", 5426))
    }
    assert len(read_kote(text, strict=True, keep_unlabelled=True).examples) == 5000
    assert "\n".join(kote.LABELS) == (text / "kote" / "labels.txt").read_text("utf-8").strip()
