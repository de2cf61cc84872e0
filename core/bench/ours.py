"""Ours: the parts of a session, asked in the order in which a session asks them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from core.bench.material import Speech
from core.pipeline.protocols import Analyzer, Transcriber
from core.types import SAMPLE_RATE, EmotionResult, Transcript, Utterance


class Ours:
    """Recognition on a thread of its own, beside the emotion model, as in a session.

    Args:
        analyzer: not loaded yet.
        transcriber: not loaded yet; None: speech alone.
    """

    def __init__(self, analyzer: Analyzer, transcriber: Transcriber | None = None) -> None:
        import torch

        self._analyzer = analyzer
        self._transcriber = transcriber
        self._recognition = ThreadPoolExecutor(1, "bench-recognition")
        analyzer.warm_up()
        self._threads = torch.get_num_threads()  # as the analyzer chose
        if transcriber is not None:
            self._recognition.submit(transcriber.warm_up).result()

    def judge(self, utterance: Utterance, transcript: Transcript | None) -> EmotionResult:
        """Judge a finished utterance, with its text or by the speech alone.

        Raises:
            ValueError: the model can't judge by that.
        """
        self._as_alone()
        result = self._analyzer.final(utterance, transcript)
        if result is None:
            raise ValueError("there is nothing to judge by")
        return result

    def speech(self, utterance: Utterance) -> EmotionResult:
        """Judge a finished utterance by the speech alone: what is shown first."""
        return self.judge(utterance, None)

    def fused(self, utterance: Utterance) -> tuple[EmotionResult, Transcript]:
        """Recognise a finished utterance and meanwhile judge its speech, then judge both.

        What was encoded for the one before is let go of first: a random Whisper always writes the
        same text, which would have to be read only once.
        """
        assert self._transcriber is not None
        self._analyzer.reset()
        text = self._recognition.submit(self._transcriber.final, utterance)
        self.judge(utterance, None)
        transcript = text.result()
        return self.judge(utterance, transcript), transcript

    def close(self) -> None:
        """End the recognition thread."""
        self._recognition.shutdown()

    def _as_alone(self) -> None:
        """Give torch the threads the program gives it, whatever somebody else set meanwhile."""
        import torch

        torch.set_num_threads(self._threads)


class Clips:
    """Stretches of speech, none like another, so that nothing is found in a cache."""

    def __init__(self, speech: Speech) -> None:
        self._samples = speech.samples
        self._numbers = iter(range(10_000, 1_000_000))

    def utterance(self, seconds: float) -> Utterance:
        """Return a finished utterance of this length."""
        number = next(self._numbers)
        count = round(seconds * SAMPLE_RATE)
        first = number * 7_919 % (len(self._samples) - count)
        return Utterance(number, 0, count, self._samples[first : first + count].copy())

    def growing(self, seconds: float, interval: float) -> Iterator[Utterance]:
        """Yield the partials of an utterance that grows to this length, one each interval (s)."""
        whole = self.utterance(seconds)
        for revision in range(1, round(seconds / interval) + 1):
            end = round(revision * interval * SAMPLE_RATE)
            samples = whole.samples[:end]
            yield Utterance(
                whole.index, 0, end, samples, None, 0, is_final=False, revision=revision
            )


def shift(first: EmotionResult, second: EmotionResult) -> float:
    """Return the largest difference between probabilities of the same labels."""
    both = np.array([first.probabilities, second.probabilities])
    return float(np.abs(both[0] - both[1]).max())
