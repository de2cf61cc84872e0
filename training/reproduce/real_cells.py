"""Cross-validation over speakers and scripts at once.

In a cell a group of speakers and a group of scripts are held out; it is trained on what the other
speakers say of the other scripts, and judged on what the held-out speakers say of the held-out
scripts. Every clip is judged in exactly one cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import CorpusError
from training.data.corpora.speech import Clip
from training.data.splits import check_parts, script_groups, speaker_folds

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cell:
    """Rows to train on and to judge."""

    train: Rows
    test: Rows


def script_folds(clips: Sequence[Clip], folds: int) -> NDArray[np.int64]:
    """Return the fold of every clip's script; scripts of the same classes are dealt out in turn."""
    group_of = script_groups([clip.text for clip in clips])
    scripts = np.array([group_of[clip.text] for clip in clips])
    classes = {
        int(s): tuple(sorted({clips[row].emotion for row in np.flatnonzero(scripts == s).tolist()}))
        for s in np.unique(scripts)
    }
    dealt: dict[int, int] = {}
    turn: dict[tuple[str, ...], int] = {}
    for script, names in classes.items():
        dealt[script] = turn.get(names, 0) % folds
        turn[names] = turn.get(names, 0) + 1
    return np.array([dealt[int(script)] for script in scripts])


def cells(clips: Sequence[Clip], speakers: int, scripts: int) -> list[Cell]:
    """Return every combination of held-out speakers and held-out scripts that has clips.

    Raises:
        CorpusError: a clip would be judged by a model that was trained on its speaker.
    """
    of_speaker = speaker_folds(clips, speakers)
    speaker = np.array([of_speaker[clip.speaker] for clip in clips])
    script = script_folds(clips, scripts)
    found = []
    for a in range(speakers):
        for b in range(scripts):
            test = np.flatnonzero((speaker == a) & (script == b))
            train = np.flatnonzero((speaker != a) & (script != b))
            if len(test) and len(train):
                _check(clips, train, test)
                found.append(Cell(train, test))
    if not found:
        raise CorpusError("There are too few speakers and scripts to hold some out.")
    return found


def _check(clips: Sequence[Clip], train: Rows, test: Rows) -> None:
    parts = {"train": train.tolist(), "test": test.tolist()}
    check_parts({name: [clips[row] for row in rows] for name, rows in parts.items()})


def speaker_cells(clips: Sequence[Clip], folds: int) -> list[Cell]:
    """Return one cell per fold of speakers, whatever they say."""
    of_speaker = speaker_folds(clips, folds)
    fold = np.array([of_speaker[clip.speaker] for clip in clips])
    return [Cell(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(folds)]
