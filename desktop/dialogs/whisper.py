"""Get a speech recognition model: download with progress, or a folder."""

from __future__ import annotations

import threading
from pathlib import Path

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from core.asr.catalog import CATALOG, DEFAULT_MODEL, check_folder
from core.asr.download import DownloadCancelledError, DownloadProgress
from core.errors import RecognitionError
from desktop import messages
from desktop.bridge import EventBridge
from desktop.panels.choice_box import ChoiceBox


class WhisperDialog(QDialog):
    """Nothing is fetched before the button is pressed; `chosen(model)` when one is ready."""

    chosen = Signal(str)
    _advanced = Signal(object)

    def __init__(self, bridge: EventBridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._cancel = threading.Event()
        self._busy = False
        self._model = ChoiceBox(self)
        self._note = QLabel(self)
        self._progress = QProgressBar(self)
        self._download = QPushButton(self)
        self._folder = QPushButton(self)
        self._close = QPushButton(self)
        self._build()
        self._advanced.connect(self._show_progress, Qt.ConnectionType.QueuedConnection)

    def _build(self) -> None:
        self.setWindowTitle(self.tr("Speech recognition model"))
        self.setMinimumWidth(540)
        column = QVBoxLayout(self)
        column.setContentsMargins(22, 18, 22, 14)
        column.setSpacing(12)
        intro = QLabel(
            self.tr(
                "With a Whisper model Emoscope writes down what is said and reads emotion from the "
                "words too. It runs on this computer; only the download needs a network."
            ),
            self,
        )
        intro.setWordWrap(True)
        column.addWidget(intro)
        self._fill_models()
        self._model.setAccessibleName(self.tr("Model"))
        column.addWidget(self._model)
        self._progress.setAccessibleName(self.tr("Progress of the download"))
        self._progress.hide()
        column.addWidget(self._progress)
        self._note.setWordWrap(True)
        self._note.setObjectName("muted")
        self._note.setText(
            self.tr("A download that was stopped continues where it was the next time.")
        )
        column.addWidget(self._note)
        row = QHBoxLayout()
        row.addWidget(self._folder)
        row.addStretch(1)
        row.addWidget(self._close)
        row.addWidget(self._download)
        column.addLayout(row)
        self._download.setObjectName("primary")
        self._download.setText(self.tr("Download"))
        self._download.setDefault(True)
        self._folder.setText(self.tr("Choose a folder…"))
        self._close.setText(self.tr("Close"))
        self._download.clicked.connect(self._start)
        self._folder.clicked.connect(self._choose_folder)
        self._close.clicked.connect(self._stop_or_close)

    def offer(self, model: str) -> None:
        """Put the choice on a model; one that is not in the catalog changes nothing."""
        place = self._model.findData(model)
        if place >= 0:
            self._model.setCurrentIndex(place)

    def _fill_models(self) -> None:
        for name, model in CATALOG.items():
            text = (
                self.tr("{name}, {megabytes} MB (recommended)")
                if name == DEFAULT_MODEL
                else self.tr("{name}, {megabytes} MB")
            )
            self._model.addItem(
                text.format(name=name, megabytes=QLocale().toString(model.megabytes)), name
            )
        self._model.setCurrentIndex(self._model.findData(DEFAULT_MODEL))

    def _start(self) -> None:
        name = self._model.currentData()
        self._cancel.clear()
        self._set_busy(True)

        def work() -> str:
            from core.asr.download import download_model

            download_model(name, self._advanced.emit, self._cancel.is_set)
            return str(name)

        self._bridge.run("download", work, self._finished, self._failed)

    def _show_progress(self, progress: DownloadProgress) -> None:
        self._progress.setRange(0, 1000)
        self._progress.setValue(round(1000 * progress.share))
        megabytes = QLocale().toString(progress.done / 1e6, "f", 0)
        total = QLocale().toString(progress.total / 1e6, "f", 0)
        self._progress.setFormat(
            self.tr("{done} of {total} MB").format(done=megabytes, total=total)
        )

    def _finished(self, name: str) -> None:
        self._set_busy(False)
        self.chosen.emit(name)
        self.accept()

    def _failed(self, error: Exception) -> None:
        self._set_busy(False)
        if isinstance(error, DownloadCancelledError):
            self._note.setText(self.tr("Stopped. What has arrived is kept."))
        else:
            self._note.setText(messages.error_sentence(error))

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        self._progress.setVisible(busy)
        if busy:
            self._progress.setRange(0, 0)
        self._download.setEnabled(not busy)
        self._folder.setEnabled(not busy)
        self._model.setEnabled(not busy)
        self._close.setText(self.tr("Stop") if busy else self.tr("Close"))

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("Folder of a Whisper model"))
        if not folder:
            return
        try:
            check_folder(Path(folder))
        except RecognitionError as error:
            self._note.setText(messages.error_sentence(error))
            return
        self.chosen.emit(folder)
        self.accept()

    def _stop_or_close(self) -> None:
        if self._busy:
            self._cancel.set()
        else:
            self.reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop the download; what has arrived is kept."""
        self._cancel.set()
        super().closeEvent(event)
