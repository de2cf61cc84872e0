"""Online clustering judged on dialogues assembled from clips of speakers that were never heard.

Clips of one corpus, hence of one room, in random emotions; speakers take turns, and now and then
one of them goes on. Such a dialogue has no overlap, no laughter and no other room: what is measured
here is the best that can be hoped for.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from core.models.voices.clustering import ClusteringConfig, OnlineClustering
from core.types import FloatArray
from training.data.corpora.speech import Clip
from training.evaluation.metrics import Estimate

TURNS = 40
PLACES = ((1, 5), (6, 10), (11, 20), (21, 40))
"""Turns, from 1, over which the share of right ones is reported: what is heard before helps."""

_GOES_ON = 0.2
_RESAMPLES = 500


@dataclass(frozen=True)
class Dialogue:
    """Clips in the order of their turns; `rows` (n,) index whatever embeddings were made of."""

    rows: NDArray[np.int64]
    speakers: tuple[str, ...]
    alike: bool
    """Whether all speakers are of one gender."""

    @property
    def voices(self) -> int:
        """How many people speak."""
        return len(set(self.speakers))


@dataclass(frozen=True)
class Outcome:
    """How a dialogue went: right turns (n,), how many voices were found, of how many."""

    dialogue: Dialogue
    right: NDArray[np.bool_]
    untold: int
    """Turns of which nothing was said."""
    found: int


def assemble(
    clips: Sequence[Clip], voices: int, count: int, seed: int, turns: int = TURNS
) -> list[Dialogue]:
    """Return dialogues of `voices` speakers each, as evenly over all combinations as possible.

    Args:
        clips: of the speakers that may take part; a row is a place in this list.
        count: of dialogues for each corpus and kind (one gender, or mixed).
    """
    generator = np.random.default_rng(seed)
    rows: dict[str, list[int]] = {}
    gender = {clip.speaker: clip.gender for clip in clips}
    for row, clip in enumerate(clips):
        rows.setdefault(clip.speaker, []).append(row)
    groups: dict[tuple[str, bool], list[tuple[str, ...]]] = {}
    for people in itertools.combinations(sorted(rows), voices):
        corpora = {name.split("/")[0] for name in people}
        if len(corpora) == 1:
            alike = len({gender[name] for name in people}) == 1
            groups.setdefault((corpora.pop(), alike), []).append(people)
    found = []
    for (_, alike), choices in groups.items():
        for number in range(count):
            people = choices[number * len(choices) // count]
            found.append(_dialogue(people, rows, alike, turns, generator))
    return found


def _dialogue(
    people: tuple[str, ...],
    rows: dict[str, list[int]],
    alike: bool,
    turns: int,
    generator: np.random.Generator,
) -> Dialogue:
    order: list[str] = []
    for _ in range(turns):
        others = [name for name in people if not order or name != order[-1]]
        goes_on = bool(order) and (not others or generator.random() < _GOES_ON)
        order.append(order[-1] if goes_on else str(generator.choice(others)))
    chosen = {name: _drawn(rows[name], turns, generator) for name in people}
    drawn = np.array([chosen[name].pop() for name in order])
    return Dialogue(drawn, tuple(order), alike)


def _drawn(rows: list[int], count: int, generator: np.random.Generator) -> list[int]:
    """Return clips in random order, again from the start when there are too few."""
    rounds = -(-count // len(rows))
    return [int(row) for _ in range(rounds) for row in generator.permutation(rows)]


def play(
    dialogue: Dialogue, embeddings: FloatArray, seconds: FloatArray, config: ClusteringConfig
) -> Outcome:
    """Let the clustering hear a dialogue, turn by turn, and judge it."""
    clustering = OnlineClustering(config)
    said = [clustering.assign(embeddings[row], float(seconds[row])) for row in dialogue.rows]
    return judged(dialogue, said)


def judged(dialogue: Dialogue, said: Sequence[int | None]) -> Outcome:
    """Judge the voice said of each turn (None: nothing) under the best mapping to speakers."""
    names = sorted(set(dialogue.speakers))
    found = len({voice for voice in said if voice is not None})
    table = np.zeros((len(names), max((v for v in said if v is not None), default=0) + 1))
    for speaker, voice in zip(dialogue.speakers, said, strict=True):
        if voice is not None:
            table[names.index(speaker), voice] += 1
    people, voices = linear_sum_assignment(-table)
    mapping = {int(voice): names[int(person)] for person, voice in zip(people, voices, strict=True)}
    right = [
        voice is not None and mapping.get(voice) == speaker
        for speaker, voice in zip(dialogue.speakers, said, strict=True)
    ]
    return Outcome(dialogue, np.array(right), list(said).count(None), found)


def share_right(
    outcomes: Sequence[Outcome], first: int = 1, last: int = TURNS, seed: int = 0
) -> Estimate:
    """Return the share of right turns between two places, interval by drawing speakers."""
    values = np.array([outcome.right[first - 1 : last].mean() for outcome in outcomes])
    speakers = sorted({name for o in outcomes for name in o.dialogue.speakers})
    members = np.array([[name in o.dialogue.speakers for name in speakers] for o in outcomes])
    generator = np.random.default_rng(seed)
    shares = []
    for _ in range(_RESAMPLES):
        counts = generator.multinomial(len(speakers), np.full(len(speakers), 1 / len(speakers)))
        weights = np.where(members, counts, 1).prod(axis=1)
        if weights.sum():
            shares.append(float(values @ weights / weights.sum()))
    low, high = np.percentile(shares, (2.5, 97.5))
    return Estimate(float(values.mean()), float(low), float(high))


def count_right(outcomes: Sequence[Outcome]) -> float:
    """Return the share of dialogues in which exactly so many voices were found as spoke."""
    return float(np.mean([outcome.found == outcome.dialogue.voices for outcome in outcomes]))


def calibrated(
    players: Sequence[tuple[int, Callable[[ClusteringConfig], Outcome]]],
    grid: Iterable[ClusteringConfig],
) -> ClusteringConfig:
    """Return the configuration of `grid` with most right turns.

    Args:
        players: for each dialogue how many voices speak, and what plays it. Each number of voices
            counts alike, so that one person alone is not taken for several.
    """
    best, chosen = -1.0, ClusteringConfig()
    for config in grid:
        by_count: dict[int, list[float]] = {}
        for voices, played in players:
            by_count.setdefault(voices, []).append(float(played(config).right.mean()))
        value = float(np.mean([np.mean(shares) for shares in by_count.values()]))
        if value > best:
            best, chosen = value, config
    return chosen
