"""A person whose voice tells what they feel, but not as the model thinks: high is sad."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.models.manifest import CheckpointInfo
from core.models.specification import Problem
from core.personal.adapter import PersonalAdapter
from core.personal.correcting import Correcting
from core.personal.corrections import CorrectionStore
from core.personal.types import Gain, PersonalAdapterInfo
from core.types import FloatArray, Modality
from tests.checkpoints import voice

PITCHES = {"sad": 260.0, "happy": 120.0}


def clip(label: str, number: int) -> FloatArray:
    """Return a second in which the person is what `label` says."""
    random = np.random.default_rng(number)
    return voice(0.8 + 0.3 * random.random(), PITCHES[label] * random.uniform(0.9, 1.1), number)


def correct(store: CorrectionStore, count: int, person: str = "Mina", **more: object) -> None:
    """Let the person label so many turns, half of them each way."""
    for number in range(count):
        label = ("sad", "happy")[number % 2]
        given = {"label": label, "said": "happy", "source": "talk.wav", **more}
        store.add(
            clip(label, number), person=person, start=float(number), end=number + 1.0, **given
        )  # type: ignore[arg-type]


def make_adapter(
    folder: Path,
    base: CheckpointInfo,
    size: int,
    *,
    label: str = "disgust",
    name: str = "Mina",
    modality: Modality = Modality.SPEECH,
    strength: float = 40.0,
) -> PersonalAdapter:
    """Return an adapter after which the answer is always `label`; it is not written.

    Args:
        size: of the vectors it reads.
        strength: logits.
    """
    labels = base.specification.labels
    bias = np.array([strength * (each == label) for each in labels], np.float32)
    info = PersonalAdapterInfo(
        folder, name, name, base.name, base.digest, 20, Gain(0.5, 0.75, 0.1, 0.4, 20), "2026-01-01"
    )
    correcting = Correcting(
        0.0, bias, np.zeros((len(labels), size), np.float32), np.zeros(size, np.float32), 1.0
    )
    problem: Problem = base.specification.problem
    return PersonalAdapter(info, labels, modality, problem, correcting)
