"""The sound of a corrected turn, kept as 16-bit FLAC at 16 kHz."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np

from core.audio.flac import write_flac
from core.errors import ConfigError, JournalError, MediaError
from core.types import FloatArray, seconds

LONGEST_SECONDS = 120.0
"""No turn is so long; a whole recording is no turn."""


def checked(samples: FloatArray) -> FloatArray:
    """Return mono samples (n,) as they are kept. Raises ConfigError where they are no turn."""
    found = np.asarray(samples, dtype=np.float32)
    if found.ndim != 1 or not found.size or not np.isfinite(found).all():
        raise ConfigError("The turn has no usable sound.", "Choose a turn that was heard.")
    if seconds(found.size) > LONGEST_SECONDS:
        raise ConfigError(
            f"The turn is {seconds(found.size):.0f} s long.",
            f"Correct turns of at most {LONGEST_SECONDS:.0f} s.",
        )
    return found


def write_clip(path: Path, samples: FloatArray) -> int:
    """Write mono samples (n,) in [-1, 1], whole or not at all, and return the bytes.

    Raises:
        JournalError: it can't be written, naming the file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=".flac")
        os.close(handle)
    except OSError as error:
        raise _unwritable(path, error) from error
    temporary = Path(name)
    try:
        write_flac(temporary, samples)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        return path.stat().st_size
    except OSError as error:  # FFmpeg's errors are among them
        raise _unwritable(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def read_clip(path: Path) -> FloatArray:
    """Return the mono samples (n,) of a clip. Raises MediaError, naming the file."""
    from core.audio.io import AudioDecoder

    if not path.is_file():
        raise MediaError(f"The clip {path} is missing.", "Correct the turn again, or remove it.")
    return np.concatenate(list(AudioDecoder(path)), axis=1)[0]


def _unwritable(path: Path, error: OSError) -> JournalError:
    return JournalError(
        f"The clip {path} can't be written ({error.strerror or error}).",
        "Make room on the disk, or check who may write there.",
    )
