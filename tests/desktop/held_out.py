"""Clips of people whom the shipped weights never heard."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from core.resources import embedded_checkpoint


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip of the corpora beside the project."""

    path: Path
    corpus: str
    speaker: str
    gender: str
    emotion: str
    duration: float
    text: str = ""


def trained_on() -> dict[str, set[str]]:
    """Speakers by corpus that the shipped weights were trained or calibrated on."""
    text = (embedded_checkpoint() / "training.yaml").read_text(encoding="utf-8")
    named = yaml.safe_load(text).get("trained_on", {})
    seen: dict[str, set[str]] = {}
    for group in ("speakers", "calibration_speakers"):
        for corpus, speakers in (named.get(group) or {}).items():
            seen.setdefault(corpus, set()).update(map(str, speakers))
    return seen


def held_out_clips(data: Path, corpora: Sequence[str] = ()) -> list[Clip]:
    """Return the clips of unseen speakers, of some corpora or of all."""
    seen = trained_on()
    with (data / "speech" / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [
        Clip(
            data / "speech" / row["path"],
            row["corpus"],
            row["speaker"],
            row["gender"],
            row["emotion"],
            float(row["duration_s"]),
            row.get("text") or "",
        )
        for row in rows
        if (not corpora or row["corpus"] in corpora)
        and row["speaker"] not in seen.get(row["corpus"], set())
    ]
