"""The dialogue panel in the window: clicked, keyed, switched, and with little to show."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from core.commands import cut
from core.dialogue import influence
from core.pipeline.events import ContextReady, SessionState, TurnUpdated
from core.types import SAMPLE_RATE, ContextInfo, Doubt, Message, NestedSize, Turn, TurnStatus
from desktop.item_models.readings import Reading
from desktop.item_models.turns import describe
from desktop.main_window import MainWindow
from desktop.panels import dialogue_sizes
from desktop.panels.dialogue import DialoguePanel
from desktop.plots.nested_sizes import NestedSizes
from desktop.plots.share_bar import ShareBars
from tests.desktop.conftest import converse
from tests.desktop.dialogues import (
    INFO,
    LINES,
    SIZES,
    bring,
    converse_in_context,
    dialogue,
    shares,
)


@pytest.fixture
def panel(window: MainWindow) -> DialoguePanel:
    """The panel in front of the others, with a recorded dialogue in context."""
    converse_in_context(window.state)
    window.show_panel("dialogue")
    QTest.qWait(130)
    found = window.panels["dialogue"]
    assert isinstance(found, DialoguePanel)
    return found


def texts(panel: DialoguePanel) -> str:
    """Everything the panel says in words."""
    labels = [w for w in panel.findChildren(QLabel) if w.isVisible()]
    return " ".join(label.text() for label in labels)


def rows(panel: DialoguePanel) -> dict[str, str]:
    bars = panel.turn_page.findChild(ShareBars)
    assert bars is not None
    return {row.name: row.word for row in bars._rows}


def probability(window: MainWindow, index: int) -> str:
    """How probable a turn's emotion in context is, as it is written."""
    turn = window.state.turns.turn(index)
    assert turn is not None
    assert turn.context is not None
    return f"{turn.context.confidence:.2f}"


def doubt(window: MainWindow, index: int) -> None:
    """Let context and hindsight be unsure of a turn of which the utterance model is sure."""
    turn = window.state.turns.turn(index)
    assert turn is not None
    assert turn.context is not None
    assert turn.hindsight is not None
    assert not turn.emotion.uncertain  # type: ignore[union-attr]
    why = (Doubt.TOO_EVEN,)
    unsure = replace(turn.context, doubts=why), replace(turn.hindsight, doubts=why)
    bring(window.state, TurnUpdated(replace(turn, context=unsure[0], hindsight=unsure[1])))
    QTest.qWait(130)


def click(panel: DialoguePanel, index: int) -> None:
    place = panel.lanes.place_of(index)
    assert place is not None
    QTest.mouseClick(
        panel.lanes, Qt.MouseButton.LeftButton, pos=place.center().toPoint() + QPoint(0, 1)
    )
    QTest.qWait(110)


class TestSelection:
    def test_a_click_on_a_turn_selects_it_everywhere_and_asks_to_hear_it(
        self, window: MainWindow, panel: DialoguePanel
    ) -> None:
        heard: list[Turn] = []
        window.state.play_asked.connect(heard.append)
        click(panel, 6)
        assert window.state.selected is not None
        assert [turn.index for turn in heard] == [window.state.selected.index] == [6]
        assert window.panels["transcript"].view.currentIndex().row() == 6  # type: ignore[attr-defined]
        assert "0:22 Jun" in texts(panel)

    def test_the_arrows_of_the_window_move_what_is_shown(
        self, window: MainWindow, panel: DialoguePanel
    ) -> None:
        window.state.select(window.state.turns.turn(3))
        QTest.qWait(110)
        assert panel.lanes._shown == 3
        assert [arc.index for arc in panel.lanes._arcs] == [0, 1, 2, 3]
        window.state.select(None)
        QTest.qWait(110)
        assert panel.lanes._shown == len(LINES) - 1

    def test_a_click_beside_the_turns_is_a_moment(self, panel: DialoguePanel) -> None:
        moments: list[float] = []
        panel.lanes.clicked.connect(moments.append)
        area = panel.lanes.area()
        at = QPointF(area.center().x(), area.top() + 3).toPoint()
        QTest.mouseClick(panel.lanes, Qt.MouseButton.LeftButton, pos=at)
        assert moments == [pytest.approx(panel.lanes.seconds_at(at.x()))]

    def test_the_turn_under_the_pointer_is_told(self, panel: DialoguePanel) -> None:
        under: list[int | None] = []
        panel.lanes.hovered.connect(lambda index, _: under.append(index))
        for index in (2, 8):
            place = panel.lanes.place_of(index)
            assert place is not None
            QTest.mouseMove(panel.lanes, place.center().toPoint())
            QTest.qWait(10)
        assert under[-2:] == [2, 8]


class TestPicture:
    def test_blocks_wear_the_colour_of_their_emotion_in_the_lane_of_their_speaker(
        self, window: MainWindow, panel: DialoguePanel
    ) -> None:
        image = panel.lanes.grab().toImage()
        first, second = panel.lanes.place_of(0), panel.lanes.place_of(1)
        assert first is not None
        assert second is not None
        assert first.bottom() < second.top()
        for place, index in ((first, 0), (second, 1)):
            turn = window.state.turns.turn(index)
            assert turn is not None
            assert turn.context is not None
            colour = window.state.theme.emotion_colour(turn.context.label)
            seen = image.pixelColor((place.topLeft() + QPointF(4, 4)).toPoint())
            assert distance(seen, colour) < 12

    def test_a_revised_turn_keeps_its_colour_above_and_shows_the_later_one_below(
        self, window: MainWindow, panel: DialoguePanel
    ) -> None:
        image = panel.lanes.grab().toImage()
        place = panel.lanes.place_of(6)
        assert place is not None
        said = image.pixelColor(QPointF(place.left() + 4, place.top() + 4).toPoint())
        later = image.pixelColor(QPointF(place.center().x(), place.bottom() - 2).toPoint())
        assert distance(said, window.state.theme.emotion_colour("happy")) < 12
        assert distance(later, window.state.theme.emotion_colour("sad")) < 12

    def test_only_what_is_in_view_is_drawn_of_a_long_dialogue(self, window: MainWindow) -> None:
        converse_in_context(window.state, 300)
        window.show_panel("dialogue")
        QTest.qWait(130)
        panel = window.panels["dialogue"]
        assert isinstance(panel, DialoguePanel)
        window.state.time.zoom(100.0, 160.0)
        QTest.qWait(130)
        assert 5 < len(panel.lanes._blocks) < 30
        began = time.perf_counter()
        for _ in range(5):
            panel._redraw(*window.state.time.stretch(60.0))
            panel.lanes.grab()
        assert (time.perf_counter() - began) / 5 < 0.1

    def test_speakers_beyond_the_lanes_share_the_last_and_nobody_has_one_too(
        self, window: MainWindow
    ) -> None:
        window.state.begin(live=False)
        for number, event in enumerate(dialogue(9)):
            name = None if number == 0 else f"P{event.turn.index}"
            bring(window.state, TurnUpdated(replace(event.turn, speaker=name)))
        window.state.set_total(40.0)
        window.show_panel("dialogue")
        QTest.qWait(130)
        panel = window.panels["dialogue"]
        assert isinstance(panel, DialoguePanel)
        assert panel.lanes._lanes == ("voice", "P1", "P2", "P3", "P4", "others")
        last, before = panel.lanes.place_of(8), panel.lanes.place_of(5)
        assert last is not None
        assert before is not None
        assert last.top() == before.top()

    def test_live_the_newest_turn_is_at_the_right_edge_and_lanes_stay(
        self, window: MainWindow
    ) -> None:
        converse_in_context(window.state, live=True)
        window.show_panel("dialogue")
        QTest.qWait(150)
        panel = window.panels["dialogue"]
        assert isinstance(panel, DialoguePanel)
        place, area = panel.lanes.place_of(len(LINES) - 1), panel.lanes.area()
        assert place is not None
        assert area.right() - place.right() < 8
        tops = [panel.lanes.place_of(i) for i in (14, 15)]
        newest = window.state.turns.turn(15)
        assert newest is not None
        growing = replace(
            newest,
            index=16,
            start=newest.end + 16_000,
            end=newest.end + 32_000,
            status=TurnStatus.PARTIAL,
            context=None,
        )
        bring(window.state, TurnUpdated(growing))
        window.state.time.now += 2.0
        window.state.sound_changed.emit()
        QTest.qWait(150)
        assert panel.lanes._shown == 15, "what is shown waits for the next turn to be complete"
        after = [panel.lanes.place_of(i) for i in (14, 15)]
        assert [p and p.top() for p in tops] == [p and p.top() for p in after]

    def test_by_voice_nobody_has_a_lane_only_while_a_turn_stays_unnamed(
        self, window: MainWindow
    ) -> None:
        state = window.state
        state.begin(live=True)
        window.show_panel("dialogue")
        panel = window.panels["dialogue"]
        assert isinstance(panel, DialoguePanel)
        first, second, third = (event.turn for event in dialogue(3))

        def grow(turn: Turn) -> None:
            growing = replace(turn, speaker=None, status=TurnStatus.PARTIAL, context=None)
            bring(state, TurnUpdated(growing))

        grow(first)
        assert state.speakers() == ("",), "the only lane there is"
        bring(state, TurnUpdated(first))
        assert state.speakers() == ("Mina",)
        bring(state, TurnUpdated(second))
        grow(third)
        assert state.speakers() == ("Mina", "Jun")
        assert state.lanes()[""] == 1, "of whom spoke last"
        state.time.now = third.end / SAMPLE_RATE
        state.sound_changed.emit()
        QTest.qWait(130)
        assert panel.lanes._lanes == ("Mina", "Jun")
        assert panel.lanes._blocks[2].lane == 1
        bring(state, TurnUpdated(replace(third, speaker=None)))
        assert state.speakers() == ("Mina", "Jun", "")
        assert state.lanes()[""] == 2
        bring(state, TurnUpdated(third))
        assert state.speakers() == ("Mina", "Jun")


def distance(first: QColor, second: QColor) -> int:
    return max(
        abs(first.red() - second.red()),
        abs(first.green() - second.green()),
        abs(first.blue() - second.blue()),
    )


class TestReadings:
    def test_the_switch_shows_every_turn_without_its_context_and_back(
        self, window: MainWindow, panel: DialoguePanel
    ) -> None:
        window.state.select(window.state.turns.turn(6))
        QTest.qWait(110)
        assert panel.lanes._blocks[6].label == "happy"
        window.state.toggle_context()
        QTest.qWait(110)
        assert panel.lanes._blocks[6].label == "neutral"
        assert not panel.lanes._arcs
        assert panel.reading.currentText() == "Without context"
        window.state.toggle_context()
        QTest.qWait(110)
        assert panel.lanes._blocks[6].label == "happy"

    def test_the_choice_is_made_with_the_keyboard(
        self, window: MainWindow, panel: DialoguePanel
    ) -> None:
        panel.reading.setFocus()
        QTest.keyClick(panel.reading, Qt.Key.Key_Down)
        assert window.state.reading is Reading.ALONE
        QTest.keyClick(panel.reading, Qt.Key.Key_Down)
        QTest.qWait(110)
        assert window.state.reading is Reading.HINDSIGHT
        assert panel.lanes._blocks[6].label == "sad"

    def test_a_turn_is_compared_with_itself(self, window: MainWindow, panel: DialoguePanel) -> None:
        window.state.select(window.state.turns.turn(6))
        QTest.qWait(110)
        assert rows(panel) == {
            "utterance model": "neutral 0.50",
            "alone": "neutral 0.50",
            "in context": f"happy {probability(window, 6)}",
            "seen later": "sad 0.50",
        }
        assert "happy → sad, seen later." in texts(panel)

    def test_an_unsure_reading_has_a_question_mark_and_is_faded(
        self, window: MainWindow, panel: DialoguePanel
    ) -> None:
        window.state.select(window.state.turns.turn(6))
        QTest.qWait(110)
        bars = panel.turn_page.findChild(ShareBars)
        assert bars is not None
        place = panel.lanes.place_of(6)
        assert place is not None
        at = QPoint(round(place.left()) + 5, round(place.top()) + 6)
        full = panel.lanes.grab().toImage().pixelColor(at)
        doubt(window, 6)
        said = rows(panel)
        assert said["in context"] == f"happy? {probability(window, 6)}"
        assert said["seen later"] == "sad? 0.50"
        assert "?" not in said["utterance model"] + said["alone"]
        faded = {row.name for row in bars._rows if row.faded}
        assert faded == {"in context", "seen later"}
        assert "happy? → sad?, seen later." in texts(panel)
        assert "0:22 Jun · happy?" in texts(panel)
        block = panel.lanes._blocks[6]
        assert block.uncertain
        assert block.later_uncertain
        pale = panel.lanes.grab().toImage().pixelColor(at)
        card = QColor(window.state.theme.card)
        assert distance(pale, card) < 0.8 * distance(full, card)
        window.state.toggle_context()
        QTest.qWait(110)
        assert not panel.lanes._blocks[6].uncertain, "the utterance model was sure"

    def test_a_revision_reaches_the_turn_that_is_shown(
        self, window: MainWindow, panel: DialoguePanel
    ) -> None:
        turn = window.state.turns.turn(15)
        assert turn is not None
        assert turn.context is not None
        assert "seen later" not in rows(panel)
        later = replace(turn.context, probabilities=shares("angry"))
        bring(window.state, TurnUpdated(replace(turn, hindsight=later)))
        QTest.qWait(110)
        assert rows(panel)["seen later"] == "angry 0.50"
        assert rows(panel)["in context"] == f"disgust {probability(window, 15)}"

    def test_a_model_of_another_language_is_cautioned_about(
        self, window: MainWindow, panel: DialoguePanel
    ) -> None:
        window.state.select(window.state.turns.turn(7))
        QTest.qWait(110)
        assert "learned from conversations in English; this turn is in Korean" in texts(panel)
        window.state.select(window.state.turns.turn(8))
        QTest.qWait(110)
        assert "Careful" not in texts(panel)


class TestSizes:
    def page(self, panel: DialoguePanel) -> None:
        panel.tabs.setCurrentIndex(2)
        QTest.qWait(110)

    def test_the_slider_says_what_a_size_costs_and_what_it_answers(
        self, window: MainWindow, panel: DialoguePanel
    ) -> None:
        self.page(panel)
        slider = panel.sizes_page.slider
        assert slider.value() == len(SIZES) - 1
        assert "192: 173 k parameters, 691.2 kB, 0.8 ms a turn" in texts(panel)
        assert "as with the whole model" in texts(panel)
        slider.setFocus()
        QTest.keyClick(slider, Qt.Key.Key_Home)
        assert slider.value() == 0
        assert "parameters, 10.8 kB, 0.0 ms a turn" in texts(panel)
        assert "neutral" in texts(panel)
        assert "instead of disgust" in texts(panel)
        assert f"in {panel.tally.differing(3)} of 16 turns" in texts(panel)
        assert slider.accessibleDescription()

    def test_a_size_that_saves_little_says_so(
        self, window: MainWindow, panel: DialoguePanel
    ) -> None:
        self.page(panel)
        slider = panel.sizes_page.slider
        assert slider.value() == len(SIZES) - 1
        entries = (NestedSize(16, 950, 3800, 1.0), NestedSize(256, 1000, 4000, 1.0))
        bring(window.state, ContextReady(ContextInfo(INFO.model, 16, entries)))
        QTest.qWait(110)
        assert "Hardly smaller" not in texts(panel), "the whole is not cut"
        slider.setValue(0)
        assert "Hardly smaller than the whole: 95 % of the parameters are left." in texts(panel)
        entries = (replace(entries[0], parameters=800), entries[1])
        bring(window.state, ContextReady(ContextInfo(INFO.model, 16, entries)))
        QTest.qWait(110)
        slider.setValue(0)
        assert "Hardly smaller" not in texts(panel)

    def test_the_window_and_the_command_draw_the_same_line(self) -> None:
        assert dialogue_sizes.HARDLY_SMALLER == cut._HARDLY_SMALLER

    def test_a_click_on_a_column_chooses_its_size(self, panel: DialoguePanel) -> None:
        self.page(panel)
        plot = panel.sizes_page.findChild(NestedSizes)
        assert plot is not None
        QTest.mouseClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(plot.width() // 2, 20))
        assert panel.sizes_page.slider.value() == len(SIZES) // 2

    def test_the_arrow_keys_move_the_slider_and_not_the_turn(
        self, window: MainWindow, panel: DialoguePanel
    ) -> None:
        self.page(panel)
        window.activateWindow()
        slider = panel.sizes_page.slider
        slider.setFocus()
        QTest.keyClick(slider, Qt.Key.Key_Left)
        assert slider.value() == len(SIZES) - 2
        assert window.state.selected is None

    def test_a_model_without_nested_sizes_has_no_such_page(
        self, window: MainWindow, panel: DialoguePanel
    ) -> None:
        assert panel.tabs.isTabVisible(2)
        bring(window.state, ContextReady(ContextInfo(INFO.model, 16)))
        QTest.qWait(110)
        assert not panel.tabs.isTabVisible(2)


class TestInfluence:
    def test_few_turns_are_said_to_be_few(self, panel: DialoguePanel) -> None:
        panel.tabs.setCurrentIndex(1)
        QTest.qWait(110)
        assert "Too few turns yet" in texts(panel)
        assert "8 times; so far it was 6" in texts(panel)

    def test_enough_turns_are_a_table_in_pictures_and_in_words(self, window: MainWindow) -> None:
        converse_in_context(window.state, 64)
        window.show_panel("dialogue")
        panel = window.panels["dialogue"]
        assert isinstance(panel, DialoguePanel)
        panel.tabs.setCurrentIndex(1)
        QTest.qWait(130)
        table = panel.influence_page._table
        assert {row.name for row in table._rows} == {"Mina after Jun", "Jun after Mina"}
        assert "Jun after Mina: 1 back" in table.accessibleDescription()
        assert "Too few" not in texts(panel)

    def test_one_question_at_a_time_is_asked_beside_the_window(
        self, window: MainWindow, panel: DialoguePanel
    ) -> None:
        asked: list[tuple] = []
        window.state.run_apart = lambda *parts: asked.append(parts)
        panel.tabs.setCurrentIndex(1)
        for event in dialogue(20):
            bring(window.state, event)
            QTest.qWait(15)
        QTest.qWait(110)
        assert len(asked) == 1
        _, work, done, _ = asked[0]
        done(work())
        assert len(asked) == 2, "the turns that came meanwhile are compared next"

    def test_a_computation_that_failed_says_so_and_is_tried_again(
        self, window: MainWindow, panel: DialoguePanel
    ) -> None:
        asked: list[tuple] = []
        window.state.run_apart = lambda *parts: asked.append(parts)
        panel.tabs.setCurrentIndex(1)
        QTest.qWait(110)
        asked[0][3](MemoryError())
        assert "Computing who follows whom failed" in texts(panel)
        assert "at least two speakers" not in texts(panel)
        for event in dialogue(20):
            bring(window.state, event)
        QTest.qWait(130)
        assert len(asked) == 2
        asked[1][2](asked[1][1]())
        assert "failed" not in texts(panel)

    @pytest.mark.parametrize("reading", list(Reading))
    def test_what_is_compared_is_what_the_lanes_show(
        self, window: MainWindow, panel: DialoguePanel, reading: Reading
    ) -> None:
        for turn in window.state.turns.turns():
            assert turn.context is not None
            other = replace(turn.context, alone=shares("disgust"))
            bring(window.state, TurnUpdated(replace(turn, context=other)))
        window.state.read_as(reading)
        panel.tabs.setCurrentIndex(1)
        QTest.qWait(130)
        for turn, block in zip(window.state.turns.turns(), panel.lanes._blocks, strict=True):
            assert influence.label_of(turn, influence.Reading(reading)) == block.label

    def test_one_speaker_follows_nobody(self, window: MainWindow) -> None:
        window.state.begin(live=False)
        for event in dialogue(12, speakers=False):
            bring(window.state, event)
        window.show_panel("dialogue")
        panel = window.panels["dialogue"]
        assert isinstance(panel, DialoguePanel)
        panel.tabs.setCurrentIndex(1)
        QTest.qWait(130)
        assert "at least two speakers" in texts(panel)


class TestLittleToShow:
    def shown(self, window: MainWindow) -> DialoguePanel:
        window.show_panel("dialogue")
        QTest.qWait(130)
        panel = window.panels["dialogue"]
        assert isinstance(panel, DialoguePanel)
        return panel

    def test_without_a_dialogue_model_the_turns_are_there_and_one_is_offered(
        self, window: MainWindow
    ) -> None:
        converse(window.state, 9.0, live=False)
        window.state.set_total(10.0)
        asked: list[bool] = []
        window.settings_asked.connect(lambda: asked.append(True))
        panel = self.shown(window)
        assert "There is no dialogue model" in texts(panel)
        assert panel.lanes._blocks
        assert not panel.reading.isVisible()
        button = panel.turn_page.findChild(QPushButton)
        assert button is not None
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert asked == [True]

    def test_before_the_first_turn_it_says_what_will_come(self, window: MainWindow) -> None:
        window.state.begin(live=True)
        window.state.expect_context()
        window.state.enter(SessionState.RUNNING)
        panel = self.shown(window)
        assert "appear here as they are judged" in texts(panel)
        button = panel.turn_page.findChild(QPushButton)
        assert button is not None
        assert not button.isVisible()

    def test_a_model_of_other_features_says_so_in_the_panel(self, window: MainWindow) -> None:
        converse(window.state, 9.0, live=False)
        values = {"needed": "embedded", "used": "mine"}
        window.state.miss_context(Message("context_other_model", values))
        panel = self.shown(window)
        assert "trained on features of embedded" in texts(panel)

    def test_a_turn_that_could_not_be_read_in_context_says_so(
        self, window: MainWindow, panel: DialoguePanel
    ) -> None:
        turn = window.state.turns.turn(15)
        assert turn is not None
        late = replace(turn, index=99, start=turn.end + 8000, end=turn.end + 40_000, context=None)
        bring(window.state, TurnUpdated(late))
        assert panel.shown() is not None
        assert panel.shown().index == 15  # type: ignore[union-attr]
        window.state.select(late)
        QTest.qWait(110)
        assert "says nothing of this turn" in texts(panel)


class TestPlace:
    def test_it_lies_behind_the_curves_until_it_is_called(self, window: MainWindow) -> None:
        converse_in_context(window.state)
        panel, curves = window.panels["dialogue"], window.panels["curves"]
        assert curves.seen
        assert not panel.seen
        assert not panel.isEnabled(), "what can't be seen takes no focus"
        before = window.panels["dialogue"]._drawn  # type: ignore[attr-defined]
        QTest.qWait(130)
        assert window.panels["dialogue"]._drawn == before  # type: ignore[attr-defined]
        window.show_panel("dialogue")
        QTest.qWait(130)
        assert panel.seen
        assert not curves.seen
        assert window.panels["dialogue"]._drawn > before  # type: ignore[attr-defined]

    def test_a_layout_from_before_it_puts_it_behind_the_curves(
        self, qt: QApplication, window: MainWindow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from desktop import workspace

        known = tuple(entry for entry in workspace.PANELS if entry.name != "dialogue")
        monkeypatch.setattr(workspace, "PANELS", known)
        older = MainWindow(window.state)
        older.show()
        older.show_workspace()
        QTest.qWait(20)
        stored = older.layout_state()
        older.close()
        monkeypatch.undo()
        newer = MainWindow(window.state)
        newer.restore_layout(stored)
        newer.show()
        newer.show_workspace()
        QTest.qWait(40)
        assert newer.panels["curves"].seen
        assert not newer.panels["dialogue"].seen
        assert newer.panels["dialogue"].isVisible() == newer.panels["curves"].isVisible()
        newer.close()

    @pytest.mark.parametrize("size", [(1024, 700), (1440, 900)])
    def test_every_page_fits(self, window: MainWindow, size: tuple[int, int]) -> None:
        window.resize(*size)
        converse_in_context(window.state)
        window.reset_layout()
        window.show_panel("dialogue")
        window.state.select(window.state.turns.turn(6))
        panel = window.panels["dialogue"]
        assert isinstance(panel, DialoguePanel)
        for page in range(3):
            panel.tabs.setCurrentIndex(page)
            QTest.qWait(130)
            shown = panel._pages.currentWidget()
            needed = shown.minimumSizeHint()
            assert needed.height() <= shown.height() + 1, page
            assert panel.width() <= size[0] * 0.66
        assert panel.lanes.width() > 0.5 * panel.width()
        assert panel.lanes.height() >= 70


class TestTranscript:
    def test_a_mark_stands_where_context_changes_the_emotion(
        self, window: MainWindow, panel: DialoguePanel
    ) -> None:
        view = window.panels["transcript"].view  # type: ignore[attr-defined]
        view.scrollToTop()
        QTest.qWait(20)
        image = view.viewport().grab().toImage()
        theme = window.state.theme

        def colours_at_the_edge(row: int) -> set[str]:
            rect = view.visualRect(window.state.turns.index(row, 0))
            room = window.panels["transcript"]._delegate._context_room(rect.width())  # type: ignore[attr-defined]
            assert room > 60, "a wide list has the word too"
            xs = range(rect.right() - room, rect.right() - 7)
            return {image.pixelColor(x, rect.center().y()).name() for x in xs}

        assert theme.emotion_colour("neutral").name() in colours_at_the_edge(2)
        assert len(colours_at_the_edge(2)) > 1
        assert len(colours_at_the_edge(0)) == 1, "nothing but the background"

    def test_an_unsure_mark_is_faded(self, window: MainWindow, panel: DialoguePanel) -> None:
        view = window.panels["transcript"].view  # type: ignore[attr-defined]
        view.scrollTo(window.state.turns.index(6, 0))
        QTest.qWait(20)
        full = window.state.theme.emotion_colour("happy").getRgb()

        def colours() -> set[object]:
            image = view.viewport().grab().toImage()
            rect = view.visualRect(window.state.turns.index(6, 0))
            room = window.panels["transcript"]._delegate._context_room(rect.width())  # type: ignore[attr-defined]
            xs = range(rect.right() - room, rect.right() - 7)
            ys = range(rect.top(), rect.bottom())
            return {image.pixelColor(x, y).getRgb() for x in xs for y in ys}

        assert full in colours()
        doubt(window, 6)
        assert full not in colours()
        turn = window.state.turns.turn(6)
        assert turn is not None
        assert "in context: happy" in describe(turn)
        assert "(several emotions are about equally likely)" in describe(turn)

    def test_without_context_no_room_is_kept_for_it(self, window: MainWindow) -> None:
        converse(window.state, 9.0)
        assert not window.panels["transcript"]._delegate.in_context  # type: ignore[attr-defined]


def test_a_revision_of_an_older_turn_leaves_the_newest_alone(window: MainWindow) -> None:
    state = window.state
    converse_in_context(state)
    newest, steady = state.newest, state.steady.labels
    turn = state.turns.turn(2)
    assert turn is not None
    assert turn.context is not None
    bring(state, TurnUpdated(replace(turn, hindsight=turn.context)))
    assert state.newest is newest
    assert state.steady.labels == steady
    kept = state.turns.turn(2)
    assert kept is not None
    assert kept.hindsight is not None


def test_the_whole_of_a_long_dialogue_is_revised_without_a_standstill(window: MainWindow) -> None:
    state = window.state
    converse_in_context(state, 400)
    window.show_panel("dialogue")
    QTest.qWait(110)
    turns = state.turns.turns()
    began = time.perf_counter()
    for turn in turns:
        bring(state, TurnUpdated(replace(turn, hindsight=turn.context)))
    assert (time.perf_counter() - began) / 400 < 0.003, "a thousand turns in three seconds at most"
