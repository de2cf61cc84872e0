"""The bundled sample dialogue in the terminal, for where no window can be opened."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from core.commands.analyze import open_analyzer, open_context
from core.commands.live_table import LiveTable
from core.dialogue.export.formats import export
from core.dialogue.readers.transcripts import find_transcript, read_transcript
from core.errors import MediaError
from core.pipeline.offline import analyze_file
from core.resources import sample_dialogue

NO_DISPLAY = "There is no display to open the window on."
WHAT_THIS_IS = (
    "This is the bundled sample dialogue (synthetic voices), read by the same pipeline in the "
    "terminal."
)


def main(argv: Sequence[str]) -> int:
    """Play the sample through the pipeline as a live table, write the report, and return 0.

    Says first when there is no display, which is then why it runs. Raises EmoscopeError when the
    sample or the checkpoint is missing.
    """
    arguments = parser().parse_args(argv)
    logging.getLogger("core").addHandler(logging.NullHandler())
    media = sample_dialogue()
    if not media.is_file():
        raise MediaError(f"The sample dialogue {media} is missing.", "Install Emoscope again.")
    print(WHAT_THIS_IS if _has_display() else f"{NO_DISPLAY} {WHAT_THIS_IS}", flush=True)
    analyzer = open_analyzer(arguments.model, personal=arguments.personal)
    context = open_context(arguments.context, analyzer.model)
    found = find_transcript(media)
    realtime = sys.stdout.isatty() and not arguments.fast
    with LiveTable(f"Sample dialogue · {media.name}") as table:
        outcome = analyze_file(
            media,
            analyzer,
            None,
            table,
            annotations=read_transcript(found).annotations if found else (),
            realtime=realtime,
            context=context,
        )
    if outcome.error is not None:
        raise outcome.error
    written = [
        export(outcome.recording, name, arguments.out / f"{media.stem}.{name}")
        for name in ("html", "jsonl")
    ]
    print(f"Written: {', '.join(map(str, written))}")
    print("Your own recordings: emoscope analyze FILE --out FOLDER")
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    made = argparse.ArgumentParser(
        prog="emoscope demo",
        description="Plays the bundled sample dialogue through the pipeline in the terminal.",
    )
    made.add_argument("--out", type=Path, default=Path("emoscope-report"), metavar="DIR")
    made.add_argument("--model", default="embedded", metavar="M", help="checkpoint folder")
    made.add_argument(
        "--context", default="auto", metavar="C", help="dialogue model: auto, off or its folder"
    )
    made.add_argument("--personal", default="", metavar="NAME", help="personal adapter")
    made.add_argument("--fast", action="store_true", help="as fast as possible")
    return made


def _has_display() -> bool:
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
