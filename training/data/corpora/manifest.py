"""Any corpus at all: a table with a row per utterance (docs/corpora.md lists its columns)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from core.errors import CorpusError
from training.data.corpora import labelling, manifest_columns
from training.data.corpora.labelling import SYNONYMS, Labelling, within
from training.data.corpora.manifest_columns import Columns
from training.data.corpora.manifest_file import Row, find_manifest, read_table
from training.data.corpora.media import check_media
from training.data.corpora.rows import RowLog, source
from training.data.example import Example, Reading

_logger = logging.getLogger(__name__)

_SHOWN = 3
"""How many missing files a summary names."""


@dataclass(frozen=True, slots=True)
class ManifestOptions:
    """How to read a manifest; every field is an option of `read`.

    Attributes:
        corpus: name for rows without a corpus column.
        label_map: a map of training/configs/labels by name, a YAML file by path (from here or from
            the manifest), label -> class (None: left out), or a `Labelling`. None: SYNONYMS, other
            names kept as own classes.
        classes: the only classes there may be, in order; None: whatever occurs.
        columns: field -> column name, where a manifest names its columns otherwise.
        affect_range: what the lowest and highest arousal and valence are in the file.
        audio_root: folder that relative paths start from; None: the manifest's.
        encoding: of the file; None: detected.
        where: column -> value; other rows are left out.
        keep_unlabelled: keep rows without label and affect (dialogue context), instead of
            reporting them.
        check_audio: open every recording, and report the ones that can't be or are too short.
    """

    corpus: str = "manifest"
    label_map: str | Path | Mapping[str, str | None] | Labelling | None = None
    classes: Sequence[str] | None = None
    columns: Mapping[str, str] | None = None
    affect_range: tuple[float, float] = (-1.0, 1.0)
    audio_root: str | Path | None = None
    encoding: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    keep_unlabelled: bool = False
    check_audio: bool = False

    def __post_init__(self) -> None:
        low, high = self.affect_range
        if not low < high:
            raise CorpusError(f"affect_range {low:g} to {high:g} is empty.", "Give (low, high).")

    def labelling(self, folder: Path) -> Labelling | None:
        """Return how labels become classes; None: by SYNONYMS and as they are."""
        if self.label_map is None or isinstance(self.label_map, Labelling):
            return self.label_map
        if isinstance(self.label_map, Mapping):
            return labelling.from_mapping(self.label_map)
        beside = folder / self.label_map
        return labelling.from_map(beside if beside.is_file() else self.label_map)


def read(root: Path, *, strict: bool = False, **options: Any) -> Reading:
    """Read a manifest.

    Args:
        root: a CSV, TSV or JSON Lines file, or the folder of one.
        strict: stop at the first bad row.
        options: fields of `ManifestOptions`.

    Raises:
        CorpusError: no manifest, no usable columns, not one recording found, or `strict` and bad.
        ConfigError: the label map is faulty.
    """
    known = [option.name for option in fields(ManifestOptions)]
    unknown = [name for name in options if name not in known]
    if unknown:
        raise CorpusError(
            f"A manifest has no such option: {', '.join(unknown)}.",
            f"There are: {', '.join(known)}.",
        )
    chosen = ManifestOptions(**options)
    path = find_manifest(Path(root))
    log = RowLog(strict)
    table = read_table(path, log, chosen.encoding)
    columns = manifest_columns.resolve(path, table.columns, chosen.columns)
    if columns.unused:
        _logger.info("%s: columns not read: %s", path, ", ".join(columns.unused))
    missing_column = [name for name in chosen.where if name not in table.columns]
    if missing_column:
        raise CorpusError(f"{path} has no column {', '.join(missing_column)}.")
    reader = _Rows(path, columns, chosen, log, table.decimal_comma)
    for line, row in table.rows:
        if all(str(row.get(name, "")) == value for name, value in chosen.where.items()):
            reader.add(line, row)
    return reader.finish()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # no name a file could have, for one a whole sentence
        return False


class _Rows:
    """Turns rows into examples, and remembers what later rows and the end need."""

    def __init__(
        self,
        path: Path,
        columns: Columns,
        options: ManifestOptions,
        log: RowLog,
        decimal_comma: bool,
    ) -> None:
        self._path = path
        self._columns = columns
        self._options = options
        self._log = log
        self._comma = decimal_comma
        self._labelling = options.labelling(path.parent)
        self._folder = Path(options.audio_root or path.parent)
        self._examples: list[Example] = []
        self._line_of: dict[tuple[str, str], int] = {}
        self._turns: dict[str, int] = {}
        self._missing: list[tuple[int, str]] = []
        self._found: dict[str, Path | None] = {}
        self._recordings = 0

    def add(self, line: int, row: Row) -> None:
        """Read one row; a bad one is reported, a missing recording is noted for the end."""
        try:
            example = self._example(line, row)
            if example is not None:
                self._remember(example, line)
        except ValueError as error:
            self._log.report(self._path, line, str(error))

    def finish(self) -> Reading:
        """Return the reading; says once how many recordings are missing."""
        if self._missing and (self._log.strict or len(self._missing) == self._recordings):
            raise self._summary()
        used = {name for example in self._examples for name in example.labels}
        classes = self._labelling.classes if self._labelling else labelling.ordered(used)
        if self._options.classes is not None:
            classes = tuple(self._options.classes)
        return Reading(tuple(self._examples), self._log.problems, classes)

    def _summary(self) -> CorpusError:
        first = ", ".join(f"{name} (line {line})" for line, name in self._missing[:_SHOWN])
        more = len(self._missing) - _SHOWN
        rest = f" and {more} more" if more > 0 else ""
        return CorpusError(
            f"{self._path}: {len(self._missing)} of {self._recordings} recordings are not there:"
            f" {first}{rest}.",
            f"Paths are looked for from {self._folder}: correct them, or give audio_root.",
        )

    def _example(self, line: int, row: Row) -> Example | None:
        """Return the example of a row, None if it is left out. Raises ValueError: a bad row."""
        get = self._columns.text
        corpus = get(row, "corpus") or self._options.corpus
        names = manifest_columns.labels(row.get(self._columns.names.get("labels", "")))
        labels = self._classes(names)
        arousal, valence = self._affect(row, "arousal"), self._affect(row, "valence")
        if not labels and arousal is None and valence is None and not self._stays(names):
            return None
        start, end = self._times(row)
        audio = self._audio(line, get(row, "path"))
        if audio is None and get(row, "path"):
            return None  # missing, and noted
        text = get(row, "text") or None
        if audio is None and text is None:
            raise ValueError("neither a recording nor a text")
        dialogue = within(corpus, get(row, "dialogue"))
        return Example(
            corpus=corpus,
            id=self._id(line, row, start, end),
            audio=audio,
            start=start,
            end=end,
            channel=manifest_columns.channel(get(row, "channel")),
            text=text,
            speaker=within(corpus, get(row, "speaker")),
            session=within(corpus, get(row, "session")),
            dialogue=dialogue,
            turn=self._turn(get(row, "turn"), dialogue),
            gender=manifest_columns.gender(get(row, "gender")),
            style=get(row, "style"),
            language=get(row, "language"),
            labels=labels,
            arousal=arousal,
            valence=valence,
            part=manifest_columns.part(get(row, "part")),
            source=source(self._path, line),
        )

    def _affect(self, row: Row, name: str) -> float | None:
        text = self._columns.text(row, name)
        try:
            return manifest_columns.affect(text, self._options.affect_range, self._comma)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None

    def _classes(self, names: Sequence[str]) -> tuple[str, ...]:
        if self._labelling is not None:
            found = self._labelling.of(names)
        else:
            lower = (name.casefold() for name in names)
            found = tuple(dict.fromkeys(SYNONYMS.get(name, name) for name in lower))
        allowed = self._options.classes
        if allowed is not None and not set(found) <= set(allowed):
            raise ValueError(f"{', '.join(found)} is none of the classes {', '.join(allowed)}")
        return found

    def _stays(self, names: Sequence[str]) -> bool:
        """Return whether a row without target stays; one that just lacks it is reported."""
        if not self._options.keep_unlabelled and not names:
            raise ValueError("no label, and neither arousal nor valence")
        return self._options.keep_unlabelled

    def _times(self, row: Row) -> tuple[float | None, float | None]:
        found = {}
        for name in ("start", "end", "duration"):
            text = self._columns.text(row, name)
            try:
                found[name] = manifest_columns.seconds(text, self._comma) if text else None
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        start, end, duration = found["start"], found["end"], found["duration"]
        if end is None and start is not None and duration is not None:
            end = start + duration
        if (start or 0.0) < 0 or (end is not None and end <= (start or 0.0)):
            raise ValueError(f"it ends at {end or 0.0:g} s but begins at {start or 0.0:g} s")
        return start, end

    def _audio(self, line: int, given: str) -> Path | None:
        """Return the recording, None without one; a missing one is noted."""
        if not given:
            return None
        self._recordings += 1
        if given not in self._found:
            paths = (self._folder / name for name in (given, given.replace("\\", "/")))
            self._found[given] = next(filter(_is_file, paths), None)
        if self._found[given] is not None:
            return self._found[given]
        self._missing.append((line, given))
        if not self._log.strict:
            self._log.report(self._path, line, f"there is no recording {given}")
        return None

    def _id(self, line: int, row: Row, start: float | None, end: float | None) -> str:
        explicit = self._columns.text(row, "id")
        given = self._columns.text(row, "path")
        if explicit or not given:
            return explicit or f"line{line}"
        cut = "" if start is None and end is None else f"#{start or 0.0:g}-{end or 0.0:g}"
        return f"{given}{cut}"

    def _turn(self, text: str, dialogue: str) -> int:
        given = manifest_columns.turn(text)
        turn = self._turns.get(dialogue, 0) if given is None and dialogue else given or 0
        self._turns[dialogue] = turn + 1
        return turn

    def _remember(self, example: Example, line: int) -> None:
        key = (example.corpus, example.id)
        if key in self._line_of:
            raise ValueError(f"{example.id!r} is already in line {self._line_of[key]}")
        if self._options.check_audio and example.audio is not None:
            check_media(example.audio, example.end)
        self._line_of[key] = line
        self._examples.append(example)
