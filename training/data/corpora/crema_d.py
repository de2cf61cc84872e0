"""CREMA-D: 91 actors say twelve sentences in six emotions, English, judged by 2,443 people.

Cao, Cooper, Keutmann, Gur, Nenkova & Verma (2014), CREMA-D: crowd-sourced emotional multimodal
actors dataset, IEEE Transactions on Affective Computing 5(4). As its repository lays it out
(https://github.com/CheyneyComputerScience/CREMA-D): `AudioWAV/1001_DFA_ANG_XX.wav` (actor,
sentence, emotion, level), `VideoDemographics.csv`, `processedResults/summaryTable.csv`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.audio.io import read_audio
from core.errors import MediaError
from training.data.corpora import labelling
from training.data.corpora.labelling import Labelling, own
from training.data.corpora.rows import RowLog, require_file, require_folder, source
from training.data.corpora.tables import named_rows
from training.data.example import Example, Reading

CORPUS = "crema_d"
_LAYOUT = "AudioWAV, VideoDemographics.csv and, for votes, processedResults/summaryTable.csv"
_NAME = re.compile(r"(\d{4})_([A-Z]{3})_([A-Z]{3})_(LO|MD|HI|XX?)")  # 1040_ITH_SAD_X has one X
_SENTENCES = {
    "IEO": "It's eleven o'clock.",
    "TIE": "That is exactly what happened.",
    "IOM": "I'm on my way to the meeting.",
    "IWW": "I wonder what this is about.",
    "TAI": "The airplane is almost full.",
    "MTI": "Maybe tomorrow it will be cold.",
    "IWL": "I would like a new alarm clock.",
    "ITH": "I think I have a doctor's appointment.",
    "DFA": "Don't forget a jacket.",
    "ITS": "I think I've seen this before.",
    "TSI": "The surface is slick.",
    "WSI": "We'll stop in a couple of minutes.",
}
_VOTES = {"voted": "multimodalvote", "voted_by_voice": "voicevote"}
_SEXES = {"male": "M", "female": "F"}
_LEVELS = {"LO": "low", "MD": "medium", "HI": "high"}
"""What counts as style; X and XX: unspecified."""
SUSPECTS = ("1076_MTI_SAD_XX",)
"""Published without sound; these are listened to, and left out if that is so."""

_CODES = ("NEU", "HAP", "ANG", "SAD", "FEA", "DIS")
_CLASSES = ("neutral", "happy", "angry", "sad", "fear", "disgust")
_SPELLINGS = dict(zip(_CODES, _CLASSES, strict=True))
_LETTERS = {code[0]: name for code, name in _SPELLINGS.items()}

LABELLINGS = {"own": own(_CLASSES, _SPELLINGS | _LETTERS)}
"""Besides "emotions": the six classes of the corpus, without surprise."""


def read(
    root: Path, *, strict: bool = False, classes: str = "emotions", labels: str = "intended"
) -> Reading:
    """Read the corpus as published.

    Args:
        classes: "emotions" (seven) or "own" (six: there is no surprise).
        labels: what the actor was told ("intended"), what most people saw and heard ("voted"), or
            what most heard ("voted_by_voice"). A tie gives a recording several labels.

    Raises CorpusError.
    """
    chosen = labelling.choose(CORPUS, classes, LABELLINGS)
    labelling.one_of(CORPUS, "labels", labels, ("intended", *_VOTES))
    folder = require_folder(root / "AudioWAV", _LAYOUT)
    log = RowLog(strict)
    genders = _genders(root / "VideoDemographics.csv", log)
    votes = None if labels == "intended" else _votes(root, _VOTES[labels], log)
    examples = []
    for path in sorted(folder.glob("*.[wW][aA][vV]")):
        if path.name.startswith("."):
            continue
        try:
            examples.append(_example(path, chosen, genders, votes))
        except ValueError as error:
            log.report(path, None, str(error))
    return Reading(tuple(examples), log.problems, chosen.classes)


def _example(
    path: Path,
    chosen: Labelling,
    genders: Mapping[str, str],
    votes: Mapping[str, Sequence[str]] | None,
) -> Example:
    """Return the example of a recording. Raises ValueError: its name or its labels are wrong."""
    name = _NAME.fullmatch(path.stem)
    if name is None or name[2] not in _SENTENCES:
        raise ValueError("the name is not actor_sentence_emotion_level")
    actor, sentence, emotion = name[1], name[2], name[3]
    if votes is not None and path.stem not in votes:
        raise ValueError("nobody's vote is in summaryTable.csv")
    if genders and actor not in genders:
        raise ValueError(f"the actor {actor} is not in VideoDemographics.csv")
    if path.stem in SUSPECTS and _is_silent(path):
        raise ValueError("there is no sound in it (it was published so)")
    return Example(
        corpus=CORPUS,
        id=path.stem,
        audio=path,
        text=_SENTENCES[sentence],
        speaker=f"{CORPUS}/{actor}",
        gender=genders.get(actor, ""),
        style=_LEVELS.get(name[4], ""),
        language="en",
        labels=chosen.of([emotion] if votes is None else votes[path.stem]),
        source=source(path),
    )


def _is_silent(path: Path) -> bool:
    try:
        return not read_audio(path).any()
    except MediaError as error:
        raise ValueError(f"it can't be read: {error.problem.rstrip('.')}") from error


def _genders(path: Path, log: RowLog) -> dict[str, str]:
    """Return actor -> "M" or "F"; empty without the file."""
    if not path.is_file():
        return {}
    genders = {}
    for line, row in named_rows(path, ("actorid", "sex"), log):
        if row["sex"].lower() not in _SEXES:
            log.report(path, line, f"the sex {row['sex']!r} is neither Male nor Female")
            continue
        genders[row["actorid"]] = _SEXES[row["sex"].lower()]
    return genders


def _votes(root: Path, column: str, log: RowLog) -> dict[str, tuple[str, ...]]:
    """Return recording -> letters of the emotions with most votes (a tie is written "A:D")."""
    path = require_file(root / "processedResults" / "summaryTable.csv", _LAYOUT)
    votes: dict[str, tuple[str, ...]] = {}
    for line, row in named_rows(path, ("filename", column), log):
        letters = tuple(letter.strip() for letter in row[column].split(":"))
        if not all(letters):
            log.report(path, line, f"the vote {row[column]!r} names no emotion")
            continue
        name = row["filename"]
        votes[name] = letters
        votes.setdefault(re.sub("_XX$", "_X", name), letters)
    return votes
