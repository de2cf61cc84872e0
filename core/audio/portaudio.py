"""The only place that calls PortAudio: one call at a time, never on a thread that must not wait.

PortAudio keeps one global state. Its list of devices is made when it is initialised, closing it
closes every stream, and with a sound server that hangs each call may take for ever. So calls are
serialised by one lock which is waited for only so long, and made on daemon threads.
"""

from __future__ import annotations

import atexit
import importlib
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from core.errors import DeviceError

ANSWER_SECONDS = 6.0
"""How long the audio system may take to answer before it counts as hung."""

Result = TypeVar("Result")

_lock = threading.Lock()
_streams = 0


def not_answering() -> DeviceError:
    """Return the error of an audio system that hangs."""
    return DeviceError(
        "The audio system does not answer.",
        "Restart the sound server (for example: systemctl --user restart pipewire pulseaudio), "
        "then try again. Recordings can be opened meanwhile.",
    )


def bounded(call: Callable[[], Result], timeout: float = ANSWER_SECONDS) -> Result:
    """Return what `call` returns, or raise what it raises, or DeviceError after `timeout` seconds.

    A call that hangs is left behind on its daemon thread.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(call())
        except BaseException as error:  # handed to the caller's thread
            errors.append(error)

    thread = threading.Thread(target=work, name="portaudio-call", daemon=True)
    thread.start()
    thread.join(timeout)
    if errors:
        raise errors[0]
    if not results:
        raise not_answering()
    return results[0]


@contextmanager
def library(timeout: float = ANSWER_SECONDS) -> Iterator[Any]:
    """Give the `sounddevice` module, PortAudio initialised, to one thread at a time.

    Raises DeviceError when it is missing or another call hangs.
    """
    if not _lock.acquire(timeout=timeout):
        raise not_answering()
    try:
        yield _load()
    finally:
        _lock.release()


def _load() -> Any:
    """Import late: importing initialises PortAudio and fails where its library is missing."""
    try:
        return importlib.import_module("sounddevice")
    except OSError as error:
        raise DeviceError(
            "The PortAudio library is missing, so no microphone can be used.",
            "Install it (sudo apt install libportaudio2). Recordings can be opened without it.",
        ) from error
    except ImportError as error:
        raise DeviceError(
            "The Python package sounddevice is missing, so no microphone can be used.",
            "Install it (pip install sounddevice). Recordings can be opened without it.",
        ) from error


def reinitialise_inside(sounddevice: Any) -> bool:
    """Make PortAudio look for devices again; inside `library` only.

    Returns false, and does nothing, while a stream is open: this would close it.
    """
    if _streams:
        return False
    try:
        sounddevice._terminate()
    finally:
        sounddevice._initialize()
    return True


def reinitialise(timeout: float = ANSWER_SECONDS) -> bool:
    """Make PortAudio look for devices again; false, and nothing done, while a stream is open."""

    def work() -> bool:
        with library(timeout) as sounddevice:
            return reinitialise_inside(sounddevice)

    return bounded(work, timeout)


def open_stream(stream_type: Any, **options: Any) -> Any:
    """Open and start a stream of a type of sounddevice; inside `library` only.

    While it is open PortAudio is not re-initialised, which would pull it away from its user.
    Raises sounddevice.PortAudioError.
    """
    global _streams
    stream = stream_type(**options)
    try:
        stream.start()
    except BaseException:
        stream.close()
        raise
    _streams += 1
    return stream


def close_stream(stream: Any) -> None:
    """Close a stream, whatever state it is in; inside `library` only. May hang with its device."""
    global _streams
    try:
        stream.abort(ignore_errors=True)
        stream.close(ignore_errors=True)
    finally:
        _streams -= 1


def leave_open_at_exit() -> None:
    """Keep the interpreter's exit from waiting for a stream that hangs."""
    # The import may be what hangs: take the module as far as it has come, and wait for nothing.
    handler = getattr(sys.modules.get("sounddevice"), "_exit_handler", None)
    if handler is not None:
        atexit.unregister(handler)
