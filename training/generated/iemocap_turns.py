"""What happens in a generated IEMOCAP: who says what, how, and what raters make of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from core.labels import AFFECT_COORDINATES
from training.generated.kemdy_voice import MANNERS, Manner, Voice, sounds_of

RATERS = ("C-E2", "C-E3", "C-E4")

SHARES: Mapping[str, float] = MappingProxyType(
    {"neu": 0.23, "hap": 0.09, "exc": 0.14, "ang": 0.16, "sad": 0.16, "fru": 0.1, "xxx": 0.12}
)
"""Of the codes of the release; two thirds and more fall into the usual four classes, as there."""

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "neu": "Neutral", "hap": "Happiness", "exc": "Excited", "ang": "Anger", "sad": "Sadness",
        "fru": "Frustration", "xxx": "Other", "sur": "Surprise", "fea": "Fear", "dis": "Disgust",
    }
)  # fmt: skip
"""Of a code, as single raters wrote them."""

_FELT = {"neu": "neutral", "hap": "happy", "exc": "happy", "ang": "angry", "sad": "sad",
         "fru": "angry", "xxx": "neutral", "sur": "surprise", "fea": "fear",
         "dis": "disgust"}  # fmt: skip
_STRENGTHS = {"hap": 0.9, "exc": 1.2, "fru": 0.5}
"""How far from neutral a code is said; 1 where it isn't named."""

SENTENCES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "neutral": ("it is ten.", "we can go.", "put it on.", "tell him so."),
        "happy": ("what fun!", "yes, we did it!", "good luck!", "I am in!"),
        "angry": ("stop that.", "get out!", "not again.", "you had no right."),
        "sad": ("all gone.", "I lost him.", "no use.", "she died."),
        "surprise": ("oh my!", "is it you?"),
        "fear": ("who is it?", "do not go."),
        "disgust": ("how foul.", "it rots."),
    }
)
"""Short, of words that mostly differ in their vowels."""
_FILLERS = ("Um,", "Well,", "", "")
"""Before what is improvised."""

STYLES: Mapping[str, str] = MappingProxyType({"impro01": "improvised", "script01_1": "scripted"})
"""Of a dialogue, by what its name ends with."""


@dataclass(frozen=True)
class GeneratedIemocap:
    """A corpus to write.

    Attributes:
        sessions: of a woman and a man each; utterances: of each session, dealt to four dialogues.
        shares: of the codes of the release, in proportion; seed: of everything.
        telling_texts: share of the utterances of an emotion whose words tell it; all others say
            something neutral.
        odd: write what is odd about the release too: remarks between the lines, utterances that
            nobody rated, a mean above 5, a recording and a line that are missing.
    """

    sessions: int = 5
    utterances: int = 80
    seed: int = 0
    shares: Mapping[str, float] = field(default_factory=lambda: SHARES)
    telling_texts: float = 0.6
    odd: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.sessions <= 9 or self.utterances < 8:
            raise ValueError("a corpus needs 1 to 9 sessions of 8 utterances and more")
        if not set(self.shares) <= set(WORDS) or sum(self.shares.values()) <= 0:
            raise ValueError(f"shares must be of {', '.join(WORDS)}")
        if not 0 <= self.telling_texts <= 1:
            raise ValueError("telling_texts is a share")


@dataclass(frozen=True, slots=True)
class Turn:
    """An utterance: its name, who says it ("F" or "M"), how, its rating and its place.

    affect: means of valence, activation and dominance, 1 to 5. start: s in the dialogue.
    """

    id: str
    speaker: str
    code: str
    text: str
    manner: Manner
    affect: tuple[float, float, float]
    start: float
    seconds: float

    @property
    def end(self) -> float:
        """When it ends, s in the dialogue."""
        return self.start + self.seconds

    @property
    def sounds(self) -> tuple[int, ...]:
        """The vowels of its text."""
        return sounds_of(self.text)


def turns_of(
    dialogue: str, codes: Sequence[str], voices: Mapping[str, Voice], config: GeneratedIemocap,
    generator: np.random.Generator,
) -> list[Turn]:  # fmt: skip
    """Return a dialogue: the two speak in turn, one after the other.

    Args:
        dialogue: its name, `Ses01F_impro01`.
        codes: one per utterance.
        voices: of "F" and "M".
    """
    style = STYLES[dialogue.partition("_")[2]]
    turns: list[Turn] = []
    clock = round(float(generator.uniform(0.5, 1.5)), 4)
    for number, code in enumerate(codes):
        speaker = "FM"[number % 2]
        turn = _turn(f"{dialogue}_{speaker}{number // 2:03}", code, style, config, generator)
        length = len(turn.sounds) / (turn.manner.rate * voices[speaker].rate)
        turns.append(replace(turn, start=clock, seconds=round(length, 4)))
        clock = round(turns[-1].end + 0.3, 4)
    return turns


def _turn(
    name: str, code: str, style: str, config: GeneratedIemocap, generator: np.random.Generator
) -> Turn:
    felt = _FELT[code]
    strength = _STRENGTHS.get(code, 1.0) * float(generator.uniform(0.85, 1.15))
    manner = MANNERS["neutral"].toward(MANNERS[felt], strength)
    telling = code != "xxx" and generator.random() < config.telling_texts
    said = SENTENCES[felt if telling else "neutral"]
    text = said[generator.integers(len(said))]
    if style == "improvised":
        manner = manner.unprepared()
        text = f"{_FILLERS[generator.integers(len(_FILLERS))]} {text}".strip()
    text = text[0].upper() + text[1:]
    affect = _affect(felt, strength, generator)
    return Turn(name, name[-4], code, text, manner, affect, 0.0, 0.0)


def _affect(
    felt: str, strength: float, generator: np.random.Generator
) -> tuple[float, float, float]:
    """Return means of three raters: valence, activation and dominance, which is left to chance."""
    centre = np.array([*AFFECT_COORDINATES[felt], 0.0]) * strength
    rated = np.clip(np.round(3 + 2 * centre + generator.normal(0, 0.5, (3, 3))), 1, 5)
    valence, activation, dominance = (float(value) for value in rated.mean(axis=0))
    return valence, activation, dominance


def dealt(shares: Mapping[str, float], count: int, generator: np.random.Generator) -> list[str]:
    """Return `count` codes in proportion to their shares, by largest remainder, in chance order."""
    names = [name for name, share in shares.items() if share > 0]
    exact = np.array([shares[name] for name in names])
    exact = exact / exact.sum() * count
    counts = np.floor(exact).astype(int)
    for index in np.argsort(counts - exact, kind="stable")[: count - counts.sum()]:
        counts[index] += 1
    codes = [name for name, n in zip(names, counts, strict=True) for _ in range(n)]
    return [codes[index] for index in generator.permutation(count)]
