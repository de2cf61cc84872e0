"""Speakers whom a checkpoint has never heard, and their labelled clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import CorpusError
from core.models.checkpoint import read_training
from core.models.manifest import CheckpointInfo
from training.evaluation.clips import Clip, read_clips
from training.evaluation.seen import Seen

CALIBRATED = "calibrated"
"""Temperatures were fitted on this speaker, weights were not."""


@dataclass(frozen=True, slots=True)
class Person:
    """A speaker of a corpus with clips that have one of the checkpoint's labels.

    `flag` is `CALIBRATED` or empty.
    """

    corpus: str
    speaker: str
    clips: tuple[Clip, ...]
    flag: str = ""


def unseen_people(data: Path, info: CheckpointInfo) -> tuple[Person, ...]:
    """Return the speakers that no weight of a checkpoint was fitted on.

    Those that temperatures were fitted on are flagged: they move confidences, never a label.

    Raises:
        CorpusError: there are no clips, or the checkpoint does not say whom it has heard.
    """
    seen = Seen.from_training(read_training(info))
    if not seen.is_stated or seen.unknown:
        raise CorpusError(
            f"{info.path} does not say on whom it was trained, so nobody can be called unseen.",
            "Choose a checkpoint whose training.yaml names its speakers.",
        )
    found = _by_speaker(read_clips(data), info.specification.labels)
    if not found:
        raise CorpusError(f"{data} has no labelled clips.", "It needs speech/manifest.csv.")
    return tuple(
        Person(corpus, speaker, tuple(clips), _flag(seen, corpus, speaker))
        for (corpus, speaker), clips in sorted(found.items())
        if speaker not in seen.speakers.get(corpus, ())
    )


def _by_speaker(
    clips: Sequence[Clip], labels: Sequence[str]
) -> Mapping[tuple[str, str], list[Clip]]:
    found: dict[tuple[str, str], list[Clip]] = {}
    for clip in clips:
        if clip.label in labels:
            found.setdefault((clip.corpus, clip.speaker), []).append(clip)
    return found


def _flag(seen: Seen, corpus: str, speaker: str) -> str:
    return CALIBRATED if speaker in seen.calibration_speakers.get(corpus, ()) else ""
