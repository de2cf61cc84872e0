"""Parts of the real comparison: speakers that nobody trained on, and scripts that nobody said.

Every fold holds out a third of the speakers of each corpus and a fifth of the scripts of each
corpus that has enough of them. A clip of a held-out script trains nothing, whoever says it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import CorpusError
from training.data.corpora.speech import Clip
from training.data.splits import check_parts, script_groups, speaker_folds

FOLDS = 3
SCRIPT_FOLDS = 5
_FEWEST_SCRIPTS = 2 * SCRIPT_FOLDS
"""A corpus with fewer holds out no script, and its recognition is not judged."""

Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Fold:
    """Rows of the clips to train on and to judge, and what may be judged of the latter.

    Attributes:
        number: from 0; also the seed of all that is trained on it.
        unsaid: (len(test),) the script was held out, so recognition is judged.
        honest: (len(test),) the emotion counts: false where a script that belongs to one emotion
            alone was trained on, so that knowing the words would give the emotion away.
    """

    number: int
    train: Rows
    test: Rows
    unsaid: Flags
    honest: Flags


def folds_of(clips: Sequence[Clip], digests: Sequence[str] = ()) -> tuple[Fold, ...]:
    """Return the folds; together they judge every clip once.

    Args:
        clips: of all corpora.
        digests: of the samples of each clip, to refuse identical audio in both parts.

    Raises:
        CorpusError: there are too few speakers, or something would be in both parts.
    """
    of_speaker = speaker_folds(clips, FOLDS)
    speaker = np.array([of_speaker[clip.speaker] for clip in clips])
    if len(np.unique(speaker)) < FOLDS:
        raise CorpusError(f"There are fewer than {FOLDS} speakers.", "Give more of the corpora.")
    held = script_parts(clips)
    telling = _telling(clips)
    audio = {clip.path: digest for clip, digest in zip(clips, digests, strict=False)}
    found = []
    for number in range(FOLDS):
        unsaid = held == number
        train = np.flatnonzero((speaker != number) & ~unsaid)
        test = np.flatnonzero(speaker == number)
        parts = {"train": train, "test": test}
        check_parts({k: [clips[row] for row in rows.tolist()] for k, rows in parts.items()}, audio)
        honest = unsaid[test] | ~telling[test]
        found.append(Fold(number, train, test, unsaid[test], honest))
    return tuple(found)


def script_parts(clips: Sequence[Clip]) -> NDArray[np.int64]:
    """Return the part (n,) of each clip's script, dealt out in turn among scripts of the same
    emotions; -1 in corpora with too few scripts.
    """
    parts = np.full(len(clips), -1, dtype=np.int64)
    for corpus in sorted({clip.corpus for clip in clips}):
        rows = [row for row, clip in enumerate(clips) if clip.corpus == corpus and clip.text]
        emotions = _emotions([clips[row] for row in rows])
        if len(emotions) < _FEWEST_SCRIPTS:
            continue
        turn: dict[frozenset[str], int] = {}
        dealt: dict[int, int] = {}
        for script, names in emotions.items():
            dealt[script] = turn.get(names, 0) % SCRIPT_FOLDS
            turn[names] = turn.get(names, 0) + 1
        groups = script_groups([clips[row].text for row in rows])
        for row in rows:
            parts[row] = dealt[groups[clips[row].text]]
    return parts


def _telling(clips: Sequence[Clip]) -> Flags:
    """Return (n,) whether the words of a clip are only ever said in one emotion."""
    telling = np.zeros(len(clips), dtype=bool)
    for corpus in {clip.corpus for clip in clips}:
        rows = [row for row, clip in enumerate(clips) if clip.corpus == corpus and clip.text]
        mine = [clips[row] for row in rows]
        emotions, groups = _emotions(mine), script_groups([clip.text for clip in mine])
        for row in rows:
            telling[row] = len(emotions[groups[clips[row].text]]) == 1
    return telling


def _emotions(clips: Sequence[Clip]) -> dict[int, frozenset[str]]:
    """Return the emotions in which each script is said, by its number, in order."""
    groups = script_groups([clip.text for clip in clips])
    found: dict[int, set[str]] = {}
    for clip in clips:
        found.setdefault(groups[clip.text], set()).add(clip.emotion)
    return {script: frozenset(found[script]) for script in sorted(found)}
