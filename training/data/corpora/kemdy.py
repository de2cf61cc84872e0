"""What KEMDy19 and KEMDy20 share: annotation tables beside one recording and text per segment.

ETRI, Korean emotional speech with two speakers per session (licence agreement required). Layout:

    annotation/SessNN_....csv   two header rows, then one row per segment
    wav/SessionNN/....wav|.txt  a recording and its transcript per segment, named by the segment

The emotion is the majority of the taggers ("neutral;happy" where they tie), valence and arousal
their means, 1 to 5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import CorpusError
from training.data.corpora.kemdy_files import (
    SESSION_PREFIX,
    SegmentFiles,
    clean_transcript,
    decode_korean,
)
from training.data.corpora.rows import RowLog, csv_rows, number, source
from training.data.example import Example, Reading
from training.data.label_maps import LabelMap, load_label_map

_WAV_HEADER_BYTES = 44


@dataclass(frozen=True, slots=True)
class Layout:
    """Where one of the two corpora keeps what.

    Attributes:
        name: of the corpus; folder: how the names of its folders begin.
        tables: how annotation files are named, for messages; table: the same, with the session's
            number as its first group.
        segment: of a segment's name behind the session, with groups dialogue, speaker, gender.
        columns: of the segment's name, emotion, valence and arousal, counted from 0.
        times: columns of the segment's start and end in the session.
        encodings: of the texts, the usual one first.
        repeats: whether several tables may have the same row of a segment.
        style: how all of its segments are spoken.
    """

    name: str
    folder: str
    tables: str
    table: re.Pattern[str]
    segment: re.Pattern[str]
    columns: tuple[int, int, int, int]
    times: tuple[int, int]
    encodings: tuple[str, ...]
    repeats: bool
    style: str


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of an annotation table; `start` is None where the table does not say it."""

    path: Path
    line: int
    session: int
    rest: str
    stem: str
    evaluation: tuple[tuple[str, ...], float | None, float | None]
    start: float | None


def read_kemdy(
    root: Path, layout: Layout, *, strict: bool, pairs_only: bool, clean: bool
) -> Reading:
    """Read one of the two corpora; see `kemdy19.read` and `kemdy20.read`."""
    log = RowLog(strict)
    folder = _find_root(root, layout)
    files = SegmentFiles(folder / "wav")
    labels = load_label_map("kemdy")
    examples = []
    for row in _unique(_table_rows(folder, layout, labels, log), layout, log):
        example = _example(row, layout, files, pairs_only, clean, log)
        if example is not None:
            examples.append((row, example))
    return Reading(_with_turns(examples), log.problems)


def _find_root(root: Path, layout: Layout) -> Path:
    """Return `root`, or the first folder of this corpus in it, where `annotation` and `wav` are."""
    inside = sorted(root.glob("*")) if root.is_dir() else []
    named = [f for f in inside if f.name.lower().startswith(layout.folder)]
    for folder in (root, *named):
        if (folder / "annotation").is_dir() and (folder / "wav").is_dir():
            return folder
    raise CorpusError(
        f"{root} is not a folder of {layout.name}.",
        "Give the folder that holds 'annotation' (SessNN_....csv) and 'wav' (SessionNN/....wav).",
    )


def _table_rows(folder: Path, layout: Layout, labels: LabelMap, log: RowLog) -> Iterator[_Row]:
    found = False
    for path in sorted((folder / "annotation").glob("*.csv")):
        name = layout.table.match(path.name)
        if name is None:
            log.report(path, None, f"is not named like a table of {layout.name}")
            continue
        found = True
        for line, fields in csv_rows(path, log, multiline=False):
            if line <= 2 and not _is_segment(fields, layout):
                continue  # the header
            try:
                yield _row(path, line, int(name.group(1)), fields, layout, labels)
            except ValueError as error:
                log.report(path, line, str(error))
    if not found:
        raise CorpusError(
            f"{folder / 'annotation'} holds no table of {layout.name}.",
            f"Its tables are named {layout.tables}.",
        )


def _is_segment(fields: Sequence[str], layout: Layout) -> bool:
    column = layout.columns[0]
    return len(fields) > column and SESSION_PREFIX.match(fields[column].strip()) is not None


def _row(
    path: Path, line: int, session: int, fields: Sequence[str], layout: Layout, labels: LabelMap
) -> _Row:
    """Return a parsed row. Raises ValueError saying what is wrong with it."""
    if len(fields) <= max(layout.columns):
        wanted = max(layout.columns) + 1
        raise ValueError(f"expected at least {wanted} columns, found {len(fields)}")
    stem, emotion, valence, arousal = (fields[column].strip() for column in layout.columns)
    prefix = SESSION_PREFIX.match(stem)
    rest = stem[prefix.end() :] if prefix else ""
    if layout.segment.fullmatch(rest) is None:
        raise ValueError(f"{stem!r} is not a segment of {layout.name}")
    evaluation = (_labels(emotion, labels), _scale(valence, "valence"), _scale(arousal, "arousal"))
    return _Row(path, line, session, rest, stem, evaluation, _start(fields, layout))


def _labels(text: str, labels: LabelMap) -> tuple[str, ...]:
    """Return the classes of "a" or "a;b" in the order given."""
    names = [name.strip().lower() for name in text.split(";") if name.strip()]
    if not names:
        raise ValueError("there is no emotion")
    unknown = [name for name in names if name not in labels.targets]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no emotion of this corpus")
    found = (labels.targets[name] for name in names)
    return tuple(dict.fromkeys(name for name in found if name is not None))


def _scale(text: str, what: str) -> float | None:
    """Return a mean of ratings 1 to 5 in [-1, 1], None where there is none."""
    if not text:
        return None
    try:
        value = number(text)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None
    if not 1 <= value <= 5:
        raise ValueError(f"{what} {value:g} is not between 1 and 5")
    return (value - 3) / 2


def _start(fields: Sequence[str], layout: Layout) -> float | None:
    """Return the segment's start, only used to order turns, so that a bad one costs no row."""
    try:
        return number(fields[layout.times[0]])
    except (ValueError, IndexError):
        return None


def _unique(rows: Iterator[_Row], layout: Layout, log: RowLog) -> Iterator[_Row]:
    seen: dict[tuple[int, str], _Row] = {}
    for row in rows:
        first = seen.setdefault((row.session, row.rest.lower()), row)
        if first is row:
            yield row
        elif not layout.repeats or first.path == row.path:
            log.report(row.path, row.line, f"{row.stem} is already in line {first.line}")
        elif first.evaluation != row.evaluation:
            other = source(first.path, first.line)
            log.report(row.path, row.line, f"{row.stem} is evaluated otherwise in {other}")


def _example(
    row: _Row, layout: Layout, files: SegmentFiles, pairs_only: bool, clean: bool, log: RowLog
) -> Example | None:
    try:
        audio = _recording(row, files)
        text = _text(row, files, layout, clean)
    except ValueError as error:
        log.report(row.path, row.line, str(error))
        return None
    missing = [suffix for suffix, found in (("wav", audio), ("txt", text)) if found is None]
    if missing and (pairs_only or len(missing) == 2):
        log.report(row.path, row.line, f"{row.stem} has no {' and no '.join(missing)} file")
        return None
    return _labelled(row, layout, audio, text)


def _labelled(row: _Row, layout: Layout, audio: Path | None, text: str | None) -> Example:
    match = layout.segment.fullmatch(row.rest)
    assert match is not None  # checked when the row was read
    labels, valence, arousal = row.evaluation
    session = f"{layout.name}/Sess{row.session:02}"
    return Example(
        corpus=layout.name,
        id=f"Sess{row.session:02}_{row.rest}",
        audio=audio,
        text=text,
        speaker=f"{session}_{match['speaker']}",
        session=session,
        dialogue=f"{session}_{match['dialogue']}",
        gender=match["gender"].upper(),
        style=layout.style,
        language="ko",
        labels=labels,
        arousal=arousal,
        valence=valence,
        source=source(row.path, row.line),
    )


def _recording(row: _Row, files: SegmentFiles) -> Path | None:
    path = files.find(row.session, row.rest, row.stem, ".wav")
    if path is not None and path.stat().st_size <= _WAV_HEADER_BYTES:
        raise ValueError(f"{path} holds no audio")
    return path


def _text(row: _Row, files: SegmentFiles, layout: Layout, clean: bool) -> str | None:
    path = files.find(row.session, row.rest, row.stem, ".txt")
    if path is None:
        return None
    text = decode_korean(path.read_bytes(), layout.encodings)
    if text is None:
        raise ValueError(f"{path} is not text in {' or '.join(layout.encodings)}")
    return clean_transcript(text) if clean else " ".join(text.split())


def _with_turns(read: Sequence[tuple[_Row, Example]]) -> tuple[Example, ...]:
    """Number the turns of every dialogue by their start, or as listed where one has none."""
    dialogues: dict[str, list[int]] = {}
    for index, (_, example) in enumerate(read):
        dialogues.setdefault(example.dialogue, []).append(index)
    turns: dict[int, int] = {}
    for members in dialogues.values():
        starts = {index: read[index][0].start for index in members}
        if None not in starts.values():
            members = sorted(members, key=lambda index: (starts[index], index))
        turns.update({index: turn for turn, index in enumerate(members)})
    return tuple(replace(example, turn=turns[i]) for i, (_, example) in enumerate(read))
