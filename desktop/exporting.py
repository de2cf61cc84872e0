"""Writing the turns of the window to a file of the user's choice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from core.pipeline.events import Severity
from core.types import SAMPLE_RATE
from desktop.bridge import EventBridge
from desktop.main_window import MainWindow
from desktop.panels.banner import BannerButton
from desktop.sessions import Prepared
from desktop.settings import AppSettings
from desktop.trouble import Trouble, open_path


class Exporting(QObject):
    """Asks where to, writes on another thread, says where it is.

    `settings`, `current` and `sound` return those of the time: the settings, the session shown
    (None for one that was read back) and the file of its sound.
    """

    def __init__(
        self,
        window: MainWindow,
        bridge: EventBridge,
        trouble: Trouble,
        settings: Callable[[], AppSettings],
        current: Callable[[], Prepared | None],
        sound: Callable[[], Path | None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._state = window.state
        self._bridge = bridge
        self._trouble = trouble
        self._settings = settings
        self._current = current
        self._sound = sound

    def ask_for_export(self) -> None:
        """Choose where the turns are written, and in which format."""
        if not self._state.turns.rowCount():
            return
        from core.dialogue.export.formats import FORMATS

        filters = {f"{entry.title} (*{entry.suffix})": name for name, entry in FORMATS.items()}
        path, chosen = QFileDialog.getSaveFileName(
            self._window,
            self.tr("Export"),
            self._settings().last_folder,
            ";;".join(filters),
        )
        if path:
            name = filters.get(chosen, "jsonl")
            target = Path(path)
            if not target.suffix:
                target = target.with_suffix(FORMATS[name].suffix)
            self.export(target, name)

    def export(self, path: Path, name: str) -> None:
        """Write the turns; on another thread, a report of a long session takes a while."""
        turns = self._state.turns.turns()
        current = self._current()
        end = round(max(self._state.time.total, self._state.sound.seconds) * SAMPLE_RATE)
        language = self._window.language()
        model = next((t.emotion.model for t in reversed(turns) if t.emotion is not None), None)

        def work() -> Path:
            from core.dialogue.export.formats import export
            from core.dialogue.recording import Metadata, Recording

            metadata = Metadata(
                source=current.name if current is not None else "",
                model=model,
                transcriber=(current.transcriber or "") if current is not None else "",
                language=self._settings().language,
            )
            return export(Recording(self._sound(), turns, end, metadata), name, path, language)

        self._bridge.run("export", work, self._exported, self._trouble.show_error)

    def _exported(self, path: Path) -> None:
        self._window.banners.show_banner(
            "exported",
            Severity.INFO,
            lambda: self.tr("Written to {path}.").format(path=path),
            (BannerButton(lambda: self.tr("Open"), lambda: open_path(path)),),
        )
