"""`emoscope cut`: a dialogue checkpoint at one of its nested sizes, or what sizes it has."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from core.errors import ConfigError

if TYPE_CHECKING:
    from core.models.context.checkpoint import LoadedDialogue
    from core.models.context.cutting import Cut
    from core.types import NestedSize

_HARDLY_SMALLER = 0.8
"""Share of the parameters from which on the command says that a cut saved little."""


def main(argv: Sequence[str]) -> int:
    """List the nested sizes of a checkpoint, or write the checkpoint of one.

    Raises:
        CheckpointError: the checkpoint can't be used.
        ConfigError: it has no nested sizes, or not this one, or the folder holds something else.
    """
    options = _parser().parse_args(argv)
    if (options.size is None) != (options.out is None):
        raise ConfigError("--size and --out go together.", "Give both, or neither to list sizes.")
    from core.models.context.checkpoint import load_dialogue_checkpoint
    from core.models.context.cutting import cut_checkpoint, sizes_of

    console = Console(highlight=False)
    loaded = load_dialogue_checkpoint(options.checkpoint)
    sizes = sizes_of(loaded)
    if options.size is None:
        console.print(_table(_measured(loaded, sizes)))
        return 0
    cut = cut_checkpoint(loaded, options.size, options.out, options.name)
    chosen = [m for m in _measured(loaded, sizes) if m.size in (sizes[0], options.size)]
    console.print(_table(chosen))
    _say(console, cut, chosen[-1].parameters / chosen[0].parameters)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emoscope cut",
        description="Cut a dialogue checkpoint to one of its nested (Matryoshka) sizes: it answers"
        " as that size did, without the weights that only the rest needs. Without --size, list the"
        " sizes it has.",
    )
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="its folder")
    parser.add_argument("--size", type=int, metavar="M", help="dimensions that are kept")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder to write")
    parser.add_argument("--name", help="shown to people (the name with the size)")
    return parser


def _measured(loaded: LoadedDialogue, sizes: Sequence[int]) -> tuple[NestedSize, ...]:
    from core.models.context.inference import DialogueInference
    from core.models.context.nested_sizes import nested_sizes

    inference = DialogueInference(loaded.model, loaded.info.temperature)
    found = nested_sizes(inference, loaded.specification.window)
    return tuple(size for size in found if size.size in sizes)


def _table(sizes: Sequence[NestedSize]) -> Table:
    table = Table("dimensions", "parameters", "of the whole", "MB (32 bit)", "ms for a turn")
    for column in table.columns:
        column.justify = "right"
    for size in sizes:
        table.add_row(
            str(size.size),
            f"{size.parameters:,}",
            f"{size.parameters / sizes[0].parameters:.0%}",
            f"{size.bytes / 1e6:.2f}",
            f"{size.milliseconds:.2f}",
        )
    return table


def _say(console: Console, cut: Cut, share: float) -> None:
    before, after = cut.megabytes()
    console.print(f"Written: {cut.info.path} ({cut.info.name})", soft_wrap=True)
    console.print(f"Weights: {after:.2f} MB instead of {before:.2f} MB.")
    exact = f"to {cut.difference:.1g} of the largest logit" if cut.difference else "exactly"
    console.print(f"Answers as the nested size does, {exact}.")
    if share > _HARDLY_SMALLER and cut.size < cut.whole_size:
        console.print(
            "Hardly smaller: nearly all of this model comes before the representation that is cut,"
            " and is needed by every size.",
            soft_wrap=True,
        )
    if not cut.has_figures:
        console.print("The checkpoint tells no figures of this size; its metrics.json has none.")
