from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from core.errors import CorpusError
from training.data.corpora import emorynlp
from training.data.corpora.meld import read
from training.data.corpora.registry import read_corpus

from .recordings import write_mp4, write_table

HEADER = [
    *("Sr No.", "Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID"),
    *("Season", "Episode", "StartTime", "EndTime"),
]
TIMES = ("00:16:16,059", "00:16:21,731")


def row(
    number: int,
    text: str,
    speaker: str,
    emotion: str,
    dialogue: object,
    utterance: object,
    times: tuple[str, str] = TIMES,
) -> list[object]:
    return [number, text, speaker, emotion, "neutral", dialogue, utterance, 8, 21, *times]


TRAIN = [
    row(1, "also I was the point person, \u0093so\u0094 to say", "Chandler", "neutral", 0, 0),
    row(2, "You must\x92ve had\nyour hands full.", "The Interviewer", "joy", 0, 1),
    row(3, 'She said "no".', "Rachel", "anger", 125, 3),
]
DEV = [row(1, "Oh my God!", "Phoebe", "sadness", 0, 0), row(2, "What?", "Joey", "fear", 110, 7)]
TEST = [row(1, "Ew.", "Monica", "disgust", 0, 0), row(2, "Wow.", "Ross", "surprise", 0, 1)]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """The three tables as published, without clips."""
    for part, rows in (("train", TRAIN), ("dev", DEV), ("test", TEST)):
        write_table(tmp_path / f"{part}_sent_emo.csv", [HEADER, *rows])
    return tmp_path


@pytest.fixture
def clips(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips too, of which the two known bad ones are damaged and missing."""
    clip = write_mp4(tmp_path_factory.mktemp("clip") / "clip.mp4")
    for folder, names in (
        ("train_splits", ("dia0_utt0", "dia0_utt1", "dia125_utt3")),
        ("dev_splits_complete", ("dia0_utt0",)),
        ("output_repeated_splits_test", ("dia0_utt0", "dia0_utt1", "._dia0_utt0")),
    ):
        (corpus / folder).mkdir()
        for name in names:
            shutil.copy(clip, corpus / folder / f"{name}.mp4")
    damaged = corpus / "train_splits" / "dia125_utt3.mp4"
    damaged.write_bytes(damaged.read_bytes()[:500])  # its index at the end is cut off
    return corpus


def test_tables_alone_give_text(corpus: Path) -> None:
    reading = read_corpus("meld", corpus)
    assert Counter(example.part for example in reading.examples) == {
        "train": 3,
        "dev": 2,
        "test": 2,
    }
    first, second, third = reading.examples[:3]
    assert (first.id, first.dialogue, first.turn) == ("train/dia0_utt0", "meld/train/dia0", 0)
    assert (first.speaker, first.gender, first.session) == ("meld/Chandler", "M", "meld/s8e21")
    assert first.audio is None
    assert (second.speaker, second.gender) == ("meld/The Interviewer", "")
    assert (second.labels, third.labels) == (("happy",), ("angry",))
    assert third.text == 'She said "no".'
    assert third.source.endswith("train_sent_emo.csv:5")  # the row before it has two lines
    assert reading.problems == ()


def test_punctuation_of_another_encoding_is_mended(corpus: Path) -> None:
    first, second = read(corpus, parts=["train"]).examples[:2]
    assert first.text == "also I was the point person, “so” to say"
    assert second.text == "You must’ve had\nyour hands full."


def test_a_table_in_cp1252_is_read(corpus: Path) -> None:
    write_table(
        corpus / "dev_sent_emo.csv",
        [HEADER, row(1, "You must’ve", "Joey", "joy", 0, 0)],
        encoding="cp1252",
    )
    assert read(corpus, parts=["dev"]).examples[0].text == "You must’ve"


def test_equal_dialogues_of_two_parts_differ(corpus: Path) -> None:
    examples = read(corpus).examples
    assert len({example.id for example in examples}) == len(examples)
    assert {"meld/train/dia0", "meld/dev/dia0"} <= {example.dialogue for example in examples}


def test_own_classes_keep_the_names(corpus: Path) -> None:
    reading = read(corpus, classes="own", parts=["train"])
    assert [example.label for example in reading.examples] == ["neutral", "joy", "anger"]
    assert read(corpus, classes="own", parts="train") == reading
    assert set(reading.classes) >= {"neutral", "joy", "anger"}


def test_clips_are_found_and_the_known_bad_ones_reported(clips: Path) -> None:
    reading = read(clips)
    assert reading.examples[0].audio == clips / "train_splits" / "dia0_utt0.mp4"
    assert len(reading.examples) == 5
    damaged, missing = reading.problems
    assert damaged.source.endswith("train_sent_emo.csv:5")
    assert "dia125_utt3.mp4" in damaged.reason
    assert missing.reason == "there is no clip dia110_utt7.mp4 in dev_splits_complete"
    with pytest.raises(CorpusError, match="dia125_utt3"):
        read(clips, strict=True)


def test_other_damaged_clips_are_found_when_asked(clips: Path) -> None:
    (clips / "output_repeated_splits_test" / "dia0_utt1.mp4").write_bytes(b"nothing of the kind")
    assert len(read(clips, parts=["test"]).examples) == 2
    reading = read(clips, parts=["test"], check_audio=True)
    assert [example.id for example in reading.examples] == ["test/dia0_utt0"]
    assert "dia0_utt1.mp4" in reading.problems[0].reason


def test_clips_may_be_left_alone_or_demanded(clips: Path) -> None:
    reading = read(clips, media="none")
    assert len(reading.examples) == 7
    assert not any(example.audio for example in reading.examples)
    shutil.rmtree(clips / "train_splits")
    assert read(clips, media="auto", parts=["train"]).examples[0].audio is None
    with pytest.raises(CorpusError, match="train_splits"):
        read(clips, media="required", parts=["train"])


def test_the_folders_of_the_archive_are_found(corpus: Path) -> None:
    (corpus / "train").mkdir()
    (corpus / "train_sent_emo.csv").rename(corpus / "train" / "train_sent_emo.csv")
    write_mp4(corpus / "train" / "train_splits" / "dia0_utt0.mp4")
    reading = read(corpus, parts=["train"])
    assert [example.id for example in reading.examples] == ["train/dia0_utt0"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row(9, "Hi", "Joey", "boredom", 1, 0), "the label 'boredom' is none"),
        (row(9, " ", "Joey", "joy", 1, 0), "no utterance"),
        (row(9, "Hi", "", "joy", 1, 0), "no speaker"),
        (row(9, "Hi", "Joey", "joy", "one", 0), "dialogue_id 'one' is no whole number"),
        (row(9, "Hi", "Joey", "joy", 0, 0), "dev/dia0_utt0 was already in"),
        (row(9, "Hi", "Joey", "joy", 1, 0, TIMES[::-1]), "it ends at 00:16:16,059 but begins"),
        (row(9, "Hi", "Joey", "joy", 1, 0, ("16:16", "soon")), "'soon' is not a number"),
        (row(9, "Hi", "Joey", "joy", 1, 0)[:-1], "10 fields where the header has 11"),
    ],
)
def test_a_malformed_row_is_named_and_skipped(corpus: Path, bad: list[object], reason: str) -> None:
    table = write_table(corpus / "dev_sent_emo.csv", [HEADER, *DEV, bad])
    reading = read(corpus, parts=["dev"])
    assert len(reading.examples) == 2
    (problem,) = reading.problems
    assert problem.source == f"{table}:4"
    assert reason in problem.reason
    with pytest.raises(CorpusError, match=r"dev_sent_emo\.csv, line 4"):
        read(corpus, parts=["dev"], strict=True)


def test_wrong_folders_and_parts_are_refused(tmp_path: Path, corpus: Path) -> None:
    with pytest.raises(CorpusError, match=r"validation.*train, dev, test"):
        read(corpus, parts=["validation"])
    (corpus / "test_sent_emo.csv").unlink()
    with pytest.raises(CorpusError, match=r"test_sent_emo\.csv"):
        read(corpus, parts=["test"])
    write_table(corpus / "dev_sent_emo.csv", [["Utterance", "Speaker"]])
    with pytest.raises(CorpusError, match="no column emotion, dialogue_id"):
        read(corpus)
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match=r"train_sent_emo\.csv"):
        read(tmp_path / "empty")


SCENES = [
    ["Utterance", "Speaker", "Emotion", "Scene_ID", "Utterance_ID", "Season", "Episode"],
    ["Coffee, please.", "['Rachel Green']", "Neutral", 1, 1, 1, 15],
    ["Yes!", "['Carol Willick', 'Susan Bunch']", "Powerful", 1, 2, 1, 15],
    ["Hey!", "['#ALL#']", "Peaceful", 1, 1, 2, 15],
    ["No!", "['Ross Geller']", "Mad", 1, 2, 2, 15],
]


def test_emorynlp_scenes_belong_to_their_episode(tmp_path: Path) -> None:
    write_table(tmp_path / "emorynlp_dev_final.csv", SCENES)
    reading = read_corpus("emorynlp", tmp_path)
    assert [example.speaker for example in reading.examples] == [
        *("emorynlp/Rachel Green", "emorynlp/Carol Willick + Susan Bunch", ""),
        "emorynlp/Ross Geller",
    ]
    assert len({example.dialogue for example in reading.examples}) == 2
    assert reading.examples[3].dialogue == "emorynlp/dev/s2e15/scene1"
    assert [e.label for e in reading.examples] == ["neutral", "happy", "happy", "angry"]
    own = emorynlp.read(tmp_path, classes="own")
    assert [e.label for e in own.examples] == ["Neutral", "Powerful", "Peaceful", "Mad"]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        (1, "Rachel", "no list of names"),
        (1, "[1]", "no list of names"),
        (2, "Bored", "the label 'Bored'"),
        (3, "x", "scene_id 'x'"),
        (0, "", "no utterance"),
        (4, "2", "already in"),
    ],
)
def test_a_malformed_emorynlp_row_is_named(
    tmp_path: Path, column: int, value: str, reason: str
) -> None:
    bad = ["Hi", "['Joey']", "Joyful", 1, 9, 1, 15]
    bad[column] = value
    write_table(tmp_path / "emorynlp_train_final.csv", [*SCENES, bad])
    reading = emorynlp.read(tmp_path)
    assert len(reading.examples) == 4
    assert reading.problems[0].source.endswith("final.csv:6")
    assert reason in reading.problems[0].reason


@pytest.mark.real_data
def test_the_real_tables_are_read_whole(shared_data: Path) -> None:
    reading = read_corpus("meld", shared_data / "text" / "meld", strict=True)
    assert Counter(e.part for e in reading.examples) == {"train": 9989, "dev": 1109}
    dialogues = {e.dialogue for e in reading.examples}
    assert Counter(name.split("/")[1] for name in dialogues) == {"train": 1038, "dev": 114}
    reading = read_corpus("emorynlp", shared_data / "text" / "emorynlp", strict=True)
    assert Counter(e.part for e in reading.examples) == {"train": 7551, "dev": 954}
