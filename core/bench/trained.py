"""Quality, where there are trained weights: what lossy modes change in answers and in words.

On labelled recordings if some are given, else on the bundled sample, which has texts and no labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.bench.options import Options
from core.bench.report import Measurement, Part
from core.pipeline.analyzer import ModelAnalyzer, load_analyzer
from core.resources import embedded_checkpoint, sample_dialogue

if TYPE_CHECKING:
    from core.asr.whisper import WhisperTranscriber
    from core.quality.comparison import Clip, Comparison

EXACT = "torch"
MOST, QUICK_MOST = 300, 12
"""Clips."""
WHISPERS = ("tiny", "base", "small")
_WINDOWS = ("full", "speech")


def measure(options: Options) -> list[Part]:
    """Compare every lossy mode with the exact one, by the checkpoint given or the one that ships.

    Raises:
        EmoscopeError: the checkpoint, or the data, can't be read.
    """
    from core.quality.material import annotated, find_material

    material = find_material(
        options.data or sample_dialogue(), most=QUICK_MOST if options.quick else MOST
    )
    folder = options.checkpoint or embedded_checkpoint()
    said = f"Quality: {folder.name} on {len(material.clips)} clips ({material.description})."
    encoders = _encoders(folder, material.clips)
    return [Part((), (said,)), encoders, *_words(annotated(material.clips))]


def _encoders(folder: Path, clips: Sequence[Clip]) -> Part:
    """Compare answers; a model without pretrained encoders has no lossy mode."""
    exact = _loaded(folder, EXACT)
    if not exact.model.runtimes:
        return Part((), (f"{exact.model.name} has no pretrained encoder, so no lossy mode.",))
    rows: list[Measurement] = []
    for mode in _lossy_modes():
        analyzer = _loaded(folder, mode)
        if all(mode == f"{r.name}:{r.precision}" for r in analyzer.model.runtimes):
            rows += _rows(mode, _compared(exact, analyzer, clips))
    return Part(tuple(rows))


def _lossy_modes() -> list[str]:
    from core.models.runtimes.base import available

    return [str(mode) for mode in available() if mode.lossy]


def _loaded(folder: Path, runtime: str) -> ModelAnalyzer:
    analyzer = load_analyzer(folder, device="cpu", runtime=runtime)
    analyzer.warm_up()
    return analyzer


def _compared(exact: ModelAnalyzer, lossy: ModelAnalyzer, clips: Sequence[Clip]) -> Comparison:
    from core.quality.comparison import compare

    return compare(
        exact,
        lossy,
        [clip.utterance for clip in clips],
        [clip.labels for clip in clips],
        [clip.transcript for clip in clips],
    )


def _rows(mode: str, found: Comparison) -> Iterator[Measurement]:
    yield Measurement(
        f"{mode}: largest shift of a probability",
        found.largest_shift,
        "",
        note=f"{found.same} of {found.clips} answers the same",
    )
    if found.f1 is not None:
        low, high = found.f1.lowest_loss, found.f1.highest_loss
        yield Measurement(
            f"{mode}: F1, exact less lossy",
            found.f1.loss,
            "",
            low=low,
            high=high,
            note=f"{found.f1.exact:.3f} and {found.f1.lossy:.3f}; interval: 95 %, each end",
        )


def _words(clips: Sequence[Clip]) -> list[Part]:
    """Compare word error rates of whole and shortened windows, for every Whisper installed."""
    parts = [_word_part(name, folder, clips) for name, folder in _installed() if clips]
    return parts or [Part((), ("No trained Whisper, or no text to hold it to: no word errors.",))]


def _installed() -> list[tuple[str, Path]]:
    from core.asr.catalog import find_model

    found = ((name, find_model(name)) for name in WHISPERS)
    return [(name, folder) for name, folder in found if folder is not None]


def _word_part(name: str, folder: Path, clips: Sequence[Clip]) -> Part:
    from core.quality.error_rates import word_error_rate

    said = [clip.transcript.text for clip in clips if clip.transcript is not None]
    rows = []
    for window in _WINDOWS:
        transcriber = _transcriber(name, folder, window)
        heard = [transcriber.final(clip.utterance).text for clip in clips]
        title = f"Whisper {name}, window {window}: word error rate"
        rows.append(Measurement(title, 100 * word_error_rate(said, heard), "%"))
    return Part(tuple(rows))


def _transcriber(name: str, folder: Path, window: str) -> WhisperTranscriber:
    from core.asr.whisper import WhisperSettings, WhisperTranscriber

    settings = WhisperSettings(model=name, quick_finals=True, encoder_window=window)
    return WhisperTranscriber(settings, folder=folder)
