"""Dialogues put together from clips, and how a clustering of them is judged."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from core.models.voices.clustering import ClusteringConfig
from training.data.corpora.speech import Clip
from training.voices.dialogues import (
    Dialogue,
    assemble,
    calibrated,
    count_right,
    judged,
    play,
    share_right,
)

PEOPLE = {"a/1": "F", "a/2": "F", "a/3": "M", "b/1": "M", "b/2": "F", "b/3": "M"}
CLIPS = [
    Clip("x.wav", name.split("/")[0], "", name, gender, "en", "happy", "text", 1.0)
    for name, gender in PEOPLE.items()
    for _ in range(12)
]


@pytest.mark.parametrize("voices", [1, 2, 3])
def test_people_of_one_corpus_take_turns(voices: int) -> None:
    dialogues = assemble(CLIPS, voices, count=4, seed=0, turns=30)
    assert dialogues
    for dialogue in dialogues:
        assert dialogue.voices == voices
        assert len({name.split("/")[0] for name in dialogue.speakers}) == 1
        assert dialogue.alike == (len({PEOPLE[name] for name in dialogue.speakers}) == 1)
        assert [CLIPS[row].speaker for row in dialogue.rows] == list(dialogue.speakers)
        changes = sum(a != b for a, b in itertools.pairwise(dialogue.speakers))
        assert changes == 0 if voices == 1 else changes > 15


def test_no_clip_comes_twice_before_all_came_once() -> None:
    (dialogue, *_) = assemble(CLIPS, 1, count=1, seed=0, turns=12)
    assert len(set(dialogue.rows.tolist())) == 12


def vectors(spread: float) -> np.ndarray:
    rng = np.random.default_rng(1)
    voices = {name: rng.normal(size=16) for name in PEOPLE}
    drawn = np.stack([voices[c.speaker] + spread * rng.normal(size=16) for c in CLIPS])
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


SECONDS = np.full(len(CLIPS), 2.0, np.float32)


def test_voices_that_are_apart_are_all_told_apart() -> None:
    dialogues = assemble(CLIPS, 3, count=3, seed=0)
    outcomes = [play(d, vectors(0.1), SECONDS, ClusteringConfig(threshold=0.7)) for d in dialogues]
    assert share_right(outcomes).value == 1
    assert count_right(outcomes) == 1


def test_all_turns_one_voice_is_right_as_often_as_the_most_frequent_speaker() -> None:
    dialogue = Dialogue(np.arange(4), ("a/1", "a/2", "a/1", "a/1"), alike=True)
    outcome = judged(dialogue, [0, 0, 0, 0])
    assert outcome.right.tolist() == [True, False, True, True]
    assert outcome.found == 1


def test_what_is_not_told_is_not_right_and_names_do_not_matter() -> None:
    dialogue = Dialogue(np.arange(4), ("a/1", "a/2", "a/1", "a/2"), alike=True)
    outcome = judged(dialogue, [5, 3, None, 3])
    assert outcome.right.tolist() == [True, True, False, True]
    assert (outcome.untold, outcome.found) == (1, 2)


def test_a_speaker_split_in_two_is_right_in_one_of_them() -> None:
    dialogue = Dialogue(np.arange(4), ("a/1",) * 4, alike=True)
    assert judged(dialogue, [0, 1, 1, 1]).right.tolist() == [False, True, True, True]


def test_shares_at_places_are_those_of_the_turns_there() -> None:
    dialogue = Dialogue(np.arange(4), ("a/1",) * 4, alike=True)
    outcomes = [judged(dialogue, [0, 1, 1, 1]), judged(dialogue, [0, 0, 0, 0])]
    assert share_right(outcomes, 1, 1).value == 0.5
    assert share_right(outcomes, 2, 4).value == 1


def test_calibration_finds_the_threshold_that_serves_the_dialogues() -> None:
    dialogues = [d for voices in (1, 2, 3) for d in assemble(CLIPS, voices, 2, voices, turns=20)]
    near = vectors(0.5)
    grid = [replace(ClusteringConfig(), threshold=t) for t in (-0.9, 0.5, 0.99)]
    players = [(d.voices, lambda config, d=d: play(d, near, SECONDS, config)) for d in dialogues]
    assert calibrated(players, grid).threshold == 0.5
    assert calibrated(players, []) == ClusteringConfig()
