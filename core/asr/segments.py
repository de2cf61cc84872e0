"""What a decoder says about a stretch of audio, before any gate has looked at it."""

from __future__ import annotations

from dataclasses import dataclass

from core.types import Word


@dataclass(frozen=True, slots=True)
class Segment:
    """A decoded segment; times in seconds from the start of the decoded audio.

    `average_log_probability` is the mean over its tokens (natural logarithm);
    `no_speech_probability` that of Whisper's <|nospeech|> token; `compression_ratio` is text bytes
    by zlib bytes. `words` is empty when no word times were asked for.
    """

    text: str
    start: float
    end: float
    average_log_probability: float
    no_speech_probability: float
    compression_ratio: float
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Decoding:
    """Everything decoded from one utterance, and how sure its language is (0 to 1)."""

    segments: tuple[Segment, ...]
    language: str
    language_probability: float
