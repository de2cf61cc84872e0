"""`emoscope vote`: make one checkpoint of four that average their probabilities."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from core.errors import EmoscopeError


def main(argv: Sequence[str]) -> int:
    """Load, combine and write; return 0, or 2 with a sentence when it can't be done."""
    arguments = _parser().parse_args(argv)
    from training.vote import vote

    try:
        info = vote(arguments.checkpoints, arguments.out, name=arguments.name)
    except EmoscopeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"Written: {info.path} ({info.architecture})\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emoscope vote",
        description="Make one checkpoint of four, of early, late and residual fusion and of"
        " RSA-CFN, that averages their probabilities: the paper's hybrid.",
    )
    parser.add_argument(
        "checkpoints", nargs=4, type=Path, metavar="CHECKPOINT", help="a folder; in any order"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="what to write")
    parser.add_argument("--name", default="hybrid", help="shown to people (hybrid)")
    return parser
