from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from core.asr import download
from core.asr.catalog import CATALOG, DEFAULT_MODEL
from core.asr.download import DownloadCancelledError, DownloadProgress
from core.errors import RecognitionError
from desktop.bridge import EventBridge
from desktop.dialogs.whisper import WhisperDialog
from tests.desktop.conftest import WaitFor

Report = Callable[[DownloadProgress], None]


class FakeDownload:
    """Reports half, then waits to be cancelled or let through."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.go_on = threading.Event()
        self.error: Exception | None = None

    def __call__(self, name: str, progress: Report, cancelled: Callable[[], bool]) -> Path:
        self.asked.append(name)
        progress(DownloadProgress("model.bin", 50_000_000, 100_000_000))
        while not self.go_on.wait(0.01):
            if cancelled():
                raise DownloadCancelledError(name)
        if self.error is not None:
            raise self.error
        return Path("/somewhere") / name


@pytest.fixture
def fetching(monkeypatch: pytest.MonkeyPatch) -> FakeDownload:
    fake = FakeDownload()
    monkeypatch.setattr(download, "download_model", fake)
    return fake


@pytest.fixture
def dialog(qt: QApplication, fetching: FakeDownload) -> Iterator[WhisperDialog]:
    bridge = EventBridge()
    made = WhisperDialog(bridge)
    made.show()
    yield made
    made.close()
    bridge.join(5)
    qt.processEvents()


def test_nothing_is_fetched_before_it_is_asked_for(
    dialog: WhisperDialog, fetching: FakeDownload
) -> None:
    assert dialog._model.currentData() == DEFAULT_MODEL
    assert str(CATALOG[DEFAULT_MODEL].megabytes) in dialog._model.currentText()
    assert not fetching.asked


def test_progress_is_shown_and_the_model_is_chosen_at_the_end(
    dialog: WhisperDialog, fetching: FakeDownload, wait_for: WaitFor
) -> None:
    chosen: list[str] = []
    dialog.chosen.connect(chosen.append)
    dialog._download.click()
    wait_for(lambda: dialog._progress.format() == "50 of 100 MB")
    assert dialog._progress.value() == 500
    assert not dialog._download.isEnabled()
    fetching.go_on.set()
    wait_for(lambda: chosen == [DEFAULT_MODEL])
    assert not dialog.isVisible()


def test_a_download_can_be_stopped_and_started_again(
    dialog: WhisperDialog, fetching: FakeDownload, wait_for: WaitFor
) -> None:
    dialog._download.click()
    wait_for(lambda: dialog._progress.value() == 500)
    dialog._close.click()
    wait_for(lambda: dialog._download.isEnabled())
    assert dialog.isVisible()
    assert "kept" in dialog._note.text()
    fetching.go_on.set()
    dialog._download.click()
    wait_for(lambda: len(fetching.asked) == 2 and not dialog.isVisible())


def test_trouble_is_a_sentence_and_the_dialog_stays(
    dialog: WhisperDialog, fetching: FakeDownload, wait_for: WaitFor
) -> None:
    fetching.error = RecognitionError("The network is gone.", "Try again.")
    fetching.go_on.set()
    dialog._download.click()
    wait_for(lambda: dialog._note.text() == "The network is gone. Try again.")
    assert dialog.isVisible()
    assert dialog._download.isEnabled()
