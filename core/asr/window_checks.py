"""Verdicts on the short encoder window of Whisper models, kept on the machine they hold for.

What is compared, and the limits, are told in `core.asr.word_errors`, which makes the checks.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from core.asr.catalog import is_model_file
from core.asr.settings import WhisperSettings
from core.dialogue.atomic import write_atomically
from core.quality.records import processor

_logger = logging.getLogger(__name__)

MOST_RISE = 0.01
MOST_RISE_SURELY = 0.02
LEAST_EQUAL = 0.98
LEAST_UTTERANCES = 50
"""Of a language; fewer can't tell 98 % from 90 %."""
LEAST_UNITS = 300
"""Words or syllables of a language; the rates are then known to about .01."""
REVISION = 1
"""Counts up when earlier checks become worthless: other limits, another margin."""


@dataclass(frozen=True, slots=True)
class LanguageErrors:
    """How the two windows compare in one language.

    equal: utterances with the same text. units: words, or characters, in the references, or where
    there are none in the long window's texts. between: error rate of the short window's texts
    against the long one's. full, short: error rates against the references, None without; rise is
    their difference, highest_rise its upper end.
    """

    language: str
    utterances: int
    equal: int
    units: int
    between: float
    full: float | None = None
    short: float | None = None
    highest_rise: float | None = None

    @property
    def rise(self) -> float | None:
        """By how much the short window is worse; None without references."""
        return None if self.full is None or self.short is None else self.short - self.full

    @property
    def objections(self) -> tuple[str, ...]:
        """Codes of what keeps the short window from being used; empty: it passes."""
        too_little = self.utterances < LEAST_UTTERANCES or self.units < LEAST_UNITS
        found = {"too_few_utterances": too_little, **self._worse()}
        return tuple(code for code, holds in found.items() if holds)

    def _worse(self) -> dict[str, bool]:
        if self.rise is None or self.highest_rise is None:
            texts_differ = self.equal < LEAST_EQUAL * self.utterances
            return {"texts_differ": texts_differ, "words_differ": self.between > MOST_RISE}
        surely_worse = self.highest_rise > MOST_RISE_SURELY
        return {"more_errors": self.rise > MOST_RISE or surely_worse}


@dataclass(frozen=True, slots=True)
class WindowCheck:
    """The verdict on the short window of one model, on one kind of machine.

    model: name for people. model_hash: `model_hash` of its folder. compute_type: of CTranslate2.
    speedup: processor time with the long window by that with the short one, gates and all.
    library, machine: the version of ctranslate2 and the processor. created: ISO 8601.
    """

    model: str
    model_hash: str
    compute_type: str
    languages: tuple[LanguageErrors, ...]
    speedup: float
    library: str
    machine: str
    created: str
    revision: int = REVISION

    @property
    def passed(self) -> bool:
        """Whether every language that was checked passes (and one was)."""
        return bool(self.languages) and not any(one.objections for one in self.languages)

    def covers(self, languages: Iterable[str]) -> bool:
        """Whether each of these languages was checked and passes."""
        good = {one.language for one in self.languages if not one.objections}
        return set(languages) <= good

    @property
    def outdated(self) -> bool:
        """Whether the rules, the library or the machine have changed since."""
        return (self.revision, self.library, self.machine) != (REVISION, library(), processor())

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> WindowCheck:
        """Return the check of `to_dict`. Raises KeyError or TypeError."""
        languages = tuple(LanguageErrors(**one) for one in values["languages"])
        return cls(**{**values, "languages": languages})


class WindowChecks:
    """The verdicts of this machine, in one JSON file; what can't be read counts as none."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or default_path()

    def keep(self, check: WindowCheck) -> None:
        """Store a verdict in place of an older one. Raises JournalError."""
        entries = self._entries() | {_key(check.model_hash, check.compute_type): check.to_dict()}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path, json.dumps(entries, indent=2, ensure_ascii=False) + "\n")

    def find(self, model_hash: str, compute_type: str = "int8") -> WindowCheck | None:
        """Return the verdict on a model, whatever it says and however old."""
        entry = self._entries().get(_key(model_hash, compute_type))
        try:
            return None if entry is None else WindowCheck.from_dict(entry)
        except (KeyError, TypeError):
            _logger.warning("%s: the check of a Whisper model can't be read", self.path)
            return None

    def passed(
        self, model_hash: str, compute_type: str = "int8", languages: Iterable[str] | None = None
    ) -> WindowCheck | None:
        """Return the verdict if the short window may be used.

        Args:
            languages: that will be spoken; each must have passed. None: all that were checked.
        """
        check = self.find(model_hash, compute_type)
        if check is None or check.outdated:
            return None
        good = check.passed if languages is None else check.covers(languages)
        return check if good else None

    def _entries(self) -> dict[str, Any]:
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            _logger.warning("%s can't be read", self.path)
            return {}
        return found if isinstance(found, dict) else {}


def default_path() -> Path:
    """Return the user's file of verdicts."""
    return user_data_path("emoscope", appauthor=False) / "quality" / "whisper_window.json"


def model_hash(folder: Path) -> str:
    """Return the sha256 (hex) of the files of a model; half a second for each gigabyte."""
    digest = hashlib.sha256()
    for file in sorted(file for file in folder.iterdir() if is_model_file(file.name)):
        with file.open("rb") as source:
            content = hashlib.file_digest(source, "sha256").hexdigest()
        digest.update(f"{file.name} {content}\n".encode())
    return digest.hexdigest()


def passed(folder: Path, settings: WhisperSettings, path: Path | None = None) -> bool:
    """Return whether a transcriber with these settings may use the short window."""
    checks = WindowChecks(path)
    if not checks.path.is_file():
        return False  # hashing the model would be for nothing
    computing = compute_type_of(settings)
    return checks.passed(model_hash(folder), computing, settings.allowed) is not None


def compute_type_of(settings: WhisperSettings) -> str:
    """Return how a model will compute with these settings, as CTranslate2 names it."""
    from core.asr.engine import choose_compute_type, choose_device

    return choose_compute_type(settings.compute_type, choose_device(settings.device))


def library() -> str:
    """Return the version of CTranslate2."""
    return version("ctranslate2")


def _key(digest: str, compute_type: str) -> str:
    return f"{digest}:{compute_type}"
