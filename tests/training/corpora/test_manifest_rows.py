from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import CorpusError
from training.data.corpora.manifest import read

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


def test_a_path_no_file_could_have_is_missing(audio: Path) -> None:
    manifest(audio, ["a.wav", "sad"], ["x" * 5000, "sad"], ["a\0b.wav", "sad"])
    assert [problem.reason[:24] for problem in read(audio).problems] == [
        "there is no recording xx",
        "there is no recording a\0",
    ]


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
