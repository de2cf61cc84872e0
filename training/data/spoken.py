"""Clips of the speech corpora for the fusion stage: measured once, encoded in several ways."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigError
from core.models.baseline import SpeakerBaseline, SpeakerMoments
from core.models.encoders.speech import SpeechEncoder
from core.models.processor import Processor, SpeechMeasures
from training.data.corpora.speech import Clip, read_manifest
from training.data.encoded_bank import EncodedBank, encode_speech
from training.data.speech_bank import VirtualSpeakers, measured_bank
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
        moments = [processor.moments(clip) for clip in self.measures]
        own = self._by_speaker()
        whole = {name: _baseline(processor, moments, rows) for name, rows in own.items()}
        names = [clip.speaker for clip in self.clips]
        partial = [
            _baseline(processor, moments, _some(own[name], generator).tolist()) for name in names
        ]
        ways: list[list[SpeakerBaseline | None]] = [
            [None] * len(names),
            list(partial),
            [whole[name] for name in names],
        ]
        return Spoken(
            tuple(encode_speech(encoder, processor, self.measures, way) for way in ways),
            [clip.label for clip in self.clips if clip.label is not None],
            [clip.language for clip in self.clips],
            [clip.corpus for clip in self.clips],
        )

    def _by_speaker(self) -> dict[str, list[int]]:
        rows: dict[str, list[int]] = {}
        for row, clip in enumerate(self.clips):
            rows.setdefault(clip.speaker, []).append(row)
        return rows


def _baseline(
    processor: Processor, moments: Sequence[SpeakerMoments], rows: Sequence[int]
) -> SpeakerBaseline:
    """Return the baseline of somebody of whom these clips were heard."""
    baseline = processor.new_baseline()
    baseline.add(functools.reduce(SpeakerMoments.plus, (moments[row] for row in rows)))
    return baseline


def _some(rows: Sequence[int], generator: np.random.Generator) -> NDArray[np.int64]:
    count = min(len(rows), int(generator.integers(*PARTIAL)))
    return generator.choice(rows, count, replace=False)


@dataclass(frozen=True)
class SpokenParts:
    """Clips of training and of calibration speakers, and the split they come from."""

    train: ClipSet
    calibration: ClipSet
    split: Mapping[str, Sequence[str]]


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
    clips = [clip for clip in read_manifest(context.data / "speech") if clip.label is not None]
    sets = []
    for part in ("train", "calibration"):
        chosen = [row for row, clip in enumerate(clips) if clip.speaker in set(split[part])]
        if context.quick or part == "train":
            chosen = _at_most(clips, chosen, _QUICK_CLIPS if context.quick else most, context.seed)
        sets.append(chosen)
    needed = sorted({row for rows in sets for row in rows}) if context.quick else range(len(clips))
    measures = _measures(context, processor, {row: clips[row] for row in needed})
    train, calibration = (
        ClipSet(tuple(clips[row] for row in rows), tuple(measures[row] for row in rows))
        for rows in sets
    )
    return SpokenParts(train, calibration, split)


def _measures(
    context: StageContext, processor: Processor, clips: Mapping[int, Clip]
) -> dict[int, SpeechMeasures]:
    """Measure clips, or take what the speech stage has measured in the same run."""
    bank = measured_bank(
        context.data / "speech",
        tuple(clips.values()),
        VirtualSpeakers(),
        processor.extractor,
        context.out / "measured",
        context.reporter,
    )
    return {
        row: SpeechMeasures(bank.frames_of(place), bank.functionals[place])
        for place, row in enumerate(clips)
    }


def _at_most(clips: Sequence[Clip], rows: Sequence[int], most: int, seed: int) -> list[int]:
    """Keep so many rows per corpus, drawn at random."""
    generator = np.random.default_rng(seed)
    kept: list[int] = []
    for corpus in dict.fromkeys(clips[row].corpus for row in rows):
        own = [row for row in rows if clips[row].corpus == corpus]
        kept += generator.permutation(own)[:most].tolist()
    return sorted(kept)
