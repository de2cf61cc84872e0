"""Topic `model`: what the embedded model costs on one core.

The baseline of every ratio is measured in the same interleaved rounds: judging the whole utterance
again, as a program without incremental features would at each update.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from core.audio.sources import ArraySource
from core.bench.material import (
    ReadingTranscriber,
    Speech,
    continuous_speech,
    transcript,
    utterance,
)
from core.bench.report import Measurement, Report
from core.bench.subject import make_analyzer, one_thread
from core.bench.timing import Sample, interleave, measure_once, ratios, summarise
from core.pipeline.events import Event, SessionState
from core.pipeline.protocols import Analyzer
from core.pipeline.session import Session
from core.pipeline.settings import SessionSettings

FINAL_SECONDS = 4.0
DURATION_SHARE = 1 / 25
UPDATE_SHARE = 35.0
LENGTH_RATIO = 1.2
UPDATE_INTERVAL = 0.25
SHORT, LONG = 4.0, 16.0
NEAR = 1.0
"""Updates within so many seconds of `SHORT` and `LONG` are compared."""


def measure(quick: bool) -> Report:
    """Measure final results, live updates, and how an update's cost depends on length."""
    speech = continuous_speech(LONG + NEAR)
    with one_thread():
        analyzer = make_analyzer()
        analyzer.warm_up()
        finals = _finals(analyzer, speech, rounds=5 if quick else 25)
        updates = _updates(analyzer, speech, rounds=2 if quick else 8)
        share = _live_share(10.0 if quick else 30.0)
    note = f"{analyzer.model.name} {analyzer.model.version}, one thread, processor time."
    return Report("model", (*finals, *share, *updates), (note,))


def _finals(analyzer: Analyzer, speech: Speech, rounds: int) -> tuple[Measurement, ...]:
    """Judge 4 s of speech with and without text, as a new utterance each time."""
    text = transcript(speech, FINAL_SECONDS, is_final=True)
    index = iter(range(1_000, 1_000_000))

    def final(with_text: bool) -> Callable[[], object]:
        return lambda: analyzer.final(
            utterance(speech, FINAL_SECONDS, index=next(index), is_final=True),
            text if with_text else None,
        )

    runs = interleave({"fused": final(True), "speech": final(False)}, rounds, warm_up=2)
    return (
        _share_of_duration("4 s encoded and fused / its duration", runs["fused"]),
        _share_of_duration("4 s of speech alone / its duration", runs["speech"]),
    )


def _share_of_duration(name: str, runs: list[Sample]) -> Measurement:
    shares = [run.processor / FINAL_SECONDS for run in runs]
    return summarise(name, shares, "", target=DURATION_SHARE, note=f"{len(runs)} runs")


def _updates(analyzer: Analyzer, speech: Speech, rounds: int) -> tuple[Measurement, ...]:
    """Grow utterances to 16 s by updates at 4 Hz; compare updates around 4 s and 16 s."""
    short: list[Sample] = []
    long: list[Sample] = []
    whole: list[Sample] = []
    for number in range(rounds + 1):
        times = _grow(analyzer, speech, index=10 + number)
        if number:  # the first round warms up
            short += [run for at, run in times if abs(at - SHORT) <= NEAR]
            long += [run for at, run in times if abs(at - LONG) <= NEAR]
            whole += [measure_once(_from_nothing(analyzer, speech, number)) for _ in range(9)]
    pairs = min(len(short), len(long))
    compared = ratios(long[:pairs], short[:pairs])
    saved = ratios(whole[:pairs], long[:pairs])
    milliseconds = [1000 * run.processor for run in long]
    return (
        summarise("cost of an update at 16 s / at 4 s", compared, "", target=LENGTH_RATIO),
        summarise("an update at 16 s", milliseconds, "ms"),
        summarise("judging 16 s again / an update at 16 s", saved, "", note="the baseline"),
    )


def _grow(analyzer: Analyzer, speech: Speech, index: int) -> list[tuple[float, Sample]]:
    times = []
    for step in range(1, round((LONG + NEAR) / UPDATE_INTERVAL) + 1):
        at = step * UPDATE_INTERVAL
        growing = utterance(speech, at, index=index, revision=step)
        text = transcript(speech, at)
        times.append((at, measure_once(partial(analyzer.partial, growing, text))))
    return times


def _from_nothing(analyzer: Analyzer, speech: Speech, number: int) -> Callable[[], object]:
    text = transcript(speech, LONG, is_final=True)
    index = 100_000 + 1_000 * number + time.monotonic_ns() % 1_000
    return lambda: analyzer.final(utterance(speech, LONG, index=index, is_final=True), text)


def _live_share(seconds: float) -> tuple[Measurement, ...]:
    """Run a live session in real time on speech without pauses; return its processor share."""
    speech = continuous_speech(seconds)
    settings = SessionSettings(live=True)
    source = ArraySource(speech.samples, realtime=True)
    updates: list[float] = []

    def listen(event: Event) -> None:
        if type(event).__name__ == "TurnUpdated":
            updates.append(time.monotonic())

    session = Session(source, settings, make_analyzer, ReadingTranscriber(speech), listen)
    session.start()
    while session.state is SessionState.LOADING:
        time.sleep(0.01)
    updates.clear()
    wall, processor = time.monotonic(), time.process_time()
    session.join()
    if session.error is not None:
        raise session.error
    elapsed = time.monotonic() - wall
    share = 100 * (time.process_time() - processor) / elapsed
    note = f"{elapsed:.0f} s of speech without a pause, through a live session with known text"
    return (
        Measurement("live updates: share of one core", share, "%", UPDATE_SHARE, note=note),
        Measurement("updates a second", len(updates) / elapsed, "/s", note="speech and text each"),
    )
