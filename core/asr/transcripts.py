"""From what a decoder heard to what may be shown of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from core.asr.gates import sift
from core.asr.segments import Decoding, Segment
from core.types import Transcript, Utterance, Word, seconds


def transcript_of(decoding: Decoding, utterance: Utterance) -> Transcript:
    """Return what may be shown of a decoding; empty, with `rejection`, if a gate refuses it."""
    passed, refused = sift(decoding.segments)
    if refused is not None:
        return Transcript("", language=decoding.language, confidence=0.0, rejection=refused)
    return Transcript(
        " ".join(segment.text for segment in passed),
        language=decoding.language,
        words=_session_words(passed, utterance),
        confidence=_confidence(passed),
    )


def likelihood_of(decoding: Decoding) -> float | None:
    """Return the mean log-probability of a text that one pass wrote as one segment, else None."""
    if len(decoding.segments) != 1:
        return None
    return decoding.segments[0].average_log_probability


def _session_words(segments: Sequence[Segment], utterance: Utterance) -> tuple[Word, ...]:
    """Shift word times to the session, in order and inside the utterance."""
    begin, end = seconds(utterance.start), seconds(utterance.end)
    words, earliest = [], begin
    for word in (word for segment in segments for word in segment.words):
        start = min(max(word.start + begin, earliest), end)
        stop = min(max(word.end + begin, start), end)
        words.append(Word(word.text, start, stop, min(1.0, max(0.0, word.confidence))))
        earliest = start
    return tuple(words)


def _confidence(segments: Sequence[Segment]) -> float:
    """Return the mean probability of the words; of the tokens where no word has one."""
    words = [word.confidence for segment in segments for word in segment.words]
    if words:
        return float(np.mean(words))
    return float(np.mean([math.exp(segment.average_log_probability) for segment in segments]))
