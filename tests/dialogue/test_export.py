from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from core.dialogue.export.formats import FORMATS, export, parse_formats, render
from core.dialogue.export.html import ink_on
from core.dialogue.export.shapes import shares, timeline
from core.dialogue.readers.transcripts import read_transcript
from core.dialogue.recording import Recording
from core.dialogue.turn_record import turn_from_record, turn_to_record
from core.errors import ConfigError, JournalError
from core.labels import EMOTIONS
from core.palette import DARK, LIGHT, UNKNOWN
from core.types import SAMPLE_RATE, Transcript, Turn, TurnStatus
from tests.dialogue.conftest import TEXTS, judged

FIELDS = {
    "start", "end", "speaker", "text", "words", "label", "probabilities", "arousal", "valence",
    "uncertain", "modalities", "modality_share", "model",
}  # fmt: skip


def test_jsonl_has_one_object_per_turn_with_every_field(recording: Recording) -> None:
    rows = [json.loads(line) for line in render(recording, "jsonl").splitlines()]
    assert len(rows) == len(recording.turns)
    for row, turn in zip(rows, recording.turns, strict=True):
        assert set(row) >= FIELDS
        assert row["start"] == pytest.approx(turn.start / SAMPLE_RATE, abs=1e-3)
        assert row["end"] == pytest.approx(turn.end / SAMPLE_RATE, abs=1e-3)
        assert set(row["probabilities"]) == set(EMOTIONS)
        assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert row["label"] == max(row["probabilities"], key=row["probabilities"].get)
        assert sum(row["modality_share"].values()) == pytest.approx(1)
        assert row["model"]["digest"] == "f" * 64
    assert [row["text"] for row in rows] == [text for _, text in TEXTS]
    assert [w["text"] for w in rows[0]["words"]] == TEXTS[0][1].split()


def test_a_turn_survives_its_record_but_for_attention(recording: Recording) -> None:
    for turn in recording.turns:
        again = turn_from_record(json.loads(json.dumps(turn_to_record(turn))))
        assert again.emotion is not None
        assert turn.emotion is not None
        assert again.emotion.probabilities == pytest.approx(turn.emotion.probabilities, abs=1e-6)
        assert again.emotion.label == turn.emotion.label
        assert again.emotion.doubts == turn.emotion.doubts
        assert again.emotion.modalities == turn.emotion.modalities
        assert again.emotion.model.digest == turn.emotion.model.digest
        assert (again.start, again.end) == (turn.start, turn.end)
        assert (again.index, again.speaker, again.notes) == (turn.index, turn.speaker, turn.notes)
        assert (again.transcript is None) == (turn.transcript is None)
        if again.transcript and turn.transcript:
            assert again.transcript.text == turn.transcript.text
            assert len(again.transcript.words) == len(turn.transcript.words)


def test_a_record_of_a_turn_without_emotion_is_complete(recording: Recording) -> None:
    turn = replace(recording.turns[0], emotion=None)
    record = turn_to_record(turn)
    assert set(record) >= FIELDS
    assert record["label"] is None
    assert turn_from_record(record).emotion is None


def test_a_record_that_lacks_something_is_refused() -> None:
    with pytest.raises(JournalError):
        turn_from_record({"start": 0.0})


def test_csv_has_a_column_per_class(recording: Recording) -> None:
    rows = list(csv.DictReader(io.StringIO(render(recording, "csv"))))
    assert [row["text"] for row in rows] == [text for _, text in TEXTS]
    assert sum(float(rows[0][f"p_{label}"]) for label in EMOTIONS) == pytest.approx(1, abs=1e-4)
    assert rows[0]["model"] == "fake"
    assert rows[3]["speaker"] == ""


def test_csv_opens_as_utf8_in_a_spreadsheet(recording: Recording, tmp_path: Path) -> None:
    path = export(recording, "csv", tmp_path / "a.csv")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("name", ["srt", "vtt", "textgrid", "csv"])
def test_what_was_written_can_be_read_back(recording: Recording, tmp_path: Path, name: str) -> None:
    path = export(recording, name, tmp_path / f"회의{FORMATS[name].suffix}", "ko")
    with_words = [turn for turn in recording.turns if turn.transcript]
    again = read_transcript(path).annotations
    said = [t.transcript.text for t in with_words if t.transcript]
    if name == "srt":  # has no way to write a "<b>" that was said
        said = [re.sub("</?b>", "", text) for text in said]
    assert [a.text for a in again] == said
    assert [a.speaker for a in again] == [t.speaker for t in with_words]
    for annotation, turn in zip(again, with_words, strict=True):
        assert annotation.start == pytest.approx(turn.start / SAMPLE_RATE, abs=0.002)
        assert annotation.end == pytest.approx(turn.end / SAMPLE_RATE, abs=0.002)


@pytest.mark.parametrize("name", ["srt", "vtt", "textgrid"])
def test_subtitles_name_the_emotion_in_the_language_asked_for(
    recording: Recording, name: str
) -> None:
    emotion = recording.turns[0].emotion
    assert emotion is not None
    korean = {"neutral": "중립", "angry": "분노", "sad": "슬픔"}
    assert emotion.label in render(recording, name, "en")
    labels = {turn.emotion.label for turn in recording.turns if turn.emotion}
    assert any(korean.get(label, "?") in render(recording, name, "ko") for label in labels)


def test_times_beyond_an_hour_are_written_in_full(recording: Recording) -> None:
    late = judged(0, 3723.5, 3725.0, "A", "late")
    text = render(replace(recording, turns=(late,), duration=late.end), "srt")
    assert "01:02:03,500 --> 01:02:05,000" in text


def test_a_textgrid_copes_with_overlapping_turns_of_one_speaker(
    recording: Recording, tmp_path: Path
) -> None:
    turns = (judged(0, 1.0, 4.0, "A", "first"), judged(1, 3.0, 5.0, "A", "second"))
    path = export(replace(recording, turns=turns), "textgrid", tmp_path / "a.TextGrid")
    assert [(a.start, a.end) for a in read_transcript(path).annotations] == [(1, 3), (3, 5)]


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_recording_without_turns_can_be_written(recording: Recording, name: str) -> None:
    empty = replace(recording, turns=(), duration=0)
    assert isinstance(render(empty, name), str)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_turn_without_text_or_emotion_can_be_written(recording: Recording, name: str) -> None:
    bare = Turn(0, 0, SAMPLE_RATE, None, TurnStatus.FINAL, notes=("emotion_failed",))
    refused = Turn(
        1, SAMPLE_RATE, 2 * SAMPLE_RATE, "A", TurnStatus.FINAL, Transcript("", rejection="x")
    )
    assert render(replace(recording, turns=(bare, refused)), name)


def test_an_unknown_format_is_refused_by_name(recording: Recording) -> None:
    with pytest.raises(ConfigError, match="docx"):
        render(recording, "docx")
    with pytest.raises(ConfigError, match="docx"):
        parse_formats("jsonl,docx")
    with pytest.raises(ConfigError):
        parse_formats(" , ")
    assert parse_formats("HTML, jsonl,html") == ("html", "jsonl")


def test_a_folder_that_cannot_be_written_is_named(recording: Recording, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(JournalError, match="file"):
        export(recording, "jsonl", blocked / "a.jsonl")


def test_an_export_replaces_the_old_file_and_leaves_nothing_beside_it(
    recording: Recording, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("what was here before")
    export(recording, "jsonl", path)
    assert "before" not in path.read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["a.jsonl"]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_report_stands_alone(recording: Recording, language: str) -> None:
    page = render(recording, "html", language)
    assert f'<html lang="{language}"' in page
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", page)
    assert "@import" not in page
    assert "url(" not in page
    assert "prefers-color-scheme" in page
    assert "<svg" in page


def test_the_report_shows_every_turn_speaker_and_model(recording: Recording) -> None:
    page = render(recording, "html", "en")
    assert "그 소식 듣고 진짜 놀랐어" in page
    assert "fake" in page
    assert "f" * 12 in page
    for turn in recording.turns:
        assert turn.emotion is not None
        assert turn.emotion.label in page


def test_the_report_escapes_what_was_said(recording: Recording) -> None:
    evil = judged(0, 0, 1, "<img src=x onerror=alert(1)>", "<script>alert(1)</script>")
    page = render(replace(recording, turns=(evil,)), "html", "en")
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize("duration", [0.0, 1.0, 59.0, 67.0, 600.0, 3599.0, 3600.0, 86400.0])
def test_a_timeline_of_any_length_has_a_few_full_rows(duration: float) -> None:
    rows = timeline((), (None,), EMOTIONS, duration)
    assert 1 <= len(rows) <= 8
    assert rows[0].start == 0
    assert rows[-1].end == pytest.approx(max(duration, 1.0))
    assert all(1 <= len(row.ticks) <= 14 for row in rows)


def test_blocks_of_a_timeline_lie_on_their_speakers_lane(recording: Recording) -> None:
    (row,) = timeline(recording.turns, recording.speakers(), EMOTIONS, 10.0)
    assert [block.y for block in row.blocks] == [0, 30, 0, 60]
    assert [block.x for block in row.blocks] == [25, 225, 425, 625]
    assert all(block.width == 125 for block in row.blocks)


def test_a_curve_never_goes_back_in_time(recording: Recording) -> None:
    turns = (judged(0, 1, 8, "A", ""), judged(1, 2, 4, "B", ""), judged(2, 3, 9, "A", ""))
    for row in timeline(turns, ("A", "B"), EMOTIONS, 10.0):
        for _, path in row.curves:
            xs = [float(point.split(",")[0]) for point in path[1:].split("L")]
            assert xs == sorted(xs)


@pytest.mark.parametrize("colour", [*LIGHT.values(), *DARK.values(), UNKNOWN])
def test_words_on_blocks_can_be_read(colour: str) -> None:
    def luminance(value: str) -> float:
        parts = [int(value[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    light, dark = sorted((luminance(colour), luminance(ink_on(colour))), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_time_that_is_not_sure_is_counted_apart() -> None:
    sure, unsure = judged(0, 0, 3, "A", ""), judged(1, 4, 4.4, "A", "")
    assert sure.emotion is not None
    assert unsure.emotion is not None
    assert unsure.emotion.uncertain
    parts = shares((sure, unsure), EMOTIONS)
    assert [part.label for part in parts] == [sure.emotion.label, None]
    assert [part.duration for part in parts] == pytest.approx([3.0, 0.4])
    assert sum(part.width for part in parts) == pytest.approx(100, abs=0.01)
