"""Everything the user can do, once: name, shortcut, text; menus and buttons share them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from desktop.source_text import QT_TRANSLATE_NOOP


@dataclass(frozen=True, slots=True)
class ActionEntry:
    """Source text, keys, and the menu it is in ("" for none)."""

    text: str
    keys: str = ""
    menu: str = ""
    checkable: bool = False
    separated: bool = False
    """A line is drawn above it."""


ACTIONS: Mapping[str, ActionEntry] = MappingProxyType(
    {
        "record": ActionEntry(QT_TRANSLATE_NOOP("Actions", "Record or stop"), "Ctrl+R", "session"),
        "play": ActionEntry(
            QT_TRANSLATE_NOOP("Actions", "Hear the selected turn"), "Space", "session"
        ),
        "previous": ActionEntry(QT_TRANSLATE_NOOP("Actions", "Previous turn"), "Left", "session"),
        "next": ActionEntry(QT_TRANSLATE_NOOP("Actions", "Next turn"), "Right", "session"),
        "newest": ActionEntry(
            QT_TRANSLATE_NOOP("Actions", "Follow the newest turn"), "End", "session"
        ),
        "correct": ActionEntry(
            QT_TRANSLATE_NOOP("Actions", "Say how a turn sounded…"),
            "Ctrl+L",
            "session",
            separated=True,
        ),
        "personal": ActionEntry(
            QT_TRANSLATE_NOOP("Actions", "Personal adapter…"), "Ctrl+P", "session"
        ),
        "personal_on": ActionEntry(
            QT_TRANSLATE_NOOP("Actions", "Use the personal adapter"),
            "Ctrl+Shift+P",
            "session",
            checkable=True,
        ),
        "model": ActionEntry(QT_TRANSLATE_NOOP("Actions", "Model…"), "", "session", separated=True),
        "whole": ActionEntry(
            QT_TRANSLATE_NOOP("Actions", "Show the whole recording"), "Home", "view"
        ),
        "open": ActionEntry(QT_TRANSLATE_NOOP("Actions", "Open a recording…"), "Ctrl+O", "file"),
        "sample": ActionEntry(QT_TRANSLATE_NOOP("Actions", "Try the sample"), "", "file"),
        "export": ActionEntry(
            QT_TRANSLATE_NOOP("Actions", "Export…"), "Ctrl+E", "file", separated=True
        ),
        "start": ActionEntry(QT_TRANSLATE_NOOP("Actions", "Back to the start page"), "", "file"),
        "settings": ActionEntry(
            QT_TRANSLATE_NOOP("Actions", "Settings…"), "Ctrl+,", "file", separated=True
        ),
        "quit": ActionEntry(QT_TRANSLATE_NOOP("Actions", "Quit"), "Ctrl+Q", "file"),
        "find": ActionEntry(
            QT_TRANSLATE_NOOP("Actions", "Find in the transcript"), "Ctrl+F", "view"
        ),
        "dialogue": ActionEntry(
            QT_TRANSLATE_NOOP("Actions", "Show the dialogue"), "Ctrl+D", "view", separated=True
        ),
        "context": ActionEntry(
            QT_TRANSLATE_NOOP("Actions", "Turns with or without context"), "Ctrl+T", "view"
        ),
        "fullscreen": ActionEntry(
            QT_TRANSLATE_NOOP("Actions", "Full screen"), "F11", "view", checkable=True
        ),
        "layout": ActionEntry(QT_TRANSLATE_NOOP("Actions", "Restore the layout"), "", "view"),
        "shortcuts": ActionEntry(QT_TRANSLATE_NOOP("Actions", "Keys"), "F1", "help"),
        "limits": ActionEntry(QT_TRANSLATE_NOOP("Actions", "What the numbers mean"), "", "help"),
        "whisper": ActionEntry(
            QT_TRANSLATE_NOOP("Actions", "Get a speech recognition model…"), "", "help"
        ),
        "log": ActionEntry(QT_TRANSLATE_NOOP("Actions", "Open the log folder"), "", "help"),
        "about": ActionEntry(
            QT_TRANSLATE_NOOP("Actions", "About Emoscope"), "", "help", separated=True
        ),
    }
)


def make_actions(parent: QWidget) -> dict[str, QAction]:
    """Return the actions by name, added to the window so that their keys work everywhere."""
    actions = {}
    for name, entry in ACTIONS.items():
        action = QAction(parent)
        action.setObjectName(f"action_{name}")
        action.setCheckable(entry.checkable)
        if entry.keys:
            action.setShortcut(QKeySequence(entry.keys))
        parent.addAction(action)
        actions[name] = action
    retranslate(actions)
    return actions


def retranslate(actions: Mapping[str, QAction]) -> None:
    """Set the texts again after a change of language."""
    for name, action in actions.items():
        action.setText(QCoreApplication.translate("Actions", ACTIONS[name].text))
