"""A correction as a line of JSON and back, and files of such lines in which some may be bad."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.errors import JournalError
from core.personal.types import Correction
from core.types import Message

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Lines:
    """What a file of corrections says: those that can be read, and lines that can't.

    `bad` holds them as they are, so that nothing a person wrote is lost when the file is written
    anew; `problems` say where they were: code `correction_unreadable` with `file`, `line` and
    `reason`.
    """

    corrections: tuple[Correction, ...] = ()
    bad: tuple[str, ...] = ()
    problems: tuple[Message, ...] = ()


def read_lines(path: Path) -> Lines:
    """Read a file; nothing when there is none. Raises JournalError when it can't be opened."""
    try:
        lines = path.read_bytes().decode("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return Lines()
    except OSError as error:
        raise JournalError(
            f"{path} can't be read ({error.strerror or error}).", "Check who may read it."
        ) from error
    corrections: dict[str, Correction] = {}
    bad: list[str] = []
    problems: list[Message] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = from_record(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            bad.append(line)
            problems.append(_problem(path, number, error))
        else:
            corrections[found.id] = found
    return Lines(tuple(corrections.values()), tuple(bad), tuple(problems))


def to_text(corrections: Sequence[Correction], bad: Sequence[str] = ()) -> str:
    """Return the content of a file of corrections."""
    lines = [json.dumps(asdict(one), ensure_ascii=False) for one in corrections]
    return "".join(f"{line}\n" for line in (*lines, *bad))


def from_record(values: Mapping[str, Any]) -> Correction:
    """Read one line. Raises ValueError, TypeError or KeyError where it makes no sense."""
    start, end = float(values["start"]), float(values["end"])
    weight = float(values.get("weight", 1.0))
    if not 0 < weight <= 1:
        raise ValueError(f"weight {weight}")
    if not 0 <= start <= end < float("inf"):
        raise ValueError(f"from {start} to {end} s")
    found = Correction(
        id=_text(values, "id"),
        person=_text(values, "person"),
        label=_text(values, "label"),
        said=_text(values, "said"),
        text=_optional(values, "text"),
        language=_optional(values, "language"),
        source=_text(values, "source"),
        start=start,
        end=end,
        made=_text(values, "made"),
        digest=_text(values, "digest"),
        weight=weight,
    )
    if not _ID.fullmatch(found.id):
        raise ValueError(f"no id: {found.id[:40]!r}")  # it names a file
    if not found.label or not found.person:
        raise ValueError("no label or no person")
    return found


def _text(values: Mapping[str, Any], name: str) -> str:
    found = values[name]
    if not isinstance(found, str):
        raise TypeError(f"{name} is no text")
    return found


def _optional(values: Mapping[str, Any], name: str) -> str | None:
    return None if values.get(name) is None else _text(values, name)


def _problem(path: Path, number: int, error: Exception) -> Message:
    reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
    return Message(
        "correction_unreadable", {"file": str(path), "line": str(number), "reason": reason}
    )
