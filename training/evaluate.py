"""`emoscope evaluate CHECKPOINT --data DIR`: score a checkpoint on corpora, beside baselines."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.errors import CorpusError, EmoscopeError

_PLAIN_WIDTH = 170


def main(argv: Sequence[str]) -> int:
    """Print the tables, write the JSON; return 0, or 2 with a sentence when it can't be done."""
    options = _parser().parse_args(argv)
    from rich.console import Console

    from training.evaluation.report import as_json, print_report
    from training.evaluation.run import EvaluationSettings, evaluate

    settings = EvaluationSettings(
        options.checkpoint, options.data, options.train_data, options.cache, options.seed
    )
    try:
        with _progress() as advance:
            evaluation = evaluate(settings, advance)
        if options.json is not None:
            _write(options.json, as_json(evaluation))
    except EmoscopeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PLAIN_WIDTH)
    print_report(evaluation, console)
    return 0


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show progress on standard error while it is a terminal."""
    from rich.console import Console
    from rich.progress import Progress, TaskID

    with Progress(console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def advance(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done)

        yield advance


def _write(path: Path, content: object) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise CorpusError(f"{path} can't be written ({error}).", "Choose another file.") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emoscope evaluate",
        description="Score a checkpoint on the speakers and texts it was not trained on.",
    )
    parser.add_argument("checkpoint", type=Path, help="a checkpoint directory")
    parser.add_argument(
        "--data", type=Path, required=True,
        help="folder with speech/manifest.csv and text/<corpus>/; any part may be missing",
    )  # fmt: skip
    parser.add_argument(
        "--train-data", type=Path,
        help="fit the SVM baselines on the training speakers found here",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep measured features here")
    parser.add_argument("--seed", type=int, default=0, help="of random orders and resamples")
    return parser
