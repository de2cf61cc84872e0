"""Exported graphs on disk: made once, written whole or not at all, checked whenever they are read.

Each lies in a folder of its own, named by a hash of everything it depends on, beside a JSON with
its sha256. One that is missing, cut off, altered or unreadable is made again. When all together
pass a limit, those that were not used for the longest are removed, never the one in hand.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from core.dialogue.atomic import write_atomically
from core.errors import JournalError

_logger = logging.getLogger(__name__)

GRAPH, ABOUT = "graph.onnx", "about.json"
MOST_BYTES = 6_000_000_000
"""About four large encoders, or a dozen of the base size."""
_DRAFT = "draft-"
_ABANDONED = 86_400.0
"""Seconds after which whoever was writing a draft was surely killed."""


@dataclass(frozen=True, slots=True)
class About:
    """What is noted beside an export.

    sha256: of all other files in the folder.
    depends_on: what its key is a hash of (weights, versions ...).
    differences: mode -> largest absolute difference of the encoder's output from torch.
    """

    sha256: str
    depends_on: Mapping[str, str]
    differences: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> About:
        """Read the JSON. Raises OSError or ValueError."""
        values = json.loads(path.read_text(encoding="utf-8"))
        try:
            differences = {str(k): float(v) for k, v in values["differences"].items()}
            return cls(str(values["sha256"]), dict(values["depends_on"]), differences)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"it lacks something ({error})") from error


class ExportCache:
    """The exports in a folder.

    Args:
        folder: made when something is written.
        most_bytes: of all exports together.
        exporting: called before a graph is made, which takes seconds.
    """

    def __init__(
        self,
        folder: Path,
        most_bytes: int = MOST_BYTES,
        exporting: Callable[[], None] | None = None,
    ) -> None:
        self.folder = folder
        self._exporting = exporting or (lambda: None)
        self._most = most_bytes
        self._in_hand: set[Path] = set()

    def graph(self, depends_on: Mapping[str, str], make: Callable[[Path], None]) -> Path:
        """Return the path of a graph that is there and whole; it is made if need be.

        Args:
            depends_on: whatever changes the graph.
            make: writes it to a path, and more beside it if need be; what it raises is passed on,
                and nothing is kept.
        """
        place = self._place(depends_on)
        self._in_hand.add(place)
        flaw = _flaw(place)
        if not flaw:
            with suppress(OSError):
                os.utime(place / ABOUT)  # tells when it was last used
            return place / GRAPH
        if place.is_dir():
            _logger.warning("the export %s is made again: %s", place, flaw)
        self._make(place, depends_on, make)
        self._prune()
        return place / GRAPH

    def note_difference(self, graph: Path, mode: str, difference: float) -> None:
        """Write down how far the output of a mode was from torch, if the folder can be written."""
        with suppress(OSError, ValueError, JournalError):
            about = About.read(graph.parent / ABOUT)
            noted = replace(about, differences={**about.differences, mode: difference})
            if noted != about:
                _note(graph.parent, noted)

    def _place(self, depends_on: Mapping[str, str]) -> Path:
        text = json.dumps(dict(depends_on), sort_keys=True)
        return self.folder / hashlib.sha256(text.encode()).hexdigest()[:32]

    def _make(
        self, place: Path, depends_on: Mapping[str, str], make: Callable[[Path], None]
    ) -> None:
        self._exporting()
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=self.folder))
        try:
            make(draft / GRAPH)
            _note(draft, About(content_hash(draft), dict(depends_on)))
            if _flaw(place):  # another process may have it open by now
                shutil.rmtree(place, ignore_errors=True)
                _put(draft, place)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _prune(self) -> None:
        """Remove what was not used for the longest until the rest fits, and abandoned drafts."""
        for draft in self.folder.glob(f"{_DRAFT}*"):
            if time.time() - _changed(draft) > _ABANDONED:
                shutil.rmtree(draft, ignore_errors=True)
        kept = sorted(self._complete(), key=_last_used, reverse=True)
        room = self._most
        for place in kept:
            room -= _size(place)
            if room < 0 and place not in self._in_hand:
                _logger.info("removing the export %s, which was not used for long", place)
                shutil.rmtree(place, ignore_errors=True)

    def _complete(self) -> list[Path]:
        return [path.parent for path in self.folder.glob(f"*/{ABOUT}")]


def _flaw(place: Path) -> str:
    """Return why what lies in a place is not the export that was written; "" if it is."""
    try:
        about = About.read(place / ABOUT)
        return "" if content_hash(place) == about.sha256 else "its content is not what was written"
    except (OSError, ValueError) as error:
        return str(error)


def _put(draft: Path, place: Path) -> None:
    """Move a finished draft to its place; another process may have been faster."""
    try:
        draft.rename(place)
    except OSError:
        if not (place / ABOUT).is_file():
            raise


def _note(place: Path, about: About) -> None:
    text = json.dumps(asdict(about), indent=2, sort_keys=True)
    write_atomically(place / ABOUT, text + "\n")


def _last_used(place: Path) -> float:
    return _changed(place / ABOUT)


def _changed(path: Path) -> float:
    """Return when a file or folder was written; 0 if it is gone."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _size(place: Path) -> int:
    """Return the bytes of an export; 0 if another process has just removed it."""
    try:
        return sum(path.stat().st_size for path in place.iterdir() if path.is_file())
    except OSError:
        return 0


def content_hash(place: Path) -> str:
    """Return the sha256 (hex) of the names and contents of the files of an export."""
    whole = hashlib.sha256()
    for path in sorted(path for path in place.iterdir() if path.name != ABOUT):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{path.name} {content}\n".encode())
    return whole.hexdigest()
