"""Workers that are processes of this machine, each with its own models and one thread."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from core.batch.engines import Engine, Workers
from core.batch.errors import WorkerError
from core.batch.foreman import Foreman, Lost, News, Ready, Refused
from core.batch.values import Options, Task
from core.errors import EmoscopeError

_PATIENCE = 5.0
"""Seconds a worker has to end after it was asked to."""
_KILLED = -9
"""Exit code after SIGKILL, a name that Windows does not know."""


def engine(workers: Workers) -> Engine:
    """Return the engine with so many processes."""
    return Foreman(Processes(), workers.count or 1)


class Processes:
    """A `Pool`: started afresh rather than forked, because libraries hold threads and locks."""

    def __init__(self) -> None:
        self._spawn = multiprocessing.get_context("spawn")
        self._workers: dict[int, tuple[SpawnProcess, Connection]] = {}
        self._hired = 0

    def hire(self, options: Options) -> int:
        """Start a process."""
        ours, theirs = self._spawn.Pipe()
        name = f"emoscope-worker-{self._hired}"
        process = self._spawn.Process(target=_work, args=(theirs, options), name=name, daemon=True)
        try:
            with _one_thread_each(), _interrupts_held_back():
                process.start()
        except OSError as error:
            raise WorkerError(
                f"No worker can be started ({error.strerror or error}).", "Use --workers 1."
            ) from error
        finally:
            theirs.close()
        number, self._hired = self._hired, self._hired + 1
        self._workers[number] = (process, ours)
        return number

    def give(self, worker: int, task: Task) -> None:
        """Send a task; one that died meanwhile is noticed when it is listened to."""
        with contextlib.suppress(OSError):
            self._workers[worker][1].send(task)

    def hear(self) -> list[tuple[int, News]]:
        """Wait for news: what was sent, or that the pipe is broken because its end is dead."""
        ready = wait([pipe for _, pipe in self._workers.values()])
        news: list[tuple[int, News]] = []
        for number, (process, pipe) in tuple(self._workers.items()):
            if pipe in ready:
                news.append((number, self._received(number, process, pipe)))
        return news

    def _received(self, number: int, process: SpawnProcess, pipe: Connection) -> News:
        try:
            received: News = pipe.recv()
        except (EOFError, OSError):
            del self._workers[number]
            _end(process, pipe)
            return Lost(_cause(process.exitcode))
        return received

    def close(self) -> None:
        """End every process at once; they write no files, so nothing is left half done."""
        for process, _ in self._workers.values():
            process.terminate()
        for process, pipe in self._workers.values():
            _end(process, pipe)
        self._workers.clear()


def _end(process: SpawnProcess, pipe: Connection) -> None:
    pipe.close()
    process.join(_PATIENCE)
    if process.is_alive():
        process.kill()
        process.join()


def _cause(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.strsignal(-code) or str(-code)
        memory = ", as when memory runs out" if code == _KILLED else ""
        return f"ended by signal {-code}, {name}{memory}" if memory else f"{name}, signal {-code}"
    return f"exit status {code}"


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """What is set when a process starts decides on how many threads its libraries make."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """A process starts with signals blocked that are blocked here.

    Ctrl+C, which reaches the whole group, would else end a worker with a traceback while Python
    starts in it. Here it arrives when this is over.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which lets signals through once it has started
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# In the worker.


def _work(pipe: Any, options: Options) -> None:
    """Load the models, then analyse what comes, until the pipe is closed."""
    # Ctrl+C reaches the whole group; the one who hands out work decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    from core.batch.analyst import Analyst

    logging.getLogger("core").addHandler(logging.NullHandler())
    lock = threading.Lock()

    def tell(news: News) -> None:
        with lock:  # progress comes from the threads of the session
            pipe.send(news)

    analyst = Analyst(options, alone=False)
    try:
        analyst.load()
    except EmoscopeError as error:
        tell(Refused(error))
        return
    tell(Ready())
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            tell(analyst.analyze(pipe.recv(), tell))


def _end_with_parent() -> None:
    """End when the parent does, however it ends: nobody would read the results."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch(sentinel: Any) -> None:
        wait([sentinel])
        sys.stderr.flush()
        os._exit(1)

    threading.Thread(target=watch, args=(parent.sentinel,), daemon=True).start()
