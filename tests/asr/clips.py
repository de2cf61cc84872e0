"""The held-out clips of the micro Whisper, and utterances made of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.audio.io import read_audio
from core.types import SAMPLE_RATE, FloatArray, Transcript, Utterance

MODEL = Path(__file__).resolve().parents[1] / "data" / "micro_whisper"


@dataclass(frozen=True)
class SpokenClip:
    """A clip with what is said in it and when: words as (text, start, end) in seconds."""

    samples: FloatArray
    text: str
    language: str
    known: bool
    words: tuple[tuple[str, float, float], ...]

    @property
    def duration(self) -> float:
        return len(self.samples) / SAMPLE_RATE


def load_clips(known: bool) -> list[SpokenClip]:
    """Read the known sentences, or the speech the model never heard."""
    folder = MODEL / "clips"
    entries = json.loads((folder / "clips.json").read_text(encoding="utf-8"))
    return [
        SpokenClip(
            read_audio(folder / entry["file"])[0],
            entry["text"],
            entry["language"],
            entry["known"],
            tuple((word, start, end) for word, start, end in entry["words"]),
        )
        for entry in entries
        if entry["known"] == known
    ]


def with_pause(first: SpokenClip, second: SpokenClip, pause: float) -> SpokenClip:
    """Join two clips with digital silence between them."""
    silence = np.zeros(int(pause * SAMPLE_RATE), np.float32)
    shift = first.duration + len(silence) / SAMPLE_RATE
    later = tuple((word, start + shift, end + shift) for word, start, end in second.words)
    return replace(
        first,
        samples=np.concatenate([first.samples, silence, second.samples]),
        text=f"{first.text} {second.text}",
        words=first.words + later,
    )


def utterance_of(
    samples: FloatArray, index: int = 0, start: int = 0, final: bool = True
) -> Utterance:
    return Utterance(index, start, start + len(samples), samples, is_final=final)


def time_errors(transcript: Transcript, clip: SpokenClip, begin: float = 0.0) -> list[float]:
    """Return how far off every start and end is, in seconds; the words must be the same."""
    assert [word.text for word in transcript.words] == [word for word, _, _ in clip.words]
    errors = []
    for word, (_, start, end) in zip(transcript.words, clip.words, strict=True):
        errors += [abs(word.start - begin - start), abs(word.end - begin - end)]
    return errors


def in_order(transcript: Transcript) -> bool:
    """Whether words begin one after the other and none ends before it begins."""
    edges: Sequence[float] = [word.start for word in transcript.words]
    return list(edges) == sorted(edges) and all(w.end >= w.start for w in transcript.words)
