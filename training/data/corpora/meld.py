"""MELD: dialogues of a television series with their speakers, English.

Poria, Hazarika, Majumder, Naik, Cambria & Mihalcea (2019), MELD: a multimodal multi-party dataset
for emotion recognition in conversations, ACL. As published (https://github.com/declare-lab/MELD):
`train_sent_emo.csv`, `dev_sent_emo.csv`, `test_sent_emo.csv` and, besides, the clips
`train_splits/dia0_utt0.mp4`, `dev_splits_complete/`, `output_repeated_splits_test/`, each beside
its table or in a folder train, dev, test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from core.errors import CorpusError
from training.data.corpora import labelling
from training.data.corpora.labelling import Labelling, own
from training.data.corpora.manifest_columns import seconds
from training.data.corpora.media import check_media
from training.data.corpora.rows import RowLog, require_folder, source
from training.data.corpora.tables import named_rows
from training.data.example import Example, Reading

CORPUS = "meld"
_LAYOUT = "train_sent_emo.csv, dev_sent_emo.csv, test_sent_emo.csv and the folders of their clips"
PARTS: Mapping[str, str] = {
    "train": "train_splits",
    "dev": "dev_splits_complete",
    "test": "output_repeated_splits_test",
}
"""Part -> folder of its clips."""
SUSPECTS = (("train", "dia125_utt3"), ("dev", "dia110_utt7"))
"""Clips that are damaged or missing as published: always opened, and left out if that is so."""
_COLUMNS = ("utterance", "speaker", "emotion", "dialogue_id", "utterance_id")
_GENDERS = {
    **dict.fromkeys(("Chandler", "Joey", "Ross"), "M"),
    **dict.fromkeys(("Monica", "Phoebe", "Rachel"), "F"),
}
"""Of the six who speak five sixths of the lines; nobody wrote down the others'."""
_C1 = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
"""Control characters that are CP1252 punctuation read as Latin-1."""

LABELLINGS = {
    "own": own(
        ("neutral", "joy", "anger", "surprise", "sadness", "fear", "disgust"),
    ),
}
"""Besides "emotions": the same seven under the corpus's own names."""


def read(
    root: Path,
    *,
    strict: bool = False,
    classes: str = "emotions",
    parts: str | Sequence[str] = (),
    media: str = "auto",
    check_audio: bool = False,
) -> Reading:
    """Read the corpus as published.

    Args:
        classes: "emotions" or "own" (the same seven by their own names).
        parts: "train", "dev", "test"; empty: all whose table is there.
        media: "auto" (clips where there is a folder of them), "none" (text only) or "required".
        check_audio: open every clip, and report the ones that can't be.

    Raises CorpusError.
    """
    chosen = labelling.choose(CORPUS, classes, LABELLINGS)
    labelling.one_of(CORPUS, "media", media, ("auto", "none", "required"))
    require_folder(root, _LAYOUT)
    log = RowLog(strict)
    examples: list[Example] = []
    tables = _tables(root, parts)
    for part, path in tables.items():
        clips = None if media == "none" else _clips(root, path, part)
        if clips is None and media == "required":
            raise CorpusError(f"{root} has no folder {PARTS[part]}.", f"Expected: {_LAYOUT}.")
        for line, row in named_rows(path, _COLUMNS, log):
            try:
                examples.append(_example(path, line, row, part, clips, chosen, check_audio))
            except ValueError as error:
                log.report(path, line, str(error))
    return Reading(_unique(examples, log), log.problems, chosen.classes)


def _tables(root: Path, wanted: str | Sequence[str]) -> dict[str, Path]:
    """Return part -> its table."""
    parts = labelling.chosen_parts(CORPUS, wanted, tuple(PARTS))
    found = {}
    for part in parts or PARTS:
        name = f"{part}_sent_emo.csv"
        places = [root / name, root / part / name]
        existing = next((path for path in places if path.is_file()), None)
        if existing is not None:
            found[part] = existing
        elif parts:
            raise CorpusError(f"{root} has no {name}.", f"Expected: {_LAYOUT}.")
    if not found:
        raise CorpusError(f"{root} has no train_sent_emo.csv.", f"Expected: {_LAYOUT}.")
    return found


def _clips(root: Path, table: Path, part: str) -> Path | None:
    """Return the folder of a part's clips, None without one."""
    places = [folder / PARTS[part] for folder in (root, table.parent, root / part)]
    return next((folder for folder in places if folder.is_dir()), None)


def _example(
    path: Path,
    line: int,
    row: Mapping[str, str],
    part: str,
    clips: Path | None,
    chosen: Labelling,
    check_audio: bool,
) -> Example:
    """Return a row's example. Raises ValueError: a value or its clip is missing or wrong."""
    text = row["utterance"].translate(_C1).strip()
    speaker = row["speaker"].translate(_C1).strip()
    if not text or not speaker:
        raise ValueError("no utterance" if speaker else "no speaker")
    dialogue, turn = _index(row, "dialogue_id"), _index(row, "utterance_id")
    _check_times(row)
    name = f"dia{dialogue}_utt{turn}"
    audio = None if clips is None else _clip(clips, name)
    if audio is not None and (check_audio or (part, name) in SUSPECTS):
        check_media(audio)
    season, episode = row.get("season", ""), row.get("episode", "")
    return Example(
        corpus=CORPUS,
        id=f"{part}/{name}",
        audio=audio,
        text=text,
        speaker=f"{CORPUS}/{speaker}",
        session=f"{CORPUS}/s{season}e{episode}" if season and episode else "",
        dialogue=f"{CORPUS}/{part}/dia{dialogue}",
        turn=turn,
        gender=_GENDERS.get(speaker, ""),
        language="en",
        labels=chosen.of([row["emotion"]]),
        part=part,
        source=source(path, line),
    )


def _index(row: Mapping[str, str], column: str) -> int:
    if not row[column].isdecimal():
        raise ValueError(f"the {column} {row[column]!r} is no whole number")
    return int(row[column])


def _check_times(row: Mapping[str, str]) -> None:
    """Raise ValueError where a row ends before it begins; the clips are cut already."""
    if row.get("starttime") and row.get("endtime"):
        start, end = seconds(row["starttime"]), seconds(row["endtime"])
        if end <= start:
            raise ValueError(f"it ends at {row['endtime']} but begins at {row['starttime']}")


def _clip(clips: Path, name: str) -> Path:
    path = clips / f"{name}.mp4"
    if not path.is_file() or not path.stat().st_size:
        raise ValueError(f"there is no clip {path.name} in {clips.name}")
    return path


def _unique(examples: Sequence[Example], log: RowLog) -> tuple[Example, ...]:
    """Return the examples in order, the second of two with one id reported and left out."""
    first: dict[str, Example] = {}
    for example in examples:
        if example.id in first:
            file, _, line = example.source.rpartition(":")
            log.report(
                Path(file), int(line), f"{example.id} was already in {first[example.id].source}"
            )
        else:
            first[example.id] = example
    return tuple(first.values())
