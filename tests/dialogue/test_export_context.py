"""Exports of turns that a dialogue model read."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.commands.live_table import turn_line
from core.dialogue.context_record import MOST_TURNS, context_from_record, context_to_record
from core.dialogue.export.formats import export, render
from core.dialogue.readers.transcripts import read_transcript
from core.dialogue.recording import Recording
from core.dialogue.turn_record import turn_from_record, turn_to_record
from core.errors import JournalError
from core.labels import EMOTIONS
from core.types import ContextResult, ContextScope, Doubt
from tests.fakes import FAKE_CONTEXT, standing_alone


def said(
    label: str, turns: tuple[int, ...], scope: ContextScope = ContextScope.PAST, share: float = 0.7
) -> ContextResult:
    rest = (1 - share) / (len(EMOTIONS) - 1)
    probabilities = tuple(share if name == label else rest for name in EMOTIONS)
    return ContextResult(
        labels=EMOTIONS,
        probabilities=probabilities,
        scope=scope,
        alone=tuple(0.4 if name == "fear" else 0.1 for name in EMOTIONS),
        turns=turns,
        attention=tuple(1 / len(turns) for _ in turns),
        model=FAKE_CONTEXT,
        nested={96: probabilities, 6: tuple([1 / 7] * 7)},
        compute_seconds=0.0042,
    )


@pytest.fixture
def in_context(recording: Recording) -> Recording:
    """Context agrees with the first turn, differs for the others; hindsight differs for one."""
    first, second, third, fourth = recording.turns
    assert first.emotion is not None
    later = ContextScope.LATER
    turns = (
        replace(
            first,
            context=said(first.emotion.label, (0,)),
            hindsight=said(first.emotion.label, (0, 1, 2, 3), later),
        ),
        replace(second, context=said("disgust", (0, 1)), hindsight=said("disgust", (0, 1), later)),
        replace(
            third, context=said("surprise", (0, 1, 2)), hindsight=said("fear", (0, 1, 2, 3), later)
        ),
        fourth,
    )
    return replace(recording, turns=turns)


def test_context_survives_its_record(in_context: Recording) -> None:
    for turn in in_context.turns:
        again = turn_from_record(json.loads(json.dumps(turn_to_record(turn))))
        for mine, its in ((turn.context, again.context), (turn.hindsight, again.hindsight)):
            assert (mine is None) == (its is None)
            if mine is None or its is None:
                continue
            assert its.labels == mine.labels
            assert its.probabilities == pytest.approx(mine.probabilities, abs=1e-5)
            assert its.alone == pytest.approx(mine.alone, abs=1e-5)
            assert its.scope is mine.scope
            assert its.turns == mine.turns
            assert its.attention == pytest.approx(mine.attention, abs=1e-4)
            assert its.nested.keys() == mine.nested.keys()
            assert its.nested[6] == pytest.approx(mine.nested[6], abs=1e-4)
            assert its.model.digest == mine.model.digest
            assert its.model.modalities == mine.model.modalities
            assert its.model.languages == mine.model.languages
            assert (its.label, its.label_alone) == (mine.label, mine.label_alone)


def test_records_of_older_sessions_are_still_read(recording: Recording) -> None:
    record = turn_to_record(recording.turns[0])
    for name in ("context", "hindsight"):
        assert record.pop(name) is None
    again = turn_from_record(record)
    assert again.context is None
    assert again.hindsight is None


@pytest.mark.parametrize("damage", [{"probabilities": None}, {"attention": {}, "turns": ["x"]}, 3])
def test_a_damaged_context_is_refused(in_context: Recording, damage: object) -> None:
    record = turn_to_record(in_context.turns[1])
    record["context"] = {**record["context"], **damage} if isinstance(damage, dict) else damage
    with pytest.raises(JournalError):
        turn_from_record(record)


def test_a_record_stays_short_whatever_the_window() -> None:
    wide = said("sad", tuple(range(500)))
    wide = replace(wide, attention=tuple(i / 124750 for i in range(500)))
    record = context_to_record(wide)
    assert record is not None
    assert len(json.dumps(record)) < 4000
    again = context_from_record(record)
    assert again is not None
    assert again.turns == tuple(range(500 - MOST_TURNS, 500))
    unsure = context_from_record(context_to_record(replace(wide, doubts=(Doubt.TOO_EVEN,))))
    assert unsure is not None
    assert unsure.doubts == (Doubt.TOO_EVEN,)
    older = {key: value for key, value in record.items() if key != "doubts"}
    assert context_from_record(older) is not None
    silent = context_from_record(context_to_record(replace(wide, attention=())))
    assert silent is not None
    assert silent.turns == again.turns
    assert silent.attention == ()


def test_jsonl_says_what_the_dialogue_said(in_context: Recording) -> None:
    rows = [json.loads(line) for line in render(in_context, "jsonl").splitlines()]
    assert rows[2]["context"]["label"] == "surprise"
    assert rows[2]["hindsight"]["label"] == "fear"
    assert rows[2]["context"]["alone"]["fear"] == 0.4
    assert set(rows[2]["context"]["attention"]) == {"0", "1", "2"}
    assert sum(rows[2]["hindsight"]["attention"].values()) == pytest.approx(1, abs=1e-3)
    assert rows[3]["context"] is None


def test_csv_has_columns_for_it_where_there_is_a_dialogue_model(
    recording: Recording, in_context: Recording
) -> None:
    rows = list(csv.DictReader(io.StringIO(render(in_context, "csv"))))
    assert [row["context_label"] for row in rows][1:] == ["disgust", "surprise", ""]
    assert rows[2]["hindsight_label"] == "fear"
    assert rows[2]["context_alone"] == "fear"
    assert float(rows[2]["context_confidence"]) == pytest.approx(0.7)
    assert rows[2]["context_model"] == "fake dialogue"
    assert all(None not in row and None not in row.values() for row in rows)
    plain = list(csv.DictReader(io.StringIO(render(recording, "csv"))))
    assert "context_label" not in plain[0]
    assert list(rows[0])[: len(plain[0])] == list(plain[0])


def test_a_textgrid_has_tiers_for_it_that_are_no_speakers(
    recording: Recording, in_context: Recording, tmp_path: Path
) -> None:
    text = render(in_context, "textgrid")
    assert '"A in context (emotion)"' in text
    assert '"A with hindsight (emotion)"' in text
    assert "in context" not in render(recording, "textgrid")
    assert "놀람" in render(in_context, "textgrid", "ko")
    path = export(in_context, "textgrid", tmp_path / "a.TextGrid")
    again = read_transcript(path).annotations
    assert {a.speaker for a in again} == {"A", "B", None}
    assert len(again) == 3


def test_the_report_shows_readings_side_by_side_where_they_differ(in_context: Recording) -> None:
    page = render(in_context, "html")
    assert page.count('class="reading"') == 3
    assert "in context:" in page
    assert "surprise 70 %" in page
    assert "with hindsight:" in page
    assert "fear 70 %" in page
    assert "by itself: fear 40 %" in page
    assert "looked at: 0:00 A 33 %" in page
    assert "fake dialogue" in page
    assert FAKE_CONTEXT.digest in page
    korean = render(in_context, "html", "ko")
    assert "대화 맥락에서:" in korean
    assert "놀람 70 %" in korean


def test_the_report_says_which_languages_the_dialogue_model_read(in_context: Recording) -> None:
    turn = in_context.turns[1]
    assert turn.context is not None
    english = replace(turn.context, model=replace(FAKE_CONTEXT, languages=("en",)))
    turns = (replace(turn, context=english, hindsight=None),)
    assert "conversations in English only" in render(replace(in_context, turns=turns), "html")
    assert "영어 대화로만" in render(replace(in_context, turns=turns), "html", "ko")
    silent = replace(english, model=replace(FAKE_CONTEXT, languages=()))
    turns = (replace(turn, context=silent, hindsight=None),)
    assert "learned from" not in render(replace(in_context, turns=turns), "html")


def test_of_several_labels_given_context_adds_only_another_one(in_context: Recording) -> None:
    turn = in_context.turns[1]
    assert turn.emotion is not None
    assert turn.context is not None
    both = standing_alone(turn.emotion, {"happy": 0.9, turn.context.label: 0.8})
    none = standing_alone(turn.emotion, {turn.context.label: 0.2})
    for emotion, shown in ((both, 0), (none, 1)):
        turns = (replace(turn, emotion=emotion, hindsight=None),)
        page = render(replace(in_context, turns=turns), "html")
        assert page.count('class="reading"') == shown
        line = turn_line(turns[0])
        assert line.count("in context") == shown


def test_the_report_marks_a_reading_that_is_not_sure(in_context: Recording) -> None:
    turn = in_context.turns[1]
    assert turn.context is not None
    assert 'class="reading unsure"' not in render(in_context, "html")
    unsure = replace(turn.context, doubts=(Doubt.TOO_EVEN,))
    turns = (in_context.turns[0], replace(turn, context=unsure, hindsight=None))
    page = render(replace(in_context, turns=turns), "html")
    assert page.count('class="reading unsure"') == 1
    assert "disgust? 70 %" in page
    assert "no emotion stands out · by itself: fear 40 %" in page
    assert "disgust? 70 %" in turn_line(turns[1])


def test_the_report_marks_shifts(in_context: Recording) -> None:
    page = render(in_context, "html")
    first = in_context.turns[0]
    assert first.emotion is not None
    assert page.count('class="shift"') == 1
    assert f"shift from {first.emotion.label}" in page
    assert "speaker&#39;s own turn before" in page


def test_without_speakers_the_report_tells_of_no_shifts(in_context: Recording) -> None:
    unnamed = tuple(replace(turn, speaker=None) for turn in in_context.turns)
    page = render(replace(in_context, turns=unnamed), "html")
    assert 'class="reading"' in page
    assert 'class="shift"' not in page
    assert "own turn before" not in page


def test_a_report_without_a_dialogue_model_says_nothing_of_it(recording: Recording) -> None:
    page = render(recording, "html")
    assert 'class="reading"' not in page
    assert 'class="shift"' not in page
    assert "ialogue model" not in page


def test_what_somebody_is_called_is_escaped(in_context: Recording) -> None:
    nasty = replace(in_context.turns[0], speaker='<b>"x')
    page = render(replace(in_context, turns=(nasty, *in_context.turns[1:])), "html")
    assert '<b>"x' not in page
    assert "&lt;b&gt;" in page


def test_a_label_that_only_the_dialogue_model_knows_has_a_colour(in_context: Recording) -> None:
    turn = in_context.turns[1]
    assert turn.context is not None
    labels = (*EMOTIONS[:-1], "frustrated")
    other = replace(
        turn.context, labels=labels, probabilities=(0.05,) * 6 + (0.7,), alone=(1 / 7,) * 7
    )
    changed = replace(turn, context=other, hindsight=None)
    page = render(replace(in_context, turns=(in_context.turns[0], changed)), "html")
    assert "frustrated 70 %" in page
