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
from core.resources import sample_dialogue
from core.types import SAMPLE_RATE, Message
from desktop.bridge import EventBridge
from desktop.dialogs.opener import DialogOpener
from desktop.exporting import Exporting
from desktop.listening import Listening
from desktop.lost_sessions import LostSessions
from desktop.main_window import MainWindow
from desktop.preparing import PreparationWatch
from desktop.sessions import OFF, Prepared, SessionFactory, sessions_folder
from desktop.settings import AppSettings, SettingsStore
from desktop.trouble import Trouble
from desktop.view_state import ViewState

if TYPE_CHECKING:
    from core.dialogue.recording import Recording
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
        self.trouble = Trouble(window, log_folder)
        self.dialogs = DialogOpener(window, bridge, lambda: self.settings, self.change)
        self.exporting = Exporting(
            window,
            bridge,
            self.trouble,
            lambda: self.settings,
            lambda: self._current,
            lambda: self._sound(),
        )
        self.lost_sessions = LostSessions(
            window,
            bridge,
            lambda: sessions_folder(self.settings),
            lambda: self.running,
            self._show_recording,
            self.trouble.show_error,
        )
        self._current: Prepared | None = None
        self._preparing = False
        self._closed = False
        self._next: Callable[[], None] | None = None
        self._sound: Callable[[], Path | None] = lambda: None
        self.listening = Listening(
            self,
            state,
            lambda: self._sound(),
            lambda: state.live and self.running,
            self.trouble.show_error,
        )
        self.preparation = PreparationWatch(state, self)
        self._connect()
        self._window.menus.set_recent(self.settings.recent)
        self._show_choices()

    # -- wiring -------------------------------------------------------------------------------

    def _connect(self) -> None:
        bridge, window, capture = self._bridge, self._window, self._window.capture
        bridge.state_changed.connect(self._state_changed)
        bridge.audio_heard.connect(self._state.hear)
        bridge.turn_updated.connect(self._turn_updated)
        bridge.notice.connect(self._noticed)
        bridge.context_ready.connect(lambda event: self._state.set_context(event.info))
        self._state.run_apart = bridge.run
        bridge.effort_changed.connect(window.status.take_effort)
        bridge.model_ready.connect(lambda event: window.status.set_model(event.info))
        bridge.progressed.connect(self._progressed)
        bridge.saved.connect(lambda _: window.status.set_saved())
        capture.record_clicked.connect(self.toggle_record)
        capture.open_clicked.connect(self.ask_for_recording)
        capture.settings_clicked.connect(lambda: self.dialogs.open_settings())
        capture.device_chosen.connect(lambda name: self.change(device=name))
        capture.devices_wanted.connect(self.list_devices)
        capture.channels_chosen.connect(lambda name: self.change(channels=name))
        capture.language_chosen.connect(lambda code: self.change(language=code))
        capture.checkpoint_chosen.connect(lambda folder: self.change(checkpoint=folder))
        capture.checkpoint_wanted.connect(self.ask_for_checkpoint)
        window.start_page.speak.connect(self.start_live)
        window.start_page.open_file.connect(self.ask_for_recording)
        window.start_page.sample.connect(self.open_sample)
        window.start_page.limits.connect(self.dialogs.show_limits)
        window.status.whisper_wanted.connect(lambda: self.dialogs.get_whisper())
        window.status.settings_wanted.connect(lambda: self.dialogs.open_settings(page="engine"))
        window.file_dropped.connect(lambda path: self._dropped(Path(path)))
        window.menus.recent_chosen.connect(lambda path: self.open_recording(Path(path)))
        window.menus.theme_chosen.connect(lambda name: self.change(theme=name))
        window.menus.interface_language_chosen.connect(
            lambda code: self.change(interface_language=code)
        )
        window.menus.context_chosen.connect(lambda name: self.change(context=name))
        window.menus.context_wanted.connect(self.ask_for_context)
        window.menus.speakers_chosen.connect(lambda name: self.change(speakers=name))
        window.settings_asked.connect(lambda: self.dialogs.open_settings())
        window.closing.connect(self.close)
        window.play_asked.connect(self.listening.play_span)
        self.trouble.whisper_wanted.connect(lambda: self.dialogs.get_whisper())
        self.trouble.smaller_wanted.connect(self.use_smaller)
        self.trouble.devices_wanted.connect(lambda: self.list_devices())
        self.trouble.settings_wanted.connect(lambda: self.dialogs.open_settings())
        self._connect_actions()

    def _connect_actions(self) -> None:
        slots: dict[str, Callable[[], object]] = {
            "record": self.toggle_record,
            "play": self.listening.toggle_play,
            "previous": lambda: self.listening.step(-1),
            "next": lambda: self.listening.step(1),
            "newest": lambda: self._state.select(None),
            "whole": self._state.time.show_all,
            "open": self.ask_for_recording,
            "sample": self.open_sample,
            "export": self.exporting.ask_for_export,
            "start": self._window.show_start,
            "settings": self.dialogs.open_settings,
            "quit": self._window.close,
            "find": self._window.open_search,
            "dialogue": lambda: self._window.show_panel("dialogue"),
            "context": self._state.toggle_context,
            "fullscreen": self._window.toggle_full_screen,
            "layout": self._window.reset_layout,
            "shortcuts": self.dialogs.show_shortcuts,
            "limits": self.dialogs.show_limits,
            "whisper": self.dialogs.get_whisper,
            "model": self.dialogs.show_model,
            "log": self.trouble.open_log_folder,
            "about": self.dialogs.show_about,
        }
        for name, slot in slots.items():
            self._window.actions_by_name[name].triggered.connect(lambda _=False, do=slot: do())

    # -- sessions -----------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """True from the start of a session to its end."""
        return self._preparing or self._state.session not in _ENDED

    def toggle_record(self) -> None:
        """Stop what runs, or listen to the microphone."""
        if self._state.session in (SessionState.LOADING, SessionState.RUNNING):
            self.stop()
        elif not self.running:
            self.start_live()

    def start_live(self) -> None:
        """Listen to the chosen microphone."""
        settings, listener = self.settings, self._bridge.publish
        self._prepare(lambda: self._factory.live(settings, listener), live=True)

    def open_recording(self, path: Path) -> None:
        """Read a recording; what runs is finished first."""
        if self.running:
            self._next = lambda: self.open_recording(path)
            self.stop()
            return
        self.change(recent_path=path)
        settings, listener = self.settings, self._bridge.publish
        self._prepare(lambda: self._factory.recording(path, settings, listener), live=False)

    def _dropped(self, path: Path) -> None:
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
        self._bridge.run("prepare", build, self._start, self._not_started)

    def _start(self, prepared: Prepared) -> None:
        self._preparing = False
        if self._closed:
            return
        self._current = prepared
        self._sound = prepared.sound
        self._show_text_source(prepared.transcriber)
        self._window.status.delay.awaited = lambda: prepared.session.lag
        self._window.set_subject(prepared.name)
        if prepared.total is not None:
            self._state.set_total(prepared.total)
        for notice in prepared.notices:
            self.trouble.show_notice(notice)
        if prepared.context:
            self._state.expect_context()
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
            self.look_for_recognition()
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

    def use_smaller(self, model: str) -> None:
        """Write texts with a smaller model from the next recording on; get it if it is missing."""
        self._bridge.run(
            "smaller",
            lambda: self._factory.has_recognition(model),
            lambda here: self._choose_smaller(model, here),
            self.trouble.show_error,
        )

    def _choose_smaller(self, model: str, here: bool) -> None:
        self._window.banners.withdraw("smaller_whisper")
        if not here:
            self.dialogs.get_whisper(model)
            return
        self.change(whisper=model)
        chosen = Message("smaller_chosen", {"model": model})
        self.trouble.show_notice(Notice(chosen))

    def look_for_recognition(self) -> None:
        """Say in the status line whether text will be written, before the first session."""
        settings = self.settings
        self._bridge.run(
            "recognition",
            lambda: self._factory.recognition(settings),
            self._show_recognition,
            lambda error: log.warning("recognition models can't be looked for: %s", error),
        )

    def _show_recognition(self, name: str | None) -> None:
        """A session that began meanwhile has said better what its text comes from."""
        if not self.running and (self._current is None or self._current.live):
            self._show_text_source(name)

    def _show_text_source(self, name: str | None) -> None:
        self._window.status.set_transcriber(name, off=self.settings.whisper == OFF)

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
        if self._current is not None and self.running:
            self.stop()
            if not self._current.session.join(CLOSING_SECONDS):
                self._current.session.cancel()
                self._current.session.join(1.0)
        self._bridge.close(1.0)
        QApplication.processEvents()
