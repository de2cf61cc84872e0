"""Where verdicts are kept: a folder per checkpoint, a JSON file per encoder and mode."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from platformdirs import user_data_path

from core.dialogue.atomic import write_atomically
from core.quality.records import QualityRecord
from core.quality.rule import RULE, Rule

_logger = logging.getLogger(__name__)

_DIGITS = 16
"""Of a digest, in the name of its folder."""


def store_folder() -> Path:
    """Return the user's folder of verdicts."""
    return user_data_path("emoscope", appauthor=False) / "quality"


def keep(record: QualityRecord, store: Path | None = None) -> Path:
    """Write a verdict in place of an older one and return its file. Raises JournalError."""
    path = _path(record.digest, record.modality, record.mode, store)
    write_atomically(path, json.dumps(record.to_dict(), indent=2, ensure_ascii=False) + "\n")
    return path


def find(digest: str, modality: str, mode: str, store: Path | None = None) -> QualityRecord | None:
    """Return the verdict on a mode, whatever it says and however old; None if there is none."""
    record = _read(_path(digest, modality, mode, store))
    asked = (digest, str(modality), str(mode))
    known = record is not None and (record.digest, record.modality, record.mode) == asked
    return record if known else None


def passed(
    digest: str,
    modality: str,
    mode: object,
    store: Path | None = None,
    rule: Rule = RULE,
) -> QualityRecord | None:
    """Return the verdict if it lets a lossy mode be used; None: that mode may not be taken.

    Args:
        digest: sha256 of the checkpoint's weights (hex).
        modality: whose encoder, "speech" or "text".
        mode: such as "openvino:bf16", or a `core.models.runtimes.base.Mode`.
        store: folder of verdicts; None: the user's.
        rule: a verdict by any other does not count, nor one from before its library changed.
    """
    record = find(digest, modality, str(mode), store)
    usable = record is not None and record.passed and not record.outdated(rule)
    return record if usable else None


def all_records(store: Path | None = None) -> tuple[QualityRecord, ...]:
    """Return every verdict that can be read, by checkpoint, encoder and mode."""
    try:
        files = sorted((store or store_folder()).glob("*/*.json"))
    except OSError:
        return ()
    return tuple(record for record in map(_read, files) if record is not None)


def _path(digest: str, modality: str, mode: str, store: Path | None) -> Path:
    name = f"{modality}-{mode.replace(':', '-')}.json"
    return (store or store_folder()) / digest[:_DIGITS] / name


def _read(path: Path) -> QualityRecord | None:
    """Return what a file says; None if there is none, or it is no such record."""
    try:
        return QualityRecord.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        _logger.warning("the quality verdict %s can't be read: %s", path, error)
        return None
