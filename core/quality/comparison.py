"""How far the answers of two analyzers lie apart on the same clips."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from core.pipeline.protocols import Analyzer
from core.quality.answers import Answer, Clip, Saying, answer_of, make_clips
from core.quality.f1 import F1Difference, f1_difference
from core.types import Modality, Transcript, Utterance

__all__ = ["Clip", "Comparison", "compare", "difference", "speedup_of"]

_NOTHING = Saying((), ())
"""Of a mode that gives no answer: differs from every answer, as much as it can."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Lossy answers held against exact ones.

    clips: how many were compared; seconds: of speech in them. same: how many answers are the same.
    misleading: how many differ without being called undecided by both. largest_shift: of any
    probability in any clip; mean_shift: mean over clips of each one's largest. speedup: median
    ratio of processor time, clip by clip. f1: of clips with labels.
    """

    clips: int
    seconds: float
    same: int
    misleading: int
    largest_shift: float
    mean_shift: float
    speedup: float | None = None
    f1: F1Difference | None = None


def compare(
    exact: Analyzer,
    lossy: Analyzer,
    utterances: Sequence[Utterance],
    labels: Sequence[Collection[str] | None] | None = None,
    transcripts: Sequence[Transcript | None] | None = None,
) -> Comparison:
    """Judge every utterance with both, turn by turn (A B A B), so that times can be compared.

    Args:
        exact, lossy: ready (warmed up).
        labels: what each utterance should be called, where that is known.
        transcripts: the text of each, where there is one.
    """
    clips = make_clips(utterances, labels, transcripts)
    pairs = [(answer_of(exact, clip), answer_of(lossy, clip)) for clip in clips]
    return difference(clips, [a for a, _ in pairs], [b for _, b in pairs])


def speedup_of(lossy: Analyzer, exact: Analyzer, clips: Sequence[Clip]) -> float | None:
    """Return the median ratio of processor times, each clip judged by both in turn.

    Only so can they be compared: a machine is never equally fast for long.
    """
    pairs = []
    for clip in clips:
        for analyzer in (exact, lossy):
            analyzer.reset()  # what was encoded just now would cost nothing
        pairs.append((answer_of(exact, clip), answer_of(lossy, clip)))
    return _median_ratio(pairs)


def _median_ratio(pairs: Sequence[tuple[Answer | None, Answer | None]]) -> float | None:
    both = [(a, b) for a, b in pairs if a is not None and b is not None and b.seconds > 0]
    return median(a.seconds / b.seconds for a, b in both) if both else None


def difference(
    clips: Sequence[Clip],
    exact: Sequence[Answer | None],
    lossy: Sequence[Answer | None],
    modality: Modality | None = None,
    confidence: float = 0.95,
) -> Comparison:
    """Hold answers against each other.

    Args:
        clips: what was judged; exact, lossy: the answers, in the same order.
        modality: compare only clips in which there is such a thing, and besides the whole answer
            also what this modality alone says (which is what is shown until the rest is there).
        confidence: of each end of the interval of the F1.
    """
    rows = [
        (clip, a, b)
        for clip, a, b in zip(clips, exact, lossy, strict=True)
        if a is not None and (modality is None or modality in a.modalities)
    ]
    pairs = [_pairs(a, b, modality) for _, a, b in rows]
    shifts = [max(one.shift(other) for one, other in both) for both in pairs]
    labelled = [
        (c.labels, a.whole.given, b.whole.given if b else ()) for c, a, b in rows if c.labels
    ]
    return Comparison(
        clips=len(rows),
        seconds=sum(clip.utterance.duration for clip, _, _ in rows),
        same=sum(all(one.same(other) for one, other in both) for both in pairs),
        misleading=sum(any(one.misled_by(other) for one, other in both) for both in pairs),
        largest_shift=max(shifts, default=0.0),
        mean_shift=float(np.mean(shifts)) if shifts else 0.0,
        speedup=_median_ratio([(a, b) for _, a, b in rows]),
        f1=f1_difference(*zip(*labelled, strict=True), confidence=confidence) if labelled else None,
    )


def _pairs(
    exact: Answer, lossy: Answer | None, modality: Modality | None
) -> list[tuple[Saying, Saying]]:
    """Return what has to agree: the whole answers, and those of the modality alone."""
    found = [(exact.whole, _NOTHING if lossy is None else lossy.whole)]
    if modality is not None and modality in exact.alone:
        alone = {} if lossy is None else lossy.alone
        found.append((exact.alone[modality], alone.get(modality, _NOTHING)))
    return found
