"""Topic `encoders`: every runtime and precision beside eager torch, one thread each.

Encoders of the published sizes with random weights; every mode is run once a round.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from core.bench import gpu, trained
from core.bench.architectures import REAL, Architectures
from core.bench.encoder_modes import Fitted, Task, fit_modes, speech_task, text_task
from core.bench.options import Options
from core.bench.peak import QUICK_SIZE, SIZE, peaks
from core.bench.report import Measurement, Part, Report, joined
from core.bench.subject import one_thread
from core.bench.timing import Sample, interleave, milliseconds, quartiles, sooner, summarise

BASE_SECONDS, LARGE_SECONDS, TEXT_TOKENS = 4.0, 2.0, 32
EQUAL, NO_DEPENDENCY, LOSSY = "equal outputs", "equal, no new dependency", "lossy"
TARGETS: Mapping[str, Mapping[str, float]] = {
    "speech": {EQUAL: 1.8, NO_DEPENDENCY: 1.6, LOSSY: 3.5},
    "text": {EQUAL: 2.4, NO_DEPENDENCY: 2.0, LOSSY: 5.0},
    "large": {},
}
"""By kind of encoder, of the best mode of each kind: times as fast as eager torch."""
_OWN = ("torch", "packed")
"""Runtimes that need nothing but torch."""
_EAGER = "eager"


def measure(options: Options, architectures: Architectures = REAL) -> Report:
    """Measure every encoder in every mode; exports are made anew."""
    rounds = 2 if options.quick else 9
    with tempfile.TemporaryDirectory(prefix="emoscope-exports-") as name, one_thread():
        highest = peaks(QUICK_SIZE if options.quick else SIZE)
        parts = [_peak_part(highest)]
        parts += measure_encoders(architectures, Path(name), highest, rounds)
    parts += gpu.measure(architectures, options.quick)
    return joined("encoders", [gathered(parts), *trained.measure(options)])


def measure_encoders(
    architectures: Architectures, folder: Path, highest: Mapping[str, float], rounds: int
) -> list[Part]:
    """Measure the three encoders; `encoder_ratio` of each part is by encoder and mode.

    Args:
        folder: of exports; what is there is not made again.
        highest: operations a second by precision.
    """
    parts = []
    for kind in TARGETS:
        task = _task(kind, architectures)
        fitted, problems = fit_modes(task, folder)
        part = _measured(
            kind, task, fitted, highest, max(2, rounds // 2 if kind == "large" else rounds)
        )
        parts.append(Part(part.measurements, problems, part.figures))
    return parts


def _task(kind: str, architectures: Architectures) -> Task:
    if kind == "text":
        return text_task(architectures.text, TEXT_TOKENS)
    if kind == "large":
        return speech_task(architectures.large, LARGE_SECONDS)
    return speech_task(architectures.speech, BASE_SECONDS)


def _measured(
    kind: str, task: Task, fitted: Sequence[Fitted], highest: Mapping[str, float], rounds: int
) -> Part:
    """Time eager torch and every mode in turns."""
    import torch

    given = task.inputs[0]
    actions = {_EAGER: partial(task.eager, given)}
    actions |= {str(f.mode): partial(f.compute, given) for f in fitted}
    with torch.inference_mode():
        runs = interleave(actions, rounds)
    ratio = {str(f.mode): sooner(runs[_EAGER], runs[str(f.mode)]) for f in fitted}
    eager = summarise(f"{task.name}: eager torch", milliseconds(runs[_EAGER]), "ms",
                      note=_share(task, runs[_EAGER], "fp32", highest))  # fmt: skip
    rows = [
        summarise(
            f"{task.name}: {f.mode}", ratio[str(f.mode)], "x",
            note=_described(task, f, runs[str(f.mode)], highest),
        )
        for f in fitted
    ]  # fmt: skip
    medians = {mode: round(quartiles(values)[1], 3) for mode, values in ratio.items()}
    best = _best(kind, task, fitted, ratio)
    return Part((eager, *rows, *best), (), {"encoder_ratio": {task.name: medians}})


def _described(
    task: Task, fitted: Fitted, runs: Sequence[Sample], highest: Mapping[str, float]
) -> str:
    """Return how far off, how large, how long to make and how near to the peak a mode is."""
    classes = "same classes" if fitted.same else "other classes"
    return (
        f"{quartiles(milliseconds(runs))[1]:.0f} ms, error {fitted.error:.0e}, {classes}, "
        f"{fitted.megabytes:+.0f} MB, made in {fitted.seconds:.1f} s, "
        f"{_share(task, runs, str(fitted.mode.precision), highest)}"
    )


def _share(task: Task, runs: Sequence[Sample], precision: str, highest: Mapping[str, float]) -> str:
    rate = task.operations / quartiles([run.wall for run in runs])[1]
    if precision not in highest:
        return f"{rate / 1e9:.0f} Gop/s"
    return f"{rate / highest[precision]:.0%} of the {precision} peak"


def _best(
    kind: str, task: Task, fitted: Sequence[Fitted], ratio: Mapping[str, list[float]]
) -> list[Measurement]:
    """Return the best mode of each kind beside its target."""
    groups = {
        EQUAL: [f for f in fitted if not f.mode.lossy],
        NO_DEPENDENCY: [f for f in fitted if not f.mode.lossy and f.mode.runtime in _OWN],
        LOSSY: [f for f in fitted if f.mode.lossy],
    }
    rows = []
    for name, members in groups.items():
        if not members:
            continue
        modes = [str(f.mode) for f in members]
        chosen = max(modes, key=lambda mode: quartiles(ratio[mode])[1])
        title, target = f"{task.name}: best, {name}", TARGETS[kind].get(name)
        rows.append(summarise(title, ratio[chosen], "x", target=target, at_least=True, note=chosen))
    return rows


def fastest_lossy(part: Part, name: str) -> str:
    """Return the lossy mode with the highest ratio of an encoder; "auto" without one."""
    ratio = part.figures["encoder_ratio"][name]
    lossy = {mode: value for mode, value in ratio.items() if not mode.endswith(":fp32")}
    return max(lossy, key=lambda mode: lossy[mode]) if lossy else "auto"


def _peak_part(highest: Mapping[str, float]) -> Part:
    rows = [
        Measurement(f"peak of one thread, {precision}", rate / 1e9, "Gop/s",
                    note="one product of matrices")
        for precision, rate in highest.items()
    ]  # fmt: skip
    return Part(tuple(rows), (), {"peak_gops": {p: round(r / 1e9, 1) for p, r in highest.items()}})


def gathered(parts: Sequence[Part]) -> Part:
    """Return the parts as one, with the ratios of all encoders under one name."""
    ratios = {
        name: value for p in parts for name, value in p.figures.get("encoder_ratio", {}).items()
    }
    figures = {key: value for part in parts for key, value in part.figures.items()}
    return Part(
        tuple(m for part in parts for m in part.measurements),
        tuple(note for part in parts for note in part.notes),
        {**figures, "encoder_ratio": ratios},
    )
