"""The window shows emotions that stand for themselves, classes of the user's own, and absences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QFontMetrics
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from core.labels import EMOTIONS
from core.pipeline.events import SessionState, TurnUpdated
from core.types import AttentionKind, AttentionMap, Axis, EmotionResult, Turn, TurnStatus
from desktop import names
from desktop.item_models.steady_label import MARGIN, PATIENCE, SteadyLabel
from desktop.item_models.turn_delegate import TurnDelegate
from desktop.item_models.turns import describe
from desktop.main_window import MainWindow
from desktop.panels.headline import Headline
from desktop.plots.attention_plot import AttentionPlot
from desktop.plots.emotion_bars import EmotionBars
from desktop.plots.share_bar import Part, ShareBars, ShareRow
from desktop.theme import DARK, LIGHT
from desktop.translations import Translations
from tests.desktop.test_plots import picture, share_of
from tests.dialogue.conftest import judged
from tests.fakes import standing_alone

OWN = ("frustrated", "excited", "disappointed", "embarrassed", "proud")


def several(probabilities: dict[str, float], **thresholds: float) -> EmotionResult:
    made = judged(0, 0.0, 2.0, "A", "").emotion
    assert made is not None
    return standing_alone(made, probabilities, thresholds)


def said(index: int, emotion: EmotionResult | None, **more: object) -> Turn:
    made = judged(index, 3.0 * index, 3.0 * index + 2.0, "A", "some words")
    return replace(made, emotion=emotion, notes=(), **more)


def show(window: MainWindow, *turns: Turn) -> None:
    state = window.state
    state.begin(live=False)
    state.enter(SessionState.RUNNING)
    for turn in turns:
        state.update_turn(TurnUpdated(turn))
    state.time.review(max(turn.end for turn in turns) / 16_000)
    QTest.qWait(150)


def headline(window: MainWindow) -> str:
    found = window.panels["now"].findChild(Headline)
    assert found is not None
    return found.words()


class TestBars:
    def test_every_bar_has_a_mark_where_its_threshold_is(self, qt: QApplication) -> None:
        bars = EmotionBars()
        bars.resize(500, 200)
        bars.set_probabilities(EMOTIONS, [0.0] * 7, EMOTIONS, faded=False)
        without = picture(bars)
        bars.set_probabilities(EMOTIONS, [0.0] * 7, EMOTIONS, faded=False, thresholds=[0.5] * 7)
        changed = np.abs(picture(bars).astype(int) - without).max(axis=2) > 40
        columns = np.nonzero(changed.any(axis=0))[0]
        assert np.ptp(columns) <= 4  # one vertical line, the same on all bars
        assert 0.4 < columns.mean() / 500 < 0.75
        assert (changed.any(axis=1).sum()) > 7 * 10

    def test_what_is_not_given_is_pale(self, qt: QApplication) -> None:
        bars = EmotionBars()
        bars.resize(400, 200)
        values = [0.9 if label in ("sad", "angry") else 0.0 for label in EMOTIONS]
        bars.set_probabilities(EMOTIONS, values, ("sad",), faded=False, thresholds=[0.5] * 7)
        shown = picture(bars)
        assert share_of(shown, LIGHT.emotion["sad"]) > 0.01
        assert share_of(shown, LIGHT.emotion["angry"]) == 0

    def test_a_dozen_classes_have_room_and_words(self, qt: QApplication) -> None:
        labels = (*EMOTIONS, *OWN)
        bars = EmotionBars()
        bars.set_theme(LIGHT.for_labels(labels))
        bars.set_probabilities(labels, [0.5] * 12, labels, faded=False, thresholds=[0.4] * 12)
        assert bars.minimumHeight() >= 12 * 14
        bars.resize(360, bars.minimumHeight())
        shown = picture(bars)
        for label in OWN:
            colour = LIGHT.for_labels(labels).emotion_colour(label).name()
            assert share_of(shown, colour) > 0.005, label


class TestSteadyWords:
    def test_a_label_at_its_threshold_does_not_flicker(self) -> None:
        steady = SteadyLabel()
        assert steady.update(several({"happy": 0.7}), complete=False) == ("happy",)
        close = several({"happy": 0.7, "sad": 0.5 + MARGIN / 2})
        shown = [steady.update(close, complete=False) for _ in range(PATIENCE)]
        assert shown == [("happy",)] * (PATIENCE - 1) + [("happy", "sad")]

    def test_a_clear_change_is_shown_at_once(self) -> None:
        steady = SteadyLabel()
        steady.update(several({"happy": 0.7}), complete=False)
        clear = several({"happy": 0.7, "sad": 0.5 + 2 * MARGIN})
        assert steady.update(clear, complete=False) == ("happy", "sad")
        assert steady.update(several({}), complete=False) == ()

    def test_words_keep_their_places_while_they_stay(self) -> None:
        steady = SteadyLabel()
        steady.update(several({"happy": 0.8, "sad": 0.7}), complete=False)
        turned = several({"happy": 0.7, "sad": 0.8})
        assert steady.update(turned, complete=False) == ("happy", "sad")
        assert steady.update(turned, complete=True) == ("sad", "happy")


class TestWindow:
    def test_it_names_every_emotion_that_is_given(self, window: MainWindow) -> None:
        show(window, said(0, several({"happy": 0.8, "surprise": 0.6})))
        assert headline(window) == "happy + surprise"
        bars = window.panels["now"].findChild(EmotionBars)
        assert bars is not None
        assert "need not add up" in bars.toolTip()
        turn = window.state.turns.turn(0)
        assert turn is not None
        assert describe(turn).endswith("happy 0.80 + surprise 0.60")
        for panel in ("curves", "transcript", "now"):
            shown = picture(window.panels[panel])
            for label in ("happy", "surprise"):
                assert share_of(shown, LIGHT.emotion[label]) > 0, (panel, label)

    def test_nothing_given_is_shown_as_what_it_is(self, window: MainWindow) -> None:
        show(window, said(0, several({"happy": 0.4})))
        assert headline(window) == "none given"
        turn = window.state.turns.turn(0)
        assert turn is not None
        assert "none given" in describe(turn)

    def test_one_emotion_at_a_time_needs_no_explanation(self, window: MainWindow) -> None:
        show(window, judged(0, 0.0, 2.0, "A", "words"))
        bars = window.panels["now"].findChild(EmotionBars)
        assert bars is not None
        assert bars.toolTip() == ""

    def test_classes_of_the_users_own_have_colours_in_both_themes(self, window: MainWindow) -> None:
        result = several(dict.fromkeys(OWN, 0.9))
        show(window, said(0, result))
        for theme in (LIGHT, DARK):
            window.state.set_theme(theme)
            colours = {window.state.theme.emotion_colour(label).name() for label in result.labels}
            assert len(colours) == len(result.labels)
        assert headline(window).startswith("frustrated + excited")

    def test_a_position_that_was_measured_is_said_to_be(self, window: MainWindow) -> None:
        plane = window.panels["affect"]
        derived = several({"happy": 0.8})
        measured = replace(derived, arousal=1.4, valence=-1.2, affect_derived=False)
        nowhere = replace(derived, arousal=None, valence=None)
        captions = []
        for result in (derived, measured, nowhere):
            show(window, said(0, result))
            captions.append(plane._plane._caption)  # type: ignore[attr-defined]
            picture(plane)
        assert captions[0] == "derived from the probabilities"
        assert captions[1] == "measured by the model"
        assert captions[2].startswith("no position")

    def test_a_model_of_text_is_waited_for(self, window: MainWindow) -> None:
        waiting = said(0, None, status=TurnStatus.SPEECH, transcript=None)
        show(window, replace(waiting, notes=("text_awaited",)))
        assert headline(window) == "waiting for the text"

    def test_a_turn_that_could_not_be_judged_says_why(self, window: MainWindow) -> None:
        unjudged = replace(said(0, None), notes=("no_text_to_judge",))
        show(window, unjudged)
        window.state.select(unjudged)
        texts = [label.text() for label in window.panels["why"].findChildren(QLabel)]
        assert any("this model reads text" in text for text in texts)

    def test_a_model_without_attention_says_so(self, window: MainWindow) -> None:
        show(window, said(0, replace(several({"happy": 0.8}), attentions=())))
        plot = window.panels["why"].findChild(AttentionPlot)
        assert plot is not None
        assert "no attention" in plot.accessibleDescription()

    def test_the_korean_words_fit(self, qt: QApplication, window: MainWindow) -> None:
        translations = Translations(qt)
        translations.use("ko")
        qt.processEvents()
        try:
            show(window, said(0, several({"happy": 0.8, "surprise": 0.6})))
            assert headline(window) == "기쁨 + 놀람"
            show(window, said(0, several({})))
            assert headline(window) == "해당 감정 없음"
        finally:
            translations.use("en")
            qt.processEvents()


class TestFitting:
    def test_a_headline_shrinks_before_it_is_cut(self, qt: QApplication) -> None:
        line = Headline()
        line.resize(500, 40)
        line.set_words("happy")
        large = line.font().pointSizeF()
        height = line.minimumHeight()
        line.resize(QFontMetrics(line.font()).horizontalAdvance("happy + surprise") * 3 // 4, 40)
        line.set_words("happy + surprise")
        assert line.font().pointSizeF() < large
        line.set_words("happy + surprise + frustrated + disappointed")
        assert line.text().endswith("…")
        assert line.toolTip() == line.words()
        assert line.minimumHeight() == height

    def test_the_list_makes_room_for_several_words_but_not_for_all(self, qt: QApplication) -> None:
        delegate, font = TurnDelegate(), qt.font()
        assert delegate.measure_emotions(EMOTIONS, font, exclusive=True)
        one = delegate.emotion_width
        assert delegate.measure_emotions((*EMOTIONS, *OWN), font, exclusive=False)
        assert delegate.emotion_width > 2 * one
        wide, narrow = (delegate._columns(font, width) for width in (1200, 500))
        assert wide.text_width > 1200 * 0.5
        assert narrow.text_width > 500 * 0.3
        assert not delegate.measure_emotions((*EMOTIONS, *OWN), font, exclusive=False)


class TestSlots:
    def test_bars_that_stand_for_themselves_do_not_push_each_other(self, qt: QApplication) -> None:
        bars = ShareBars()
        bars.resize(420, 24)
        parts = tuple(Part(share / 2, colour, slot=0.5) for share, colour in
                      ((0.2, "#0072B2"), (1.0, "#D55E00")))  # fmt: skip
        bars.set_rows([ShareRow("x", parts, "y")])
        shown = picture(bars).astype(int)
        starts = {}
        for name, colour in (("blue", (0x00, 0x72, 0xB2)), ("red", (0xD5, 0x5E, 0x00))):
            hit = np.abs(shown - np.array(colour)).max(axis=2) < 8
            starts[name] = np.nonzero(hit.any(axis=0))[0]
        assert np.ptp(starts["red"]) > 4 * np.ptp(starts["blue"])
        middle = (starts["blue"][0] + starts["red"][-1]) / 2
        assert starts["red"][0] == pytest.approx(middle, abs=6)


def features(weights: np.ndarray, labels: tuple[str, ...], name: str = "features") -> AttentionMap:
    axis = Axis("features", labels=labels)
    rows = axis if weights.shape[0] > 1 else Axis("median")
    return AttentionMap(name, AttentionKind.FEATURE, weights.astype(np.float32), rows, axis)


class TestFeatures:
    def test_blocks_are_darker_the_more_they_are_looked_at(self, qt: QApplication) -> None:
        plot = AttentionPlot()
        plot.resize(400, 140)
        plot.set_map(features(np.array([[0.1, 0.9], [0.5, 0.5]]), ("speech", "text")))
        shown = picture(plot).astype(int)
        grid = plot._grid
        y = int(grid.top() + grid.height() * 0.15)
        left, right = (int(grid.left() + grid.width() * x) for x in (0.1, 0.9))
        assert shown[y, right].sum() < shown[y, left].sum() - 100

    def test_a_profile_has_both_modalities_and_an_even_line(self, qt: QApplication) -> None:
        plot = AttentionPlot()
        plot.resize(600, 160)
        weights = np.concatenate([np.full(120, 2.0), np.full(100, 1.0)])[None]
        labels = ("speech",) * 120 + ("text",) * 100
        plot.set_map(features(weights / weights.sum(), labels, "feature_profile"))
        shown = picture(plot)
        speech, text = share_of(shown, LIGHT.wave), share_of(shown, LIGHT.muted)
        assert speech > 1.8 * text > 0
        said_there = plot._about(plot._map, 0, 0)  # type: ignore[arg-type]
        assert said_there == "speech: 1.29 × as much as if all were alike"

    def test_maps_are_chosen_by_name_where_two_are_of_one_kind(self, window: MainWindow) -> None:
        maps = (
            features(np.array([[0.5, 0.5], [0.5, 0.5]]), ("speech", "text")),
            features(np.full((1, 4), 0.25), ("speech",) * 2 + ("text",) * 2, "feature_profile"),
        )
        made = judged(0, 0.0, 2.0, "A", "words")
        assert made.emotion is not None
        show(window, replace(made, emotion=replace(made.emotion, attentions=maps)))
        panel = window.panels["why"]
        assert [panel._choice.itemText(i) for i in range(2)] == [  # type: ignore[attr-defined]
            "Mixed features",
            "Feature by feature",
        ]
        panel._choose(1)  # type: ignore[attr-defined]
        assert panel._plot._map is maps[1]  # type: ignore[attr-defined]
        window.state.select(window.state.turns.turn(0))
        assert panel._plot._map is maps[1]  # type: ignore[attr-defined]
        assert "neither a word nor a moment" in panel._meaning.text()  # type: ignore[attr-defined]


def test_the_word_for_none_is_one_of_the_windows_own() -> None:
    assert names.emotions(several({})) == names.no_emotion()
