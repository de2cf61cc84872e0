from __future__ import annotations

import json
import logging
from collections import Counter
from pathlib import Path

import pytest

from core.errors import ConfigError, CorpusError
from training.data.corpora.manifest import read
from training.data.corpora.registry import read_corpus

from .recordings import write_table, write_wav

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


def manifest(folder: Path, *rows: list[object], header: list[str] | None = None) -> Path:
    return write_table(folder / "manifest.csv", [header or ["path", "labels"], *rows])


def jsonl(folder: Path, *rows: object) -> Path:
    path = folder / "manifest.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


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


# ---- files as they come


def test_a_semicolon_file_of_a_korean_spreadsheet_is_read(audio: Path) -> None:
    rows = [
        ["path", "text", "emotion", "start", "arousal"],
        ["a.wav", "아, 네; 좋아", "기쁨", "0,5", "-0,25"],
    ]
    write_table(audio / "manifest.csv", rows, delimiter=";", encoding="cp949")
    (example,) = read(audio).examples
    assert (example.text, example.labels) == ("아, 네; 좋아", ("happy",))
    assert (example.start, example.arousal) == (0.5, -0.25)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp949"])
def test_encodings_of_spreadsheets_are_found(tmp_path: Path, encoding: str) -> None:
    rows = [["text", "label"], ["안녕하세요", "놀람"]]
    write_table(tmp_path / "manifest.csv", rows, encoding=encoding)
    assert read(tmp_path).examples[0].text == "안녕하세요"


def test_an_encoding_can_be_given(tmp_path: Path) -> None:
    path = write_table(tmp_path / "m.csv", [["text", "label"], ["Żółw", "sad"]], encoding="cp1250")
    assert read(path, encoding="cp1250").examples[0].text == "Żółw"
    with pytest.raises(CorpusError, match="no encoding 'klingon'"):
        read(path, encoding="klingon")
    with pytest.raises(CorpusError, match="not text in ascii"):
        read(path, encoding="ascii")


def test_a_spreadsheets_hint_at_its_delimiter_is_no_header(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("sep=;\ntext;label\nhi;sad\n", encoding="utf-8")
    (example,) = read(tmp_path / "m.csv").examples
    assert example.source.endswith("m.csv:3")


def test_a_tab_separated_file_is_read(tmp_path: Path) -> None:
    write_table(tmp_path / "m.tsv", [["text", "label"], ["a, b; c", "sad"]], delimiter="\t")
    assert read(tmp_path / "m.tsv").examples[0].text == "a, b; c"


def test_json_lines_hold_numbers_and_lists(audio: Path) -> None:
    jsonl(
        audio,
        {"path": "a.wav", "labels": ["happy", "sad"], "start": 0, "end": 1.5, "turn": 2},
        {"text": "hm", "labels": "neutral", "path": None, "speaker": 7},
    )
    first, second = read(audio, strict=True).examples
    assert (first.labels, first.start, first.end) == (("happy", "sad"), 0.0, 1.5)
    assert (second.audio, second.speaker) == (None, "manifest/7")


def test_lines_that_are_no_json_object_are_reported(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {"text": "a", "labels": "sad"}, "{torn", "[1]", "")
    reading = read(path)
    assert len(reading.examples) == 1
    assert [p.source for p in reading.problems] == [f"{path}:2", f"{path}:3"]
    with pytest.raises(CorpusError, match=r"line 2: the line is not valid JSON"):
        read(path, strict=True)


def test_the_manifest_of_a_folder_is_found(audio: Path) -> None:
    with pytest.raises(CorpusError, match="has no manifest"):
        read(audio)
    only = write_table(audio / "mine.csv", [["path", "label"], ["a.wav", "sad"]])
    assert read(audio).examples[0].source.startswith(str(only))
    write_table(audio / "other.csv", [["path", "label"], ["a.wav", "sad"]])
    with pytest.raises(CorpusError, match=r"several manifests: mine\.csv, other\.csv"):
        read(audio)
    manifest(audio, ["a.wav", "happy"])
    assert read(audio).examples[0].labels == ("happy",)
    with pytest.raises(CorpusError, match="known kind"):
        read(audio / "a.wav")
    with pytest.raises(CorpusError, match="There is no"):
        read(audio / "nowhere")


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_an_empty_manifest_is_refused(tmp_path: Path, content: str) -> None:
    for name in ("m.csv", "m.jsonl"):
        (tmp_path / name).write_text(content, encoding="utf-8")
        with pytest.raises(CorpusError, match="is empty"):
            read(tmp_path / name)


# ---- rows


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("start", "soon", "start: 'soon' is not a number"),
        ("end", "-1", "it ends at -1 s but begins at 0 s"),
        ("start", "5", "it ends at 2 s but begins at 5 s"),
        ("start", "-0.5", "begins at -0.5 s"),
        ("end", "nan", "end: 'nan' is not a finite number"),
        ("turn", "1.5", "the turn '1.5' is no whole number"),
        ("channel", "2", "the channel '2' is none of 0 (left) and 1 (right)"),
        ("part", "extra", "the part 'extra' is none of train, dev and test"),
        ("arousal", "3", "arousal: 3 lies outside -1 to 1 (say the scale with affect_range)"),
        ("valence", "high", "valence: 'high' is not a number"),
        ("labels", "[sad", "'[sad' is not a valid JSON list"),
        ("labels", " ; ", "no label, and neither arousal nor valence"),
    ],
)
def test_a_bad_value_names_its_column_and_line(
    audio: Path, field: str, value: str, reason: str
) -> None:
    row = {"path": "a.wav", "end": 2, "labels": "sad"} | {field: value}
    path = manifest(audio, [row.get(name, "") for name in HEADER], header=HEADER)
    with path.open("a", encoding="utf-8") as file:
        file.write("clips/b.wav,,,,,,,,,,happy,,,,,\n")
    reading = read(audio)
    assert [example.labels for example in reading.examples] == [("happy",)]
    (problem,) = reading.problems
    assert problem.source == f"{path}:2"
    assert reason in problem.reason
    with pytest.raises(CorpusError, match=r"manifest\.csv, line 2: "):
        read(audio, strict=True)


def test_a_comma_without_quotes_is_explained(audio: Path) -> None:
    path = audio / "manifest.csv"
    path.write_text("path,text,label\na.wav,oh, no,sad\na.wav,fine,sad\nb\n", encoding="utf-8")
    reading = read(audio)
    assert [p.source for p in reading.problems] == [f"{path}:2", f"{path}:4"]
    assert reading.problems[0].reason == (
        "4 fields where the header has 3; a text with a comma in it needs quotation marks around it"
    )


def test_a_torn_quotation_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    path.write_text('text,label\nfine,sad\n"torn,sad\nmore,sad\n', encoding="utf-8")
    reading = read(tmp_path)
    assert len(reading.examples) == 1
    assert reading.problems[0].source == f"{path}:3"


def test_some_missing_recordings_are_reported_one_by_one(audio: Path) -> None:
    path = manifest(audio, ["a.wav", "sad"], ["gone.wav", "sad"], ["lost.wav", "sad"])
    reading = read(audio)
    assert len(reading.examples) == 1
    assert [(p.source, p.reason) for p in reading.problems] == [
        (f"{path}:3", "there is no recording gone.wav"),
        (f"{path}:4", "there is no recording lost.wav"),
    ]


def test_strict_reading_tells_all_missing_recordings_at_once(audio: Path) -> None:
    names = [f"gone{number}.wav" for number in range(5)]
    manifest(audio, ["a.wav", "sad"], *([name, "sad"] for name in names))
    with pytest.raises(CorpusError) as caught:
        read(audio, strict=True)
    message = str(caught.value)
    assert "5 of 6 recordings are not there: gone0.wav (line 3), gone1.wav (line 4)" in message
    assert "gone2.wav (line 5) and 2 more." in message
    assert f"from {audio}" in message


def test_a_wrong_audio_root_is_told_at_once(audio: Path) -> None:
    manifest(audio, ["b.wav", "sad"], ["b.wav", "happy"])
    with pytest.raises(CorpusError, match=r"2 of 2 recordings are not there.*audio_root"):
        read(audio)
    (example,) = read(audio, audio_root=str(audio / "clips")).examples
    assert example.audio == audio / "clips" / "b.wav"


def test_a_text_does_not_stand_in_for_a_missing_recording(audio: Path) -> None:
    header = ["path", "text", "label"]
    manifest(audio, ["a.wav", "hi", "sad"], ["gone.wav", "hi", "sad"], header=header)
    assert len(read(audio).examples) == 1


def test_the_same_utterance_twice_is_reported(audio: Path) -> None:
    header = ["id", "path", "start", "end", "label"]
    manifest(
        audio,
        *(["", "a.wav", 0, 1, "sad"], ["", "a.wav", 1, 2, "sad"], ["", "a.wav", 0, 1, "happy"]),
        *(["x", "clips/b.wav", "", "", "sad"], ["x", "a.wav", "", "", "sad"]),
        header=header,
    )
    reading = read(audio)
    assert [example.id for example in reading.examples] == ["a.wav#0-1", "a.wav#1-2", "x"]
    assert [p.reason for p in reading.problems] == [
        *("'a.wav#0-1' is already in line 2", "'x' is already in line 5")
    ]


def test_recordings_are_opened_when_asked(audio: Path) -> None:
    (audio / "bad.wav").write_bytes(b"nothing of the kind")
    header = ["path", "end", "label"]
    manifest(audio, ["a.wav", 2, "sad"], ["bad.wav", 1, "sad"], ["a.wav", 9, "sad"], header=header)
    assert len(read(audio).examples) == 3
    reading = read(audio, check_audio=True)
    assert len(reading.examples) == 1
    assert "bad.wav" in reading.problems[0].reason
    assert reading.problems[1].reason == "it ends at 9 s, but a.wav lasts 2.00 s"


def test_turns_count_within_a_dialogue(tmp_path: Path) -> None:
    rows = [["a", "d1", "", "sad"], ["b", "d2", "", "sad"], ["c", "d1", "", "sad"]]
    header = ["text", "dialogue", "turn", "label"]
    manifest(tmp_path, *rows, ["d", "d1", 7, "sad"], ["e", "d1", "", "sad"], header=header)
    assert [example.turn for example in read(tmp_path).examples] == [0, 0, 1, 7, 8]


def test_equal_speakers_of_two_corpora_differ(audio: Path) -> None:
    header = ["path", "label", "speaker", "dataset"]
    manifest(audio, ["a.wav", "sad", "1", "x"], ["clips/b.wav", "sad", "1", "y"], header=header)
    assert [example.speaker for example in read(audio).examples] == ["x/1", "y/1"]
    assert {e.corpus for e in read(audio, where={"dataset": "y"}).examples} == {"y"}
    with pytest.raises(CorpusError, match="no column corpora"):
        read(audio, where={"corpora": "y"})


# ---- labels and affect


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
