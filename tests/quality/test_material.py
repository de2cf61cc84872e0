from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from core.dialogue.turn_record import turn_to_record
from core.dialogue.wav import to_pcm, wav_header
from core.errors import CorpusError, MediaError
from core.quality.check import with_known_labels, with_texts
from core.quality.material import LABELLED, RECORDINGS, SAMPLE, SESSIONS, annotated, find_material
from core.resources import sample_dialogue
from core.types import FloatArray, Transcript, TranscriptSource, Turn, TurnStatus, Utterance
from tests.checkpoints import voice
from tests.quality.answers import clip

SRT = "1\n00:00:00,200 --> 00:00:01,000\nA: hello there\n\n"


def write_wav(path: Path, samples: FloatArray) -> Path:
    data = to_pcm(samples[None])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wav_header(1, len(data)) + data)
    return path


def write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """A folder of four clips in a table, one of which is missing."""
    for index in range(3):
        write_wav(tmp_path / "clips" / f"{index}.wav", voice(0.5, seed=index))
    rows = [[f"clips/{i}.wav", ("sad", "Happy", "calm", "sad")[i], f"text {i}"] for i in range(4)]
    write_table(tmp_path / "manifest.csv", ("path", "emotion", "text"), rows)
    return tmp_path


def test_without_recordings_of_ones_own_the_sample_is_taken(tmp_path: Path) -> None:
    found = find_material(root=tmp_path)
    assert found.kind == SAMPLE
    assert len(found.clips) == found.texts > 10
    assert [c.utterance.index for c in found.clips] == list(range(len(found.clips)))


def test_recordings_are_cut_where_a_transcript_beside_them_says(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", voice(2.0))
    (tmp_path / "a.srt").write_text(SRT)
    (tmp_path / "notes.txt").write_text("nothing to hear")
    found = find_material(tmp_path)
    assert found.kind == RECORDINGS
    (one,) = found.clips
    assert one.transcript is not None
    assert one.transcript.text == "hello there"
    assert one.utterance.samples.size == pytest.approx(0.8 * 16_000, abs=2)
    assert annotated(found.clips) == found.clips


def test_recordings_without_a_transcript_are_cut_by_voice(tmp_path: Path) -> None:
    sample = tmp_path / "alone.flac"
    sample.write_bytes(sample_dialogue().read_bytes())
    found = find_material(tmp_path, most=3)
    assert (found.kind, len(found.clips), found.texts) == (RECORDINGS, 3, 0)
    assert all(c.utterance.is_final for c in found.clips)
    assert annotated(found.clips) == ()


def test_recorded_sessions_are_cut_into_their_turns_with_what_was_recognised(
    tmp_path: Path,
) -> None:
    session = tmp_path / "2026-01-01"
    write_wav(session / "audio.wav", voice(3.0))
    (session / "session.json").write_text('{"format": 1, "channels": 1}')
    spoken = Turn(0, 0, 16_000, None, TurnStatus.FINAL, Transcript("hello"))
    unread = Turn(1, 24_000, 40_000, None, TurnStatus.FINAL)
    lines = [json.dumps(turn_to_record(turn)) + "\n" for turn in (spoken, unread)]
    (session / "turns.jsonl").write_text("".join(lines))
    found = find_material(root=tmp_path)
    assert (found.kind, len(found.clips), found.texts) == (SESSIONS, 2, 1)
    recognised = found.clips[0].transcript
    assert recognised is not None
    assert recognised.source is TranscriptSource.RECOGNITION
    assert annotated(found.clips) == ()


def test_a_folder_with_a_manifest_gives_labelled_clips_and_names_what_is_missing(
    labelled: Path,
) -> None:
    found = find_material(labelled)
    assert (found.kind, len(found.clips), found.texts) == (LABELLED, 3, 3)
    assert {label for one in found.clips for label in one.labels} == {"sad", "Happy", "calm"}
    assert len(found.problems) == 1
    assert "3.wav" in found.problems[0]
    assert find_material(None, labelled / "manifest.csv").digest == found.digest


def test_of_many_clips_some_are_drawn_and_always_the_same(labelled: Path) -> None:
    first, again = (find_material(labelled, most=2) for _ in range(2))
    assert len(first.clips) == 2
    assert first.digest == again.digest != find_material(labelled).digest


def test_the_hash_tells_sounds_texts_and_labels_apart(labelled: Path) -> None:
    known = {find_material(labelled).digest}
    write_wav(labelled / "clips" / "0.wav", voice(0.5, seed=9))
    known.add(find_material(labelled).digest)
    table = labelled / "manifest.csv"
    table.write_text(table.read_text().replace("calm", "angry"))
    known.add(find_material(labelled).digest)
    table.write_text(table.read_text().replace("text 1", "text one"))
    known.add(find_material(labelled).digest)
    assert len(known) == 4


def test_what_holds_nothing_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no recording"):
        find_material(tmp_path)
    with pytest.raises(MediaError, match="no folder"):
        find_material(tmp_path / "none")
    write_wav(tmp_path / "silence.wav", np.zeros(16_000, np.float32))
    with pytest.raises(MediaError, match="no speech"):
        find_material(tmp_path)


@pytest.mark.parametrize(
    ("header", "rows", "problem"),
    [
        (("path", "text"), [("a.wav", "x")], "no column label"),
        (("path", "label"), [], "names no clip"),
        (("path", "label"), [("a.wav", "sad")], "No clip of"),
    ],
)
def test_a_table_that_can_not_be_used_says_why(
    tmp_path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]], problem: str
) -> None:
    table = write_table(tmp_path / "own.csv", header, rows)
    with pytest.raises((CorpusError, MediaError), match=problem):
        find_material(labels=table)


def test_labels_are_spelled_as_the_model_does_and_unknown_ones_do_not_count() -> None:
    clips = [clip(0, ["HAPPY"]), clip(1, ["calm"]), clip(2, ["sad", "bored"]), clip(3)]
    known = with_known_labels(clips, ("happy", "sad"))
    assert [one.labels for one in known] == [{"happy"}, frozenset(), frozenset(), frozenset()]


class Writes:
    """A transcriber that hears the same everywhere, but nothing in the second clip."""

    name = "same"

    def warm_up(self) -> None:
        pass

    def final(self, utterance: Utterance) -> Transcript:
        return Transcript("" if utterance.index == 1 else "heard")


def test_only_clips_without_a_text_are_written_down() -> None:
    clips = [clip(0), clip(1), clip(2)]
    known = Transcript("known", source=TranscriptSource.ANNOTATION)
    clips[2] = type(clips[2])(clips[2].utterance, known)
    found = with_texts(clips, Writes())  # type: ignore[arg-type]
    assert [one.transcript.text if one.transcript else None for one in found] == [
        "heard",
        None,
        "known",
    ]
