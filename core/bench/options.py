"""What `emoscope bench` was asked for beside its topics."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path


@dataclass(frozen=True, slots=True)
class Options:
    """Of one run.

    quick: fewer and shorter runs.
    checkpoint: a trained checkpoint whose quality is measured too; None: the one that ships.
    data: a folder of labelled clips to measure it on; None: quality is not measured.
    cache: where models with random weights are kept between runs.
    """

    quick: bool = False
    checkpoint: Path | None = None
    data: Path | None = None
    cache: Path | None = None

    @property
    def made(self) -> Path:
        """Return the folder of the models made for measuring."""
        return self.cache or user_cache_path("emoscope", appauthor=False) / "bench"
