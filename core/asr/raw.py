"""Between faster-whisper's segments, which are plain dictionaries, and ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ctranslate2
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_compression_ratio

from core.asr.segments import Segment
from core.types import Word


def raw_segment(
    found: ctranslate2.models.WhisperGenerationResult, tokenizer: Tokenizer, duration: float
) -> dict[str, Any]:
    """Return all that was written as one segment of faster-whisper."""
    written = found.sequences_ids[0]
    tokens = [token for token in written if token < tokenizer.eot]
    text = tokenizer.decode(tokens)
    return {
        "seek": 0,
        "start": 0.0,
        "end": duration,
        "tokens": tokens,
        "text": text,
        # the score is a mean without the end of the text, which Whisper's threshold counts
        "avg_logprob": found.scores[0] * len(written) / (len(written) + 1),
        "no_speech_prob": found.no_speech_prob,
        "compression_ratio": get_compression_ratio(text.strip()),
    }


def segment_of(raw: Mapping[str, Any]) -> Segment:
    """Return a segment of faster-whisper as ours."""
    return Segment(
        text=raw["text"].strip(),
        start=float(raw["start"]),
        end=float(raw["end"]),
        average_log_probability=float(raw["avg_logprob"]),
        no_speech_probability=float(raw["no_speech_prob"]),
        compression_ratio=float(raw["compression_ratio"]),
        words=tuple(
            Word(
                word["word"].strip(),
                float(word["start"]),
                float(word["end"]),
                float(word["probability"]),
            )
            for word in raw.get("words") or ()
        ),
    )
