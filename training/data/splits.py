"""Splits that hold out speakers and scripts, and a check that nothing leaks between parts."""

from __future__ import annotations

import hashlib
import itertools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import CorpusError
from training.data.corpora.speech import Clip

_NOT_LETTERS = re.compile(r"[^\w]+", re.UNICODE)


def normalise_script(text: str) -> str:
    """Return `text` without case, spacing and punctuation, so that variants of a script agree."""
    return _NOT_LETTERS.sub("", unicodedata.normalize("NFKC", text).casefold()).replace("_", "")


def script_groups(texts: Iterable[str], similarity: float = 0.8) -> dict[str, int]:
    """Return the script number of every distinct text.

    Texts belong to one script when their normalised forms share at least `similarity` of their
    letter pairs (Dice's coefficient), so spelling variants stay together.
    """
    distinct = sorted(set(texts), key=lambda t: (normalise_script(t), t))
    # decomposed, a Korean syllable with another vowel still shares its consonants
    keys = {t: _letter_pairs(unicodedata.normalize("NFKD", normalise_script(t))) for t in distinct}
    groups: list[list[str]] = []
    for text in distinct:
        home = next(
            (g for g in groups if any(_dice(keys[text], keys[o]) >= similarity for o in g)), None
        )
        if home is None:
            groups.append([text])
        else:
            home.append(text)
    return {text: number for number, group in enumerate(groups) for text in group}


def _letter_pairs(text: str) -> frozenset[str]:
    return frozenset(a + b for a, b in itertools.pairwise(text)) or frozenset({text})


def _dice(a: frozenset[str], b: frozenset[str]) -> float:
    return 2 * len(a & b) / (len(a) + len(b))


@dataclass(frozen=True)
class Split:
    """Clips to train on, to calibrate on, and to score; no speaker is in two parts."""

    train: tuple[Clip, ...]
    calibration: tuple[Clip, ...]
    held_out: tuple[Clip, ...]


def split_by_speaker(
    clips: Sequence[Clip], held_out: Iterable[str], calibration: Iterable[str]
) -> Split:
    """Split by speaker names `corpus/speaker`. Raises CorpusError for a name nobody has."""
    held, tuned = set(held_out), set(calibration)
    unknown = (held | tuned) - {clip.speaker for clip in clips}
    if unknown:
        raise CorpusError(f"No clip is by {', '.join(sorted(unknown))}.", "Correct the split.")
    split = Split(
        train=tuple(c for c in clips if c.speaker not in held | tuned),
        calibration=tuple(c for c in clips if c.speaker in tuned),
        held_out=tuple(c for c in clips if c.speaker in held),
    )
    check_parts({"train": split.train, "calibration": split.calibration, "test": split.held_out})
    return split


def speaker_folds(clips: Sequence[Clip], folds: int) -> dict[str, int]:
    """Return the fold of every speaker: dealt out in turn within each corpus and gender."""
    people = sorted({(c.corpus, c.gender, c.speaker) for c in clips})
    dealt: dict[str, int] = {}
    turn: dict[str, int] = {}
    for corpus, _, speaker in people:
        dealt[speaker] = turn.get(corpus, 0) % folds
        turn[corpus] = turn.get(corpus, 0) + 1
    return dealt


def check_parts(
    parts: Mapping[str, Sequence[Clip]], audio: Mapping[str, str] | None = None
) -> None:
    """Raise CorpusError when a speaker, or byte-identical audio, is in two parts.

    Args:
        parts: clips by the name of their part.
        audio: digest of the samples of each clip by its path (see `audio_digest`); optional.
    """
    seen: dict[str, str] = {}
    for part, clips in parts.items():
        keys = {f"speaker {c.speaker}" for c in clips}
        if audio is not None:
            keys |= {f"audio {audio[c.path]}" for c in clips if c.path in audio}
        for key in sorted(keys):
            other = seen.setdefault(key, part)
            if other != part:
                raise CorpusError(f"{key} is both in {other} and in {part}.", "Correct the split.")


def audio_digest(samples: np.ndarray) -> str:
    """Return a digest of samples that is equal for identical audio."""
    return hashlib.sha256(np.ascontiguousarray(samples).tobytes()).hexdigest()
