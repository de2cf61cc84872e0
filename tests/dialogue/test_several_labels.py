"""Journals, exports and reports of results whose labels stand for themselves."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from core.dialogue.export.formats import FORMATS, render
from core.dialogue.export.shapes import affect_dots, shares
from core.dialogue.export.wording import emotion_phrase
from core.dialogue.recording import Recording
from core.dialogue.turn_record import turn_from_record, turn_to_record
from core.labels import EMOTIONS
from core.types import Turn
from tests.dialogue.conftest import judged
from tests.fakes import standing_alone

SEVERAL, ONE, NONE = {"happy": 0.8, "surprise": 0.6}, {"sad": 0.7}, {"fear": 0.3}


def turn(index: int, probabilities: dict[str, float], **thresholds: float) -> Turn:
    made = judged(index, 2.0 * index, 2.0 * index + 1.5, "A", "words")
    assert made.emotion is not None
    return replace(made, emotion=standing_alone(made.emotion, probabilities, thresholds))


@pytest.fixture
def several(recording: Recording) -> Recording:
    turns = tuple(turn(i, values) for i, values in enumerate((SEVERAL, ONE, NONE)))
    return replace(recording, turns=turns)


def test_a_turn_with_several_labels_survives_its_record() -> None:
    before = turn(0, {"happy": 0.8, "proud": 0.6}, proud=0.4, happy=0.7)
    again = turn_from_record(json.loads(json.dumps(turn_to_record(before))))
    assert again.emotion is not None
    assert before.emotion is not None
    assert again.emotion.given == before.emotion.given == ("happy", "proud")
    assert not again.emotion.exclusive
    assert again.emotion.thresholds == pytest.approx(before.emotion.thresholds)
    assert again.emotion.labels == (*EMOTIONS, "proud")


def test_a_record_from_before_there_were_several_labels_is_read(recording: Recording) -> None:
    record = turn_to_record(recording.turns[0])
    del record["given"], record["emotion"]["exclusive"], record["emotion"]["thresholds"]
    again = turn_from_record(record)
    assert again.emotion is not None
    assert again.emotion.exclusive
    assert again.emotion.thresholds == ()
    assert again.emotion.label == record["label"]


def test_json_lines_name_what_is_given(several: Recording) -> None:
    rows = [json.loads(line) for line in render(several, "jsonl").splitlines()]
    assert [row["given"] for row in rows] == [["happy", "surprise"], ["sad"], []]
    assert [row["label"] for row in rows] == ["happy", "sad", None]


def test_the_table_joins_what_is_given(several: Recording) -> None:
    rows = list(csv.DictReader(io.StringIO(render(several, "csv"))))
    assert [row["label"] for row in rows] == ["happy + surprise", "sad", ""]
    assert [row["confidence"] for row in rows] == ["0.8000", "0.7000", ""]
    assert float(rows[2]["p_fear"]) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("happy 80 % + surprise 60 %", "sad 70 %", "no emotion given")),
        ("ko", ("기쁨 80 % + 놀람 60 %", "슬픔 70 %", "해당 감정 없음")),
    ],
)
def test_subtitles_and_reports_say_all_of_it(
    several: Recording, language: str, words: tuple[str, ...]
) -> None:
    for name in ("srt", "vtt", "html"):
        text = render(several, name, language)
        assert all(phrase in text for phrase in words), name


def test_a_textgrid_interval_holds_every_label(several: Recording) -> None:
    text = render(several, "textgrid")
    assert '"happy + surprise"' in text
    assert '"no emotion given"' in text


def test_the_report_draws_a_bar_and_a_mark_each_and_explains_them(several: Recording) -> None:
    page = render(several, "html")
    assert page.count('<b style="bottom: 50.0%">') == 3 * len(EMOTIONS)
    assert "need not add up to 100" in page
    assert 'class="own"' in page


def test_a_report_of_labels_that_exclude_each_other_has_neither(recording: Recording) -> None:
    page = render(recording, "html")
    assert 'class="own"' not in page
    assert "need not add up" not in page


@pytest.mark.parametrize("name", FORMATS)
def test_labels_of_the_users_own_are_exported_as_they_are(recording: Recording, name: str) -> None:
    made = turn(0, {"left <out>": 0.9})
    text = render(replace(recording, turns=(made,)), name)
    assert "left <out>" in text or "left &lt;out&gt;" in text
    assert "<out>" not in text or name in ("csv", "jsonl", "textgrid", "srt")


def test_an_unsure_turn_has_its_question_marks() -> None:
    made = turn(0, SEVERAL).emotion
    assert made is not None
    unsure = replace(made, doubts=judged(1, 0, 0.3, None, "").emotion.doubts)  # type: ignore[union-attr]
    assert emotion_phrase(unsure, "en") == "happy? 80 % + surprise? 60 %"


def test_time_with_several_labels_is_shared_among_them(several: Recording) -> None:
    parts = {part.label: part for part in shares(several.turns, EMOTIONS)}
    assert parts["happy"].duration == pytest.approx(0.75)
    assert parts["surprise"].duration == pytest.approx(0.75)
    assert parts["sad"].duration == pytest.approx(1.5)
    assert parts[""].duration == pytest.approx(1.5)
    assert sum(part.width for part in parts.values()) == pytest.approx(100, abs=0.01)


def test_the_plane_says_what_was_measured_and_draws_nothing_outside(several: Recording) -> None:
    measured = tuple(
        replace(t, emotion=replace(t.emotion, arousal=1.7, valence=-1.2, affect_derived=False))  # type: ignore[type-var]
        for t in several.turns
    )
    assert all(abs(dot.x) <= 100 and abs(dot.y) <= 100 for dot in affect_dots(measured))
    assert "Measured by the model." in render(replace(several, turns=measured), "html")
    assert "Derived from the probabilities" in render(several, "html")
