"""Dialogues for the tests of readers, exports and the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.dialogue.recording import Metadata, Recording
from core.types import SAMPLE_RATE, Turn, TurnStatus, Utterance
from tests.fakes import FAKE_MODEL, FakeAnalyzer, FakeTranscriber, tone
from tests.pipeline.conftest import no_leaked_threads

__all__ = ["no_leaked_threads"]

TEXTS = (
    ("A", "그 소식 듣고 진짜 놀랐어"),
    ("B", 'He said "no", <b>then</b> left & laughed: ha'),
    ("A", ""),
    (None, "emoji 😀 and, commas; semicolons"),
)


def judged(index: int, start: float, end: float, speaker: str | None, text: str) -> Turn:
    """A final turn as the pipeline makes it."""
    first, last = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)
    samples = tone((last - first) / SAMPLE_RATE, amplitude=0.1 + 0.2 * index)
    utterance = Utterance(index, first, first + samples.size, samples, speaker)
    transcript = FakeTranscriber({index: text}).final(utterance) if text else None
    emotion = FakeAnalyzer().final(utterance, transcript)
    return Turn(
        index, first, last, speaker, TurnStatus.FINAL, transcript, emotion, notes=("a_note",)
    )


@pytest.fixture
def recording() -> Recording:
    turns = tuple(
        judged(i, 2.0 * i + 0.25, 2.0 * i + 1.5, speaker, text)
        for i, (speaker, text) in enumerate(TEXTS)
    )
    metadata = Metadata(
        source="회의.wav",
        created="2025-03-01T09:30:00+09:00",
        model=FAKE_MODEL,
        transcriber="fake-whisper",
        language="ko",
    )
    return Recording(Path("회의.wav"), turns, 10 * SAMPLE_RATE, metadata)
