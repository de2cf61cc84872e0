"""From the end of speech to the answer: ours beside the naive script, round by round.

A round measures every way once, in turns forwards and backwards, on clips nobody has heard before.
"Sooner" is a ratio of times by the clock within one round; processor time is given beside it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from core.bench.burner import burner
from core.bench.memory_watch import watched_memory
from core.bench.naive import NaiveModels, NaiveScript, load_models
from core.bench.ours import Clips, Ours, shift
from core.bench.report import Measurement, Part
from core.bench.subjects import Subjects
from core.bench.timing import Sample, interleave, milliseconds, ratios, sooner, summarise
from core.bench.whisper_model import TOKENS
from core.pipeline.protocols import Analyzer

SECONDS = 4.0
GROWTH_FROM, GROWTH_TO = 2.0, 16.0
EQUAL = 1e-5
"""Largest difference of a probability that counts as none."""
FUSED, FUSED_LOSSY, FUSED_LOSSY_LOADED = 1.8, 6.0, 8.0
SPEECH_ONLY, SPEECH_ONLY_LOSSY = 20.0, 30.0
GROWTH = 2 / 3

_NAIVE, _OURS, _LOSSY = "naive", "ours", "ours, lossy"
_SPEECH, _SPEECH_LOSSY = "ours, speech alone", "ours, speech alone, lossy"
Runs = Mapping[str, list[Sample]]


@dataclass(frozen=True, slots=True)
class Sides:
    """The naive script, and ours with equal outputs and with lossy modes; same Whisper."""

    naive: NaiveScript
    equal: Ours
    lossy: Ours

    def fused(self, clips: Clips, seconds: float = SECONDS) -> dict[str, Callable[[], object]]:
        """Return what is run in each round."""
        return {
            _NAIVE: lambda: self.naive.answer(clips.utterance(seconds).samples),
            _OURS: lambda: self.equal.fused(clips.utterance(seconds)),
            _LOSSY: lambda: self.lossy.fused(clips.utterance(seconds)),
        }

    def alone(self, clips: Clips) -> dict[str, Callable[[], object]]:
        """Return the answers by speech alone."""
        return {
            _SPEECH: lambda: self.equal.speech(clips.utterance(SECONDS)),
            _SPEECH_LOSSY: lambda: self.lossy.speech(clips.utterance(SECONDS)),
        }


def measure(subjects: Subjects, lossy: str, quick: bool) -> Part:
    """Measure answers with every Whisper, the largest one in detail.

    Args:
        lossy: the runtime mode of the lossy rows.
    """
    names = list(subjects.architectures.whispers)
    loaded = _Loaded(
        load_models(subjects.checkpoint), subjects.analyzer(), subjects.analyzer(lossy)
    )
    rounds = 2 if quick else 5
    parts: list[Part] = []
    with _sides(subjects, loaded, names[-1]) as sides:
        parts += [
            _runtimes(loaded),
            _equality(subjects, sides),
            _detailed(subjects, sides, names[-1], rounds),
            _memory(subjects, sides, names[-1]),
            _growth(subjects, sides, names[-1], 2),
        ]
    for name in names[-2::-1]:
        with _sides(subjects, loaded, name) as sides:
            runs = interleave(sides.fused(subjects.clips), 2 if quick else 3)
        parts.append(Part(_fused_rows(runs, f"Whisper {name}")))
    figures = {key: value for part in parts for key, value in part.figures.items()}
    return Part(
        tuple(m for part in parts for m in part.measurements),
        tuple(note for part in parts for note in part.notes),
        figures,
    )


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What is the same with every Whisper."""

    naive: NaiveModels
    equal: Analyzer
    lossy: Analyzer


@contextmanager
def _sides(subjects: Subjects, loaded: _Loaded, whisper: str) -> Iterator[Sides]:
    """Load every side with one Whisper."""
    naive = NaiveScript(loaded.naive, subjects.whisper(whisper), os.cpu_count() or 1)
    equal = Ours(loaded.equal, subjects.transcriber(whisper))
    inexact = Ours(loaded.lossy, subjects.transcriber(whisper, short=True))
    try:
        yield Sides(naive, equal, inexact)
    finally:
        equal.close()
        inexact.close()


def _runtimes(loaded: _Loaded) -> Part:
    """Say what computes the encoders of either of ours, and why: a fallback must not go unseen."""
    used = {
        way: [
            f"{r.modality} by {r.name}:{r.precision} ({r.reason}) {r.detail}".strip()
            for r in analyzer.model.runtimes
        ]
        for way, analyzer in ((_OURS, loaded.equal), (_LOSSY, loaded.lossy))
    }
    notes = tuple(f"{way}: {'; '.join(said) or 'torch alone'}." for way, said in used.items())
    return Part((), notes, {"runtimes": used})


def _detailed(subjects: Subjects, sides: Sides, whisper: str, rounds: int) -> Part:
    """Measure fused and speech-only answers, on the machine as it is and beside a busy process."""
    clips = subjects.clips
    idle = interleave({**sides.fused(clips), **sides.alone(clips)}, rounds)
    with burner() as other:
        other.burn()
        loaded = interleave(sides.fused(clips), max(2, rounds - 1), warm_up=0)
    name = f"Whisper {whisper}"
    rows = (
        *_fused_rows(idle, name, targets=(FUSED, FUSED_LOSSY)),
        *_fused_rows(loaded, f"{name}, a core busy", targets=(None, FUSED_LOSSY_LOADED)),
        *_alone_rows(idle),
    )
    figures = {
        "fused_ratio": _median(sooner(idle[_NAIVE], idle[_OURS])),
        "fused_ratio_lossy": _median(sooner(idle[_NAIVE], idle[_LOSSY])),
        "fused_ratio_loaded": _median(sooner(loaded[_NAIVE], loaded[_OURS])),
        "fused_ratio_lossy_loaded": _median(sooner(loaded[_NAIVE], loaded[_LOSSY])),
        "speech_only_ratio": _median(sooner(idle[_NAIVE], idle[_SPEECH])),
        "speech_only_ratio_lossy": _median(sooner(idle[_NAIVE], idle[_SPEECH_LOSSY])),
    }
    note = (
        f"An answer: {SECONDS:.0f} s of speech, {TOKENS} tokens of text on either side, which the"
        " random Whisper's positions make it write; naive: see core/bench/naive.py."
    )
    return Part(rows, (note,), figures)


def _fused_rows(
    runs: Runs, name: str, targets: tuple[float | None, float | None] = (None, None)
) -> tuple[Measurement, ...]:
    """Return ratios and times of one set of rounds."""
    naive = runs[_NAIVE]
    rows = [
        summarise(
            f"{name}: fused, {way}: sooner than naive",
            sooner(naive, runs[way]),
            "x",
            target=target,
            at_least=True,
            note=f"{_median(ratios(naive, runs[way])):.2f} times less processor time;"
            f" {len(naive)} rounds",
        )
        for way, target in zip((_OURS, _LOSSY), targets, strict=True)
    ]
    ways = (_NAIVE, _OURS, _LOSSY)
    rows += [summarise(f"{name}: fused, {w}", milliseconds(runs[w]), "ms") for w in ways]
    return tuple(rows)


def _alone_rows(runs: Runs) -> tuple[Measurement, ...]:
    rows = []
    for way, target in ((_SPEECH, SPEECH_ONLY), (_SPEECH_LOSSY, SPEECH_ONLY_LOSSY)):
        rows += [
            summarise(
                f"{way}: sooner than the naive answer",
                sooner(runs[_NAIVE], runs[way]),
                "x",
                target=target,
                at_least=True,
                note="the naive script has one answer",
            ),
            summarise(way, milliseconds(runs[way]), "ms"),
        ]
    return tuple(rows)


def _growth(subjects: Subjects, sides: Sides, whisper: str, rounds: int) -> Part:
    """Compare what 14 s more of speech add to an answer, in seconds and as a factor.

    The target is for what is added, which is the reading that flatters us least: the naive script
    fills up to 10 s of sound, and to 30 s for Whisper, so it adds less than it would unpadded.
    """
    actions = {
        f"{way} {seconds}": action
        for seconds in (GROWTH_FROM, GROWTH_TO)
        for way, action in sides.fused(subjects.clips, seconds).items()
    }
    runs = interleave(actions, rounds, warm_up=0)
    added = {way: _added(runs, way) for way in (_NAIVE, _OURS, _LOSSY)}
    span = f"Whisper {whisper}: added from {GROWTH_FROM:.0f} s to {GROWTH_TO:.0f} s"
    times = [summarise(f"{span}, {way}", [1000 * s for s in a], "ms") for way, a in added.items()]
    times += [_factor(runs, way, whisper) for way in added]
    naive = _median(added[_NAIVE])
    if naive <= 0:  # of a tiny model: nothing to compare with
        return Part(tuple(times))
    rows = [
        summarise(f"{span}, {way} / naive", [s / naive for s in added[way]], "x", target=GROWTH)
        for way in (_OURS, _LOSSY)
    ]
    figures = {"growth_ratio": rows[0].value, "growth_ratio_lossy": rows[1].value}
    return Part((*rows, *times), (), figures)


def _factor(runs: Runs, way: str, whisper: str) -> Measurement:
    """Return how many times as long the long answer takes."""
    long, short = runs[f"{way} {GROWTH_TO}"], runs[f"{way} {GROWTH_FROM}"]
    title = f"Whisper {whisper}: an answer at {GROWTH_TO:.0f} s / at {GROWTH_FROM:.0f} s, {way}"
    return summarise(title, sooner(long, short), "x")


def _added(runs: Runs, way: str) -> list[float]:
    """Return the seconds by which the long answer of each round took longer."""
    pairs = zip(runs[f"{way} {GROWTH_FROM}"], runs[f"{way} {GROWTH_TO}"], strict=True)
    return [long.wall - short.wall for short, long in pairs]


def _equality(subjects: Subjects, sides: Sides) -> Part:
    """Compare probabilities with those of plain torch, for the same clip and text."""
    plain = Ours(subjects.analyzer("torch"))
    utterance = subjects.clips.utterance(SECONDS)
    _, transcript = sides.equal.fused(utterance)
    rows = []
    for way, side, target in ((_OURS, sides.equal, EQUAL), (_LOSSY, sides.lossy, None)):
        for what, text in (("fused", transcript), ("speech alone", None)):
            found, reference = side.judge(utterance, text), plain.judge(utterance, text)
            name = f"{way}, {what}: largest difference of a probability from plain torch"
            same = "same label" if found.label == reference.label else "another label"
            rows.append(Measurement(name, shift(found, reference), "", target, note=same))
    plain.close()
    return Part(tuple(rows))


def _memory(subjects: Subjects, sides: Sides, whisper: str) -> Part:
    """Measure how much more memory an answer takes while it is computed."""
    rows = []
    for way, action in sides.fused(subjects.clips).items():
        with watched_memory() as watch:  # everything has run before
            action()
        name = f"Whisper {whisper}: memory on top, at most, during an answer, {way}"
        rows.append(Measurement(name, watch.growth, "MB"))
    return Part(tuple(rows))


def _median(values: list[float]) -> float:
    return summarise("", values, "").value
