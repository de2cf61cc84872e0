"""Everything that is remembered, in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from desktop import names
from desktop.dialogs.engine_settings import EngineSettings
from desktop.panels.choice_box import ChoiceBox
from desktop.sessions import OFF, knows_voices
from desktop.settings import AppSettings


class SettingsDialog(QDialog):
    """Two pages, of which one is about the engine; `settings()` is what was chosen."""

    whisper_wanted = Signal()

    def __init__(self, settings: AppSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.setWindowTitle(self.tr("Settings"))
        system = self.tr("As the system")
        self._window_language = self._box(
            (("system", system), ("ko", "한국어"), ("en", "English")),
            settings.interface_language,
        )
        self._theme = self._box(
            (("system", system), ("light", self.tr("Light")), ("dark", self.tr("Dark"))),
            settings.theme,
        )
        self._speech = self._box(
            [(code, names.language(code)) for code in ("auto", "ko", "en")], settings.language
        )
        self._whisper = self._box(self._whisper_choices(), settings.whisper)
        self._context = self._box(self._context_choices(), settings.context)
        ways = [("source", self.tr("From the transcript or the channels"))]
        if knows_voices() or settings.speakers == "voice":
            ways.append(("voice", self.tr("Also by the voice (experimental)")))
        self._speakers = self._box(ways, settings.speakers)
        self._checkpoint = QLineEdit(settings.checkpoint, self)
        self._checkpoint.setPlaceholderText(self.tr("The model that ships with Emoscope"))
        self._sessions = QLineEdit(settings.sessions_folder, self)
        self._sessions.setPlaceholderText(self.tr("The folder for data of this user"))
        self.engine = EngineSettings(settings, self)
        self.pages = QTabWidget(self)
        self._build()

    def show_page(self, name: str) -> None:
        """Turn to a page: "engine", or the first one."""
        self.pages.setCurrentIndex(self.pages.indexOf(self.engine) if name == "engine" else 0)

    def settings(self) -> AppSettings:
        """Return the settings as chosen."""
        chosen = replace(
            self._settings,
            interface_language=self._window_language.currentData(),
            theme=self._theme.currentData(),
            language=self._speech.currentData(),
            whisper=self._whisper.currentData(),
            checkpoint=self._checkpoint.text().strip(),
            context=self._context.currentData(),
            speakers=self._speakers.currentData(),
            sessions_folder=self._sessions.text().strip(),
        )
        return self.engine.applied(chosen)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 14)
        column.setSpacing(12)
        self.pages.setAccessibleName(self.tr("Pages of the settings"))
        self.pages.addTab(self._general(), self.tr("General"))
        self.pages.addTab(self.engine, self.tr("Engine"))
        column.addWidget(self.pages)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, self
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)

    def _general(self) -> QWidget:
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(14, 16, 14, 10)
        form = QFormLayout()
        form.setHorizontalSpacing(18)
        form.setVerticalSpacing(10)
        get = QPushButton(self.tr("Get a model…"), self)
        get.clicked.connect(self.whisper_wanted)
        rows: tuple[tuple[str, QWidget, QWidget | None], ...] = (
            (self.tr("Language of the window"), self._window_language, None),
            (self.tr("Colours"), self._theme, None),
            (self.tr("Language that is spoken"), self._speech, None),
            (self.tr("Speech recognition"), self._whisper, get),
            (self.tr("Emotion model"), self._checkpoint, self._folder_button(self._checkpoint)),
            (self.tr("Dialogue model"), self._context, self._context_button()),
            (self.tr("Speakers"), self._speakers, None),
            (self.tr("Recorded sessions"), self._sessions, self._folder_button(self._sessions)),
        )
        for text, widget, button in rows:
            widget.setAccessibleName(text)
            field: QWidget | QHBoxLayout = widget
            if button is not None:
                field = QHBoxLayout()
                field.setSpacing(8)
                field.addWidget(widget, 1)
                field.addWidget(button)
            form.addRow(text, field)
        column.addLayout(form)
        note = QLabel(self.tr("Microphone and channels are chosen in the bar at the top."), self)
        note.setObjectName("muted")
        column.addStretch(1)
        column.addWidget(note)
        return page

    def _whisper_choices(self) -> list[tuple[str, str]]:
        from core.asr.catalog import CATALOG

        choices = [("", self.tr("The default, if it is here")), (OFF, self.tr("None: speech only"))]
        choices += [
            (
                name,
                self.tr("Whisper {name} ({megabytes} MB)").format(
                    name=name, megabytes=model.megabytes
                ),
            )
            for name, model in CATALOG.items()
        ]
        if self._settings.whisper not in [value for value, _ in choices]:
            choices.append((self._settings.whisper, self._settings.whisper))
        return choices

    def _context_choices(self) -> list[tuple[str, str]]:
        chosen = self._settings.context
        choices = [("", self.tr("The one that ships with Emoscope"))]
        choices.append((OFF, self.tr("None: each turn on its own")))
        return choices if chosen in ("", OFF) else [*choices, (chosen, chosen)]

    def _context_button(self) -> QPushButton:
        button = QPushButton(self.tr("Choose…"), self)

        def choose() -> None:
            folder = QFileDialog.getExistingDirectory(self, self.tr("Choose a folder"))
            if folder:
                if self._context.findData(folder) < 0:
                    self._context.addItem(folder, folder)
                self._context.setCurrentIndex(self._context.findData(folder))

        button.clicked.connect(choose)
        return button

    def _box(self, entries: Sequence[tuple[str, str]], chosen: str) -> QComboBox:
        box = ChoiceBox(self)
        for value, text in entries:
            box.addItem(text, value)
        box.setCurrentIndex(max(0, box.findData(chosen)))
        return box

    def _folder_button(self, line: QLineEdit) -> QPushButton:
        button = QPushButton(self.tr("Choose…"), self)

        def choose() -> None:
            folder = QFileDialog.getExistingDirectory(self, self.tr("Choose a folder"), line.text())
            if folder:
                line.setText(folder)

        button.clicked.connect(choose)
        return button
