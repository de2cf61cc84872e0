"""Which wish of the user is whose to fulfil: signals of the window, and what they call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.main_window import MainWindow
from desktop.view_state import ViewState

if TYPE_CHECKING:
    from desktop.controller import Controller


def connect(controller: Controller, window: MainWindow, state: ViewState) -> None:
    """Connect everything that can be clicked, typed or dropped."""
    _connect_bars(controller, window)
    _connect_window(controller, window)
    _connect_personal(controller, window, state)
    _connect_actions(controller, window, state)


def _connect_bars(controller: Controller, window: MainWindow) -> None:
    capture, status, menus = window.capture, window.status, window.menus
    capture.record_clicked.connect(controller.toggle_record)
    capture.open_clicked.connect(controller.ask_for_recording)
    capture.settings_clicked.connect(lambda: controller.dialogs.open_settings())
    capture.device_chosen.connect(lambda name: controller.change(device=name))
    capture.devices_wanted.connect(controller.list_devices)
    capture.channels_chosen.connect(lambda name: controller.change(channels=name))
    capture.language_chosen.connect(lambda code: controller.change(language=code))
    capture.checkpoint_chosen.connect(lambda folder: controller.change(checkpoint=folder))
    capture.checkpoint_wanted.connect(controller.ask_for_checkpoint)
    status.whisper_wanted.connect(lambda: controller.dialogs.get_whisper())
    status.settings_wanted.connect(lambda: controller.dialogs.open_settings(page="engine"))
    menus.recent_chosen.connect(lambda path: controller.open_recording(Path(path)))
    menus.theme_chosen.connect(lambda name: controller.change(theme=name))
    menus.interface_language_chosen.connect(lambda code: controller.change(interface_language=code))
    menus.context_chosen.connect(lambda name: controller.change(context=name))
    menus.context_wanted.connect(controller.ask_for_context)
    menus.speakers_chosen.connect(lambda name: controller.change(speakers=name))


def _connect_window(controller: Controller, window: MainWindow) -> None:
    trouble = controller.trouble
    window.start_page.speak.connect(controller.start_live)
    window.start_page.open_file.connect(controller.ask_for_recording)
    window.start_page.sample.connect(controller.open_sample)
    window.start_page.limits.connect(controller.dialogs.show_limits)
    window.file_dropped.connect(lambda path: controller.open_dropped(Path(path)))
    window.settings_asked.connect(lambda: controller.dialogs.open_settings())
    window.closing.connect(controller.close)
    window.play_asked.connect(controller.listening.play_span)
    trouble.whisper_wanted.connect(lambda: controller.dialogs.get_whisper())
    trouble.smaller_wanted.connect(controller.recognition.use_smaller)
    trouble.devices_wanted.connect(lambda: controller.list_devices())
    trouble.settings_wanted.connect(lambda: controller.dialogs.open_settings())


def _connect_personal(controller: Controller, window: MainWindow, state: ViewState) -> None:
    personal, dialogs, status = controller.personal, controller.dialogs, window.status
    personal.dialog_wanted.connect(dialogs.show_personal)
    controller.correcting.adapter_wanted.connect(dialogs.show_personal)
    status.personal.switched.connect(personal.toggle)
    status.personal.dialog_wanted.connect(dialogs.show_personal)
    dialogs.can_judge_again = lambda: not state.live and Path(personal.subject).is_file()
    dialogs.judge_again = lambda: controller.open_recording(Path(personal.subject))


def _connect_actions(controller: Controller, window: MainWindow, state: ViewState) -> None:
    slots: dict[str, Callable[[], object]] = {
        "record": controller.toggle_record,
        "play": controller.listening.toggle_play,
        "previous": lambda: controller.listening.step(-1),
        "next": lambda: controller.listening.step(1),
        "newest": lambda: state.select(None),
        "whole": state.time.show_all,
        "open": controller.ask_for_recording,
        "sample": controller.open_sample,
        "export": controller.exporting.ask_for_export,
        "start": window.show_start,
        "settings": controller.dialogs.open_settings,
        "quit": window.close,
        "find": window.open_search,
        "dialogue": lambda: window.show_panel("dialogue"),
        "context": state.toggle_context,
        "fullscreen": window.toggle_full_screen,
        "layout": window.reset_layout,
        "shortcuts": controller.dialogs.show_shortcuts,
        "limits": controller.dialogs.show_limits,
        "whisper": controller.dialogs.get_whisper,
        "model": controller.dialogs.show_model,
        "correct": controller.correcting.ask_about_shown,
        "personal": controller.dialogs.show_personal,
        "personal_on": controller.personal.toggle,
        "log": controller.trouble.open_log_folder,
        "about": controller.dialogs.show_about,
    }
    for name, slot in slots.items():
        window.actions_by_name[name].triggered.connect(lambda _=False, do=slot: do())
