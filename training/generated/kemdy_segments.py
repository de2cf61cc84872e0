"""What happens in a generated corpus: who says what, how, and what ten taggers make of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from core.labels import AFFECT_COORDINATES, EMOTIONS
from training.generated.kemdy_sentences import sentence
from training.generated.kemdy_voice import MANNERS, Manner

TAGGERS = 10
_MAJORITY = 6

KEMDY20_SHARES: Mapping[str, float] = MappingProxyType(
    {
        "neutral": 0.867, "happy": 0.092, "angry": 0.011, "surprise": 0.012, "sad": 0.010,
        "fear": 0.003, "disgust": 0.005,
    }
)  # fmt: skip
"""Of the single-label segments of KEMDy20: most are neutral."""

LEARNABLE_SHARES: Mapping[str, float] = MappingProxyType(
    {
        "neutral": 0.46, "happy": 0.18, "angry": 0.09, "surprise": 0.08, "sad": 0.08,
        "fear": 0.05, "disgust": 0.06,
    }
)  # fmt: skip
"""Mostly neutral, but with enough of everything for a corpus of a few hundred segments."""


@dataclass(frozen=True)
class GeneratedKemdy:
    """A corpus to write.

    Attributes:
        sessions: of two speakers each; segments: of each session; seed: of everything.
        shares: of the classes, in proportion.
        ties: share of segments on which taggers tie between neutral and another class, mostly.
        telling_texts: share of the segments of an emotion whose words tell it; the others, and all
            neutral segments, say something neutral.
        seconds: shortest and longest segment.
        spoken_texts: a voice says the vowels of its text, so that words can be learned; else chance
            vowels. spontaneous: it talks freely (see `Manner.unprepared`).
        odd: write what is odd about the real corpora, too: names of session 17 that begin with
            another session (the last session is called 17 where there are fewer), a missing
            recording, a missing text, a broken row, and marks in the texts.
    """

    sessions: int = 8
    segments: int = 50
    seed: int = 0
    shares: Mapping[str, float] = field(default_factory=lambda: LEARNABLE_SHARES)
    ties: float = 0.06
    telling_texts: float = 0.6
    seconds: tuple[float, float] = (1.5, 4.0)
    odd: bool = True
    spoken_texts: bool = False
    spontaneous: bool = False

    def __post_init__(self) -> None:
        if self.sessions < 1 or self.segments < 2:
            raise ValueError("a corpus needs a session and two segments in it")
        if not set(self.shares) <= set(EMOTIONS) or sum(self.shares.values()) <= 0:
            raise ValueError(f"shares must be of {', '.join(EMOTIONS)}")
        if not 0 <= self.ties < 1 or not 0 <= self.telling_texts <= 1:
            raise ValueError("ties and telling_texts are shares")
        if not 0.2 <= self.seconds[0] <= self.seconds[1]:
            raise ValueError("seconds must be 0.2 or more, the shorter first")


@dataclass(frozen=True, slots=True)
class Tagged:
    """What the taggers said: the votes, ratings 1 to 5, and what comes out."""

    votes: tuple[str, ...]
    valence: tuple[int, ...]
    arousal: tuple[int, ...]

    @property
    def label(self) -> str:
        """The class with most votes, "a;b" where several have as many."""
        most = max(self.votes.count(name) for name in EMOTIONS)
        return ";".join(name for name in EMOTIONS if self.votes.count(name) == most)


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: how it is said, its text, and its evaluation."""

    manner: Manner
    text: str
    seconds: float
    tagged: Tagged


def plan(config: GeneratedKemdy) -> list[list[tuple[str, ...]]]:
    """Return the classes of every segment of every session: one, or those the taggers tie on."""
    generator = np.random.default_rng([config.seed, 1])
    count = config.sessions * config.segments
    tied = round(config.ties * count)
    kinds: list[tuple[str, ...]] = [(name,) for name in _quota(config.shares, count - tied)]
    others = {name: share for name, share in config.shares.items() if name != "neutral"}
    for number, name in enumerate(_quota(others, tied) if others else ["neutral"] * tied):
        partner = EMOTIONS[1 + (EMOTIONS.index(name) + 1) % (len(EMOTIONS) - 1)]
        # one tie in ten is between two other classes: KEMDy20 has 24 compounds
        kinds.append((name, partner) if number % 10 == 9 else ("neutral", name))
    order = generator.permutation(count)
    shuffled = [kinds[index] for index in order]
    return [shuffled[first : first + config.segments] for first in range(0, count, config.segments)]


def make_segment(
    kind: Sequence[str], config: GeneratedKemdy, generator: np.random.Generator
) -> Segment:
    """Return a segment of a class, or half-way between the two that the taggers tie on."""
    strength = float(generator.uniform(0.6, 1.15)) / (1 if len(kind) == 1 else 2)
    felt = [name for name in kind if name != "neutral"][:1] or ["neutral"]
    manner = MANNERS["neutral"].toward(MANNERS[felt[0]], strength)
    if "neutral" not in kind and len(kind) == 2:
        manner = manner.toward(MANNERS[kind[1]], 0.4)
    if config.spontaneous:
        manner = manner.unprepared()
    telling = generator.random() < config.telling_texts
    text = sentence(felt[0] if telling else "neutral", generator)
    seconds = round(float(generator.uniform(*config.seconds)), 2)
    return Segment(manner, text, seconds, _tag(kind, felt[0], strength, generator))


def _tag(kind: Sequence[str], felt: str, strength: float, generator: np.random.Generator) -> Tagged:
    if len(set(kind)) == 2:
        votes = [name for name in kind for _ in range(TAGGERS // 2)]
    else:
        agree = int(generator.integers(_MAJORITY, TAGGERS + 1))
        rest = ["neutral", *EMOTIONS]
        dissent = [rest[index] for index in generator.integers(len(rest), size=TAGGERS - agree)]
        votes = [kind[0]] * agree + dissent
    order = generator.permutation(TAGGERS)
    valence, arousal = AFFECT_COORDINATES[felt]
    return Tagged(
        tuple(votes[index] for index in order),
        _ratings(valence * strength, generator),
        _ratings(arousal * strength, generator),
    )


def _ratings(value: float, generator: np.random.Generator) -> tuple[int, ...]:
    """Return ten ratings 1 to 5 of a value in [-1, 1]."""
    noisy = 3 + 2 * value + generator.normal(0, 0.5, size=TAGGERS)
    return tuple(int(rating) for rating in np.clip(np.round(noisy), 1, 5))


def _quota(shares: Mapping[str, float], count: int) -> list[str]:
    """Return `count` names in proportion to their shares, rounded by largest remainder."""
    names = [name for name in EMOTIONS if shares.get(name, 0) > 0]
    exact = np.array([shares[name] for name in names])
    exact = exact / exact.sum() * count
    counts = np.floor(exact).astype(int)
    for index in np.argsort(counts - exact, kind="stable")[: count - counts.sum()]:
        counts[index] += 1
    return [name for name, n in zip(names, counts, strict=True) for _ in range(n)]
