"""Whether a split leaks, what is in its parts, and a digest to tell splits apart."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import CorpusError
from training.data.audio_identity import AudioDigests
from training.data.example import Example
from training.data.split_config import Parts


def check(
    examples: Sequence[Example],
    parts: Parts,
    *,
    speakers: bool,
    audio: bool = True,
    audio_digests: AudioDigests | None = None,
) -> None:
    """Raise CorpusError when something is in two parts that may be in one only.

    Rows to spare count as training rows: they may become such.

    Args:
        speakers: also refuse a speaker in two parts (`SplitConfig.speaker_independent`).
        audio: also refuse the same audio in two parts; False: no recording is opened, for systems
            that take none.
        audio_digests: keeps what was decoded for the next fold; a new one if None.

    Raises:
        CorpusError: an example, a speaker or the same audio is in two parts; names them.
        MediaError: a recording can't be read.
    """
    members = _members(parts)
    _check_rows(examples, members)
    if speakers:
        _check_speakers(examples, members)
    if audio:
        _check_audio(examples, members, audio_digests or AudioDigests())


def describe(parts: Parts, examples: Sequence[Example]) -> dict[str, dict[str, Any]]:
    """Return for every part: rows, speakers, sessions, genders, and rows per class; for JSON.

    A row of several labels counts for each of them.
    """
    return {name: _described([examples[row] for row in rows]) for name, rows in parts.items()}


def split_digest(examples: Sequence[Example], parts: Parts) -> str:
    """Return a sha256 (hex) over which example is in which part, whatever their order."""
    members = {
        name: sorted(f"{examples[row].corpus}/{examples[row].id}" for row in rows)
        for name, rows in parts.items()
    }
    text = json.dumps(members, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _members(parts: Parts) -> dict[str, list[int]]:
    """Return the rows of every part, those to spare among those of training."""
    members = {name: [int(row) for row in rows] for name, rows in parts.items()}
    members["train"] += [int(row) for row in parts.spare]
    return members


def _check_rows(examples: Sequence[Example], parts: Mapping[str, list[int]]) -> None:
    seen: dict[tuple[str, str], str] = {}
    for name, rows in parts.items():
        for row in rows:
            example = examples[row]
            other = seen.setdefault((example.corpus, example.id), name)
            if other != name:
                raise CorpusError(
                    f"{example.corpus}/{example.id} is both in {other} and in {name}.",
                    "Give every example an id of its own and split again.",
                )


def _check_speakers(examples: Sequence[Example], parts: Mapping[str, list[int]]) -> None:
    seen: dict[str, str] = {}
    for name, rows in parts.items():
        for row in rows:
            speaker = examples[row].speaker
            other = seen.setdefault(speaker, name) if speaker else name
            if other != name:
                raise CorpusError(
                    f"The speaker {speaker} is both in {other} and in {name}.",
                    "Split by speakers, or correct the speaker names of the corpus.",
                )


def _check_audio(
    examples: Sequence[Example], parts: Mapping[str, list[int]], digests: AudioDigests
) -> None:
    for one, other in digests.shared(dict(enumerate(parts.values())), examples):
        raise CorpusError(
            f"{_recording(examples[one])} and {_recording(examples[other])} are the same audio,"
            " in two parts of the split.",
            "Set corpus.duplicates to drop, or leave one of them out.",
        )


def _recording(example: Example) -> str:
    if example.start is None and example.end is None:
        return str(example.audio)
    return f"{example.audio} from {example.start or 0:.2f} s"


def _described(chosen: Sequence[Example]) -> dict[str, Any]:
    return {
        "rows": len(chosen),
        "speakers": len({e.speaker for e in chosen if e.speaker}),
        "sessions": len({e.session for e in chosen if e.session}),
        "genders": dict(sorted(Counter(e.gender for e in chosen if e.gender).items())),
        "classes": dict(Counter(label for e in chosen for label in e.labels).most_common()),
    }
