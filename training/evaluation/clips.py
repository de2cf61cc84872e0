"""The clips of `speech/manifest.csv`, and the audio and measures behind them."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.audio.io import AudioDecoder
from core.errors import CorpusError
from core.models.functionals import functional_names
from core.models.processor import Processor, SpeechMeasures
from core.types import SAMPLE_RATE, FloatArray
from training.evaluation.class_names import class_of

_NEEDED = ("path", "corpus", "speaker", "emotion")


@dataclass(frozen=True, slots=True)
class Clip:
    """One row of the manifest; `name` is its path there, `label` its class or None."""

    name: str
    path: Path
    corpus: str
    subset: str
    speaker: str
    language: str
    emotion: str
    label: str | None
    text: str


def read_clips(data: Path) -> list[Clip]:
    """Return the clips of `data/speech/manifest.csv`; none when there is no such file.

    Columns `subset`, `language` and `text` may be missing.

    Raises:
        CorpusError: the file can't be read or lacks a column.
    """
    path = data / "speech" / "manifest.csv"
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if missing := [n for n in _NEEDED if n not in (reader.fieldnames or ())]:
                raise CorpusError(f"{path} lacks the columns {', '.join(missing)}.")
            return [_clip(row, path.parent) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path} can't be read ({error}).") from error


def _clip(row: Mapping[str, str | None], folder: Path) -> Clip:
    values = {name: (value or "").strip() for name, value in row.items() if name is not None}
    return Clip(
        name=values["path"],
        path=folder / values["path"],
        corpus=values["corpus"],
        subset=values.get("subset", ""),
        speaker=values["speaker"],
        language=values.get("language", ""),
        emotion=values["emotion"],
        label=class_of(values["emotion"]),
        text=values.get("text", ""),
    )


def read_samples(path: Path) -> FloatArray:
    """Return a recording as mono (n,) at 16 kHz. Raises MediaError, naming the file."""
    return np.concatenate(list(AudioDecoder(path)), axis=1)[0]


class Measurer:
    """Measures clips, and keeps the measures in a folder if one is given."""

    def __init__(self, processor: Processor, cache: Path | None = None) -> None:
        self._processor = processor
        self._cache = cache
        names = functional_names(processor.config.speech.mel_bands)
        settings = repr((processor.config.speech, names))
        self._settings = hashlib.sha256(settings.encode()).hexdigest()[:12]
        self.seconds = 0.0
        """How much audio was measured or read back so far."""

    def __call__(self, clip: Clip) -> SpeechMeasures:
        """Return the un-normalised measures of a clip. Raises MediaError."""
        if self._cache is None:
            return self._counted(self._measure(clip))
        kept = self._cache / f"{self._key(clip)}.npz"
        if not kept.is_file():
            kept.parent.mkdir(parents=True, exist_ok=True)
            measures = self._measure(clip)
            np.savez(kept, frames=measures.frames, functionals=measures.functionals)
            return self._counted(measures)
        with np.load(kept, allow_pickle=False) as stored:
            return self._counted(SpeechMeasures(stored["frames"], stored["functionals"]))

    def _measure(self, clip: Clip) -> SpeechMeasures:
        return self._processor.measure(read_samples(clip.path))

    def _counted(self, measures: SpeechMeasures) -> SpeechMeasures:
        hop = self._processor.config.speech.hop
        self.seconds += len(measures.frames) * hop / SAMPLE_RATE
        return measures

    def _key(self, clip: Clip) -> str:
        try:
            state = clip.path.stat()
        except OSError:
            return "missing"
        about = f"{clip.path.resolve()} {state.st_size} {state.st_mtime_ns} {self._settings}"
        return hashlib.sha256(about.encode()).hexdigest()[:32]
