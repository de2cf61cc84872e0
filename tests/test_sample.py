from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from core.audio.io import probe, read_audio
from core.dialogue.readers.transcripts import find_transcript, read_transcript
from core.labels import EMOTIONS
from core.resources import sample_dialogue
from core.types import SAMPLE_RATE
from training import sample_dialogue as recipe


def test_the_transcript_beside_the_sample_names_both_speakers() -> None:
    transcript = find_transcript(sample_dialogue())
    assert transcript is not None
    lines = read_transcript(transcript).annotations
    assert [(line.speaker, line.text) for line in lines] == [
        (line.speaker, line.text) for line in recipe.SCRIPT
    ]
    assert {line.speaker for line in lines} == {"Mina", "Jun"}


def test_every_line_is_heard_where_the_transcript_says() -> None:
    audio = read_audio(sample_dialogue())[0]
    transcript = find_transcript(sample_dialogue())
    assert transcript is not None
    lines = read_transcript(transcript).annotations
    silent = np.ones(len(audio), dtype=bool)
    for line in lines:
        start, end = round(line.start * SAMPLE_RATE), round(line.end * SAMPLE_RATE)
        silent[start : end + SAMPLE_RATE // 4] = False  # the room goes on for a moment
        assert np.sqrt(np.mean(audio[start:end] ** 2)) > 0.005
    assert np.abs(audio[silent]).max() < 0.01


def test_the_sample_has_both_languages_and_every_emotion() -> None:
    assert {line.language for line in recipe.SCRIPT} == {"ko", "en"}
    assert {line.emotion for line in recipe.SCRIPT} == set(EMOTIONS)
    assert "synthetic" in (sample_dialogue().parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_the_sample_can_be_made_again(tmp_path: Path) -> None:
    assert recipe.main(["--out", str(tmp_path)]) == 0
    made, shipped = probe(tmp_path / "dialogue.flac"), probe(sample_dialogue())
    assert made.sample_rate == shipped.sample_rate == SAMPLE_RATE
    assert made.duration == pytest.approx(shipped.duration, rel=0.1)
    assert len(read_transcript(tmp_path / "dialogue.srt").annotations) == len(recipe.SCRIPT)


def test_emotions_differ_in_the_direction_that_was_published() -> None:
    prosody = recipe.PROSODY
    for high in ("happy", "angry", "surprise", "fear"):
        assert prosody[high].pitch > prosody["neutral"].pitch > prosody["sad"].pitch
    assert prosody["angry"].gain_db > prosody["neutral"].gain_db > prosody["sad"].gain_db
    assert prosody["fear"].rate > prosody["neutral"].rate > prosody["sad"].rate
