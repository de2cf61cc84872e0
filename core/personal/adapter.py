"""A personal adapter: a small correction of what one checkpoint says, learned from one person.

A folder holds `adapter.safetensors` (some kilobytes), `config.json` (whose, for which checkpoint,
what it was worth) and `README.md`. It changes no file of the checkpoint.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from core.errors import CheckpointError
from core.models.baseline import SpeakerMoments
from core.models.calibration import Calibration
from core.models.calibration import Path as JudgedBy
from core.models.manifest import CheckpointInfo
from core.models.specification import Problem
from core.personal.correcting import Correcting
from core.personal.types import PersonalAdapterInfo
from core.types import FloatArray, Modality


@dataclass(frozen=True, slots=True)
class PersonalAdapter:
    """A loaded adapter; values only, so any thread may use it.

    Attributes:
        info: whose, and for which checkpoint.
        labels: of that checkpoint, one for each logit.
        modality: whose vectors it reads: speech, or text where the checkpoint does not hear.
        problem: of the checkpoint.
        correcting: what it makes of logits.
        voice: what was heard of the person, for the personal baseline of a checkpoint that has one.
    """

    info: PersonalAdapterInfo
    labels: tuple[str, ...]
    modality: Modality
    problem: Problem
    correcting: Correcting
    voice: SpeakerMoments | None = None

    def takes_part(self, modality: Modality | None, present: Collection[Modality]) -> bool:
        """Tell whether it corrects what a modality says alone (None: what all say together)."""
        return self.modality in present and modality in (None, self.modality)

    def corrected(
        self, logits: FloatArray, vector: FloatArray, path: JudgedBy, calibration: Calibration
    ) -> FloatArray:
        """Return logits (C,) of one clip, as they would enter the calibration.

        Args:
            logits: as they leave the model.
            vector: (D,) of the adapter's modality (`Judgement.voice`).
            path, calibration: how logits become probabilities; the correction counts in their unit.
        """
        temperature = calibration.temperature(path)
        scaled = np.asarray(logits, np.float64)[None] / temperature
        answer = self.correcting(scaled, np.asarray(vector, np.float64)[None])[0]
        return np.asarray(answer * temperature, dtype=np.float32)


def check_fits(adapter: PersonalAdapter, base: CheckpointInfo) -> None:
    """Raise CheckpointError, in a sentence, where an adapter is for another checkpoint."""
    info = adapter.info
    same_labels = adapter.labels == base.specification.labels
    same_problem = adapter.problem is base.specification.problem
    if info.base_digest != base.digest or not same_labels or not same_problem:
        raise CheckpointError(
            f"The personal adapter {info.name} ({info.path}) was made for the checkpoint "
            f"{info.base_name}, not for {base.name} {base.version}.",
            "Use that checkpoint, or adapt again with this one.",
        )
