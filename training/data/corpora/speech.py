"""Speech corpora in the layout `speech/manifest.csv` with the audio beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import CorpusError
from core.labels import EMOTIONS
from training.data.corpora.labelling import SYNONYMS
from training.data.corpora.manifest_file import Row, read_table
from training.data.corpora.rows import RowLog

_REQUIRED = ("path", "corpus", "speaker", "emotion")


@dataclass(frozen=True, slots=True)
class Clip:
    """One row of a manifest. `emotion` is one of EMOTIONS or the corpus's own name for another.

    `speaker` is `corpus/name`, so that equal names in two corpora are two people.
    """

    path: str
    corpus: str
    subset: str
    speaker: str
    gender: str
    language: str
    emotion: str
    text: str
    duration: float

    @property
    def label(self) -> int | None:
        """Index into EMOTIONS; None for a class this project does not know."""
        return EMOTIONS.index(self.emotion) if self.emotion in EMOTIONS else None


def read_manifest(speech_dir: Path) -> tuple[Clip, ...]:
    """Return the clips of `speech_dir/manifest.csv`, in file order.

    Raises:
        CorpusError: there is no manifest, or it lacks a column or a value.
    """
    path = speech_dir / "manifest.csv"
    table = read_table(path, RowLog(strict=True))
    missing = [column for column in _REQUIRED if column not in table.columns]
    if missing:
        raise CorpusError(f"{path} has no column {', '.join(missing)}.", "Add it.")
    return tuple(_clip(row, path, line) for line, row in table.rows)


def _clip(row: Row, path: Path, number: int) -> Clip:
    if any(not row[column] for column in _REQUIRED):
        raise CorpusError(f"{path}, line {number}: a value is empty.", "Correct the row.")
    emotion = row["emotion"].strip().lower()
    try:
        duration = float(row.get("duration_s") or "nan")
    except ValueError as error:
        raise CorpusError(f"{path}, line {number}: bad duration_s.", "Correct it.") from error
    return Clip(
        path=row["path"],
        corpus=row["corpus"],
        subset=row.get("subset") or "",
        speaker=f"{row['corpus']}/{row['speaker']}",
        gender=row.get("gender") or "",
        language=row.get("language") or "",
        emotion=SYNONYMS.get(emotion, emotion),
        text=row.get("text") or "",
        duration=duration,
    )
