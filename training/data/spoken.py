"""Clips of the speech corpora for the fusion stage: measured once, encoded in several ways."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import ConfigError
from core.labels import EMOTIONS
from core.models.baseline import SpeakerBaseline
from core.models.encoders.speech import SpeechEncoder
from core.models.processor import Processor, SpeechMeasures
from training.data.encoded_bank import EncodedBank, encode_speech
from training.evaluation.clips import Clip, Measurer, read_clips
from training.stages import StageContext

SPLIT = "split.json"
_PARTS = ("train", "calibration", "held_out")
PARTIAL = (2, 12)
"""How many clips of a speaker a partial baseline has heard, at least and at most."""
_QUICK_CLIPS = 12


@dataclass(frozen=True)
class Spoken:
    """Encoded clips of some speakers; banks: raw, partly personal, and personal normalisation."""

    banks: tuple[EncodedBank, ...]
    labels: list[int]
    languages: list[str]
    corpora: list[str]


@dataclass(frozen=True)
class ClipSet:
    """Measured clips of whole speakers."""

    clips: tuple[Clip, ...]
    measures: tuple[SpeechMeasures, ...]

    def encode(self, encoder: SpeechEncoder, processor: Processor, seed: int) -> Spoken:
        """Encode every clip raw, with a partial and with a whole personal baseline."""
        generator = np.random.default_rng(seed)
        own = self._by_speaker()
        whole = {name: self._baseline(processor, rows) for name, rows in own.items()}
        names = [speaker_name(clip) for clip in self.clips]
        partial = [self._partial(processor, own[name], generator) for name in names]
        ways: list[list[SpeakerBaseline | None]] = [
            [None] * len(names),
            list(partial),
            [whole[name] for name in names],
        ]
        return Spoken(
            tuple(encode_speech(encoder, processor, self.measures, way) for way in ways),
            [EMOTIONS.index(clip.label) for clip in self.clips if clip.label is not None],
            [clip.language for clip in self.clips],
            [clip.corpus for clip in self.clips],
        )

    def _by_speaker(self) -> dict[str, list[int]]:
        rows: dict[str, list[int]] = {}
        for row, clip in enumerate(self.clips):
            rows.setdefault(speaker_name(clip), []).append(row)
        return rows

    def _baseline(self, processor: Processor, rows: Sequence[int]) -> SpeakerBaseline:
        baseline = processor.new_baseline()
        for row in rows:
            baseline.update(self.measures[row].frames, self.measures[row].functionals)
        return baseline

    def _partial(
        self, processor: Processor, rows: Sequence[int], generator: np.random.Generator
    ) -> SpeakerBaseline:
        count = min(len(rows), int(generator.integers(*PARTIAL)))
        return self._baseline(processor, generator.choice(rows, count, replace=False).tolist())


@dataclass(frozen=True)
class SpokenParts:
    """Clips of training and of calibration speakers, and the split they come from."""

    train: ClipSet
    calibration: ClipSet
    split: Mapping[str, Sequence[str]]


def speaker_name(clip: Clip) -> str:
    """Return `corpus/speaker`."""
    return f"{clip.corpus}/{clip.speaker}"


def read_split(folder: Path) -> dict[str, list[str]]:
    """Return the speech stage's split: train, calibration, held_out -> names `corpus/speaker`.

    Raises ConfigError.
    """
    try:
        content = json.loads((folder / SPLIT).read_text(encoding="utf-8"))
        return {part: [str(n) for n in content[part]] for part in _PARTS}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{folder / SPLIT} can't be read: {error}.", "Train the speech stage again."
        ) from error


def load_spoken(context: StageContext, processor: Processor, most: int) -> SpokenParts:
    """Read and measure clips of the speech stage's training and calibration speakers.

    Args:
        context: of the stage that asks.
        processor: measures.
        most: how many training clips of one corpus to take.
    """
    split = read_split(context.folder_of("speech"))
    clips = [clip for clip in read_clips(context.data) if clip.label is not None]
    measurer = Measurer(processor, context.out / "measures")
    sets = []
    for part in ("train", "calibration"):
        chosen = [clip for clip in clips if speaker_name(clip) in set(split[part])]
        if part == "train":
            chosen = _at_most(chosen, _QUICK_CLIPS if context.quick else most, context.seed)
        title = f"measuring {part} clips"
        tracked = context.reporter.track(chosen, len(chosen), title)
        sets.append(ClipSet(tuple(chosen), tuple(measurer(clip) for clip in tracked)))
    return SpokenParts(sets[0], sets[1], split)


def _at_most(clips: Sequence[Clip], most: int, seed: int) -> list[Clip]:
    """Keep so many clips per corpus, drawn at random."""
    generator = np.random.default_rng(seed)
    kept: list[int] = []
    for corpus in dict.fromkeys(clip.corpus for clip in clips):
        rows = [row for row, clip in enumerate(clips) if clip.corpus == corpus]
        kept += generator.permutation(rows)[:most].tolist()
    return [clips[row] for row in sorted(kept)]
