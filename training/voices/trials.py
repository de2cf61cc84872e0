"""Equal-error rate of voice embeddings on trials between speakers that were never heard.

A trial is a pair of clips of one corpus with different texts and different emotions: the same
speaker, or two. Every speaker weighs the same, so does every pair of speakers; the interval comes
from drawing speakers, not trials, since trials of one speaker are alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.types import FloatArray
from training.data.corpora.speech import Clip
from training.evaluation.metrics import Estimate

_BINS = 2000
RESAMPLES = 500

Float = NDArray[np.float64]


@dataclass
class Trials:
    """Scores by pair of speakers, gathered fold by fold; a pair of one is a speaker's own."""

    scores: dict[tuple[str, str], list[FloatArray]] = field(default_factory=dict)

    def add(self, clips: Sequence[Clip], scores: FloatArray) -> None:
        """Take in the scores (n, n) of clips of held-out speakers against each other."""
        speakers = np.array([clip.speaker for clip in clips])
        valid = _different(clips)
        for left in np.unique(speakers):
            for right in np.unique(speakers[speakers >= left]):
                pairs = valid & (speakers == left)[:, None] & (speakers == right)[None]
                if left == right:
                    pairs = np.triu(pairs, 1)
                if pairs.any():
                    found = self.scores.setdefault((str(left), str(right)), [])
                    found.append(scores[pairs].astype(np.float32))

    def only(self, keep: Iterable[tuple[str, str]]) -> Trials:
        """Return the trials of some pairs of speakers."""
        return Trials({pair: self.scores[pair] for pair in keep})


def _different(clips: Sequence[Clip]) -> NDArray[np.bool_]:
    """Return which pairs (n, n) are of one corpus, and of different text and emotion."""
    corpora = np.array([clip.corpus for clip in clips])
    emotions = np.array([clip.emotion for clip in clips])
    texts = np.array([re.sub(r"\W+", "", clip.text).lower() for clip in clips])
    same_text = (texts[:, None] == texts[None]) & (texts != "")[:, None]
    same_corpus = corpora[:, None] == corpora[None]
    return same_corpus & ~same_text & (emotions[:, None] != emotions[None])


def equal_error_rate(trials: Trials, seed: int = 0) -> Estimate | None:
    """Return the equal-error rate with its interval; None without trials of either kind."""
    own = [pair for pair in trials.scores if pair[0] == pair[1]]
    others = [pair for pair in trials.scores if pair[0] != pair[1]]
    if not own or not others:
        return None
    speakers = sorted({name for pair in own for name in pair})
    place = {name: number for number, name in enumerate(speakers)}
    others = [pair for pair in others if pair[0] in place and pair[1] in place]
    own_shares, other_shares = _shares(trials, own), _shares(trials, others)
    counts = _draws(len(speakers), seed)
    first = counts[:, [place[a] for a, _ in own]]
    second = counts[:, [place[a] for a, _ in others]] * counts[:, [place[b] for _, b in others]]
    usable = second.sum(axis=1) > 0
    rates = [
        _crossing(a @ own_shares / a.sum(), b @ other_shares / b.sum())
        for a, b in zip(first[usable], second[usable], strict=True)
    ]
    low, high = np.percentile(rates[1:], (2.5, 97.5))
    return Estimate(rates[0], float(low), float(high))


def _draws(speakers: int, seed: int) -> Float:
    """Return multiplicities (1 + resamples, speakers); the first row is everybody once."""
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(speakers, np.full(speakers, 1 / speakers), size=RESAMPLES)
    return np.concatenate([np.ones((1, speakers)), drawn]).astype(np.float64)


def _shares(trials: Trials, pairs: Sequence[tuple[str, str]]) -> Float:
    """Return the distribution (pairs, bins) of scores of each pair, over common bins."""
    every = [score for found in trials.scores.values() for score in found]
    low = min(float(score.min()) for score in every)
    high = max(float(score.max()) for score in every) + 1e-6
    rows = [np.histogram(np.concatenate(trials.scores[p]), _BINS, (low, high))[0] for p in pairs]
    counts = np.array(rows, dtype=np.float64)
    return counts / counts.sum(axis=1, keepdims=True)


def _crossing(own: Float, others: Float) -> float:
    """Return where misses and false alarms are equal, from two distributions over scores."""
    missed = np.concatenate([[0.0], np.cumsum(own)])
    alarmed = 1 - np.concatenate([[0.0], np.cumsum(others)])
    above = int(np.argmax(missed >= alarmed))
    if above == 0:
        return float(missed[0])
    gap = (alarmed - missed)[above - 1 : above + 1]
    share = gap[0] / (gap[0] - gap[1]) if gap[0] != gap[1] else 0.5
    return float(missed[above - 1] + share * (missed[above] - missed[above - 1]))


def groups(trials: Trials, clips: Sequence[Clip]) -> dict[str, Trials]:
    """Return the trials by corpus, all of them, and those between speakers of one gender."""
    gender = {clip.speaker: clip.gender for clip in clips}
    alike = {(a, b) for a, b in trials.scores if gender[a] == gender[b]}
    found = {"all": trials, "all, one gender": trials.only(alike)}
    for corpus in sorted({name.split("/")[0] for pair in trials.scores for name in pair}):
        inside = [pair for pair in trials.scores if pair[0].startswith(f"{corpus}/")]
        found[corpus] = trials.only(inside)
        found[f"{corpus}, one gender"] = trials.only(
            [pair for pair in inside if pair in set(alike)]
        )
    return found
