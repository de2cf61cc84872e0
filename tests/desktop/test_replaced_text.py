"""A better text takes the place of another, and nothing else moves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest

from core.pipeline.events import SessionState, TurnUpdated
from core.types import Transcript, Turn, TurnStatus
from desktop.item_models.replaced_words import replaced_words
from desktop.main_window import MainWindow
from desktop.panels import fresh_words
from desktop.panels.now import NowPanel
from desktop.panels.transcript import TranscriptPanel
from desktop.panels.transcript_view import TranscriptView
from tests.desktop.conftest import WaitFor, converse
from tests.desktop.test_item_models import result, turn

LONG = "and then he said that nobody had told him anything about it at all " * 6


def marked(old: str, new: str) -> list[str]:
    return [new[start : start + length] for start, length in replaced_words(old, new)]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("I saw the see", "I saw the sea", ["sea"]),
        ("나는 좀 걱정되더라", "나는 조금 걱정이 되더라", ["조금 걱정이 되더라"]),
        ("", "all of it", ["all of it"]),
        ("same  words", "same words", []),
        ("one two three", "one three", []),
        ("b c", "a b c d", ["a", "d"]),
    ],
)
def test_only_words_that_are_others_are_marked(old: str, new: str, words: list[str]) -> None:
    assert marked(old, new) == words


class Talk:
    """A long conversation in the window, live, and its transcript."""

    def __init__(self, window: MainWindow) -> None:
        converse(window.state, 90.0)
        self.state = window.state
        panel = window.panels["transcript"]
        assert isinstance(panel, TranscriptPanel)
        self.panel = panel
        self.view: TranscriptView = panel.view
        QTest.qWait(30)

    def better(self, row: int, text: str) -> Turn:
        """Tell a final turn again, with another text."""
        before = self.state.turns.turn(row)
        assert before is not None
        after = replace(before, transcript=Transcript(text))
        self.state.update_turn(TurnUpdated(after))
        QTest.qWait(10)
        return after

    def place(self, row: int) -> QRect:
        return self.view.visualRect(self.state.turns.index(row, 0))

    def scroll_to(self, row: int) -> None:
        self.view.scrollTo(self.state.turns.index(row, 0), self.view.ScrollHint.PositionAtTop)
        QTest.qWait(10)

    def rows(self) -> int:
        return self.state.turns.rowCount()


@pytest.fixture
def talk(window: MainWindow) -> Talk:
    return Talk(window)


def test_a_better_text_of_an_older_turn_moves_nothing_that_is_read(talk: Talk) -> None:
    talk.scroll_to(8)
    before = [talk.place(row).top() for row in (9, 10, 11)]
    height = talk.place(2).height()
    talk.better(2, LONG)
    assert talk.place(2).height() > height
    assert [talk.place(row).top() for row in (9, 10, 11)] == before
    talk.better(2, "short")
    assert [talk.place(row).top() for row in (9, 10, 11)] == before


def test_the_newest_turn_stays_in_view_when_it_grows_or_one_above_it_does(talk: Talk) -> None:
    bar = talk.view.verticalScrollBar()
    assert bar.value() == bar.maximum() > 0
    last = talk.rows() - 1
    bottom = talk.place(last).bottom()
    talk.better(last - 2, LONG)
    assert bar.value() == bar.maximum()
    assert talk.place(last).bottom() == bottom


def test_the_selected_turn_stays_selected_and_where_it_is(talk: Talk) -> None:
    talk.scroll_to(6)
    place = talk.place(8)
    QTest.mouseClick(
        talk.view.viewport(), Qt.MouseButton.LeftButton, pos=place.center() - QPoint(40, 0)
    )
    assert talk.state.selected is not None
    reveals = (talk.state.time.following, talk.state.time.stretch(60.0))
    talk.better(7, LONG)
    assert talk.place(8) == place
    after = talk.better(8, LONG)
    assert talk.place(8).top() == place.top()
    assert talk.view.currentIndex().row() == 8
    assert talk.state.selected == after
    assert (talk.state.time.following, talk.state.time.stretch(60.0)) == reveals


def test_a_turn_that_arrives_above_moves_nothing_that_is_read(talk: Talk) -> None:
    talk.scroll_to(8)
    before = talk.place(10).top()
    talk.state.update_turn(TurnUpdated(turn(500, 5.0, 5.5, text=LONG, emotion=result(sad=0.6))))
    QTest.qWait(10)
    assert talk.place(11).top() == before
    talk.state.turns.discard(500)
    QTest.qWait(10)
    assert talk.place(10).top() == before


def test_changed_words_are_marked_for_a_moment_only(
    talk: Talk, wait_for: WaitFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fresh_words, "MARKED_SECONDS", 0.3)
    row = talk.rows() - 3
    after = talk.better(row, "We should really phone them tonight")
    assert after.index in talk.panel._delegate.marks
    plain = talk.view.grab(talk.place(row)).toImage()
    wait_for(lambda: not talk.panel._delegate.marks)
    QTest.qWait(30)
    assert talk.view.grab(talk.place(row)).toImage() != plain
    assert not talk.panel.fresh.waiting


def test_nothing_is_marked_in_the_turn_that_is_selected(talk: Talk) -> None:
    row = talk.rows() - 3
    talk.state.select(talk.state.turns.turn(row))
    talk.better(row, "We should really phone them tonight")
    assert not talk.panel._delegate.marks


def test_a_first_text_is_not_marked_as_changed(talk: Talk) -> None:
    row = talk.rows() - 1
    last = talk.state.turns.turn(row)
    assert last is not None
    talk.state.update_turn(TurnUpdated(replace(last, status=TurnStatus.FINAL)))
    assert not talk.panel._delegate.marks


def test_an_older_turn_that_is_told_again_does_not_become_what_is_heard_now(
    talk: Talk, window: MainWindow
) -> None:
    newest, complete = talk.state.newest, talk.state.complete
    changed = replace(talk.better(3, "other words"), emotion=result(sad=0.9))
    talk.state.update_turn(TurnUpdated(changed))
    assert talk.state.newest is newest
    assert talk.state.complete is complete
    told = talk.state.turns.turn(3)
    assert told is not None
    assert told.emotion is not None
    assert told.emotion.label == "sad"
    panel = window.panels["now"]
    assert isinstance(panel, NowPanel)
    assert panel._word.words() != "sad"


def test_a_result_that_was_early_and_is_confirmed_changes_nothing_but_its_ink(
    talk: Talk, window: MainWindow
) -> None:
    """Judged ahead in a pause, then final with the very same answer: nothing may flicker."""
    state = talk.state
    emotion = result(angry=0.8)
    early = turn(700, 89.0, 91.0, TurnStatus.PARTIAL, "stop it now", emotion, "A")
    state.update_turn(TurnUpdated(early, 0.2))
    QTest.qWait(10)
    row = state.turns.row_of(700)
    assert row is not None
    place, maximum = talk.place(row), talk.view.verticalScrollBar().maximum()
    panel = window.panels["now"]
    assert isinstance(panel, NowPanel)
    words: list[str] = [panel._word.words()]
    state.turn_changed.connect(lambda _: words.append(panel._word.words()))
    for status in (TurnStatus.SPEECH, TurnStatus.FINAL):
        state.update_turn(TurnUpdated(replace(early, status=status), 0.3))
    QTest.qWait(10)
    assert talk.place(row) == place
    assert talk.view.verticalScrollBar().maximum() == maximum
    assert set(words) == {"angry"}
    assert not talk.panel._delegate.marks


def test_after_the_session_a_better_text_leaves_the_scroll_bar_alone(talk: Talk) -> None:
    talk.state.enter(SessionState.IDLE)
    bar = talk.view.verticalScrollBar()
    bar.setValue(bar.maximum())
    place = talk.place(talk.rows() - 2)
    talk.better(1, LONG)
    assert talk.place(talk.rows() - 2) == place
