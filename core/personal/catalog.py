"""Which personal adapters there are."""

from __future__ import annotations

import shutil
from pathlib import Path

from core.errors import CheckpointError, ConfigError, JournalError
from core.personal.adapter_files import read_adapter_info
from core.personal.folders import ADAPTERS, person_folder, person_name, personal_folder
from core.personal.locking import writing
from core.personal.types import PersonalAdapterInfo

__all__ = ["adapter_folder", "adapters", "find_adapter", "read_adapter_info", "remove_adapter"]

_DIGITS = 16
"""Of a checkpoint's digest, in the name of a folder."""


def adapter_folder(root: Path, person: str, digest: str) -> Path:
    """Return where the adapter of a person for a checkpoint is kept."""
    return person_folder(root, person) / ADAPTERS / digest[:_DIGITS]


def adapters(
    folder: Path | None = None, person: str | None = None, digest: str | None = None
) -> tuple[PersonalAdapterInfo, ...]:
    """Return the adapters that can be read, the newest first.

    Args:
        folder: of everything personal; None: the user's.
        person: only theirs.
        digest: only those for the checkpoint with these weights.
    """
    found = []
    for path in sorted((folder or personal_folder()).glob(f"*/{ADAPTERS}/*")):
        if path.name.startswith("."):
            continue  # being written
        try:
            found.append(read_adapter_info(path))
        except CheckpointError:
            continue
    name = None if person is None else person_name(person)
    chosen = [
        info
        for info in found
        if (name is None or info.person == name) and (digest is None or info.base_digest == digest)
    ]
    return tuple(sorted(chosen, key=lambda info: info.made, reverse=True))


def find_adapter(name: str, digest: str, folder: Path | None = None) -> PersonalAdapterInfo:
    """Return the adapter of this name, or in this folder, for a checkpoint.

    Args:
        name: of the adapter or its person, or the path of its folder.
        digest: of the checkpoint's weights.
        folder: of everything personal; None: the user's.

    Raises:
        ConfigError: there is none.
        CheckpointError: the folder that was named holds none.
    """
    if Path(name).is_dir():
        return read_adapter_info(name)
    there = adapters(folder)
    for info in there:
        if name.strip() in (info.name, info.person) and info.base_digest == digest:
            return info
    known = ", ".join(dict.fromkeys(f"{i.name} (for {i.base_name})" for i in there))
    raise ConfigError(
        f'There is no personal adapter "{name}" for this checkpoint.',
        f"There are: {known}." if known else "Make one: emoscope adapt --person NAME.",
    )


def remove_adapter(info: PersonalAdapterInfo) -> None:
    """Delete an adapter's folder; nothing happens if it is gone. Raises JournalError."""
    root = info.path.parents[2]
    with writing(root):
        try:
            half = info.path.parent.glob(f".{info.path.name}.*")  # of a process that was killed
            for path in (info.path, *half):
                if path.is_dir():
                    shutil.rmtree(path)
        except OSError as error:
            raise JournalError(
                f"{info.path} can't be removed ({error.strerror or error}).",
                "Close whatever uses it, and try again.",
            ) from error
