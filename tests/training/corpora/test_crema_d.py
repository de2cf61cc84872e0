from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from core.errors import CorpusError
from training.data.corpora.crema_d import read
from training.data.corpora.registry import read_corpus

from .recordings import write_table, write_wav

NAMES = (
    "1001_DFA_ANG_XX",
    "1001_IEO_HAP_HI",
    "1002_ITS_NEU_XX",
    "1002_WSI_DIS_XX",
    "1040_ITH_SAD_X",  # one X, as published
    "1076_MTI_FEA_XX",
)
DEMOGRAPHICS = [
    ["ActorID", "Age", "Sex", "Race", "Ethnicity"],
    [1001, 51, "Male", "Caucasian", "Not Hispanic"],
    [1002, 21, "Female", "Caucasian", "Not Hispanic"],
    [1040, 42, "Male", "Caucasian", "Not Hispanic"],
    [1076, 25, "Female", "Caucasian", "Not Hispanic"],
]
VOTES = [
    [
        *("", "FileName", "VoiceVote", "VoiceLevel", "FaceVote", "FaceLevel"),
        *("MultiModalVote", "MultiModalLevel"),
    ],
    [1, "1001_DFA_ANG_XX", "N", 47.33, "A", 41.8, "A:D", "41.5:60"],
    [2, "1001_IEO_HAP_HI", "H", 63.5, "H", 68.25, "H", 73.2],
    [3, "1002_ITS_NEU_XX", "F", 59.25, "N", 72, "N", 84],
    [4, "1002_WSI_DIS_XX", "A", 49.6, "F", 56.83, "A:D", "69.25:72.00"],
    [5, "1040_ITH_SAD_XX", "N:S", "60:50", "S", 56.83, "S", 72.0],
    [6, "1076_MTI_FEA_XX", "F", 49.6, "F", 56.83, "F", 69.25],
]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    for name in NAMES:
        write_wav(tmp_path / "AudioWAV" / f"{name}.wav")
    write_table(tmp_path / "VideoDemographics.csv", DEMOGRAPHICS)
    write_table(tmp_path / "processedResults" / "summaryTable.csv", VOTES)
    return tmp_path


def test_a_name_says_everything(corpus: Path) -> None:
    reading = read_corpus("crema_d", corpus, strict=True)
    first, second = reading.examples[:2]
    assert (first.id, first.label, first.gender) == ("1001_DFA_ANG_XX", "angry", "M")
    assert (first.speaker, first.text) == ("crema_d/1001", "Don't forget a jacket.")
    assert second.text == "It's eleven o'clock."
    assert [e.label for e in reading.examples] == [
        *("angry", "happy", "neutral", "disgust", "sad", "fear")
    ]
    assert reading.classes == ()
    assert read(corpus, classes="own").classes == (
        *("neutral", "happy", "angry", "sad", "fear", "disgust"),
    )


def test_votes_may_tie(corpus: Path) -> None:
    labels = {e.id: e.labels for e in read(corpus, labels="voted").examples}
    assert labels["1001_DFA_ANG_XX"] == ("angry", "disgust")
    assert labels["1002_ITS_NEU_XX"] == ("neutral",)
    assert labels["1040_ITH_SAD_X"] == ("sad",)
    heard = {e.id: e.labels for e in read(corpus, labels="voted_by_voice").examples}
    assert heard["1001_DFA_ANG_XX"] == ("neutral",)
    assert heard["1040_ITH_SAD_X"] == ("neutral", "sad")


def test_a_recording_published_without_sound_is_left_out(corpus: Path) -> None:
    suspect = write_wav(corpus / "AudioWAV" / "1076_MTI_SAD_XX.wav", silent=True)
    (problem,) = read(corpus).problems
    assert problem.source == str(suspect)
    assert "no sound" in problem.reason
    write_wav(suspect)
    assert read(corpus).problems == ()
    suspect.write_bytes(b"RIFF")
    assert "can't be read" in read(corpus).problems[0].reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("1001_XYZ_ANG_XX", "not actor_sentence_emotion_level"),
        ("1001_DFA_ANG", "not actor_sentence_emotion_level"),
        ("1001_DFA_SUR_XX", "the label 'SUR'"),
        ("1099_DFA_ANG_XX", "1099 is not in VideoDemographics"),
    ],
)
def test_a_strange_name_is_reported(corpus: Path, name: str, reason: str) -> None:
    path = write_wav(corpus / "AudioWAV" / f"{name}.wav")
    reading = read(corpus)
    assert len(reading.examples) == len(NAMES)
    assert reading.problems[0].source == str(path)
    assert reason in reading.problems[0].reason
    with pytest.raises(CorpusError, match=name):
        read(corpus, strict=True)


def test_rows_of_the_tables_are_checked(corpus: Path) -> None:
    rows = [*VOTES[:3], [3, "1002_ITS_NEU_XX", "F", 5, "N", 7, "", 8], *VOTES[4:6]]
    table = write_table(corpus / "processedResults" / "summaryTable.csv", rows)
    people = [*DEMOGRAPHICS[:-1], [1076, 25, "F.", "Caucasian", "Not Hispanic"]]
    write_table(corpus / "VideoDemographics.csv", people)
    reading = read(corpus, labels="voted")
    reasons = Counter(problem.reason for problem in reading.problems)
    assert reasons["the sex 'F.' is neither Male nor Female"] == 1
    assert reasons["the vote '' names no emotion"] == 1
    assert reasons["nobody's vote is in summaryTable.csv"] == 2
    assert len(reading.examples) == 4
    assert f"{table}:4" in [problem.source for problem in reading.problems]


def test_a_missing_table_or_folder_is_named(corpus: Path, tmp_path: Path) -> None:
    (corpus / "VideoDemographics.csv").unlink()
    assert {e.gender for e in read(corpus).examples} == {""}
    (corpus / "processedResults" / "summaryTable.csv").unlink()
    with pytest.raises(CorpusError, match=r"summaryTable\.csv"):
        read(corpus, labels="voted")
    with pytest.raises(CorpusError, match=r"labels.*'heard'"):
        read(corpus, labels="heard")
    with pytest.raises(CorpusError, match="AudioWAV"):
        read(tmp_path / "AudioWAV")
