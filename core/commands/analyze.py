"""`emoscope analyze`: recordings in; turns, subtitles, tables and reports out."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Sequence

from core.batch.batch import Batch, Row
from core.batch.engines import make_engine, parse_workers, settle
from core.batch.identity import identities
from core.batch.inputs import find_inputs
from core.batch.models import CONTEXTS, open_analyzer, open_context
from core.batch.plan import plan
from core.batch.values import Options, Task
from core.commands.analyze_options import options_of, parser
from core.commands.analyze_screen import BatchScreen, skipped_text
from core.commands.progress import Display, display
from core.errors import ConfigError

__all__ = ["EXIT_SOME_FAILED", "main", "open_analyzer", "open_context", "parser"]

EXIT_SOME_FAILED = 1


def main(argv: Sequence[str]) -> int:
    """Analyse every recording named. Raises EmoscopeError.

    Returns:
        1 when some recording could not be read, or a dialogue model that was named could not be
        used.
    """
    arguments = parser().parse_args(argv)
    # What goes wrong is said in sentences; a log handler of the caller still gets the details.
    logging.getLogger("core").addHandler(logging.NullHandler())
    began = time.monotonic()
    options = options_of(arguments)
    inputs = find_inputs(arguments.files, arguments.out)
    if options.transcript and len(inputs.recordings) > 1:
        raise ConfigError(
            "--transcript belongs to one recording, and several were named.",
            "Put each transcript beside its recording, under the same name.",
        )
    with display() as screen:
        if inputs.skipped:
            screen.line(skipped_text(inputs.skipped))
        tasks = plan(inputs.recordings, arguments.out, options.formats)
        rows = _run(arguments, tasks, options, screen, began)
        return 0 if _complete(rows, options, screen) else EXIT_SOME_FAILED


def _run(
    arguments: argparse.Namespace,
    tasks: Sequence[Task],
    options: Options,
    screen: Display,
    began: float,
) -> tuple[Row, ...]:
    """Analyse what is not done yet and say how it went; say how to go on when interrupted."""
    wanted = parse_workers(arguments.workers)
    shown = BatchScreen(tasks, screen)
    models = identities(options)
    batch = Batch(tasks, options, arguments.out, models, shown, resume=arguments.resume)
    try:
        rows = batch.run(lambda waiting: make_engine(settle(wanted, waiting, options)))
    except KeyboardInterrupt:
        shown.interrupted()
        raise
    shown.summary(rows, time.monotonic() - began)
    return rows


def _complete(rows: Sequence[Row], options: Options, screen: Display) -> bool:
    """Tell whether everything asked for was done, and what results lack of it."""
    lacking = any(row.context_lost for row in rows) and options.context.lower() not in CONTEXTS
    if lacking:
        screen.line(
            f"The results are without context: the dialogue model in {options.context} was not "
            "used.",
            error=True,
        )
    return all(row.complete for row in rows) and not lacking
