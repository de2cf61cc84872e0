"""What the window remembers between starts, typed, kept in QSettings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, QSettings

if TYPE_CHECKING:
    from core.models.runtimes.base import Mode

RECENT_FILES = 8
"""How many recordings the menu of recent files holds."""

INTERFACE_LANGUAGES = ("system", "ko", "en")
SPEECH_LANGUAGES = ("auto", "ko", "en")
THEME_NAMES = ("system", "light", "dark")
CHANNEL_CHOICES = ("mono", "left", "right", "both")
SPEAKER_CHOICES = ("source", "voice")
PROCESSORS = ("auto", "cpu", "cuda")
RUNTIMES = ("auto", "lossy")
"""Choices of what computes the encoders, beside those by name (see `core.models.runtimes.base`)."""

PAUSES: Mapping[str, float] = MappingProxyType({"short": 0.3, "medium": 0.5, "long": 0.8})
"""Seconds of silence that end a turn."""


@dataclass(frozen=True, slots=True)
class AppSettings:
    """Choices of the user; empty strings mean "the default".

    `device` is the name of the microphone. `checkpoint` and `whisper` are folders, `whisper` also a
    model size. `language` locks recognition, "auto" leaves it open. `context` is the folder of a
    dialogue model, or "off"; `speakers` says who tells the speakers apart where nothing else does:
    nobody ("source") or their voices ("voice").
    `processor` and `runtime` say what computes the results; `better_text` lets a text that was
    there at once be replaced by a more careful one; `pause` is a name of `PAUSES`.
    `person` is whose personal adapter is meant, and `personal` whether it is used, for the speakers
    named by `personal_speakers` (none: for everybody); `left_alone` lets turns that the user did
    not correct count as right when something is learned.
    """

    interface_language: str = "system"
    theme: str = "system"
    device: str = ""
    channels: str = "mono"
    language: str = "auto"
    checkpoint: str = ""
    whisper: str = ""
    context: str = ""
    speakers: str = "source"
    processor: str = "auto"
    runtime: str = "auto"
    better_text: bool = True
    pause: str = "short"
    person: str = ""
    personal: bool = False
    personal_speakers: tuple[str, ...] = ()
    left_alone: bool = True
    sessions_folder: str = ""
    last_folder: str = ""
    recent: tuple[str, ...] = ()

    def with_recent(self, path: Path) -> AppSettings:
        """Return the settings with `path` at the top of the recent files."""
        name = str(path)
        others = tuple(entry for entry in self.recent if entry != name)
        return replace(self, recent=(name, *others)[:RECENT_FILES], last_folder=str(path.parent))


SWITCHED_ELSEWHERE = ("person", "personal", "personal_speakers", "left_alone")
"""Settings that have a window of their own."""

_ALLOWED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "interface_language": INTERFACE_LANGUAGES,
        "theme": THEME_NAMES,
        "channels": CHANNEL_CHOICES,
        "language": SPEECH_LANGUAGES,
        "speakers": SPEAKER_CHOICES,
        "processor": PROCESSORS,
        "pause": tuple(PAUSES),
    }
)


_TRUTH: Mapping[str, bool] = MappingProxyType({"true": True, "false": False})
"""How QSettings writes it in a file."""


class SettingsStore:
    """Reads and writes `AppSettings` and the window's layout; a damaged entry falls back."""

    def __init__(self, backend: QSettings) -> None:
        self._backend = backend

    def load(self) -> AppSettings:
        """Return the stored settings; an unknown value is replaced by its default."""
        defaults = AppSettings()
        values: dict[str, Any] = {}
        for entry in fields(AppSettings):
            default = getattr(defaults, entry.name)
            stored = self._backend.value(f"app/{entry.name}", None)
            values[entry.name] = _restore(entry.name, stored, default)
        return AppSettings(**values)

    def save(self, settings: AppSettings) -> None:
        """Write every setting."""
        for entry in fields(AppSettings):
            value = getattr(settings, entry.name)
            stored = list(value) if isinstance(value, tuple) else value
            self._backend.setValue(f"app/{entry.name}", stored)
        self._backend.sync()

    def layout(self, name: str) -> QByteArray | None:
        """Return a stored geometry or dock layout."""
        value = self._backend.value(f"layout/{name}", None)
        return value if isinstance(value, QByteArray) else None

    def save_layout(self, name: str, state: QByteArray) -> None:
        """Remember a geometry or dock layout."""
        self._backend.setValue(f"layout/{name}", state)

    def forget_layout(self) -> None:
        """Go back to the layout the window came with."""
        self._backend.remove("layout")


def _restore(name: str, stored: Any, default: Any) -> Any:
    if stored is None:
        return default
    if isinstance(default, tuple):
        entries = [stored] if isinstance(stored, str) else stored
        return tuple(str(entry) for entry in entries if entry) if entries else ()
    if isinstance(default, bool):
        return _TRUTH.get(str(stored).lower(), default)
    value = str(stored)
    if name == "runtime":
        return _runtime(value) or default
    allowed = _ALLOWED.get(name)
    return value if allowed is None or value in allowed else default


def _runtime(value: str) -> str:
    """Return a choice of runtime in the one way it is written here, "" if there is none such."""
    if value in RUNTIMES:
        return value
    from core.errors import ConfigError
    from core.models.runtimes.base import parse_preference

    try:
        wanted = parse_preference(value)
    except ConfigError:
        return ""
    return str(wanted) if wanted.mode is None else runtime_text(wanted.mode)


def runtime_text(mode: Mode) -> str:
    """Return how a mode is kept: by the runtime alone where that says it."""
    return str(mode) if mode.lossy else mode.runtime
