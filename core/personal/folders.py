"""Where what a person said, and what was learned from it, is kept: a folder per person.

    personal/
      lock                     taken while anything is changed, by whatever process
      <person>/
        corrections.jsonl      a line for each turn
        clips/<id>.flac        its sound, which so outlives the recording
        adapters/<digest>/     what was learned, one for each checkpoint

Nothing of it leaves the machine. To forget a person is to delete their folder.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import Path

from platformdirs import user_data_path

from core.errors import ConfigError

CORRECTIONS, CLIPS, ADAPTERS = "corrections.jsonl", "clips", "adapters"

LONGEST_NAME = 80
"""Characters of a person's name."""

_READABLE = 24
"""Of which so many are found again in the folder's name, for people."""


def personal_folder() -> Path:
    """Return the user's folder of everything personal."""
    return user_data_path("emoscope", appauthor=False) / "personal"


def person_name(name: str) -> str:
    """Return how a person is called, however it was typed. Raises ConfigError without a name."""
    found = " ".join(unicodedata.normalize("NFC", name).split())
    if not found or len(found) > LONGEST_NAME or not found.isprintable():
        raise ConfigError(
            f"A person can't be called {name[:LONGEST_NAME]!r}.",
            f"Give a name of 1 to {LONGEST_NAME} characters.",
        )
    return found


def person_folder(root: Path, person: str) -> Path:
    """Return the folder of a person, whatever characters the name has."""
    name = person_name(person)
    readable = re.sub(r"\W+", "-", name)[:_READABLE].strip("-").casefold() or "person"
    return root / f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
