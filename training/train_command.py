"""`emoscope train CONFIG`: run a training recipe."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from core.errors import EmoscopeError


def main(argv: Sequence[str]) -> int:
    """Train what the recipe says; return 0, or 2 with a sentence when it can't be done."""
    arguments = _parser().parse_args(argv)
    from training.distributed import current
    from training.progress import Reporter
    from training.stages import StageContext, load_recipe, run_recipe

    try:
        recipe = load_recipe(arguments.config)
        if not arguments.data.is_dir():
            raise EmoscopeError(
                f"The data folder {arguments.data} does not exist.", "Name it with --data DIR."
            )
        out = arguments.out or Path("runs") / recipe.name
        processes = current()
        reporter = Reporter(silent=not processes.is_main)
        if processes.is_main:
            out.mkdir(parents=True, exist_ok=True)
            _save_resolved(recipe, out, arguments)
        _limit_threads(arguments.threads)
        context = StageContext(
            "", arguments.data, out, recipe.seed, arguments.quick, arguments.resume, reporter
        )
        run_recipe(recipe, context)
    except EmoscopeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("Stopped; --resume goes on from the last finished epoch.\n")
        return 130
    return 0


def _save_resolved(recipe: object, out: Path, arguments: argparse.Namespace) -> None:
    from training import config as configuration

    resolved = {"recipe": configuration.to_mapping(recipe), "quick": bool(arguments.quick)}
    configuration.dump(resolved, out / "training.yaml")


def _limit_threads(threads: int) -> None:
    import torch

    if threads > 0:
        torch.set_num_threads(threads)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="emoscope train", description="Run a training recipe.")
    parser.add_argument("config", type=Path, help="a recipe or stage file in training/configs")
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"),
        help="folder with speech/manifest.csv and text/<corpus>/ (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, help="folder of the run (default: runs/<recipe name>)")
    parser.add_argument("--resume", action="store_true", help="go on with an interrupted run")
    parser.add_argument("--quick", action="store_true", help="a tiny run, to see that it works")
    parser.add_argument("--threads", type=int, default=0, help="processor threads (0: torch's own)")
    return parser
