"""EmoryNLP: scenes of a television series with their speakers, English, text only.

Zahiri & Choi (2018), Emotion detection on TV show transcripts with sequence-based convolutional
neural networks, AAAI workshop on affective content analysis. As tables like MELD's
(https://github.com/declare-lab/MELD): `emorynlp_train_final.csv`, `_dev_final`, `_test_final`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.errors import CorpusError
from training.data.corpora import labelling
from training.data.corpora.labelling import Labelling, own
from training.data.corpora.rows import RowLog, require_folder, source
from training.data.corpora.tables import named_rows
from training.data.example import Example, Reading

CORPUS = "emorynlp"
PARTS = ("train", "dev", "test")
_LAYOUT = "emorynlp_train_final.csv, emorynlp_dev_final.csv, emorynlp_test_final.csv"
_COLUMNS = ("utterance", "speaker", "emotion", "scene_id", "utterance_id", "season", "episode")
_EVERYBODY = "#ALL#"

LABELLINGS = {
    "own": own(("Neutral", "Joyful", "Peaceful", "Powerful", "Scared", "Mad", "Sad")),
}
"""Besides "emotions" (which has no surprise and no disgust here): the seven of the corpus."""


def read(
    root: Path,
    *,
    strict: bool = False,
    classes: str = "emotions",
    parts: str | Sequence[str] = (),
) -> Reading:
    """Read the corpus as published.

    Args:
        classes: "emotions" (peaceful and powerful count as happy) or "own" (seven).
        parts: "train", "dev", "test"; empty: all that are there.

    Raises CorpusError.
    """
    chosen = labelling.choose(CORPUS, classes, LABELLINGS)
    require_folder(root, _LAYOUT)
    log = RowLog(strict)
    examples: dict[str, Example] = {}
    for part, path in _tables(root, parts).items():
        for line, row in named_rows(path, _COLUMNS, log):
            try:
                example = _example(path, line, row, part, chosen)
                if example.id in examples:
                    raise ValueError(f"{example.id} was already in {examples[example.id].source}")
                examples[example.id] = example
            except ValueError as error:
                log.report(path, line, str(error))
    return Reading(tuple(examples.values()), log.problems, chosen.classes)


def _tables(root: Path, wanted: str | Sequence[str]) -> dict[str, Path]:
    parts = labelling.chosen_parts(CORPUS, wanted, PARTS)
    paths = {part: root / f"emorynlp_{part}_final.csv" for part in parts or PARTS}
    missing = [path.name for path in paths.values() if not path.is_file()]
    if missing and (parts or len(missing) == len(paths)):
        raise CorpusError(f"{root} has no {missing[0]}.", f"Expected: {_LAYOUT}.")
    return {part: path for part, path in paths.items() if path.is_file()}


def _example(
    path: Path, line: int, row: Mapping[str, str], part: str, chosen: Labelling
) -> Example:
    """Return a row's example. Raises ValueError: a value is missing or wrong."""
    text = row["utterance"]
    if not text:
        raise ValueError("no utterance")
    for column in ("scene_id", "utterance_id", "season", "episode"):
        if not row[column].isdecimal():
            raise ValueError(f"the {column} {row[column]!r} is no whole number")
    speaker = _speaker(row["speaker"])
    episode = f"s{row['season']}e{row['episode']}"
    scene = f"{episode}/scene{row['scene_id']}"
    return Example(
        corpus=CORPUS,
        id=f"{part}/{scene}/{row['utterance_id']}",
        text=text,
        speaker=labelling.within(CORPUS, speaker),
        session=f"{CORPUS}/{episode}",
        dialogue=f"{CORPUS}/{part}/{scene}",
        turn=int(row["utterance_id"]),
        language="en",
        labels=chosen.of([row["emotion"]]),
        part=part,
        source=source(path, line),
    )


def _speaker(field: str) -> str:
    """Return who speaks, from a Python list of names; several are joined, empty for everybody."""
    try:
        names = ast.literal_eval(field)
    except (ValueError, SyntaxError):
        raise ValueError(f"the speaker {field!r} is no list of names") from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"the speaker {field!r} is no list of names")
    return " + ".join(name for name in names if name != _EVERYBODY)
