"""Emotion shifts in a dialogue, and how speakers influence each other's emotions.

Both are taken from what a model said of each turn, so they are as good as it is. Two definitions:

- Emotion shift: a speaker's turn whose emotion is another one than that of their own turn before,
  where emotional inertia breaks (Poria, Majumder, Mihalcea & Hovy 2019, Emotion recognition in
  conversation: research challenges, datasets, and recent advances, IEEE Access 7).
- Influence at a lag of k: how alike the emotion of a speaker's turn is to that of the turn k
  before it, if that was somebody else's: the mean over such pairs of turns of the probability that
  both have the same emotion, sum_c p(c) q(c) (inter-personal dependency there, measured as lagged
  agreement). Two people who are mostly neutral agree by chance alone; how much, is found by
  dealing the other's emotions out among the other's turns at random: a permutation test, its
  p-value counting the order observed among the random ones (Phipson & Smyth 2010, Permutation
  p-values should never be zero, SAGMB 9). It tells of agreement in order of time and not of
  causes: both may answer to a third thing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.types import Turn

LAGS = 3
"""Turns back that are looked at."""
LEAST_PAIRS = 8
"""Below so many pairs of turns nothing is said of an influence."""
PERMUTATIONS = 1000


class Reading(StrEnum):
    """Which result of a turn is meant; where there is none, the next one that there is."""

    HINDSIGHT = "hindsight"
    CONTEXT = "context"
    ALONE = "alone"
    """What the dialogue model says of the turn without any other."""
    UTTERANCE = "utterance"


Probabilities: TypeAlias = Mapping[str, float]


def probabilities_of(turn: Turn, reading: Reading) -> Probabilities | None:
    """Return a turn's probabilities by label, summing to one; None if it was not judged.

    Labels that stand for themselves are taken relative to each other.
    """
    chosen = {
        Reading.HINDSIGHT: turn.hindsight or turn.context or turn.emotion,
        Reading.CONTEXT: turn.context or turn.emotion,
        Reading.ALONE: turn.context or turn.emotion,
        Reading.UTTERANCE: turn.emotion,
    }[reading]
    if chosen is None:
        return None
    values = chosen.probabilities
    if reading is Reading.ALONE and turn.context is not None:
        values = turn.context.alone
    total = sum(values)
    if total <= 0:
        return None
    return {label: p / total for label, p in zip(chosen.labels, values, strict=True)}


def label_of(turn: Turn, reading: Reading) -> str | None:
    """Return a turn's most probable label."""
    found = probabilities_of(turn, reading)
    return max(found, key=lambda label: found[label]) if found else None


@dataclass(frozen=True, slots=True)
class EmotionShift:
    """A turn with another emotion than its speaker's turn before; both by `Turn.index`."""

    turn: int
    previous: int
    speaker: str
    before: str
    after: str


def emotion_shifts(
    turns: Sequence[Turn], reading: Reading = Reading.CONTEXT
) -> tuple[EmotionShift, ...]:
    """Return where speakers' emotions change, by start; turns not judged are passed over.

    Turns without a speaker take no part, not even where no speaker is known: nobody can say whose
    emotion they continue, and two people at one microphone change from turn to turn by turns.
    """
    found: list[EmotionShift] = []
    newest: dict[str, tuple[int, str]] = {}
    for turn in _ordered(turns):
        label = label_of(turn, reading)
        if label is None or not turn.speaker:
            continue
        before = newest.get(turn.speaker)
        if before is not None and before[1] != label:
            found.append(EmotionShift(turn.index, before[0], turn.speaker, before[1], label))
        newest[turn.speaker] = turn.index, label
    return tuple(found)


@dataclass(frozen=True, slots=True)
class LaggedInfluence:
    """How alike a speaker's turns are to another's turns so many turns before.

    pairs: how many pairs of turns it rests on; similarity: mean probability of the same emotion;
    chance: what it would be if the other's emotions came in any order; p_value: how often chance
    gives at least this much. All three are None with too few pairs.
    """

    lag: int
    pairs: int
    similarity: float | None = None
    chance: float | None = None
    p_value: float | None = None

    @property
    def enough(self) -> bool:
        """False where there are too few turns to say anything."""
        return self.similarity is not None

    @property
    def excess(self) -> float:
        """Similarity beyond chance, 0 with too few turns."""
        if self.similarity is None or self.chance is None:
            return 0.0
        return self.similarity - self.chance


@dataclass(frozen=True, slots=True)
class Influence:
    """What one speaker's emotions have to do with another's before.

    lags: by lag, from 1. attention: the mean share of the dialogue model's attention that turns of
    the follower gave to earlier turns of the leader; even: the share they would get if it looked at
    all turns of its window alike. Both are None where no turn was read in context.
    """

    follower: str
    leader: str
    lags: tuple[LaggedInfluence, ...]
    attention: float | None = None
    even: float | None = None

    @property
    def strongest(self) -> LaggedInfluence | None:
        """The lag that lies furthest beyond chance, among those with enough turns.

        Its p-value is its own: that it was chosen among several is not accounted for.
        """
        told = [lag for lag in self.lags if lag.enough]
        return max(told, key=lambda lag: lag.excess, default=None)


def influences(
    turns: Sequence[Turn],
    reading: Reading = Reading.CONTEXT,
    *,
    lags: int = LAGS,
    least: int = LEAST_PAIRS,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> tuple[Influence, ...]:
    """Return who follows whom: one entry for each ordered pair of speakers.

    Turns without a speaker, or not judged, keep their place in the order and take no part.

    Args:
        turns: of one dialogue.
        reading: which result of a turn counts.
        lags: how many turns back to look.
        least: pairs of turns below which nothing is said.
        permutations: random orders that chance is taken from.
        seed: of these.
    """
    ordered = _ordered(turns)
    speakers = list(dict.fromkeys(t.speaker for t in ordered if t.speaker))
    table = _Table.of(ordered, reading)
    found = []
    for number, (follower, leader) in enumerate(
        (f, other) for f in speakers for other in speakers if f != other
    ):
        rng = np.random.default_rng((seed, number))
        measured = tuple(
            _lagged(table, follower, leader, lag, least, permutations, rng)
            for lag in range(1, lags + 1)
        )
        found.append(Influence(follower, leader, measured, *_attention(ordered, follower, leader)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Table:
    """Turns in order: probabilities (T, C), whether judged (T,), and who speaks."""

    probabilities: NDArray[np.float64]
    judged: NDArray[np.bool_]
    speakers: NDArray[np.object_]

    @classmethod
    def of(cls, turns: Sequence[Turn], reading: Reading) -> _Table:
        rows = [probabilities_of(turn, reading) for turn in turns]
        labels = list(dict.fromkeys(label for row in rows if row for label in row))
        values = np.array([[(row or {}).get(label, 0.0) for label in labels] for row in rows])
        return cls(
            values.reshape(len(rows), len(labels)),
            np.array([row is not None for row in rows], dtype=bool),
            np.array([turn.speaker for turn in turns], dtype=object),
        )


def _lagged(
    table: _Table,
    follower: str,
    leader: str,
    lag: int,
    least: int,
    permutations: int,
    rng: np.random.Generator,
) -> LaggedInfluence:
    there = (table.speakers == follower) & table.judged
    leads = (table.speakers == leader) & table.judged
    later = np.flatnonzero(there[lag:] & leads[:-lag]) + lag
    if len(later) < max(least, 1):
        return LaggedInfluence(lag, len(later))
    positions = np.flatnonzero(leads)
    heard = np.searchsorted(positions, later - lag)  # which of the leader's turns each follows
    p = table.probabilities[later]  # (M, C)
    q = table.probabilities[positions]  # (leader's turns, C)
    agreement = p @ q.T  # (M, leader's turns)
    rows = np.arange(len(later))
    similarity = float(agreement[rows, heard].mean())
    orders = rng.permuted(np.tile(np.arange(len(positions)), (permutations, 1)), axis=1)
    by_chance = agreement[rows, orders[:, heard]].mean(axis=1)  # (permutations,)
    # one of all orders is the one that was observed
    reached = 1 + int((by_chance >= similarity - 1e-12).sum())
    return LaggedInfluence(
        lag, len(later), similarity, float(by_chance.mean()), reached / (permutations + 1)
    )


def _attention(
    turns: Sequence[Turn], follower: str, leader: str
) -> tuple[float | None, float | None]:
    """Return the mean attention of one speaker's turns to another's, and what even shares give."""
    speaker_of = {turn.index: turn.speaker for turn in turns}
    shares, even = [], []
    for turn in turns:
        if turn.speaker != follower or turn.context is None or not turn.context.attention:
            continue
        looked_at = [speaker_of.get(index) == leader for index in turn.context.turns]
        if any(looked_at):
            weights = zip(turn.context.attention, looked_at, strict=True)
            shares.append(sum(weight for weight, is_leader in weights if is_leader))
            even.append(sum(looked_at) / len(looked_at))
    if not shares:
        return None, None
    return float(np.mean(shares)), float(np.mean(even))


def _ordered(turns: Sequence[Turn]) -> list[Turn]:
    return sorted(turns, key=lambda turn: (turn.start, turn.index))
