"""How long it takes to learn from what a person said about 50 of their turns, and to switch to it.

By the embedded checkpoint and the code that the window runs, in a process of its own that may use
two cores. The turns are stretches of the bundled dialogue with its text. What the person says of
them is made up so that there is something to learn: they confirm what the model said, but for its
commonest label, which they call by another name throughout.
"""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import numpy as np

from core.bench.material import continuous_speech
from core.bench.memory import resident_megabytes
from core.bench.memory_watch import watched_memory
from core.bench.report import Measurement
from core.bench.subject import make_analyzer
from core.bench.timing import interleave, measure_once, milliseconds, summarise
from core.personal.adapting import adapt
from core.personal.corrections import CorrectionStore
from core.personal.types import AdaptationReport, PersonalAdapterInfo
from core.pipeline.analyzer import ModelAnalyzer
from core.resources import embedded_checkpoint
from core.types import SAMPLE_RATE, Transcript, Utterance
from training.bench.encoders import utterance_seconds

TURNS, QUICK_TURNS = 50, 12
SECONDS = 60.0
Clip: TypeAlias = tuple[Utterance, Transcript]

_PERSON = "somebody"
_WORDS_A_SECOND = 2.5
_SWITCHES = 100


@dataclass(frozen=True, slots=True)
class Adaptation:
    """One run: what came of it, seconds by the clock and of processor time, MB of memory."""

    report: AdaptationReport
    wall: float
    processor: float
    peak: float
    added: float


def measured(quick: bool) -> Iterator[Measurement]:
    """Adapt once, in a process of its own, and switch the adapter on and off."""
    turns = QUICK_TURNS if quick else TURNS
    with TemporaryDirectory(prefix="emoscope-bench-") as name:
        store = CorrectionStore(Path(name))
        fill(store, turns)
        ran = _in_own_process(Path(name))
        yield Measurement(
            f"learning from {turns} turns, embedded model",
            ran.wall,
            "s",
            target=None if quick else SECONDS,
            note=f"{ran.processor:.1f} s of processor time, loading the model and cross-validation"
            f" included; {ran.report.corrections} used, {ran.report.reason}",
        )
        yield Measurement(
            "the same, peak memory", ran.peak, "MB", note=f"{ran.added:.0f} MB of it added by it"
        )
        if ran.report.adapter is not None:
            yield from _switched(ran.report.adapter)


def fill(store: CorrectionStore, turns: int) -> None:
    """Keep so many turns, as if somebody had gone through a recording."""
    analyzer = make_analyzer()
    analyzer.warm_up()
    clips = clips_of(turns)
    said = [label_by(analyzer, clip) for clip in clips]
    meant = meant_by(said, analyzer.model.labels)
    for (heard, text), label, answer in zip(clips, meant, said, strict=True):
        store.add(
            heard.samples, person=_PERSON, label=label, said=answer, text=text.text,
            language=text.language, source="bench", digest=analyzer.model.digest,
            start=heard.start / SAMPLE_RATE, end=heard.end / SAMPLE_RATE,
        )  # fmt: skip


def clips_of(turns: int) -> list[Clip]:
    """Return turns of 1 to 10 s, 4 s on average, with text at a usual pace; no two are alike."""
    lengths = utterance_seconds(turns)
    speech = continuous_speech(sum(lengths))
    words = np.array(speech.text.split())
    clips, start = [], 0
    for number, seconds in enumerate(lengths):
        end = start + round(seconds * SAMPLE_RATE)
        said = " ".join(np.roll(words, -number)[: max(1, round(_WORDS_A_SECOND * seconds))])
        heard = Utterance(number, start, end, speech.samples[start:end], _PERSON, 0, True)
        clips.append((heard, Transcript(said, language=speech.language)))
        start = end
    return clips


def label_by(analyzer: ModelAnalyzer, clip: Clip) -> str:
    """Return the label that is most probable."""
    result = analyzer.final(*clip)
    assert result is not None
    return result.labels[int(np.argmax(result.probabilities))]


def meant_by(said: Sequence[str], labels: Sequence[str]) -> list[str]:
    """Return what the person calls the turns: see the module."""
    commonest = Counter(said).most_common(1)[0][0]
    other = next(label for label in labels if label != commonest)
    return [other if label == commonest else label for label in said]


def _in_own_process(folder: Path) -> Adaptation:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(run, folder).result()


def run(folder: Path) -> Adaptation:
    """Adapt in this process, with as many threads as the window does."""
    before = resident_megabytes()
    with watched_memory() as watch:
        reports: list[AdaptationReport] = []
        sample = measure_once(
            lambda: reports.append(adapt(CorrectionStore(folder), _PERSON, embedded_checkpoint()))
        )
    return Adaptation(
        reports[0], sample.wall, sample.processor, before + watch.growth, watch.growth
    )


def _switched(adapter: PersonalAdapterInfo) -> Iterator[Measurement]:
    """Time switching on, files read and verified, and off."""
    analyzer = make_analyzer()
    analyzer.warm_up()
    actions = {
        "on": lambda: analyzer.use_personal(adapter),
        "off": lambda: analyzer.use_personal(None),
    }
    for way, samples in interleave(actions, _SWITCHES, warm_up=0).items():
        took = milliseconds(samples)
        note = f"{max(took):.1f} ms at most of {_SWITCHES}"
        yield summarise(f"a personal adapter switched {way}", took, "ms", note=note)
