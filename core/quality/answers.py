"""Clips to be judged, and what is kept of what an analyzer says of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from core.models.calibration import DoubtLimits
from core.pipeline.evidence import doubts_of
from core.pipeline.protocols import Analyzer
from core.types import Doubt, EmotionResult, Modality, Transcript, Utterance

_UNDECIDED = frozenset({Doubt.TOO_EVEN, Doubt.BORDERLINE})


@dataclass(frozen=True, slots=True)
class Clip:
    """An utterance to be judged; `labels` are those it should get, empty when nobody knows."""

    utterance: Utterance
    transcript: Transcript | None = None
    labels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Saying:
    """Labels given, the most probable first; the numbers behind them; whether it is "not sure".

    undecided: the two best labels, or a label and its threshold, lie so close together that the
    window says so.
    """

    given: tuple[str, ...]
    numbers: tuple[float, ...]
    undecided: bool = False

    def same(self, other: Saying) -> bool:
        """Whether the same labels are given, in any order where there may be several."""
        return set(self.given) == set(other.given)

    def misled_by(self, other: Saying) -> bool:
        """Whether another label is shown, and at least one of the two as a sure one."""
        return not self.same(other) and not (self.undecided and other.undecided)

    def shift(self, other: Saying) -> float:
        """Return by how much any number moved; 1, the most it can, if one is no number."""
        if len(self.numbers) != len(other.numbers):
            return 1.0
        moved = float(np.max(np.abs(np.subtract(self.numbers, other.numbers)), initial=0.0))
        return moved if np.isfinite(moved) else 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What is kept of a result.

    whole: from everything there is, with predicted arousal and valence as shares of their range
        beside the probabilities. alone: what each modality alone says. seconds: of processor time.
    """

    whole: Saying
    alone: Mapping[Modality, Saying]
    modalities: tuple[Modality, ...]
    seconds: float


def make_clips(
    utterances: Sequence[Utterance],
    labels: Sequence[Collection[str] | None] | None = None,
    transcripts: Sequence[Transcript | None] | None = None,
) -> tuple[Clip, ...]:
    """Return utterances with what is known about each; ValueError if the lengths differ."""
    texts = repeat(None, len(utterances)) if transcripts is None else transcripts
    known = repeat(None, len(utterances)) if labels is None else labels
    return tuple(
        Clip(utterance, text, frozenset(names or ()))
        for utterance, text, names in zip(utterances, texts, known, strict=True)
    )


def answers_of(
    analyzer: Analyzer, clips: Sequence[Clip], tell: Callable[[int], None] = lambda done: None
) -> list[Answer | None]:
    """Judge every clip; None where there is nothing to judge by. `tell` hears how many are done."""
    found = []
    for done, clip in enumerate(clips, 1):
        found.append(answer_of(analyzer, clip))
        tell(done)
    return found


def answer_of(analyzer: Analyzer, clip: Clip) -> Answer | None:
    """Return what an analyzer says of a clip; None where there is nothing to judge by."""
    began = time.process_time()
    result = analyzer.final(clip.utterance, clip.transcript)
    return None if result is None else _answer(result, time.process_time() - began)


def _answer(result: EmotionResult, took: float) -> Answer:
    affect = () if result.affect_derived else (result.arousal, result.valence)
    shares = tuple((1 + value) / 2 for value in affect if value is not None)
    undecided = not _UNDECIDED.isdisjoint(result.doubts)
    return Answer(
        whole=Saying(result.given, (*result.probabilities, *shares), undecided),
        alone={m: _alone(result, numbers) for m, numbers in result.by_modality.items()},
        modalities=result.modalities,
        seconds=took,
    )


def _alone(result: EmotionResult, numbers: tuple[float, ...]) -> Saying:
    """Return what one modality says, sure or not by the usual limits."""
    undecided = bool(doubts_of(None, numbers, DoubtLimits(), result.thresholds))
    return Saying(result.given_by(numbers), numbers, undecided)
