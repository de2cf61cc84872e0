"""Writing a checkpoint directory of any kind, whole or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from core.models.manifest import CARD, METRICS, TRAINING


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a new folder beside `target` that takes its place when all went well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield folder
        folder.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_papers(
    folder: Path, training: Mapping[str, Any], metrics: Mapping[str, Any], card: str
) -> None:
    """Write what people read about a checkpoint."""
    _write(folder / TRAINING, yaml.safe_dump(dict(training), allow_unicode=True))
    _write(folder / METRICS, json.dumps(metrics, indent=2, ensure_ascii=False) + "\n")
    _write(folder / CARD, card)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
