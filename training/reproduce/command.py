"""`emoscope reproduce PAPER`: run a paper's protocol and print its table beside ours."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ConfigError, EmoscopeError
from training.reproduce.protocols import PAPERS, SEEDS, protocol

if TYPE_CHECKING:
    from training.reproduce.options import ReproduceOptions
    from training.reproduce.rows import Reproduction

_PLAIN_WIDTH = 240
_VARIANTS = {"systems": ("corrected", "paper"), "mglra": ("full", "released")}
"""Of RSA-CFN's and KNU's systems, and of MGLRA; the first of each is usual."""


def main(argv: Sequence[str]) -> int:
    """Print the tables, write report and JSON; return 0, or 2 with a sentence when it can't be."""
    arguments = _parser().parse_args(argv)
    try:
        options = _options(arguments)
        found = protocol(options)(options)
        if not _is_main():
            return 0
        _write(found, options.out, arguments.json)
    except EmoscopeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        return 130
    _show(found, options.out)
    return 0


def _options(arguments: argparse.Namespace) -> ReproduceOptions:
    import torch

    from core.models.systems.head import Variant
    from training.progress import Reporter
    from training.reproduce.options import ReproduceOptions

    if arguments.threads > 0:
        torch.set_num_threads(arguments.threads)
    variants = _variants(arguments)
    rows = [name.strip() for name in (arguments.rows or "").split(",") if name.strip()]
    return ReproduceOptions(
        paper=arguments.paper,
        out=arguments.out or Path("runs") / f"reproduce-{arguments.paper}",
        data=arguments.data,
        generated=arguments.generated,
        rows=tuple(rows),
        variant=Variant(variants["systems"]),
        mglra=variants["mglra"],
        protocol=arguments.protocol,
        quick=arguments.quick,
        folds=arguments.folds,
        seeds=arguments.seeds or (1 if arguments.quick else SEEDS.get(arguments.paper, 1)),
        figure=arguments.figure,
        speech=arguments.speech,
        text=arguments.text,
        second_text=arguments.second_text,
        frozen=arguments.frozen,
        task=arguments.task,
        resume=arguments.resume,
        reporter=Reporter(),
    )


def _variants(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the variants of RSA-CFN's and KNU's systems, and of MGLRA. Raises ConfigError."""
    kind = "mglra" if arguments.paper == "mrl-mkd" else "systems"
    chosen = {name: known[0] for name, known in _VARIANTS.items()}
    if arguments.variant is not None:
        if arguments.variant not in _VARIANTS[kind]:
            raise ConfigError(
                f"{arguments.paper} has no variant {arguments.variant!r}.",
                f"Choose {' or '.join(_VARIANTS[kind])}.",
            )
        chosen[kind] = arguments.variant
    return chosen


def _is_main() -> bool:
    from training.distributed import current

    return current().is_main


def _write(found: Reproduction, out: Path, json_file: Path | None) -> None:
    from training.report.document import write_report
    from training.report.reproduction import reproduction_document
    from training.reproduce.tables import as_json, write_json

    write_report(reproduction_document(found), out)
    write_json(out / "results.json", as_json(found))
    if json_file is not None:
        write_json(json_file, as_json(found))


def _show(found: Reproduction, out: Path) -> None:
    from rich.console import Console

    from training.reproduce.tables import print_reproduction

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PLAIN_WIDTH)
    print_reproduction(found, console)
    for path in (*found.images, out / "report.html"):
        console.print(f"Written: {path}", markup=False, soft_wrap=True)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _parser() -> argparse.ArgumentParser:
    papers = "; ".join(f"{name}: {title}" for name, title in PAPERS.items())
    parser = argparse.ArgumentParser(
        prog="emoscope reproduce",
        description="Run a paper's protocol and print its table, published beside ours.",
        epilog=papers,
    )
    parser.add_argument("paper", choices=list(PAPERS))
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--data", type=Path, metavar="DIR",
        help="folder of KEMDy20 and KEMDy19 as published, or one with speech/manifest.csv; for"
        " two-stage also one of IEMOCAP; for mrl-mkd of the feature files of IEMOCAP and MELD, or"
        " one with text/meld, text/emorynlp",
    )  # fmt: skip
    source.add_argument(
        "--generated", action="store_true",
        help="make a small corpus in the published layout and tiny encoders, and run on them",
    )  # fmt: skip
    parser.add_argument("--rows", metavar="1,10,...", help="only these rows (default: all)")
    parser.add_argument("--quick", action="store_true", help="shrink everything; within a minute")
    parser.add_argument("--folds", type=_positive, help="run only so many of the folds")
    parser.add_argument(
        "--seeds", type=_positive,
        help="trainings per fold (default: 1; of mrl-mkd, which has no folds, 3 of each row)",
    )  # fmt: skip
    _add_protocol(parser)
    _add_encoders(parser)
    parser.add_argument("--out", type=Path, help="folder of the run (default: runs/reproduce-...)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    parser.add_argument(
        "--resume", action="store_true",
        help="go on where an interrupted run with the same --out and settings has ended",
    )  # fmt: skip
    parser.add_argument("--threads", type=int, default=0, help="processor threads (0: torch's own)")
    return parser


def _add_protocol(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--variant", choices=[name for known in _VARIANTS.values() for name in known],
        help="of the systems: corrected, as they should be (default), or paper, bug for bug; of"
        " mrl-mkd: full, MGLRA as the paper draws it (default), or released, as its code computes",
    )  # fmt: skip
    parser.add_argument(
        "--protocol", choices=("default", "paper"), default="default",
        help="default: unseen speakers (mrl-mkd: dialogues), epoch chosen on a validation part;"
        " paper: the published split, epoch chosen on the test part",
    )  # fmt: skip
    parser.add_argument(
        "--task", choices=("total", "classification", "regression"), default="total",
        help="knu: labels and affect together, or one of them alone (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--figure", action="store_true", help="draw the attention figure (RSA)")


def _add_encoders(parser: argparse.ArgumentParser) -> None:
    for name, what in (
        ("--speech", "speech encoder"),
        ("--text", "text encoder"),
        ("--second-text", "text encoder that table 3 compares with"),
    ):
        parser.add_argument(name, help=f"{what}: hub name or folder (default: the paper's)")
    parser.add_argument(
        "--frozen", action="store_true", help="train heads on cached features of frozen encoders"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
