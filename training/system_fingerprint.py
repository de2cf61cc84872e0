"""A digest of what a system is trained on, by which a resumed run tells that it has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from core.types import Modality
from training.data.content_digest import (
    config_text,
    processor_digest,
    text_digest,
    weights_digest,
)
from training.data.loading import AudioLoader
from training.system_data import SystemData
from training.system_encoders import Encoders


def fingerprint_of(
    data: SystemData, encoders: Encoders, loader: AudioLoader, modalities: Sequence[Modality]
) -> str:
    """Return a sha256 (hex) of the split, its rows and their targets, and encoders as loaded.

    Where the corpus lies plays no role. Call it before training changes the encoders.

    Raises:
        MediaError: a recording can't be read.
    """
    found = hashlib.sha256(text_digest(data.problem.value, data.digest, *data.classes).encode())
    for row in _rows(data, loader, modalities):
        found.update(text_digest(row).encode())
    for encoder in (encoders.speech, encoders.text):
        if encoder is not None:
            found.update(text_digest(weights_digest(encoder), config_text(encoder)).encode())
    found.update(processor_digest(encoders.processor).encode())
    return found.hexdigest()


def _rows(data: SystemData, loader: AudioLoader, modalities: Sequence[Modality]) -> Iterator[str]:
    """Yield everything that counts of each row, in the order of training."""
    for part, rows in data.parts.items():
        for row in rows.tolist():
            example = data.examples[row]
            heard = Modality.SPEECH in modalities and example.audio is not None
            yield repr((
                part, example.corpus, example.id, example.labels, example.arousal, example.valence,
                example.text if Modality.TEXT in modalities else None,
                loader.digest(example) if heard else None,
            ))  # fmt: skip
