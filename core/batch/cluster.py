"""Workers that are actors of Ray, on this machine or on those of a cluster.

Ray is an optional extra, imported on use. Recordings are named by path, so every machine of the
cluster must see them under the same path (a shared folder), and have Emoscope installed with the
checkpoint that is used. Results come back to the one who asked, and are written there.
"""

from __future__ import annotations

import contextlib
import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.batch.engines import Engine, Workers
from core.batch.errors import WorkerError
from core.batch.foreman import Foreman, Lost, News, Ready, Refused
from core.batch.values import Analysed, Began, Options, Task, Told, WorkerEvent
from core.cores import cores
from core.errors import EmoscopeError

_ADDRESS = "RAY_ADDRESS"


def engine(workers: Workers) -> Engine:
    """Return the engine over a cluster, with a worker for each of its cores.

    Raises:
        WorkerError: Ray is not installed, or the cluster can't be reached.
    """
    ray = _import_ray()
    _connect(ray, workers)
    count = workers.count or int(ray.cluster_resources().get("CPU", 1))
    return Foreman(Actors(ray), max(1, count))


def _import_ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise WorkerError(
            "Ray is not installed.",
            "Install it with: pip install 'emoscope[cluster]'. For the cores of this machine "
            "--workers N does without.",
        ) from error
    return ray


def _connect(ray: Any, workers: Workers) -> None:
    """Reach the cluster of an address or, without any, start one on this machine."""
    address = workers.address or os.environ.get(_ADDRESS) or None
    local: dict[str, Any] = {"include_dashboard": False, "num_cpus": workers.count or cores()}
    # a machine that is its own cluster is reached by the one name that needs no network
    local["_node_ip_address"] = "127.0.0.1"
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # without it Ray warns of what it will do with GPUs in a later version
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        ray.init(
            address=address,
            logging_level=logging.ERROR,
            log_to_driver=False,
            **({} if address else local),
        )
    except (ConnectionError, OSError, RuntimeError, ValueError, ImportError) as error:
        raise WorkerError(
            f"The Ray cluster {address or 'of this machine'} can't be used ({error}).",
            "Check the address, and that the same versions of Ray and Python run there.",
        ) from error


class Actors:
    """A `Pool` of Ray actors, each with its own models and one core."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        self._actor = ray.remote(num_cpus=1, max_restarts=0)(RemoteAnalyst)
        self._actors: dict[int, Any] = {}
        self._expected: dict[Any, int] = {}
        self._given: list[tuple[int, News]] = []
        self._hired = 0

    def hire(self, options: Options) -> int:
        """Ask for an actor; it starts when a core is free."""
        number, self._hired = self._hired, self._hired + 1
        gpus = 1 if options.device == "cuda" else 0  # Ray hides the GPUs that nobody asks for
        actor = self._actor.options(num_gpus=gpus).remote(_from_anywhere(options))
        self._actors[number] = actor
        self._expected[actor.load.remote()] = number
        return number

    def give(self, worker: int, task: Task) -> None:
        """Send a task."""
        absolute = replace(task, path=task.path.absolute())
        self._expected[self._actors[worker].analyze.remote(absolute)] = worker
        self._given.append((worker, Began(task.number)))

    def hear(self) -> list[tuple[int, News]]:
        """Wait until one of the actors is done with what it does."""
        if self._given:
            given, self._given = self._given, []
            return given
        finished, _ = self._ray.wait(list(self._expected))
        heard = [(self._expected.pop(reference), reference) for reference in finished]
        return [(number, news) for number, ref in heard for news in self._received(number, ref)]

    def _received(self, number: int, reference: Any) -> tuple[News, ...]:
        try:
            news: tuple[News, ...] = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            del self._actors[number]
            return (Lost(str(error).splitlines()[0] if str(error) else type(error).__name__),)
        return news

    def close(self) -> None:
        """End every actor and leave the cluster."""
        for actor in self._actors.values():
            with contextlib.suppress(self._ray.exceptions.RayError):
                self._ray.kill(actor)
        self._actors.clear()
        self._ray.shutdown()


class RemoteAnalyst:
    """What an actor is: an `Analyst` that keeps what it would tell until it is done."""

    def __init__(self, options: Options) -> None:
        from core.batch.analyst import Analyst

        logging.getLogger("core").addHandler(logging.NullHandler())
        self._analyst = Analyst(options, alone=False)

    def load(self) -> tuple[News, ...]:
        """Load the models."""
        try:
            self._analyst.load()
        except EmoscopeError as error:
            return (Refused(error),)
        return (Ready(),)

    def analyze(self, task: Task) -> tuple[News, ...]:
        """Analyse a recording: what is to know about it, then the result."""
        if task.seconds is not None and not task.path.exists():
            return (Analysed(task.number, problem=_out_of_sight(task)),)
        told: list[WorkerEvent] = []
        analysed = self._analyst.analyze(task, told.append)
        return (*(event for event in told if isinstance(event, Told)), analysed)


def _from_anywhere(options: Options) -> Options:
    """Return options whose folders are found from any working directory."""
    return replace(
        options,
        model=_absolute(options.model),
        context=_absolute(options.context),
        whisper=_absolute(options.whisper),
        transcript=options.transcript.absolute() if options.transcript else None,
    )


def _absolute(name: str) -> str:
    """Return the whole path of what is there, and any other name as it is."""
    return str(Path(name).absolute()) if Path(name).exists() else name


def _out_of_sight(task: Task) -> str:
    import socket

    return (
        f"{task.path} is not there on {socket.gethostname()}. Put recordings where every machine "
        "of the cluster sees them under the same path."
    )
