"""A digest of what a training on several tasks learns from, by which a resumed one knows it."""

from __future__ import annotations

from core.types import Modality
from training.data.content_digest import text_digest
from training.data.loading import AudioLoader
from training.multitask.data import TaskData
from training.system_encoders import Encoders
from training.system_fingerprint import fingerprint_of


def fingerprint_of_tasks(data: TaskData, encoders: Encoders, loader: AudioLoader) -> str:
    """Return a sha256 (hex) of rows, parts, recordings, targets of all tasks, and encoders.

    Raises:
        MediaError: a recording can't be read.
    """
    # with their texts, which recognition learns from
    told = (Modality.SPEECH, Modality.TEXT)
    return text_digest(fingerprint_of(data.system, encoders, loader, told), *_tasks(data))


def _tasks(data: TaskData) -> list[str]:
    """Return everything about the tasks that counts beside what any system is trained on."""
    targets = data.targets
    numbers = (targets.gender.tolist(), targets.style.tolist(), targets.symbols.tolist())
    return [repr(each) for each in (*numbers, data.gender, data.style, data.symbols)]
