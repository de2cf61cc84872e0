"""Which model an adapter was trained on, and where that was; imports no torch."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

CHECKPOINT, PRETRAINED = "checkpoint", "pretrained"
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class BaseReference:
    """The model whose weights an adapter goes with.

    Attributes:
        name: as it calls itself, for people.
        digest: of its weights (sha256, hex).
        relative: where it was, from the adapter's folder (POSIX); "" where there is no such path.
        absolute: where it was on the machine that trained the adapter.
        kind: a checkpoint of Emoscope, or the folder of a pretrained model as the hub has it.
    """

    name: str
    digest: str
    relative: str
    absolute: str
    kind: str = CHECKPOINT

    def __post_init__(self) -> None:
        if not _DIGEST.fullmatch(self.digest):
            raise ValueError("the base's digest is no sha256 in hex")
        if self.kind not in (CHECKPOINT, PRETRAINED):
            raise ValueError(f"the base is of no known kind ({self.kind!r})")

    @classmethod
    def at(cls, folder: Path, seen_from: Path, *, name: str, digest: str, kind: str) -> Self:
        """Refer to a folder from the folder of an adapter, which need not be there yet."""
        there, here = folder.resolve(), seen_from.resolve()
        try:
            relative = Path(os.path.relpath(there, here)).as_posix()
        except ValueError:  # on another drive
            relative = ""
        return cls(name, digest, relative, str(there), kind)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote. Raises KeyError, TypeError or ValueError."""
        return cls(
            name=str(values["name"]),
            digest=str(values["sha256"]),
            relative=str(values["relative"]),
            absolute=str(values["absolute"]),
            kind=str(values.get("kind", CHECKPOINT)),
        )

    def to_dict(self) -> dict[str, str]:
        """Return plain JSON values."""
        values = asdict(self)
        return {"name": values.pop("name"), "sha256": values.pop("digest"), **values}

    def places(self, folder: Path) -> list[Path]:
        """Return where it was, as seen from the adapter's folder, the likeliest first."""
        there = [(folder.resolve() / self.relative).resolve()] if self.relative else []
        return [*there, Path(self.absolute)]
