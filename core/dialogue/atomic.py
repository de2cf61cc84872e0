"""Files that are either complete or not there."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from core.errors import JournalError


def write_atomically(path: Path, text: str, encoding: str = "utf-8") -> None:
    """Write `text` to `path` with "\\n" line ends, through a temporary file beside it.

    A crash leaves the old file or the new one, never a part. Raises JournalError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", text=False)
    except OSError as error:
        raise _unwritable(path, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode(encoding))
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    """Return the process's mask without a moment in which it is another for other threads."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.split("Umask:")[1].split()[0], 8)
    except (OSError, IndexError, ValueError):
        return 0o022


def _unwritable(path: Path, error: OSError) -> JournalError:
    return JournalError(
        f"{path} can't be written ({error.strerror or error}).",
        "Choose another folder, or make room on the disk.",
    )
