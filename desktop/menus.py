"""The menu bar: filled from the table of actions, with menus of choices that change."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget, QMenu, QMenuBar, QWidget

from desktop.actions import ACTIONS
from desktop.sessions import OFF, knows_voices


class Menus(QMenuBar):
    """File, session, view and help; inside them recent files, colours, languages, panels."""

    recent_chosen = Signal(str)
    theme_chosen = Signal(str)
    interface_language_chosen = Signal(str)
    context_chosen = Signal(str)
    context_wanted = Signal()
    speakers_chosen = Signal(str)

    def __init__(self, actions: dict[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._menus: dict[str, QMenu] = {}
        self._theme = self._language = "system"
        self._context, self._speakers = "", "source"
        for name in ("file", "session", "view", "help"):
            self._menus[name] = self.addMenu("")
        for name in ("recent", "theme", "language", "panels", "context", "speakers"):
            self._menus[name] = QMenu(self)
        self._fill(actions)

    def set_docks(self, docks: Iterable[QDockWidget]) -> None:
        """Offer to show and hide these docks."""
        menu = self._menus["panels"]
        menu.clear()
        for dock in docks:
            menu.addAction(dock.toggleViewAction())

    def set_recent(self, paths: tuple[str, ...]) -> None:
        """Offer these files."""
        menu = self._menus["recent"]
        menu.clear()
        for path in paths:
            entry = menu.addAction(Path(path).name)
            entry.setToolTip(path)
            entry.setData(path)
            entry.triggered.connect(lambda _=False, chosen=path: self.recent_chosen.emit(chosen))
        menu.setEnabled(bool(paths))

    def set_choices(self, theme: str, language: str) -> None:
        """Mark the chosen theme and language."""
        self._theme, self._language = theme, language
        self._mark((("theme", theme), ("language", language)))

    def set_dialogue(self, context: str, speakers: str) -> None:
        """Offer the dialogue models there are, and mark the chosen one and the way of speakers."""
        self._context, self._speakers = context, speakers
        models = [("", self.tr("The one that ships with Emoscope"))]
        if context not in ("", OFF):
            models.append((context, Path(context).name))
        models.append((OFF, self.tr("None: each turn on its own")))
        self._fill_choices("context", models, self.context_chosen)
        choose = self._menus["context"].addAction(self.tr("Choose a folder…"))
        choose.triggered.connect(self.context_wanted)
        ways = (
            ("source", self.tr("From the transcript or the channels")),
            ("voice", self.tr("Also by the voice (experimental)")),
        )
        self._fill_choices("speakers", ways, self.speakers_chosen)
        self._menus["speakers"].actions()[-1].setEnabled(knows_voices() or speakers == "voice")
        self._mark((("context", context), ("speakers", speakers)))

    def _mark(self, choices: Iterable[tuple[str, str]]) -> None:
        for name, chosen in choices:
            for entry in self._menus[name].actions():
                entry.setChecked(entry.data() == chosen)

    def retranslate(self) -> None:
        """Set every text again."""
        for name, text in (
            ("file", self.tr("&File")),
            ("session", self.tr("&Session")),
            ("view", self.tr("&View")),
            ("help", self.tr("&Help")),
            ("recent", self.tr("Recent recordings")),
            ("theme", self.tr("Colours")),
            ("language", self.tr("Language of the window")),
            ("panels", self.tr("Panels")),
            ("context", self.tr("Dialogue model")),
            ("speakers", self.tr("Speakers")),
        ):
            self._menus[name].setTitle(text)
        themes = (
            ("system", self.tr("As the system")),
            ("light", self.tr("Light")),
            ("dark", self.tr("Dark")),
        )
        self._fill_choices("theme", themes, self.theme_chosen)
        languages = (("system", self.tr("As the system")), ("ko", "한국어"), ("en", "English"))
        self._fill_choices("language", languages, self.interface_language_chosen)
        self.set_choices(self._theme, self._language)
        self.set_dialogue(self._context, self._speakers)

    def _fill(self, actions: dict[str, QAction]) -> None:
        for name, entry in ACTIONS.items():
            if entry.menu:
                menu = self._menus[entry.menu]
                if entry.separated:
                    menu.addSeparator()
                menu.addAction(actions[name])
        self._menus["file"].insertMenu(actions["sample"], self._menus["recent"])
        for name in ("panels", "theme", "language"):
            self._menus["view"].addMenu(self._menus[name])
        for name in ("context", "speakers"):
            self._menus["session"].addMenu(self._menus[name])

    def _fill_choices(
        self, menu: str, entries: Iterable[tuple[str, str]], chosen: SignalInstance
    ) -> None:
        self._menus[menu].clear()
        for value, text in entries:
            entry = QAction(text, self._menus[menu])
            entry.setCheckable(True)
            entry.setData(value)
            entry.triggered.connect(lambda _=False, v=value: chosen.emit(v))
            self._menus[menu].addAction(entry)
