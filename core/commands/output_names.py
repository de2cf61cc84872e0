"""Where the results of a batch go: distinct names that overwrite nothing the user brought."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.dialogue.export.formats import FORMATS
from core.dialogue.readers.transcripts import READERS


def output_stems(files: Sequence[Path]) -> list[str]:
    """Return a name per input, "talk" for talk.wav and "talk-2" for another talk.

    Two names never differ by case alone, because some file systems don't tell these apart.
    """
    taken: set[str] = set()
    reserved = {path.stem.casefold() for path in files}
    stems = []
    for path in files:
        stem, number = path.stem, 1
        while stem.casefold() in taken or (number > 1 and stem.casefold() in reserved):
            number += 1
            stem = f"{path.stem}-{number}"
        taken.add(stem.casefold())
        stems.append(stem)
    return stems


def output_path(folder: Path, stem: str, name: str, media: Path) -> Path:
    """Return where a format of one input is written.

    A transcript that would lie beside the recording gets "talk.emoscope.srt": it must neither
    replace the user's own "talk.srt" nor be taken for it the next time.
    """
    suffix = FORMATS[name].suffix
    beside = folder.resolve() == media.parent.resolve()
    if beside and suffix.lower() in READERS:
        return folder / f"{stem}.emoscope{suffix}"
    return folder / f"{stem}{suffix}"
