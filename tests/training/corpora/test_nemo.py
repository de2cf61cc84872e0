from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from core.errors import CorpusError
from training.data.corpora.nemo import read
from training.data.corpora.registry import read_corpus

from .recordings import write_wav

HEADER = "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage"
SPEAKERS = {"WR0": ("male", 23), "EB0": ("female", 27)}
EMOTIONS = ("anger", "fear", "happiness", "neutral", "sadness", "surprised")


def line(speaker: str, emotion: str, sentence: int, text: str) -> str:
    gender, age = SPEAKERS[speaker]
    name = f"{speaker}_{emotion}_{sentence}.wav"
    # The speaker is indented with blanks in the published file.
    return f"{name}\t{emotion}\t{text}\t{text.lower()}\t        {speaker}\t{gender}\t{age}"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    lines = [HEADER]
    for speaker in SPEAKERS:
        for number, emotion in enumerate(EMOTIONS, start=1):
            text = "„Ród smoka” to serial, prawda?" if number == 1 else "Lubię czytać."
            lines.append(line(speaker, emotion, number, text))
            write_wav(tmp_path / "samples" / f"{speaker}_{emotion}_{number}.wav")
    (tmp_path / "data.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def add(corpus: Path, *lines: str) -> None:
    with (corpus / "data.tsv").open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))


def test_the_published_table_is_read(corpus: Path) -> None:
    reading = read_corpus("nemo", corpus, strict=True)
    first = reading.examples[0]
    assert (first.id, first.speaker, first.gender) == ("WR0_anger_1", "nemo/WR0", "M")
    assert first.audio == corpus / "samples" / "WR0_anger_1.wav"
    assert (first.text, first.language) == ("„Ród smoka” to serial, prawda?", "pl")
    assert Counter(e.label for e in reading.examples) == dict.fromkeys(
        ("angry", "fear", "happy", "neutral", "sad", "surprise"), 2
    )
    assert first.source.endswith("data.tsv:2")
    assert len(read(corpus, classes="own").classes) == 6


def test_bad_rows_are_reported_and_skipped(corpus: Path) -> None:
    add(
        corpus,
        line("EB0", "anger", 1, "again"),
        line("EB0", "boredom", 2, "unknown label"),
        line("EB0", "fear", 90, "no recording"),
        "torn\tline",
    )
    write_wav(corpus / "samples" / "EB0_boredom_2.wav")
    reading = read(corpus)
    assert len(reading.examples) == 12
    found = {p.source.rpartition(":")[2]: p.reason for p in reading.problems}
    assert set(found) == {"14", "15", "16", "17"}
    assert "already in line 8" in found["14"]
    assert "the label 'boredom'" in found["15"]
    assert "there is no recording EB0_fear_90.wav" in found["16"]
    assert found["17"] == "2 fields where the header has 7"
    with pytest.raises(CorpusError, match=r"data\.tsv, line 17"):
        read(corpus, strict=True)


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"data\.tsv"):
        read(tmp_path)


@pytest.mark.real_data
def test_the_cut_corpus_is_read(shared_data: Path) -> None:
    for root in (shared_data / "speech", shared_data / "speech" / "nemo"):
        reading = read_corpus("nemo", root, strict=True)
        assert len(reading.examples) == 4225
        assert len({e.speaker for e in reading.examples}) == 8
        assert len({e.text for e in reading.examples}) == 90
        assert {e.language for e in reading.examples} == {"pl"}
