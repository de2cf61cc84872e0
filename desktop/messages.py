"""Sentences for the codes of the core, one entry a code, in the language of the window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from PySide6.QtCore import QCoreApplication

from core.types import Message


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with {named} values, and the action its button offers ("" for none)."""

    text: str
    action: str = ""


MESSAGES: Mapping[str, Sentence] = MappingProxyType({})
NOTES: Mapping[str, str] = MappingProxyType({})


def sentence(message: Message) -> str:
    """Return the sentence of a message; a code without an entry is shown with its values."""
    entry = MESSAGES.get(message.code)
    if entry is None:
        values = ", ".join(f"{key}: {value}" for key, value in message.values.items())
        return f"{message.code} {values}".strip()
    text = QCoreApplication.translate("Messages", entry.text)
    return text.format_map(_Values(message.values))


def action(message: Message) -> str:
    """Return the name of the action a banner for this message offers, or ""."""
    entry = MESSAGES.get(message.code)
    return entry.action if entry is not None else ""


def note(code: str) -> str:
    """Return the sentence of a note on a turn; "" for a code that is not for people."""
    text = NOTES.get(code)
    return QCoreApplication.translate("Messages", text) if text is not None else ""


class _Values(dict[str, str]):
    """Values of a message; one that is missing shows as an ellipsis instead of an error."""

    def __missing__(self, key: str) -> str:
        return "…"
