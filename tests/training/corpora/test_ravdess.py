from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from core.errors import CorpusError
from core.labels import EMOTIONS
from training.data.corpora.ravdess import read
from training.data.corpora.registry import read_corpus

from .recordings import write_mp4, write_wav


def name(emotion: int, actor: int, statement: int = 1, channel: int = 1, modality: int = 3) -> str:
    fields = (modality, channel, emotion, 1, statement, 1, actor)
    return "-".join(f"{field:02d}" for field in fields)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Two actors in all eight emotions, a song and a film, as published."""
    for actor in (1, 12):
        folder = tmp_path / f"Actor_{actor:02d}"
        for emotion in range(1, 9):
            write_wav(folder / f"{name(emotion, actor, statement=1 + emotion % 2)}.wav")
    write_wav(tmp_path / "Actor_01" / f"{name(3, 1, channel=2)}.wav")
    write_mp4(tmp_path / "Actor_01" / f"{name(3, 1, modality=1)}.mp4")
    (tmp_path / "Actor_01" / ".DS_Store").write_bytes(b"")
    return tmp_path


def test_speech_is_read_from_the_names(corpus: Path) -> None:
    reading = read_corpus("ravdess", corpus, strict=True)
    assert len(reading.examples) == 16
    first = reading.examples[0]
    assert (first.id, first.speaker, first.gender) == ("03-01-01-01-02-01-01", "ravdess/A01", "M")
    assert first.text == "Dogs are sitting by the door."
    assert (reading.examples[-1].gender, reading.examples[-1].label) == ("F", "surprise")
    assert Counter(e.label for e in reading.examples) == {
        **dict.fromkeys(EMOTIONS, 2),
        "neutral": 4,
    }


def test_calm_is_kept_apart_when_asked(corpus: Path) -> None:
    reading = read(corpus, classes="own")
    assert Counter(e.label for e in reading.examples) == dict.fromkeys(reading.classes, 2)
    assert len(reading.classes) == 8


def test_songs_and_films_are_read_when_asked(corpus: Path) -> None:
    assert [e.id for e in read(corpus, channel="song").examples] == [name(3, 1, channel=2)]
    assert len(read(corpus, channel="both").examples) == 17
    (film,) = read(corpus, modality="audio_and_video").examples
    assert film.audio is not None
    assert film.audio.suffix == ".mp4"


@pytest.mark.parametrize(
    "bad",
    [
        "03-01-09-01-01-01-01",
        "03-01-03-01-03-01-01",
        "03-01-03-03-01-01-01",
        "03-01-03-01-01-01-25",
        "03-01-xx-01-01-01-01",
        "03-01-03-01-01-01-01-extra",
    ],
)
def test_a_strange_name_is_reported(corpus: Path, bad: str) -> None:
    path = write_wav(corpus / "Actor_01" / f"{bad}.wav")
    reading = read(corpus)
    assert len(reading.examples) == 16
    assert [problem.source for problem in reading.problems] == [str(path)]
    with pytest.raises(CorpusError, match=bad):
        read(corpus, strict=True)


def test_a_folder_unpacked_twice_counts_once(corpus: Path) -> None:
    again = corpus / "audio_speech_actors_01-24" / "Actor_01" / f"{name(3, 1, statement=2)}.wav"
    write_wav(again)
    reading = read(corpus)
    assert len(reading.examples) == 16
    assert "the same recording as" in reading.problems[0].reason


def test_unknown_options_and_folders_are_refused(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="speech, song, both"):
        read(corpus, channel="shout")
    with pytest.raises(CorpusError, match="There is no folder"):
        read(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match="not one row of ravdess"):
        read_corpus("ravdess", tmp_path / "empty")


@pytest.mark.real_data
def test_the_cut_corpus_is_read_from_its_manifest_and_from_its_names(shared_data: Path) -> None:
    reading = read_corpus("ravdess", shared_data / "speech", strict=True, classes="own")
    assert Counter(e.label for e in reading.examples) == {
        **dict.fromkeys(reading.classes, 160),
        "neutral": 80,
    }
    assert len({e.speaker for e in reading.examples}) == 20
    by_manifest = {Path(e.id).stem: e for e in reading.examples}
    for example in read_corpus("ravdess", shared_data / "speech" / "ravdess" / "A17").examples:
        other = by_manifest[example.id]
        assert (example.speaker, example.gender) == (other.speaker, other.gender)
        assert example.text == other.text
