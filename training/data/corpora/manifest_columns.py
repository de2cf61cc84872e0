"""The columns of a manifest: their names and what may stand in them."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core.errors import CorpusError
from training.data.corpora.rows import number

COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "id": ("utterance_id", "utt_id", "segment_id", "file_id"),
        "path": (
            *("file", "filename", "file_name", "filepath", "file_path", "audio", "audio_path"),
            *("audio_file", "audio_filepath", "wav", "wav_path", "wav_file", "clip"),
        ),
        "start": ("start_s", "start_time", "starttime", "begin", "onset"),
        "end": ("end_s", "end_time", "endtime", "stop"),
        "duration": ("duration_s", "length", "length_s", "dur"),
        "text": ("transcript", "transcription", "utterance", "sentence", "raw_text"),
        "speaker": ("speaker_id", "spk", "spk_id", "actor", "actor_id", "participant"),
        "session": ("session_id", "recording"),
        "dialogue": ("dialog", "dialogue_id", "dialog_id", "conversation", "conversation_id"),
        "turn": ("turn_id", "turn_index"),
        "gender": ("sex",),
        "style": ("speaking_style",),
        "language": ("lang", "locale"),
        "labels": ("label", "emotion", "emotions", "class", "category"),
        "arousal": ("activation", "aro"),
        "valence": ("val", "pleasure"),
        "corpus": ("dataset", "database"),
        "channel": ("audio_channel",),
        "part": ("split", "partition", "set"),
    }
)
"""Field of an example -> other names its column may have; case and blanks do not matter."""

_FIELD_OF = {name: field for field, names in COLUMNS.items() for name in (field, *names)}
_GENDERS = {
    **dict.fromkeys(("m", "male", "man", "남", "남성", "남자"), "M"),
    **dict.fromkeys(("f", "female", "woman", "여", "여성", "여자"), "F"),
}
_PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("dev", "val", "valid", "validation", "development"), "dev"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
_CHANNELS = {"0": 0, "1": 1, "left": 0, "right": 1, "l": 0, "r": 1, "0.0": 0, "1.0": 1}
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)")


def _plain(name: str) -> str:
    return re.sub(r"[\s\-.]+", "_", name.strip().casefold())


def recognised(name: str) -> bool:
    """Return whether a column of this name would be read."""
    return _plain(name) in _FIELD_OF


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the fields of an example stand in a file, and the columns that are not read."""

    names: Mapping[str, str]
    unused: tuple[str, ...]

    def text(self, row: Mapping[str, Any], field: str) -> str:
        """Return a field of a row as text without blanks around it, empty where it is missing."""
        value = row.get(self.names.get(field, ""))
        return "" if value is None else str(value).strip()


def resolve(path: Path, header: Sequence[str], chosen: Mapping[str, str] | None = None) -> Columns:
    """Find the fields in a header.

    Args:
        chosen: field -> column, where the names of the file are others.

    Raises:
        CorpusError: a chosen column is missing, two columns mean the same field, or there is
            neither a path nor a text, or nothing to learn from.
    """
    names = _chosen(path, header, chosen or {})
    for column in header:
        field = _FIELD_OF.get(_plain(column))
        if field is None or (chosen and field in chosen) or column in names.values():
            continue
        if field in names and _plain(names[field]) == field:
            continue  # the plain name wins over another name for the same
        if field in names and _plain(column) != field:
            raise CorpusError(
                f"{path}: the columns {names[field]!r} and {column!r} both mean {field}.",
                f"Choose one with the option columns={{{field}: {column}}}, or rename one.",
            )
        names[field] = column
    _check(path, header, names)
    return Columns(names, tuple(c for c in header if c not in names.values()))


def _chosen(path: Path, header: Sequence[str], chosen: Mapping[str, str]) -> dict[str, str]:
    for field, column in chosen.items():
        if field not in COLUMNS:
            raise CorpusError(
                f"An example has no field {field!r}.", f"It has: {', '.join(COLUMNS)}."
            )
        if column not in header:
            raise CorpusError(
                f"{path} has no column {column!r} for {field}.", f"It has: {', '.join(header)}."
            )
    return dict(chosen)


def _check(path: Path, header: Sequence[str], names: Mapping[str, str]) -> None:
    if "path" not in names and "text" not in names:
        raise _missing(path, header, "neither a column path (audio files) nor a column text")
    if not {"labels", "arousal", "valence"} & set(names):
        raise _missing(path, header, "no column labels, and neither arousal nor valence")


def _missing(path: Path, header: Sequence[str], what: str) -> CorpusError:
    guesses = []
    for column in header:
        close = difflib.get_close_matches(_plain(column), sorted(_FIELD_OF), 1, 0.75)
        if close and not recognised(column) and "." not in column:
            guesses.append(f"{column!r} looks like {_FIELD_OF[close[0]]}")
    guess = f" ({'; '.join(guesses)})" if guesses else ""
    remedy = "Rename a column, or name it with the option columns={path: ..., labels: ...}."
    if not guesses and not any(map(recognised, header)):
        remedy = "Is the first line a row already? It must name the columns, for one path,labels."
    return CorpusError(
        f"{path} has {what}; its columns are {', '.join(map(repr, header))}{guess}.", remedy
    )


def seconds(text: str, decimal_comma: bool = False) -> float:
    """Return a time: seconds, or hours, minutes and seconds with colons. Raises ValueError."""
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        return decimal(text, decimal_comma)
    hours, minutes, rest = clock.groups()
    return 3600 * int(hours or 0) + 60 * int(minutes) + float(rest.replace(",", "."))


def decimal(text: str, decimal_comma: bool = False) -> float:
    """Return a number. Raises ValueError saying what was there instead."""
    if decimal_comma and re.fullmatch(r"-?\d+,\d+", text):
        text = text.replace(",", ".")
    return number(text)


def affect(text: str, limits: tuple[float, float], decimal_comma: bool = False) -> float | None:
    """Return arousal or valence mapped from `limits` to [-1, 1]; None for an empty field.

    Raises ValueError: no number, or outside the limits.
    """
    if not text:
        return None
    value = decimal(text, decimal_comma)
    low, high = limits
    if not low <= value <= high:
        raise ValueError(
            f"{value:g} lies outside {low:g} to {high:g} (say the scale with affect_range)"
        )
    return 2 * (value - low) / (high - low) - 1


def labels(value: Any) -> tuple[str, ...]:
    """Return the labels of a field: one, several with ; or | between, or a JSON list."""
    if isinstance(value, str) and value.strip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            raise ValueError(f"{value!r} is not a valid JSON list of labels") from None
    if value is None:
        return ()
    if isinstance(value, dict):
        raise ValueError("the labels are neither a text nor a list")
    parts: Iterable[Any] = value if isinstance(value, list) else re.split(r"[;|]", str(value))
    names = (str(part).strip() for part in parts)
    return tuple(dict.fromkeys(name for name in names if name))


def gender(text: str) -> str:
    """Return "M", "F", empty for unknown, or what else is there."""
    return _GENDERS.get(text.casefold(), text)


def part(text: str) -> str:
    """Return "train", "dev", "test" or empty. Raises ValueError for another part."""
    if text and text.casefold() not in _PARTS:
        raise ValueError(f"the part {text!r} is none of train, dev and test")
    return _PARTS[text.casefold()] if text else ""


def channel(text: str) -> int | None:
    """Return 0 or 1, None if empty. Raises ValueError for another channel."""
    if text and text.casefold() not in _CHANNELS:
        raise ValueError(f"the channel {text!r} is none of 0 (left) and 1 (right)")
    return _CHANNELS[text.casefold()] if text else None


def turn(text: str) -> int | None:
    """Return a whole number, None if empty. Raises ValueError."""
    if not text:
        return None
    value = number(text)
    if value != int(value):
        raise ValueError(f"the turn {text!r} is no whole number")
    return int(value)
