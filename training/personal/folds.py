"""Every speaker as an unseen one: models of a cross-validated speech recipe.

`python -m training.speech_cv CONFIG --data DIR --out DIR` trains four models, each without a
quarter of the speakers. Here each judges the speakers it has not heard, with their personal
baseline.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from core.errors import CheckpointError
from core.labels import EMOTIONS
from core.models.calibration import Calibration
from core.models.calibration import Path as JudgedBy
from core.models.encoders.speech import SpeechEncoder
from core.models.specification import Problem
from core.personal.evidence import ClipEvidence, Look
from core.personal.lessons import Lesson, Lessons
from core.types import FloatArray, Modality
from training import config as configuration
from training.data.speech_batches import SpeechSource, global_statistics, pad_frames
from training.data.splits import speaker_folds
from training.progress import Reporter
from training.speech import SpeechConfig, SpeechCorpus, _sized, load_corpus
from training.speech_cv import FOLDS
from training.speech_scoring import personal

_ROWS = 64
_LONGEST = 1000
"""Frames of a clip; none here is longer."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A speaker's clips as lessons, judged by a model that never heard the speaker."""

    corpus: str
    speaker: str
    lessons: Lessons


def heard_by_folds(
    recipe: Path, data: Path, folder: Path, calibration: Calibration, reporter: Reporter
) -> Iterator[Heard]:
    """Yield every speaker.

    Args:
        recipe: YAML of the speech stage that was cross-validated.
        data: folder with speech/manifest.csv.
        folder: the `--out` of the cross-validation.
        calibration: how logits become probabilities: that of the shipped checkpoint.

    Raises:
        EmoscopeError: the recipe, the clips or a fold's weights can't be read.
    """
    mapping = configuration.read_yaml(recipe)
    mapping.pop("stage", None)
    config = configuration.from_mapping(SpeechConfig, mapping, recipe)
    corpus = load_corpus(data, config, folder / "measured", reporter)
    assigned = speaker_folds(corpus.clips, FOLDS)
    fold_of = np.array([assigned[clip.speaker] for clip in corpus.clips])
    for fold in range(FOLDS):
        encoder = _encoder(config, corpus, folder / f"training{fold}")
        statistics = global_statistics(
            corpus.clips, corpus.banks[0], np.flatnonzero(fold_of != fold)
        )
        source = SpeechSource(corpus.clips, corpus.banks[:1], statistics, corpus.extractor)
        rows = np.flatnonzero(fold_of == fold)
        yield from _speakers(corpus, rows, *_judged(encoder, source, rows), calibration)


def _encoder(config: SpeechConfig, corpus: SpeechCorpus, folder: Path) -> SpeechEncoder:
    encoder = SpeechEncoder(_sized(config.encoder, corpus.extractor))
    try:
        frames = next((folder / "frames").glob("state-*"))
        heads = next((folder / "heads").glob("state-*"))
        state = load_file(frames / "model.safetensors") | load_file(frames / "averaged.safetensors")
        heard = load_file(heads / "averaged.safetensors")
    except (OSError, StopIteration) as error:
        raise CheckpointError(
            f"{folder} holds no trained fold ({error}).", "Run training.speech_cv first."
        ) from error
    state |= {f"functional_heads.{name}": tensor for name, tensor in heard.items()}
    encoder.load_state_dict(state, strict=False)
    return encoder.eval()


def _judged(
    encoder: SpeechEncoder, source: SpeechSource, rows: NDArray[np.int64]
) -> tuple[FloatArray, FloatArray]:
    """Return logits (n, C) and functionals (n, D) of rows (n,)."""
    baseline_of = personal(source)
    bank = source.banks[0]
    logits, vectors = [], []
    for begin in range(0, len(rows), _ROWS):
        chosen = [(int(row), baseline_of(int(row))) for row in rows[begin : begin + _ROWS]]
        heard = np.stack([b.normalise_functionals(bank.functionals[r]) for r, b in chosen])
        frames = [b.normalise_frames(bank.frames_of(r)[:_LONGEST]) for r, b in chosen]
        with torch.inference_mode():
            logits.append(encoder(*pad_frames(frames), torch.from_numpy(heard)).logits.numpy())
        vectors.append(heard)
    return np.concatenate(logits), np.concatenate(vectors)


def _speakers(
    corpus: SpeechCorpus,
    rows: NDArray[np.int64],
    logits: FloatArray,
    vectors: FloatArray,
    calibration: Calibration,
) -> Iterator[Heard]:
    speakers = np.array([corpus.clips[row].speaker for row in rows])
    for speaker in dict.fromkeys(speakers.tolist()):
        own = np.flatnonzero(speakers == speaker)
        lessons = tuple(
            Lesson(
                ClipEvidence((_look(logits[i], vectors[i]),)),
                int(corpus.clips[rows[i]].label or 0),
                corpus.clips[rows[i]].text or str(i),
            )
            for i in own
        )
        yield Heard(
            corpus.clips[rows[own[0]]].corpus,
            speaker,
            Lessons(lessons, Modality.SPEECH, Problem.SINGLE_LABEL, calibration, EMOTIONS),
        )


def _look(logits: FloatArray, vector: FloatArray) -> Look:
    return Look(Modality.SPEECH, logits, {Modality.SPEECH: vector}, JudgedBy.SPEECH_PERSONAL, None)
