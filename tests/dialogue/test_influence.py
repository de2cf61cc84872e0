"""Emotion shifts and influence, on dialogues in which the answer is known."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from core.dialogue.influence import (
    Influence,
    Reading,
    emotion_shifts,
    influences,
    label_of,
    probabilities_of,
)
from core.labels import EMOTIONS
from core.types import ContextResult, ContextScope, FloatArray, Turn, TurnStatus
from tests.dialogue.conftest import judged
from tests.fakes import FAKE_CONTEXT, standing_alone


def in_context(
    index: int,
    probabilities: Sequence[float],
    turns: tuple[int, ...] = (),
    attention: tuple[float, ...] = (),
) -> ContextResult:
    return ContextResult(
        labels=EMOTIONS,
        probabilities=tuple(map(float, probabilities)),
        scope=ContextScope.PAST,
        alone=tuple(map(float, probabilities)),
        turns=turns or (index,),
        attention=attention or ((1.0,) if not turns else ()),
        model=FAKE_CONTEXT,
    )


def a_turn(index: int, speaker: str | None, probabilities: Sequence[float] | None) -> Turn:
    context = None if probabilities is None else in_context(index, probabilities)
    return Turn(index, 100 * index, 100 * index + 90, speaker, TurnStatus.FINAL, context=context)


def sure(label: str, share: float = 0.9) -> list[float]:
    rest = (1 - share) / (len(EMOTIONS) - 1)
    return [share if name == label else rest for name in EMOTIONS]


def random_emotions(count: int, seed: int) -> FloatArray:
    """Mostly neutral, as people are."""
    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(EMOTIONS), size=count, p=[0.4] + [0.1] * 6)
    return np.array([sure(EMOTIONS[i]) for i in drawn], dtype=np.float32)


def alternating(a: FloatArray, b: FloatArray) -> list[Turn]:
    """A, B, A, B ... with these emotions."""
    turns = []
    for i, (of_a, of_b) in enumerate(zip(a, b, strict=True)):
        turns += [a_turn(2 * i, "A", of_a), a_turn(2 * i + 1, "B", of_b)]
    return turns


def of_pair(found: Sequence[Influence], follower: str, leader: str) -> Influence:
    (one,) = [i for i in found if (i.follower, i.leader) == (follower, leader)]
    return one


def test_a_shift_is_against_the_speakers_own_turn_before() -> None:
    labels = [("A", "happy"), ("B", "sad"), ("A", "happy"), ("B", "angry"), ("A", "sad")]
    turns = [a_turn(i, who, sure(label)) for i, (who, label) in enumerate(labels)]
    shifts = emotion_shifts(turns)
    assert [(s.turn, s.previous, s.speaker, s.before, s.after) for s in shifts] == [
        (3, 1, "B", "sad", "angry"),
        (4, 2, "A", "happy", "sad"),
    ]


def test_turns_that_were_not_judged_are_no_shift_and_hide_none() -> None:
    turns = [a_turn(0, "A", sure("happy")), a_turn(1, "A", None), a_turn(2, "A", sure("sad"))]
    (shift,) = emotion_shifts(turns)
    assert (shift.previous, shift.turn) == (0, 2)


def test_a_turn_of_nobody_shifts_nothing() -> None:
    labels = [("A", "happy"), (None, "sad"), ("A", "happy"), (None, "angry"), ("A", "sad")]
    turns = [a_turn(i, who, sure(label)) for i, (who, label) in enumerate(labels)]
    assert [(s.turn, s.previous) for s in emotion_shifts(turns)] == [(4, 2)]
    alone = [replace(turn, speaker=None) for turn in turns]
    assert emotion_shifts(alone) == (), "it may be two people at one microphone"


def test_turns_are_taken_by_start() -> None:
    turns = [a_turn(i, "A", sure(label)) for i, label in enumerate(("sad", "sad", "happy"))]
    late = replace(turns[0], start=1000)
    assert [(s.before, s.after) for s in emotion_shifts([late, *turns[1:]])] == [
        ("sad", "happy"),
        ("happy", "sad"),
    ]


def test_the_reading_says_which_result_counts() -> None:
    turn = judged(0, 0.0, 1.0, "A", "hello")
    assert turn.emotion is not None
    assert label_of(turn, Reading.HINDSIGHT) == turn.emotion.label
    turn = replace(turn, context=in_context(0, sure("fear")))
    assert label_of(turn, Reading.UTTERANCE) == turn.emotion.label
    assert label_of(turn, Reading.CONTEXT) == label_of(turn, Reading.HINDSIGHT) == "fear"
    turn = replace(turn, hindsight=in_context(0, sure("sad")))
    assert label_of(turn, Reading.HINDSIGHT) == "sad"
    assert label_of(turn, Reading.CONTEXT) == "fear"
    assert (
        label_of(replace(turn, emotion=None, context=None, hindsight=None), Reading.CONTEXT) is None
    )


def test_labels_that_stand_for_themselves_are_taken_relative_to_each_other() -> None:
    turn = judged(0, 0.0, 1.0, "A", "hello")
    assert turn.emotion is not None
    own = standing_alone(turn.emotion, {"happy": 0.9, "sad": 0.8})
    found = probabilities_of(replace(turn, emotion=own), Reading.UTTERANCE)
    assert found is not None
    assert sum(found.values()) == pytest.approx(1)
    assert max(found, key=lambda label: found[label]) == "happy"


def test_b_who_takes_over_what_a_said_is_found() -> None:
    a = random_emotions(40, seed=1)
    found = influences(alternating(a, a))
    b_follows = of_pair(found, "B", "A").lags[0]
    assert b_follows.enough
    assert b_follows.pairs == 40
    assert b_follows.similarity == pytest.approx(0.9**2 + 6 * (0.1 / 6) ** 2, abs=1e-4)
    assert b_follows.excess > 0.3
    assert b_follows.p_value is not None
    assert b_follows.p_value < 0.01
    a_follows = of_pair(found, "A", "B").lags[0]
    assert a_follows.p_value is not None
    assert a_follows.p_value > 0.05


def test_a_lag_of_three_turns_is_found_as_such() -> None:
    a = random_emotions(60, seed=2)
    b = np.concatenate([random_emotions(1, seed=3), a[:-1]])
    lags = of_pair(influences(alternating(a, b)), "B", "A").lags
    assert [lag.lag for lag in lags] == [1, 2, 3]
    assert lags[2].p_value is not None
    assert lags[2].p_value < 0.01
    assert of_pair(influences(alternating(a, b)), "B", "A").strongest is not None
    assert of_pair(influences(alternating(a, b)), "B", "A").strongest == lags[2]


def test_independent_speakers_are_not_found_more_often_than_chance_allows() -> None:
    p_values, excess = [], []
    for seed in range(40):
        turns = alternating(random_emotions(25, 100 + seed), random_emotions(25, 500 + seed))
        for one in influences(turns, lags=1, permutations=200):
            assert one.lags[0].p_value is not None
            p_values.append(one.lags[0].p_value)
            excess.append(one.lags[0].excess)
    assert abs(np.mean(excess)) < 0.02
    assert np.mean(np.array(p_values) < 0.05) < 0.12
    assert 0.4 < np.mean(p_values) < 0.6


def test_two_who_are_always_neutral_influence_nobody() -> None:
    neutral = np.array([sure("neutral")] * 20, dtype=np.float32)
    for one in influences(alternating(neutral, neutral)):
        assert one.lags[0].similarity == pytest.approx(one.lags[0].chance)
        assert one.lags[0].p_value == 1.0


def test_with_too_few_turns_only_their_number_is_said() -> None:
    a = random_emotions(5, seed=1)
    for one in influences(alternating(a, a)):
        assert not one.lags[0].enough
        assert one.lags[0].pairs in (4, 5)
        assert one.lags[0].p_value is None
        assert one.lags[0].excess == 0.0
        assert one.strongest is None


def test_nobody_and_turns_that_were_not_judged_take_no_part() -> None:
    a = random_emotions(20, seed=4)
    turns = alternating(a, a)
    turns[6] = replace(turns[6], context=None)
    turns[9] = replace(turns[9], speaker=None)
    found = influences(turns)
    assert {(i.follower, i.leader) for i in found} == {("A", "B"), ("B", "A")}
    assert of_pair(found, "B", "A").lags[0].pairs == 18
    assert influences([]) == ()
    assert influences([a_turn(0, "A", sure("happy"))]) == ()


def test_attention_from_speaker_to_speaker_stands_beside_even_shares() -> None:
    base = [a_turn(i, "AB"[i % 2], sure("happy")) for i in range(4)]
    turns = [
        base[0],
        replace(base[1], context=in_context(1, sure("sad"), (0, 1), (0.7, 0.3))),
        replace(base[2], context=in_context(2, sure("sad"), (0, 1, 2), (0.1, 0.1, 0.8))),
        replace(base[3], context=in_context(3, sure("sad"), (0, 1, 2, 3), (0.3, 0.1, 0.2, 0.4))),
    ]
    found = influences(turns)
    b = of_pair(found, "B", "A")
    assert b.attention == pytest.approx((0.7 + 0.5) / 2)
    assert b.even == pytest.approx((1 / 2 + 2 / 4) / 2)
    a = of_pair(found, "A", "B")
    assert (a.attention, a.even) == (pytest.approx(0.1), pytest.approx(1 / 3))


def test_a_model_that_can_not_say_what_it_looked_at_has_no_attention() -> None:
    turns = [
        replace(t, context=in_context(t.index, sure("sad"), (0, 1), ()))
        for t in (a_turn(0, "A", None), a_turn(1, "B", None))
    ]
    assert all(one.attention is None and one.even is None for one in influences(turns))


def test_the_same_dialogue_gives_the_same_figures() -> None:
    turns = alternating(random_emotions(15, 1), random_emotions(15, 2))
    assert influences(turns) == influences(turns)


def test_a_thousand_turns_are_read_in_a_moment() -> None:
    turns = alternating(random_emotions(500, 1), random_emotions(500, 2))
    began = time.perf_counter()
    influences(turns)
    assert time.perf_counter() - began < 2.0
