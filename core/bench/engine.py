"""What topic `live` measures without a window: encoders, answers, waits, and the cost of updates.

Models with random weights, in the sizes of the published ones; see `whisper_model` for how they
come to write 20 tokens.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from functools import partial

from core.bench import answers, live_cost, waits
from core.bench.architectures import REAL, Architectures
from core.bench.encoders import fastest_lossy, gathered, measure_encoders
from core.bench.options import Options
from core.bench.peak import QUICK_SIZE, SIZE, peaks
from core.bench.report import Part
from core.bench.retelling import Retelling
from core.bench.subject import make_analyzer, one_thread
from core.bench.subjects import Subjects
from core.errors import EmoscopeError

_WITH_TARGET = ("", "tiny")
"""Whispers with which the wait has a target; others are reported."""


def measure(options: Options, architectures: Architectures = REAL) -> list[Part]:
    """Measure one part after the other; each lets go of its models."""
    subjects = Subjects(architectures, options.made)
    encoders = _encoders(subjects, options.quick)
    lossy = fastest_lossy(encoders, architectures.speech.name)
    name = architectures.speech.name
    steps: tuple[Callable[[], Part], ...] = (
        lambda: answers.measure(subjects, lossy, options.quick),
        lambda: live_cost.measure(subjects.analyzer(), subjects.clips, name, options.quick),
        lambda: waits.measure(setups(subjects, lossy), _lengths(options.quick)),
    )
    parts = [encoders]
    for step in steps:
        began = time.monotonic()
        try:
            parts.append(step())
        except EmoscopeError as error:  # the other steps tell what they can
            parts.append(Part((), (f"Not measured: {error}",)))
        parts.append(Part((), (f"({time.monotonic() - began:.0f} s)",)))
        gc.collect()
    said = f"Lossy: encoders by {lossy}, Whisper hears the speech and a margin. Never the default."
    return [*parts, Part((), (said,))]


def _encoders(subjects: Subjects, quick: bool) -> Part:
    """Measure what computes each encoder here; exports are kept for the next time."""
    with one_thread():
        highest = peaks(QUICK_SIZE if quick else SIZE)
        folder = subjects.root / "exports"
        rounds = 2 if quick else 7
        return gathered(measure_encoders(subjects.architectures, folder, highest, rounds))


def setups(subjects: Subjects, lossy: str) -> list[waits.Setup]:
    """Return the configurations whose wait is measured."""
    speech = subjects.architectures.speech.name
    found = [
        waits.Setup("embedded model", make_analyzer),
        waits.Setup(speech, subjects.analyzer),
        waits.Setup(f"{speech}, lossy", lambda: subjects.analyzer(lossy)),
    ]
    for name in subjects.architectures.whispers:
        writing = partial(_retelling, subjects, name)
        wanted = name in _WITH_TARGET
        if wanted:
            found += [
                waits.Setup(f"embedded model, Whisper {name}", make_analyzer, writing),
                waits.Setup(
                    f"{speech}, Whisper {name}, lossy",
                    lambda: subjects.analyzer(lossy),
                    partial(_retelling, subjects, name, short=True),
                ),
            ]
        found.append(waits.Setup(f"{speech}, Whisper {name}", subjects.analyzer, writing, wanted))
    return found


def _retelling(subjects: Subjects, name: str, *, short: bool = False) -> Retelling:
    return Retelling(subjects.transcriber(name, short=short))


def _lengths(quick: bool) -> tuple[float, ...]:
    return waits.QUICK_LENGTHS if quick else waits.LENGTHS
