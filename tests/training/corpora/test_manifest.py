from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

import pytest

from core.errors import ConfigError, CorpusError
from training.data.corpora.manifest import read
from training.data.corpora.registry import read_corpus

from .recordings import manifest, write_wav

HEADER = [
    *("path", "start", "end", "text", "speaker", "session", "dialogue", "turn", "gender"),
    *("language", "labels", "arousal", "valence", "corpus", "channel", "part"),
]


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    """A folder with two recordings, of which one is in a folder below it."""
    write_wav(tmp_path / "a.wav", 2.0)
    write_wav(tmp_path / "clips" / "b.wav", 2.0)
    return tmp_path


def test_every_column_is_read(audio: Path) -> None:
    text = 'Well, "no",\nhe said.'
    manifest(
        audio,
        ["a.wav", 0.5, 1.75, text, "Kim", "s1", "d1", 3, "F", "ko", "sad", 0.5, -1, "c", 1, "dev"],
        header=HEADER,
    )
    (example,) = read_corpus("manifest", audio, strict=True).examples
    assert example.audio == audio / "a.wav"
    assert (example.start, example.end, example.channel) == (0.5, 1.75, 1)
    assert example.text == text
    assert (example.speaker, example.session, example.dialogue) == ("c/Kim", "c/s1", "c/d1")
    assert (example.turn, example.gender, example.language) == (3, "F", "ko")
    assert (example.labels, example.arousal, example.valence) == (("sad",), 0.5, -1.0)
    assert (example.corpus, example.part) == ("c", "dev")
    assert example.source == f"{audio / 'manifest.csv'}:2"


def test_a_path_and_a_label_are_enough(audio: Path) -> None:
    manifest(audio, ["a.wav", "happy"], ["clips\\b.wav", "angry"])
    first, second = read(audio).examples
    assert (first.corpus, first.speaker, first.text) == ("manifest", "", None)
    assert second.audio is not None
    assert second.audio.samefile(audio / "clips" / "b.wav")
    assert first.id != second.id


def test_a_text_and_arousal_are_enough(tmp_path: Path) -> None:
    manifest(tmp_path, ["hello", 0.25], header=["text", "arousal"])
    (example,) = read(tmp_path).examples
    assert (example.text, example.arousal, example.labels) == ("hello", 0.25, ())


def test_columns_go_by_other_names_too(audio: Path) -> None:
    header = ["File Name", "Transcript", "SPEAKER-ID", "Sex", "Emotion", "Split", "Start Time"]
    manifest(audio, ["a.wav", "hi", "K", "male", "joy", "valid", "00:00:01,5"], header=header)
    (example,) = read(audio).examples
    assert (example.text, example.speaker, example.gender) == ("hi", "manifest/K", "M")
    assert (example.labels, example.part, example.start) == (("happy",), "dev", 1.5)


def test_a_duration_gives_the_end(audio: Path) -> None:
    header = ["path", "start", "duration_s", "label"]
    manifest(audio, ["a.wav", 0.5, 1, "sad"], ["clips/b.wav", "", 2, "sad"], header=header)
    first, second = read(audio).examples
    assert (first.start, first.end) == (0.5, 1.5)
    assert (second.start, second.end) == (None, None)


def test_columns_can_be_chosen_and_others_are_named(
    audio: Path, caplog: pytest.LogCaptureFixture
) -> None:
    header = ["Datei", "label", "emotion", "notes"]
    manifest(audio, ["a.wav", "1", "sad", "x"], header=header)
    with caplog.at_level(logging.INFO):
        reading = read(audio, columns={"path": "Datei", "labels": "emotion"})
    assert reading.examples[0].labels == ("sad",)
    assert "columns not read: label, notes" in caplog.text
    with pytest.raises(CorpusError, match="no column 'File' for path"):
        read(audio, columns={"path": "File"})
    with pytest.raises(CorpusError, match="no field 'sound'"):
        read(audio, columns={"sound": "Datei"})


def test_two_columns_for_one_field_are_refused_unless_one_has_its_name(audio: Path) -> None:
    manifest(audio, ["a.wav", "x", "sad"], header=["path", "class", "emotion"])
    with pytest.raises(CorpusError, match="'class' and 'emotion' both mean labels"):
        read(audio)
    manifest(audio, ["a.wav", "x", "sad"], header=["path", "class", "labels"])
    assert read(audio).examples[0].labels == ("sad",)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (["datei", "labels"], "neither a column path .* 'datei', 'labels'"),
        (["path", "speaker"], "no column labels"),
        (["a.wav", "happy happy"], "Is the first line a row already"),
        (["pth", "emotions"], "'pth' looks like path"),
        (["path", "lable"], "'lable' looks like labels"),
    ],
)
def test_a_header_that_lacks_something_is_explained(
    audio: Path, header: list[str], message: str
) -> None:
    manifest(audio, ["a.wav", "happy"], header=header)
    with pytest.raises(CorpusError, match=message):
        read(audio)


def texts(folder: Path, *labels: str) -> Path:
    return manifest(folder, *([f"t{n}", v] for n, v in enumerate(labels)), header=["text", "label"])


def test_known_names_become_our_classes(tmp_path: Path) -> None:
    texts(tmp_path, "Joy", "anger", "disqust", "Calm", "슬픔", "surprised", "fearful")
    reading = read(tmp_path)
    assert [example.label for example in reading.examples] == [
        *("happy", "angry", "disgust", "neutral", "sad", "surprise", "fear")
    ]
    assert reading.classes == ()


def test_other_names_stay_as_own_classes(tmp_path: Path) -> None:
    texts(tmp_path, "proud", "joy", "Bored", "neutral")
    reading = read(tmp_path)
    assert [example.label for example in reading.examples] == ["proud", "happy", "bored", "neutral"]
    assert reading.classes == ("neutral", "happy", "bored", "proud")


def test_several_labels_are_kept_once_each(tmp_path: Path) -> None:
    texts(tmp_path, "sad; angry", '["joy", "sad"]', "joy|happiness", "sad")
    assert [example.labels for example in read(tmp_path).examples] == [
        *(("sad", "angry"), ("happy", "sad"), ("happy",), ("sad",))
    ]


def test_a_map_replaces_the_synonyms(tmp_path: Path) -> None:
    texts(tmp_path, "pos", "NEG", "mixed", "other")
    mapping = {"pos": "happy", "neg": "sad", "mixed": None}
    reading = read(tmp_path, label_map=mapping)
    assert [example.label for example in reading.examples] == ["happy", "sad"]
    assert "the label 'other' is none of this corpus's (pos, neg, mixed)" in str(reading.problems)
    kept = read(tmp_path, label_map=mapping, keep_unlabelled=True)
    assert [example.labels for example in kept.examples] == [("happy",), ("sad",), ()]
    own = read(tmp_path, label_map={"pos": "positive", "neg": "negative", "mixed": "sad"})
    assert own.classes == ("sad", "negative", "positive")


def test_a_map_may_be_a_file_beside_the_manifest_or_one_of_ours(tmp_path: Path) -> None:
    texts(tmp_path, "fun")
    (tmp_path / "my.yaml").write_text(
        "corpus: mine\nsource: the annotation guide of this corpus\nmap: {happy: [fun]}\n",
        encoding="utf-8",
    )
    assert read(tmp_path, label_map="my.yaml").examples[0].label == "happy"
    texts(tmp_path, "grief")
    assert read(tmp_path, label_map="goemotions_ekman").examples[0].label == "sad"
    with pytest.raises(ConfigError, match=r"nothing\.yaml"):
        read(tmp_path, label_map="nothing")


def test_classes_can_be_laid_down(tmp_path: Path) -> None:
    texts(tmp_path, "happy", "sad", "bored")
    reading = read(tmp_path, classes=["happy", "sad"])
    assert reading.classes == ("happy", "sad")
    assert reading.problems[0].reason == "bored is none of the classes happy, sad"


def test_affect_is_scaled(tmp_path: Path) -> None:
    header = ["text", "activation", "valence"]
    manifest(tmp_path, ["a", 1, 5], ["b", 3, ""], ["c", 6, 3], header=header)
    reading = read(tmp_path, affect_range=(1, 5))
    assert [(e.arousal, e.valence) for e in reading.examples] == [(-1.0, 1.0), (0.0, None)]
    assert "6 lies outside 1 to 5" in reading.problems[0].reason
    with pytest.raises(CorpusError, match="affect_range 5 to 1"):
        read(tmp_path, affect_range=(5, 1))


def test_affect_without_a_class_is_enough(tmp_path: Path) -> None:
    header = ["text", "label", "arousal"]
    manifest(tmp_path, ["a", "mixed", 0.5], ["b", "", 0.5], ["c", "mixed", ""], header=header)
    reading = read(tmp_path, label_map={"mixed": None})
    assert [(e.text, e.labels) for e in reading.examples] == [("a", ()), ("b", ())]
    assert reading.problems == ()


@pytest.mark.real_data
def test_the_real_manifest_is_read_whole(shared_data: Path) -> None:
    reading = read_corpus("manifest", shared_data / "speech", strict=True)
    assert Counter(example.corpus for example in reading.examples) == {
        "ravdess": 1200,
        "nemo": 4225,
        "emotiontts_ko": 240,
    }
    assert reading.classes == ()
    assert len({example.speaker for example in reading.examples}) == 40
