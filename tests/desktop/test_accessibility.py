"""Every control has a name for those who can't see it, and can be reached without a mouse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QLineEdit,
    QTableView,
    QWidget,
)

from core.pipeline.events import SessionState
from desktop.bridge import EventBridge
from desktop.dialogs.about import AboutDialog, LimitsDialog
from desktop.dialogs.settings import SettingsDialog
from desktop.dialogs.shortcuts import ShortcutsDialog
from desktop.dialogs.whisper import WhisperDialog
from desktop.main_window import MainWindow
from desktop.panels.dialogue import DialoguePanel
from desktop.plots.plot import Plot
from desktop.settings import AppSettings
from tests.desktop.conftest import converse
from tests.desktop.dialogues import converse_in_context

CONTROLS = (QAbstractButton, QComboBox, QLineEdit, QTableView, Plot)
QT_OWN = ("qt_", "QDockWidget", "ScrollLeft", "ScrollRight")


def name_of(widget: QWidget) -> str:
    interface = QAccessible.queryAccessibleInterface(widget)
    return interface.text(QAccessible.Text.Name) if interface is not None else ""


def controls(root: QWidget) -> Iterator[QWidget]:
    for widget in root.findChildren(QWidget):
        own = widget.objectName().startswith(QT_OWN) or "DockWidgetTitle" in type(widget).__name__
        inside = isinstance(widget.parent(), QComboBox | QTableView)
        plain = type(widget) is QAbstractButton  # the corner of a table, hidden
        focusable = widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        if isinstance(widget, CONTROLS) and focusable and not (own or inside or plain):
            yield widget


def test_every_control_of_the_window_has_a_name(window: MainWindow) -> None:
    converse(window.state, 9.0)
    window.open_search()
    QTest.qWait(20)
    found = list(controls(window))
    assert len(found) > 20
    unnamed = [f"{type(w).__name__} {w.objectName()}" for w in found if not name_of(w)]
    assert not unnamed


def test_every_plot_says_what_it_shows(window: MainWindow) -> None:
    converse(window.state, 9.0)
    QTest.qWait(150)
    for name, panel in window.panels.items():
        window.show_panel(name)
        QTest.qWait(130)
        plots = [p for p in panel.findChildren(QWidget) if getattr(p, "describe", None)]
        plots = [p for p in plots if p.isVisible() and p.focusPolicy() != Qt.FocusPolicy.NoFocus]
        for plot in plots:
            assert name_of(plot), (name, plot)
            assert plot.accessibleDescription(), (name, plot)


def test_the_curves_of_pyqtgraph_are_named_and_described_too(window: MainWindow) -> None:
    converse(window.state, 9.0)
    QTest.qWait(150)
    curves = window.findChild(QWidget, "curves")
    assert curves is not None
    assert name_of(curves) == "Probability of each emotion over time"
    assert "B" in curves.accessibleDescription()


def test_tab_reaches_every_part_of_the_window(window: MainWindow) -> None:
    converse(window.state, 9.0)
    window.state.enter(SessionState.IDLE)
    window.state.select(window.state.turns.turn(0))
    QTest.qWait(50)
    window.status.set_transcriber(None)
    window.capture.record.setFocus()
    seen: set[QWidget] = set()
    for _ in range(80):
        focused = QApplication.focusWidget()
        assert focused is not None
        seen.add(focused)
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    covered = [panel for panel in window.panels.values() if not panel.seen]
    assert [type(panel).__name__ for panel in covered] == ["DialoguePanel"]
    for panel in window.panels.values():
        assert any(panel.isAncestorOf(widget) for widget in seen) is panel.seen, panel
    assert {window.capture.record, window.capture.device, window.capture.gear} <= seen
    assert any(window.status.isAncestorOf(widget) for widget in seen)


def test_tab_reaches_the_dialogue_when_it_is_in_front(window: MainWindow) -> None:
    converse_in_context(window.state)
    window.show_panel("dialogue")
    QTest.qWait(130)
    panel = window.panels["dialogue"]
    assert isinstance(panel, DialoguePanel)
    for page, needed in ((0, 4), (2, 4)):
        panel.tabs.setCurrentIndex(page)
        QTest.qWait(110)
        panel.tabs.setFocus()
        seen: set[QWidget] = set()
        for _ in range(60):
            focused = QApplication.focusWidget()
            assert focused is not None
            seen.add(focused)
            QTest.keyClick(focused, Qt.Key.Key_Tab)
        inside = {widget for widget in seen if panel.isAncestorOf(widget)}
        assert {panel.tabs, panel.reading, panel.lanes} <= inside
        assert len(inside) >= needed
        assert not any(window.panels["curves"].isAncestorOf(widget) for widget in seen)
        assert all(name_of(widget) for widget in inside)


DIALOGS: tuple[Callable[[QWidget], QDialog], ...] = (
    lambda parent: SettingsDialog(AppSettings(), parent),
    lambda parent: WhisperDialog(EventBridge(), parent),
    LimitsDialog,
    AboutDialog,
    ShortcutsDialog,
)


@pytest.mark.parametrize("make", DIALOGS)
def test_every_control_of_the_dialogs_has_a_name(
    window: MainWindow, make: Callable[[QWidget], QDialog]
) -> None:
    dialog = make(window)
    dialog.show()
    assert dialog.windowTitle()
    assert not [type(w).__name__ for w in controls(dialog) if not name_of(w)]
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_a_banner_is_read_out_with_its_button(window: MainWindow) -> None:
    from core.pipeline.events import Severity
    from desktop.panels.banner import BannerButton

    button = BannerButton(lambda: "Do it", lambda: None)
    window.banners.show_banner("a", Severity.WARNING, lambda: "Trouble.", (button,))
    names = {name_of(widget) for widget in controls(window.banners)}
    assert {"Do it", "Dismiss"} <= names


def test_space_presses_the_button_that_has_the_focus(window: MainWindow) -> None:
    """The key that plays a turn is only taken inside the docks."""
    pressed: list[str] = []
    window.capture.open_clicked.connect(lambda: pressed.append("open"))
    window.actions_by_name["play"].triggered.connect(lambda: pressed.append("play"))
    window.capture.open.setFocus()
    QTest.keyClick(window.capture.open, Qt.Key.Key_Space)
    assert pressed == ["open"]
    workspace = window.findChild(QWidget, "workspace")
    assert workspace is not None
    workspace.setFocus()
    QTest.keyClick(workspace, Qt.Key.Key_Space)
    assert pressed == ["open", "play"]


def test_settings_survive_the_dialog_unchanged(
    window: MainWindow, settings: QSettings, tmp_path: Path
) -> None:
    chosen = AppSettings(
        interface_language="ko", theme="dark", language="en", whisper=str(tmp_path), device="x"
    )
    chosen = replace(chosen, context=str(tmp_path), speakers="voice", processor="cuda")
    chosen = replace(chosen, runtime="lossy", better_text=False, pause="medium")
    assert SettingsDialog(chosen, window).settings() == chosen
