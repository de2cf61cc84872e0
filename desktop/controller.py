"""What the user wants, turned into calls of a session; and what it says, shown in the window."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QFileDialog

from core.pipeline.events import (
    Notice,
    Progress,
    SessionState,
    StateChanged,
    TurnUpdated,
)
from core.resources import embedded_checkpoint, sample_dialogue
from core.types import SAMPLE_RATE
from desktop.bridge import EventBridge
from desktop.checkpoint_change import CheckpointChange
from desktop.correcting import Correcting
from desktop.dialogs.opener import DialogOpener
from desktop.exporting import Exporting
from desktop.in_turn import InTurn
from desktop.listening import Listening
from desktop.lost_sessions import LostSessions
from desktop.main_window import MainWindow
from desktop.personal import Personal
from desktop.personal_work import PersonalWork
from desktop.recognition import Recognition
from desktop.sessions import PREPARING, Prepared, SessionFactory, sessions_folder
from desktop.settings import AppSettings, SettingsStore
from desktop.trouble import Trouble
from desktop.view_state import ViewState
from desktop.wiring import connect

if TYPE_CHECKING:
    from core.dialogue.recording import Recording
    from core.pipeline.session import Session
    from desktop.item_models.sound_history import SoundHistory

log = logging.getLogger(__name__)

_ENDED = (SessionState.IDLE, SessionState.FAILED)
CLOSING_SECONDS = 6.0
"""How long closing the window waits for the last turn and the journal."""

NO_CONTEXT = ("context_other_model", "context_unavailable")
"""Notices after which turns come without context."""

MEDIA_PATTERNS = "*.wav *.mp3 *.flac *.m4a *.ogg *.opus *.mp4 *.mkv *.webm *.aac *.mov"


class Controller(QObject):
    """One session at a time; everything that may take long happens on other threads."""

    def __init__(
        self,
        window: MainWindow,
        state: ViewState,
        bridge: EventBridge,
        store: SettingsStore,
        factory: SessionFactory,
        apply: Callable[[AppSettings], None],
        log_folder: Path,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._state = state
        self._bridge = bridge
        self._store = store
        self._factory = factory
        self._apply = apply
        self.settings = store.load()
        self._current: Prepared | None = None
        self._preparing = False
        self._closed = False
        self._next: Callable[[], None] | None = None
        self._sound: Callable[[], Path | None] = lambda: None
        self.trouble = Trouble(window, log_folder)
        self.dialogs = DialogOpener(window, bridge, lambda: self.settings, self.change)
        self.recognition = self._make_recognition()
        self.exporting = self._make_exporting()
        self.lost_sessions = self._make_lost_sessions()
        self.listening = self._make_listening()
        self.correcting, self.personal = self._make_personal()
        self._checkpoint_change = CheckpointChange(
            InTurn(self._bridge.run, "checkpoint"),
            self._running_session,
            self.personal.goes_on_with,
            self.trouble.show_notice,
        )
        self._connect_session()
        connect(self, window, state)
        self._window.menus.set_recent(self.settings.recent)
        self._show_choices()

    # -- parts -------------------------------------------------------------------------------

    def _make_recognition(self) -> Recognition:
        return Recognition(
            self._window,
            self._bridge,
            self._factory,
            self.trouble,
            self.dialogs,
            lambda: self.settings,
            self.change,
            lambda: self.running or (self._current is not None and not self._current.live),
        )

    def _make_exporting(self) -> Exporting:
        return Exporting(
            self._window,
            self._bridge,
            self.trouble,
            lambda: self.settings,
            lambda: self._current,
            lambda: self._sound(),
        )

    def _make_lost_sessions(self) -> LostSessions:
        return LostSessions(
            self._window,
            self._bridge,
            lambda: sessions_folder(self.settings),
            lambda: self.running,
            self._show_recording,
            self.trouble.show_error,
        )

    def _make_listening(self) -> Listening:
        return Listening(
            self,
            self._state,
            lambda: self._sound(),
            lambda: self._state.live and self.running,
            self.trouble.show_error,
        )

    def _make_personal(self) -> tuple[Correcting, Personal]:
        queue = InTurn(self._bridge.run, "personal")
        correcting = Correcting(
            self._window,
            queue,
            PersonalWork(),
            lambda: self.settings,
            self.change,
            lambda: self._sound(),
            lambda: self.personal.persons(),
            self.trouble.show_error,
        )
        personal = Personal(
            self._window,
            self._bridge,
            queue,
            correcting,
            lambda: self.settings,
            self.change,
            self.checkpoint,
            self._running_session,
            self.trouble.show_error,
        )
        self.dialogs.personal = personal
        return correcting, personal

    def _connect_session(self) -> None:
        bridge, status = self._bridge, self._window.status
        bridge.state_changed.connect(self._state_changed)
        bridge.audio_heard.connect(self._state.hear)
        bridge.turn_updated.connect(self._turn_updated)
        bridge.notice.connect(self._noticed)
        bridge.context_ready.connect(lambda event: self._state.set_context(event.info))
        self._state.run_apart = bridge.run
        bridge.effort_changed.connect(status.take_effort)
        bridge.model_ready.connect(lambda event: status.set_model(event.info))
        bridge.progressed.connect(self._progressed)
        bridge.saved.connect(lambda _: status.set_saved())

    # -- sessions -----------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """True from the start of a session to its end."""
        return self._preparing or self._state.session not in _ENDED

    def _running_session(self) -> Session | None:
        return self._current.session if self._current and self.running else None

    def toggle_record(self) -> None:
        """Stop what runs, or listen to the microphone."""
        if self._state.session in (SessionState.LOADING, SessionState.RUNNING):
            self.stop()
        elif not self.running:
            self.start_live()

    def start_live(self) -> None:
        """Listen to the chosen microphone."""
        settings, listener = self.settings, self._bridge.publish
        self.personal.subject = ""
        self._prepare(lambda: self._factory.live(settings, listener), live=True)

    def open_recording(self, path: Path) -> None:
        """Read a recording; what runs is finished first."""
        if self.running:
            self._next = lambda: self.open_recording(path)
            self.stop()
            return
        self.change(recent_path=path)
        settings, listener = self.settings, self._bridge.publish
        self.personal.subject = str(path)
        self._prepare(lambda: self._factory.recording(path, settings, listener), live=False)

    def open_dropped(self, path: Path) -> None:
        """Open what was dropped on the window: a folder is a model, a file a recording."""
        if path.is_dir():
            self.dialogs.show_model(path)
        else:
            self.open_recording(path)

    def open_sample(self) -> None:
        """Read the conversation that ships with the program."""
        self.open_recording(sample_dialogue())

    def stop(self) -> None:
        """Finish: what was heard is still judged."""
        if self._current is None:
            return
        if self._current.live:
            self._current.session.stop()
        else:
            self._current.session.cancel()

    def _prepare(self, build: Callable[[], Prepared], live: bool) -> None:
        if self.running:
            return
        self._preparing = True
        self.listening.player.stop()
        self._window.banners.clear()
        self._window.status.begin()
        self._window.show_workspace()
        self._state.begin(live)
        self._state.enter(SessionState.LOADING)
        build, channels = self.personal.arranged(build), "both" if live else self.settings.channels
        self._bridge.run(
            "prepare", build, lambda prepared: self._start(prepared, channels), self._not_started
        )

    def _start(self, prepared: Prepared, channels: str) -> None:
        self._preparing = False
        if self._closed:
            return
        self._current = prepared
        self._sound = prepared.sound
        self.recognition.show(prepared.transcriber)
        self._window.status.delay.awaited = lambda: prepared.session.lag
        self._window.set_subject(prepared.name)
        if prepared.total is not None:
            self._state.set_total(prepared.total)
        for notice in prepared.notices:
            self.trouble.show_notice(notice)
        if prepared.context:
            self._state.expect_context()
        self.correcting.begin(channels)
        self.personal.apply()
        prepared.session.start()

    def _not_started(self, error: Exception) -> None:
        self._preparing = False
        self._state.enter(SessionState.FAILED)
        self.trouble.show_error(error)

    def _state_changed(self, event: StateChanged) -> None:
        if self._preparing:
            return
        self._state.enter(event.state)
        if event.state is SessionState.FAILED:
            error = self._current.session.error if self._current is not None else None
            self.trouble.show_error(error or RuntimeError(event.detail))
        if event.state in _ENDED and self._next is not None:
            following, self._next = self._next, None
            following()

    def _turn_updated(self, event: TurnUpdated) -> None:
        self._state.update_turn(event)
        self._window.status.take_turn(event)

    def _noticed(self, notice: Notice) -> None:
        if notice.message.code == PREPARING:
            self._state.prepare()
            return
        if notice.message.code in NO_CONTEXT:
            self._state.miss_context(notice.message)
        self.trouble.show_notice(notice)

    def _progressed(self, progress: Progress) -> None:
        if progress.total:
            self._state.set_total(progress.total / SAMPLE_RATE)
        self._window.status.set_progress(progress)

    # -- choices ------------------------------------------------------------------------------

    def change(self, recent_path: Path | None = None, **choices: object) -> None:
        """Change settings, keep them, and show them."""
        settings = replace(self.settings, **choices)  # type: ignore[arg-type]
        if recent_path is not None and recent_path != sample_dialogue():
            settings = settings.with_recent(recent_path.resolve())
            self._window.menus.set_recent(settings.recent)
        before, self.settings = self.settings, settings
        self._store.save(settings)
        self._show_choices()
        if before.whisper != settings.whisper and not self.running:
            self.recognition.look()
        if before.checkpoint != settings.checkpoint:
            self.personal.look()
            self._checkpoint_change.to(self.checkpoint())
        if (before.theme, before.interface_language) != (
            settings.theme,
            settings.interface_language,
        ):
            self._apply(settings)

    def list_devices(self, refresh: bool = True) -> None:
        """Look for microphones again, without holding up the window."""

        refresh = refresh and not self.listening.player.playing
        work = lambda: self._factory.microphones(refresh)  # noqa: E731
        self._bridge.run("devices", work, self._show_devices, self._no_devices)

    def _show_devices(self, names: tuple[str, ...]) -> None:
        self._window.capture.set_devices([(name, name) for name in names])
        self._show_choices()

    def _no_devices(self, error: Exception) -> None:
        """Say nothing yet: a missing microphone matters when somebody wants to record."""
        log.warning("microphones can't be listed: %s", error)

    def ask_for_checkpoint(self) -> None:
        """Choose the folder of another model."""
        folder = QFileDialog.getExistingDirectory(self._window, self.tr("Folder of a model"))
        self._show_choices()  # the box goes back to what is chosen until the card was seen
        if folder:
            self.dialogs.show_model(Path(folder))

    def ask_for_context(self) -> None:
        """Choose the folder of a dialogue model."""
        folder = QFileDialog.getExistingDirectory(
            self._window, self.tr("Folder of a dialogue model")
        )
        if folder:
            self.change(context=folder)
        self._show_choices()  # the menu goes back to what is chosen if nothing was

    def _show_choices(self) -> None:
        s = self.settings
        capture = self._window.capture
        entries = [(Path(s.checkpoint).name, s.checkpoint)] if s.checkpoint else []
        capture.set_checkpoints(entries)
        capture.choose(s.device, s.channels, s.language, s.checkpoint)
        self._window.menus.set_choices(s.theme, s.interface_language)
        self._window.menus.set_dialogue(s.context, s.speakers)

    def _show_recording(self, read: tuple[Recording, SoundHistory]) -> None:
        """Show turns that were read back; nothing is judged again."""
        recording, sound = read
        if self.running:
            return
        self._current = None
        self._sound = lambda: recording.media
        self._window.status.begin()
        self._window.show_workspace()
        self._state.show_recording(recording.turns, sound, recording.duration_seconds)
        self.personal.subject = str(recording.media or "")
        self.correcting.begin()

    def checkpoint(self) -> Path:
        """Return the folder of the chosen model."""
        chosen = self.settings.checkpoint
        return Path(chosen) if chosen else embedded_checkpoint()

    # -- files --------------------------------------------------------------------------------

    def ask_for_recording(self) -> None:
        """Choose a recording to read."""
        kinds = self.tr("Sound and video ({patterns})").format(patterns=MEDIA_PATTERNS)
        path, _ = QFileDialog.getOpenFileName(
            self._window,
            self.tr("Open a recording"),
            self.settings.last_folder,
            f"{kinds};;{self.tr('All files (*)')}",
        )
        if path:
            self.open_recording(Path(path))

    # -- end ----------------------------------------------------------------------------------

    def close(self) -> None:
        """Finish the session, keep the layout, end every thread."""
        self._closed = True
        self._store.save_layout("window", self._window.saveGeometry())
        state = self._window.layout_state()
        if not state.isEmpty():
            self._store.save_layout("docks", state)
        self.listening.player.close()
        self.personal.close()
        self.correcting.close()
        if self._current is not None and self.running:
            self.stop()
            if not self._current.session.join(CLOSING_SECONDS):
                self._current.session.cancel()
                self._current.session.join(1.0)
        if self._preparing:  # what is being built will not be started
            self._state.enter(SessionState.IDLE)
        self._bridge.close(1.0)
        QApplication.processEvents()
