"""What the dialogue panel draws, computed from turns: readings, shifts, attention, sizes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.dialogue.influence import Reading as CoreReading
from core.dialogue.influence import emotion_shifts
from core.types import AttentionKind, ContextScope, Transcript, Turn, TurnStatus
from desktop.item_models.dialogue import (
    NestedTally,
    arcs_of,
    blocks_between,
    spoken_language,
    turn_map,
)
from desktop.item_models.readings import Reading, changed_by_context, label_of, seen_later
from desktop.item_models.turns import TurnModel, describe
from tests.desktop.dialogues import LINES, SIZES, dialogue, shares

LANES = {"Mina": 0, "Jun": 1}


def model_of(count: int = len(LINES)) -> TurnModel:
    model = TurnModel()
    for event in dialogue(count):
        model.update(event.turn)
    return model


def everything(model: TurnModel, reading: Reading, in_context: bool = True) -> list[tuple]:
    return blocks_between(model, 0.0, 1e6, LANES, reading, None, in_context)


def test_each_reading_shows_its_own_emotion_and_the_first_answer_stays() -> None:
    turn = model_of().turns()[6]
    assert turn.context is not None
    assert label_of(turn, Reading.ALONE) == "neutral"
    assert label_of(turn, Reading.CONTEXT) == turn.context.label == "happy"
    assert label_of(turn, Reading.HINDSIGHT) == "sad"
    assert seen_later(turn) == "sad"
    assert changed_by_context(turn) == "happy"
    assert turn.emotion is not None
    assert turn.emotion.label == "neutral"


def test_without_a_dialogue_model_the_utterance_speaks() -> None:
    turn = replace(model_of().turns()[2], context=None, hindsight=None)
    assert {label_of(turn, reading) for reading in Reading} == {"happy"}
    assert changed_by_context(turn) is None
    assert seen_later(turn) is None


def test_hindsight_that_agrees_is_no_revision() -> None:
    turn = model_of().turns()[6]
    assert turn.context is not None
    agreeing = replace(turn.context, scope=ContextScope.LATER)
    assert seen_later(replace(turn, hindsight=agreeing)) is None


@pytest.mark.parametrize("reading", list(Reading))
def test_shifts_are_those_of_the_core(reading: Reading) -> None:
    model = model_of(40)
    turn = model.turns()[12]
    assert turn.context is not None
    other = replace(turn.context, alone=shares("disgust"))  # as no utterance model says of it
    model.update(replace(turn, context=other))
    drawn = {
        block.index: block.shifted_from
        for block in everything(model, reading)
        if block.shifted_from
    }
    told = emotion_shifts(model.turns(), CoreReading(reading.value))
    assert len(drawn) > 8
    assert drawn == {shift.turn: shift.before for shift in told}


@pytest.mark.parametrize("known", [True, False])
def test_turns_of_nobody_shift_as_the_core_says(known: bool) -> None:
    model = TurnModel()
    for turn in model_of(20).turns():
        nameless = turn.index % 3 == 0 or not known
        model.update(replace(turn, speaker=None) if nameless else turn)
    names = {turn.speaker or "": 0 for turn in model.turns()}
    blocks = blocks_between(model, 0, 1e6, names, Reading.CONTEXT, None, True)
    drawn = {block.index: block.shifted_from for block in blocks if block.shifted_from}
    assert bool(drawn) is known, "of nobody it can't be said whose emotion shifts"
    assert drawn == {s.turn: s.before for s in emotion_shifts(model.turns(), CoreReading.CONTEXT)}


def test_a_shift_from_a_turn_out_of_view_is_still_one() -> None:
    model = model_of()
    whole = {b.index: b.shifted_from for b in everything(model, Reading.CONTEXT)}
    first = model.turns()[7].start / 16_000
    part = blocks_between(model, first, 1e6, LANES, Reading.CONTEXT, None, True)
    assert [b.index for b in part] == list(range(7, 16))
    assert {b.index: b.shifted_from for b in part} == {i: whole[i] for i in range(7, 16)}


def test_a_turn_that_is_being_spoken_shifts_nothing_yet() -> None:
    model = model_of(4)
    last = model.turns()[-1]
    moved = last.end + 16_000
    growing = replace(
        last,
        index=9,
        start=moved,
        end=moved + 16_000,
        status=TurnStatus.PARTIAL,
        context=None,
        emotion=last.emotion and replace(last.emotion, probabilities=shares("disgust")),
    )
    model.update(growing)
    block = everything(model, Reading.CONTEXT)[-1]
    assert (block.label, block.judged, block.shifted_from) == ("disgust", False, None)


def test_a_turn_that_waits_for_its_context_is_told_from_one_that_gets_none() -> None:
    model = TurnModel()
    model.update(replace(next(iter(dialogue(1))).turn, context=None))
    assert not everything(model, Reading.CONTEXT, in_context=True)[0].judged
    assert everything(model, Reading.CONTEXT, in_context=False)[0].judged


def test_arcs_end_at_the_turns_the_result_names() -> None:
    model = model_of()
    turn = model.turns()[8]
    assert turn.context is not None
    arcs = arcs_of(turn.context, model, Reading.CONTEXT)
    assert [arc.index for arc in arcs] == list(turn.context.turns) == list(range(9))
    assert [arc.weight for arc in arcs] == list(turn.context.attention)
    assert arcs[0].at == pytest.approx(turn_middle(model.turns()[0]))
    model.discard(3)
    assert [arc.index for arc in arcs_of(turn.context, model, Reading.CONTEXT)] == [
        0, 1, 2, 4, 5, 6, 7, 8,
    ]  # fmt: skip


def turn_middle(turn: Turn) -> float:
    return (turn.start + turn.end) / 2 / 16_000


def test_the_attention_of_a_turn_is_a_map_by_its_kind() -> None:
    model = model_of()
    turn = model.turns()[8]
    made = turn_map(turn, model)
    assert made is not None
    assert made.kind is AttentionKind.TURN
    assert made.weights.shape == (1, 9)
    assert made.weights.sum() == pytest.approx(1.0, abs=1e-6)
    assert made.key_axis.labels[-1] == made.query_axis.labels[0] == "0:32 Jun"
    assert turn_map(model.turns()[0], model) is None
    assert turn_map(replace(turn, context=None), model) is None


def test_the_tally_counts_turns_whose_label_a_size_changes_once_each() -> None:
    tally = NestedTally()
    turns = [event.turn for event in dialogue()]
    for turn in turns:
        tally.update(turn)
        tally.update(turn)
    assert tally.turns == len(LINES)
    assert tally.differing(max(SIZES)) == 0
    by_hand = {
        turn.index
        for turn in turns
        if turn.context
        and turn.context.labels[
            max(range(7), key=lambda i: turn.context.nested[SIZES[0]][i])  # type: ignore[union-attr]
        ]
        != turn.context.label
    }
    assert tally.differing(SIZES[0]) == len(by_hand) > 5
    tally.clear()
    assert (tally.turns, tally.differing(SIZES[0])) == (0, 0)


def test_the_tooltip_of_a_turn_has_both_emotions() -> None:
    text = describe(model_of().turns()[6])
    assert "neutral 0.50" in text
    assert "in context: happy" in text
    assert "seen later: sad 0.50" in text
    assert "in context" not in describe(model_of().turns()[0])


def test_hangul_is_korean_and_latin_letters_may_be_anything() -> None:
    turn = model_of().turns()[0]
    assert spoken_language(turn) is None
    assert spoken_language(replace(turn, transcript=Transcript("안녕 Jun"))) == "ko"
    assert spoken_language(replace(turn, transcript=Transcript("Hello", language="en"))) == "en"
    assert spoken_language(replace(turn, transcript=None)) is None
