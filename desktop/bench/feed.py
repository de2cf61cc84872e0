"""A made-up conversation as session events, for measuring and testing the window alone.

Nothing here pretends to be a result: the sound is synthetic, the numbers follow a fixed walk.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from core.labels import EMOTIONS, derive_affect
from core.pipeline.events import AudioHeard, Event, Saved, TurnUpdated
from core.types import (
    SAMPLE_RATE,
    WINDOW,
    AttentionKind,
    AttentionMap,
    AudioBlock,
    Axis,
    Doubt,
    EmotionResult,
    FloatArray,
    Modality,
    ModelInfo,
    Transcript,
    Turn,
    TurnStatus,
)

MODEL = ModelInfo(
    name="synthetic",
    version="0",
    digest="0" * 64,
    labels=EMOTIONS,
    modalities=(Modality.SPEECH, Modality.TEXT),
    languages=("ko", "en"),
)
SENTENCES = (
    "그 소식 듣고 진짜 놀랐어",
    "I really did not expect that",
    "나는 좀 걱정되더라, 다들 괜찮은지 모르겠어",
    "We should call them tonight and ask how they are",
    "아니 왜 아무도 말을 안 해 준 거야",
)
PERIOD = 4.0
"""Seconds from one utterance to the next."""

SPEECH = (0.6, 3.4)
"""When in a period somebody speaks."""

_PARTIAL_EVERY = 8


class SyntheticFeed:
    """Events block by block; the same events for the same seed."""

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._block = 0
        self._speech = _voice(self._random)
        self._noise = self._random.normal(0, 0.002, SAMPLE_RATE).astype(np.float32)

    @property
    def seconds(self) -> float:
        """How much was fed so far."""
        return self._block * WINDOW / SAMPLE_RATE

    def step(self) -> Iterator[Event]:
        """Yield the events of the next 32 ms."""
        start = self._block * WINDOW
        moment = start / SAMPLE_RATE
        number, inside = divmod(moment, PERIOD)
        speaking = SPEECH[0] <= inside < SPEECH[1]
        yield self._heard(start, inside, speaking)
        if speaking and self._block % _PARTIAL_EVERY == 0:
            yield TurnUpdated(self._turn(int(number), inside, TurnStatus.PARTIAL), 0.11)
        ends = SPEECH[1] <= inside < SPEECH[1] + WINDOW / SAMPLE_RATE
        if ends:
            yield TurnUpdated(self._turn(int(number), SPEECH[1], TurnStatus.FINAL), 0.14)
            yield Saved(start)
        self._block += 1

    def _heard(self, start: int, inside: float, speaking: bool) -> AudioHeard:
        first = int(inside * SAMPLE_RATE) % (SAMPLE_RATE - WINDOW)
        source = self._speech if speaking else self._noise
        samples = source[first : first + WINDOW]
        level = 20 * float(np.log10(np.sqrt(np.mean(samples**2)) + 1e-9))
        block = AudioBlock(samples[None, :], start)
        return AudioHeard(block, (0.97 if speaking else 0.02,), (level,), (0.0,))

    def _turn(self, number: int, until: float, status: TurnStatus) -> Turn:
        start = round((number * PERIOD + SPEECH[0]) * SAMPLE_RATE)
        end = max(start + WINDOW, round((number * PERIOD + until) * SAMPLE_RATE))
        words = SENTENCES[number % len(SENTENCES)].split()
        final = status is TurnStatus.FINAL
        said = words if final else words[: max(1, int((until - SPEECH[0]) * 2))]
        transcript = Transcript(
            " ".join(said if final else said[:-1]),
            "" if final else said[-1],
            is_final=final,
        )
        emotion = self._emotion(number, (end - start) / SAMPLE_RATE, tuple(said), final)
        speaker = "AB"[number % 2]
        return Turn(number, start, end, speaker, status, transcript, emotion)

    def _emotion(
        self, number: int, length: float, words: tuple[str, ...], final: bool
    ) -> EmotionResult:
        scores = self._random.normal(0, 0.25, len(EMOTIONS))
        scores[(number * 3 + 1) % len(EMOTIONS)] += 1.2 + 0.5 * length
        scores[0] += 1.0
        speech, text = _softmax(scores), _softmax(scores[::-1] * 0.5)
        together = tuple(0.65 * a + 0.35 * b for a, b in zip(speech, text, strict=True))
        arousal, valence = derive_affect(EMOTIONS, together)
        return EmotionResult(
            labels=EMOTIONS,
            probabilities=together,
            arousal=arousal,
            valence=valence,
            affect_derived=True,
            doubts=(Doubt.TOO_EVEN,) if max(together) < 0.4 else (),
            modalities=(Modality.SPEECH, Modality.TEXT),
            modality_share={Modality.SPEECH: 0.65, Modality.TEXT: 0.35},
            by_modality={Modality.SPEECH: speech, Modality.TEXT: text},
            attentions=(self._words_by_time(words, length),) if final else (),
            model=MODEL,
            baseline_seconds=10.0,
        )

    def _words_by_time(self, words: tuple[str, ...], length: float) -> AttentionMap:
        columns = 40
        centres = (np.arange(len(words)) + 0.5) / len(words)
        times = (np.arange(columns) + 0.5) / columns
        weights = np.exp(-(((times[None, :] - centres[:, None]) / 0.12) ** 2)) + 0.05
        weights *= self._random.uniform(0.7, 1.3, weights.shape)
        weights /= weights.sum(axis=1, keepdims=True)
        edges = np.linspace(0, length, columns + 1)
        spans = tuple((float(a), float(b)) for a, b in itertools.pairwise(edges))
        return AttentionMap(
            "words by time",
            AttentionKind.TOKEN,
            weights.astype(np.float32),
            Axis("word", labels=words),
            Axis("time", spans=spans),
        )


def _softmax(scores: np.ndarray) -> tuple[float, ...]:
    powers = np.exp(scores - scores.max())
    return tuple(float(p) for p in powers / powers.sum())


def _voice(random: np.random.Generator) -> FloatArray:
    """Return a second of a buzzing voice with syllables."""
    times = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    harmonics = sum(
        np.sin(2 * np.pi * 140 * n * times + random.uniform(0, 6)) / n for n in range(1, 20)
    )
    syllables = 0.15 + 0.85 * np.abs(np.sin(2 * np.pi * 2.2 * times)) ** 2
    noise = random.normal(0, 0.08, SAMPLE_RATE)
    return (0.12 * syllables * (harmonics + noise)).astype(np.float32)
