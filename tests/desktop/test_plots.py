from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from core.labels import EMOTIONS
from core.types import AttentionKind, AttentionMap, Axis
from desktop.main_window import MainWindow
from desktop.plots.affect_plane import AffectPlane, TrailPoint
from desktop.plots.attention_plot import AttentionPlot
from desktop.plots.emotion_bars import EmotionBars
from desktop.plots.level_meter import LevelMeter
from desktop.plots.timeline_plot import time_ticks
from desktop.plots.waveform import WaveformPlot, rasterise
from desktop.theme import DARK, LIGHT
from tests.desktop.conftest import converse


def picture(widget: QWidget) -> NDArray[np.uint8]:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    flat = np.frombuffer(image.constBits(), np.uint8)
    rows = flat.reshape(image.height(), image.bytesPerLine())[:, : image.width() * 3]
    return rows.reshape(image.height(), image.width(), 3).copy()


def share_of(shown: NDArray[np.uint8], colour: str, tolerance: int = 3) -> float:
    """Share of the pixels that have a colour."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return float((np.abs(shown.astype(int) - wanted).max(axis=2) <= tolerance).mean())


class TestWaveform:
    def test_the_picture_covers_what_the_sound_covers(self) -> None:
        envelope = np.array([[-1, 1], [0, 0], [0, 1]], np.float32)
        shown = rasterise(envelope, np.zeros(3, np.uint8), 100)
        assert (shown > 31).sum(axis=0).tolist() == [99, 1, 50]

    def test_speech_is_shaded(self) -> None:
        silence = np.zeros((2, 2), np.float32)
        shown = rasterise(silence, np.array([0, 255], np.uint8), 10)
        assert shown[0, 0] < shown[0, 1]

    @pytest.mark.parametrize(("span", "width"), [(20, 900), (7, 300), (3600, 800), (2, 1200)])
    def test_ticks_are_round_inside_and_not_crowded(self, span: float, width: float) -> None:
        ticks = time_ticks(0.0, span, width, relative=False)
        assert 1 <= len(ticks) <= width / 60
        assert all(0 <= seconds <= span for seconds, _ in ticks)
        relative = time_ticks(100.0, 100.0 + span, width, relative=True)
        assert all(100 <= seconds < 100 + span for seconds, _ in relative)

    def test_clicks_drags_and_the_wheel_speak_in_seconds(self, qt: QApplication) -> None:
        plot = WaveformPlot()
        plot.resize(572, 120)
        plot.show()
        plot.set_sound(
            10.0, 20.0, np.zeros((500, 2), np.float32), np.zeros(500, np.uint8), relative=False
        )
        clicked: list[float] = []
        dragged: list[tuple[float, float]] = []
        plot.clicked.connect(clicked.append)
        plot.dragged.connect(lambda first, last: dragged.append((first, last)))
        QTest.mouseClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(62 + 250, 40))
        assert clicked == [pytest.approx(15.0, abs=0.1)]
        QTest.mousePress(plot, Qt.MouseButton.LeftButton, pos=QPoint(62 + 100, 40))
        QTest.mouseMove(plot, QPoint(62 + 300, 40))
        QTest.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=QPoint(62 + 300, 40))
        assert dragged == [(pytest.approx(12.0, abs=0.1), pytest.approx(16.0, abs=0.1))]
        plot.close()


class TestBarsAndPlane:
    def test_a_bar_is_as_long_as_its_probability(self, qt: QApplication) -> None:
        bars = EmotionBars()
        bars.resize(400, 200)
        values = [0.0] * len(EMOTIONS)
        values[EMOTIONS.index("sad")] = 1.0
        bars.set_probabilities(EMOTIONS, values, ("sad",), faded=False)
        full = share_of(picture(bars), LIGHT.emotion["sad"])
        values[EMOTIONS.index("sad")] = 0.5
        bars.set_probabilities(EMOTIONS, values, ("sad",), faded=False)
        assert share_of(picture(bars), LIGHT.emotion["sad"]) == pytest.approx(full / 2, rel=0.1)

    def test_unsure_bars_are_pale(self, qt: QApplication) -> None:
        bars = EmotionBars()
        bars.resize(400, 200)
        bars.set_probabilities(EMOTIONS, [1 / 7] * 7, ("sad",), faded=True)
        assert share_of(picture(bars), LIGHT.emotion["sad"]) == 0

    def test_the_newest_point_lies_where_arousal_and_valence_say(self, qt: QApplication) -> None:
        plane = AffectPlane()
        plane.resize(300, 300)
        plane.set_theme(LIGHT)
        plane.set_points([TrailPoint(0.0, -0.5, 0.5, "disgust", 0)])
        shown = picture(plane)
        wanted = np.array([0x00, 0x9E, 0x73])
        rows, columns = np.nonzero(np.abs(shown.astype(int) - wanted).max(axis=2) <= 3)
        assert columns.mean() == pytest.approx(300 * 0.26, abs=10)
        assert rows.mean() == pytest.approx(300 * 0.26, abs=12)

    def test_a_clipped_sound_lights_the_lamp_for_a_while(self, qt: QApplication) -> None:
        meter = LevelMeter()
        meter.set_levels((-3.0,), clipped=True)
        meter.set_levels((-20.0,), clipped=False)
        assert meter.clipping
        for _ in range(60):
            meter.set_levels((-20.0,), clipped=False)
        assert not meter.clipping
        assert meter.summary() == "-20 dB"
        meter.set_levels((), clipped=False)
        assert meter.summary() == "no sound"


def attention(kind: AttentionKind, rows: int = 4, columns: int = 30) -> AttentionMap:
    weights = np.random.default_rng(1).uniform(0.1, 1, (rows, columns)).astype(np.float32)
    weights /= weights.sum(axis=1, keepdims=True)
    edges = np.linspace(0, 2.0, columns + 1)
    spans = tuple((float(a), float(b)) for a, b in itertools.pairwise(edges))
    labels = tuple(f"word{i}" for i in range(rows))
    return AttentionMap("map", kind, weights, Axis("words", labels), Axis("time", spans=spans))


class TestAttention:
    @pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
    @pytest.mark.parametrize("kind", list(AttentionKind))
    def test_every_kind_of_map_has_a_picture(
        self, qt: QApplication, kind: AttentionKind, theme: object
    ) -> None:
        plot = AttentionPlot()
        plot.resize(400, 160)
        plot.set_theme(theme)  # type: ignore[arg-type]
        columns = 3 if kind in (AttentionKind.MODALITY, AttentionKind.TURN) else 30
        plot.set_map(attention(kind, columns=columns))
        assert len(np.unique(picture(plot).reshape(-1, 3), axis=0)) > 20

    def test_a_map_that_lies_the_other_way_is_turned(self, qt: QApplication) -> None:
        given = attention(AttentionKind.TOKEN)
        turned = AttentionMap(
            "map",
            AttentionKind.TOKEN,
            np.ascontiguousarray(given.weights.T),
            given.key_axis,
            given.query_axis,
        )
        pictures = []
        for one in (given, turned):
            plot = AttentionPlot()
            plot.resize(400, 160)
            plot.set_map(one)
            pictures.append(picture(plot))
        assert np.array_equal(*pictures)

    def test_a_click_names_the_moment_to_be_heard(self, qt: QApplication) -> None:
        plot = AttentionPlot()
        plot.resize(400, 160)
        plot.show()
        plot.set_map(attention(AttentionKind.FRAME, rows=1))
        plot.grab()
        heard: list[tuple[float, float]] = []
        plot.pointed.connect(lambda first, last: heard.append((first, last)))
        QTest.mouseClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(202, 60))
        assert heard
        assert heard[0][0] == pytest.approx(1.0, abs=0.1)
        plot.close()

    def test_a_turn_without_a_map_says_so(self, qt: QApplication) -> None:
        plot = AttentionPlot()
        plot.resize(300, 100)
        plot.set_map(None)
        plot.set_empty_text("nothing here")
        assert len(np.unique(picture(plot).reshape(-1, 3), axis=0)) > 3


class TestWindowPictures:
    def test_the_last_utterance_colours_the_window(self, window: MainWindow) -> None:
        converse(window.state, 8.0)
        QTest.qWait(200)
        turn = window.state.complete
        assert turn is not None
        assert turn.emotion is not None
        colour = LIGHT.emotion[turn.emotion.label]
        assert share_of(picture(window.panels["curves"]), colour) > 0.001
        assert share_of(picture(window.panels["transcript"]), colour) > 0.0001

    def test_a_zoom_reaches_waveform_and_curves_alike(self, window: MainWindow) -> None:
        converse(window.state, 20.0, live=False)
        window.state.time.zoom(4.0, 8.0)
        QTest.qWait(250)
        curves = window.findChild(QWidget, "curves")
        waveform = window.findChild(WaveformPlot, "waveform")
        assert curves is not None
        assert waveform is not None
        first, last = curves.getPlotItem().getViewBox().viewRange()[0]
        assert (first, last) == (pytest.approx(4.0), pytest.approx(8.0))
        assert (waveform.first, waveform.last) == (4.0, 8.0)
        left = curves.getPlotItem().getViewBox().mapViewToDevice(QPointF(4.0, 0)).x()
        assert left == pytest.approx(waveform.x_of(4.0), abs=3)

    def test_the_selected_turn_is_what_now_and_why_show(self, window: MainWindow) -> None:
        converse(window.state, 16.0, live=False)
        chosen = window.state.turns.turn(1)
        assert chosen is not None
        assert chosen.emotion is not None
        window.state.select(chosen)
        now, why = window.panels["now"], window.panels["why"]
        assert chosen.emotion.label in now._word.text()  # type: ignore[attr-defined]
        assert "0:04" in why._head.text()  # type: ignore[attr-defined]
        assert "I really did not expect" in why._head.text()  # type: ignore[attr-defined]

    def test_in_silence_the_window_is_calm(self, window: MainWindow) -> None:
        converse(window.state, 8.0)
        now = window.panels["now"]
        window.state.time.now += 10.0
        now.frame()
        assert now._word.text() == "listening"  # type: ignore[attr-defined]
        assert now._bars._values == ()  # type: ignore[attr-defined]

    def test_unsure_is_said_and_marked(self, window: MainWindow) -> None:
        from core.pipeline.events import TurnUpdated
        from core.types import Doubt

        converse(window.state, 4.0)
        turn = window.state.turns.turn(0)
        assert turn is not None
        assert turn.emotion is not None
        doubtful = replace(turn.emotion, doubts=(Doubt.TOO_NOISY,))
        window.state.update_turn(TurnUpdated(replace(turn, emotion=doubtful)))
        now = window.panels["now"]
        assert now._word.text().startswith("not sure")  # type: ignore[attr-defined]
        assert "too much noise" in now._note.text()  # type: ignore[attr-defined]

    def test_nothing_is_drawn_while_nothing_moves(self, window: MainWindow) -> None:
        converse(window.state, 4.0)
        QTest.qWait(800)
        drawn = window.frames_drawn
        QTest.qWait(300)
        assert window.frames_drawn == drawn
