"""Support vector baselines that belong to a checkpoint: fitted on the speakers it was trained on.

One machine is fitted on all corpora together, as the model was, and one per corpus, which knows
nothing of the others but also need not serve them; each on raw and on speaker-normalised features.
They lie in the checkpoint's `baselines/` as safetensors.

    python -m training.evaluation.baselines CHECKPOINT --data DIR
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import EmoscopeError
from core.models.checkpoint import load_checkpoint, read_training, seal
from core.models.processor import Processor
from training.evaluation.clips import Clip, Measurer, read_clips
from training.evaluation.seen import Seen
from training.svm import SupportVectorBaseline, baseline_columns, normalise_by_speaker

FOLDER = "baselines"
ALL = "all"
RAW, PERSONAL = "raw", "personal"

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Baselines:
    """Machines by corpus (`ALL`: every corpus together), on raw and on normalised features."""

    raw: Mapping[str, SupportVectorBaseline]
    personal: Mapping[str, SupportVectorBaseline]

    def save(self, folder: Path) -> None:
        """Write one file per machine."""
        for kind, machines in ((RAW, self.raw), (PERSONAL, self.personal)):
            for corpus, machine in machines.items():
                machine.save(folder / kind / f"{corpus}.safetensors")

    @classmethod
    def load(cls, folder: Path) -> Baselines | None:
        """Read what `save` wrote; None when nothing lies there. Raises CheckpointError."""
        kinds = [
            {p.stem: SupportVectorBaseline.load(p) for p in sorted((folder / kind).glob("*.s*"))}
            for kind in (RAW, PERSONAL)
        ]
        return cls(*kinds) if all(kinds) else None


@dataclass(frozen=True, slots=True)
class BaselineRows:
    """What baselines are fitted on: functionals (n, S) and, per row, who and what."""

    features: Float
    labels: Sequence[str]
    corpora: Sequence[str]
    speakers: Sequence[str]


def fit_baselines(rows: BaselineRows, mel_bands: int) -> Baselines:
    """Fit every machine that the rows allow."""
    raw = rows.features[:, baseline_columns(mel_bands)]
    names = [f"{c}/{s}" for c, s in zip(rows.corpora, rows.speakers, strict=True)]
    kinds = [_fit(features, rows) for features in (raw, normalise_by_speaker(raw, names))]
    return Baselines(*kinds)


def _fit(features: Float, rows: BaselineRows) -> dict[str, SupportVectorBaseline]:
    corpora, labels = np.asarray(rows.corpora), np.asarray(rows.labels)
    groups = {ALL: np.ones(len(labels), dtype=bool)}
    groups |= {str(name): corpora == name for name in np.unique(corpora)}
    return {
        name: SupportVectorBaseline.fit(features[chosen], labels[chosen].tolist())
        for name, chosen in groups.items()
        if np.unique(labels[chosen]).size > 1
    }


def measure_rows(clips: Iterable[Clip], measurer: Measurer) -> BaselineRows:
    """Measure labelled clips; those that can't be read are passed over."""
    features, kept = [], []
    for clip in clips:
        try:
            features.append(measurer(clip).functionals)
        except EmoscopeError:
            continue
        kept.append(clip)
    return BaselineRows(
        np.asarray(features, dtype=np.float64),
        [c.label or "" for c in kept],
        [c.corpus for c in kept],
        [c.speaker for c in kept],
    )


def train_baselines(
    data: Path, processor: Processor, seen: Seen | None, cache: Path | None = None
) -> Baselines | None:
    """Fit baselines on a data folder; with `seen`, on the speakers that it names only."""
    clips = [c for c in read_clips(data) if c.label is not None]
    if seen is not None:
        clips = [c for c in clips if c.speaker in seen.speakers.get(c.corpus, ())]
    if len({c.label for c in clips}) < 2:
        return None
    rows = measure_rows(clips, Measurer(processor, cache))
    return fit_baselines(rows, processor.config.speech.mel_bands)


def add_baselines(checkpoint: Path, data: Path, cache: Path | None = None) -> bool:
    """Fit baselines on the checkpoint's own training speakers and keep them in it.

    Returns:
        whether there was anything to fit.
    """
    loaded = load_checkpoint(checkpoint)
    seen = Seen.from_training(read_training(loaded.info))
    baselines = train_baselines(data, loaded.frame_processor, seen, cache)
    if baselines is None:
        return False
    baselines.save(checkpoint / FOLDER)
    seal(checkpoint)
    return True


def main(argv: Sequence[str]) -> int:
    """Run the command of this module."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluation.baselines")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args(argv)
    return 0 if add_baselines(options.checkpoint, options.data, options.cache) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
