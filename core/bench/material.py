"""What benchmarks listen to: the bundled dialogue, without its pauses, and its text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.audio.io import read_audio
from core.dialogue.readers.subtitles import read_srt
from core.dialogue.recording import Annotation
from core.resources import sample_dialogue
from core.types import SAMPLE_RATE, FloatArray, Message, Transcript, TranscriptSource, Utterance

FADE_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Speech:
    """Speech without pauses: samples (n,) at 16 kHz, and a text for it with its language."""

    samples: FloatArray
    text: str
    language: str


def load_dialogue() -> tuple[FloatArray, list[Annotation]]:
    """Return the bundled dialogue, shape (n,), and its transcript."""
    path = sample_dialogue()
    return read_audio(path)[0], read_srt(path.with_suffix(".srt"))


def continuous_speech(seconds: float, language: str = "ko") -> Speech:
    """Return so much speech of one language with every pause between turns cut out."""
    audio, lines = load_dialogue()
    chosen = [line for line in lines if _language(line.text) == language]
    speech = np.concatenate([_faded(audio, line) for line in chosen])
    wanted = round(seconds * SAMPLE_RATE)
    repeated = np.tile(speech, -(-wanted // len(speech)))[:wanted]
    return Speech(repeated, " ".join(line.text for line in chosen), language)


def utterance(
    speech: Speech, seconds: float, *, index: int = 0, is_final: bool = False, revision: int = 0
) -> Utterance:
    """Return the first `seconds` of speech as an utterance by speaker "A"."""
    samples = speech.samples[: round(seconds * SAMPLE_RATE)]
    return Utterance(index, 0, len(samples), samples, "A", 0, is_final, revision)


def transcript(speech: Speech, seconds: float, *, is_final: bool = False) -> Transcript:
    """Return the text as if it were spoken evenly, at 2.5 words a second."""
    words = speech.text.split()
    spoken = " ".join(words[: max(1, round(2.5 * seconds))])
    return Transcript(
        spoken,
        language=speech.language,
        is_final=is_final,
        source=TranscriptSource.RECOGNITION,
    )


def _language(text: str) -> str:
    return "ko" if any("가" <= letter <= "힣" for letter in text) else "en"


def _faded(audio: FloatArray, line: Annotation) -> FloatArray:
    piece = audio[round(line.start * SAMPLE_RATE) : round(line.end * SAMPLE_RATE)].copy()
    ramp = np.linspace(0, 1, round(FADE_SECONDS * SAMPLE_RATE), dtype=np.float32)
    piece[: len(ramp)] *= ramp
    piece[-len(ramp) :] *= ramp[::-1]
    return piece


class ReadingTranscriber:
    """Gives the known text in place of a recogniser, so that both encoders have work to do."""

    name = "known text"

    def __init__(self, speech: Speech) -> None:
        self._speech = speech

    def warm_up(self) -> None:
        """Nothing to load."""

    def partial(self, utterance: Utterance) -> Transcript:
        """Return the text so far."""
        return transcript(self._speech, utterance.duration)

    def final(self, utterance: Utterance) -> Transcript:
        """Return the whole text."""
        return transcript(self._speech, utterance.duration, is_final=True)

    def better(self, utterance: Utterance, transcript: Transcript) -> Transcript | None:
        """Return None: the known text can't be bettered."""
        return None

    def take_messages(self) -> tuple[Message, ...]:
        """Return nothing: nothing happens to it."""
        return ()

    smaller: str | None = None


def spans(lines: Sequence[Annotation]) -> list[tuple[int, int]]:
    """Return start and end of each line in samples."""
    return [(round(a.start * SAMPLE_RATE), round(a.end * SAMPLE_RATE)) for a in lines]
