"""`emoscope adapt`: personal adapters from what people said about their turns."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from core.commands.adapt_table import correction_table, outcome_lines, person_table
from core.errors import ConfigError
from core.models.manifest import CheckpointInfo, read_info
from core.personal.adapting import KEPT, NO_GAIN, adapt
from core.personal.catalog import adapters, find_adapter, remove_adapter
from core.personal.corrections import CorrectionStore
from core.personal.table import read_table, sound_of
from core.resources import embedded_checkpoint
from core.types import seconds

EXIT_NOT_POSSIBLE = 1


def main(argv: Sequence[str]) -> int:
    """List what is kept, take corrections from a table, make an adapter, or remove things.

    Returns:
        1 when there is too little to make an adapter of; 0 also when it was not worth keeping.

    Raises:
        EmoscopeError: a name, table, recording or checkpoint can't be used.
    """
    options = parser().parse_args(argv)
    screen = Console(highlight=False, soft_wrap=True)
    store = CorrectionStore(options.folder)
    if options.person is None:
        if any((options.take, options.list, options.remove, options.clear, options.no_adapter)):
            raise ConfigError("It is not said whose voice is meant.", "Add --person NAME.")
        screen.print(person_table(store, adapters(store.folder)))
        return 0
    for chosen, action in _ACTIONS.items():
        if getattr(options, chosen):
            return action(store, options, screen)
    return _adapt(store, options, screen)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    made = argparse.ArgumentParser(
        prog="emoscope adapt",
        description="Makes a personal adapter: a small correction of what a checkpoint says of one "
        "person's voice, learned on this machine from turns whose labels the person corrected or "
        "confirmed. It is judged on turns it has not learned from, and kept only if it helps. "
        "Without --person: lists people and adapters.",
        epilog="To use it: emoscope analyze FILE --out DIR --personal NAME. Confirm turns that "
        "were right, too: from mistakes alone nothing good can be learned.",
    )
    made.add_argument("--person", metavar="NAME", help="whose voice")
    made.add_argument(
        "--model", default="embedded", metavar="M", help="checkpoint folder (default: embedded)"
    )
    made.add_argument(
        "--from",
        dest="take",
        type=Path,
        metavar="CSV",
        help="first take corrections from a table with the columns media,label and any of "
        "start,end,text,language,said,weight (s; recordings beside the table)",
    )
    made.add_argument("--only-take", action="store_true", help="with --from: make no adapter yet")
    made.add_argument("--list", action="store_true", help="show the person's corrections")
    made.add_argument("--remove", metavar="ID", help="forget one correction (its first letters)")
    made.add_argument(
        "--remove-adapter",
        dest="no_adapter",
        action="store_true",
        help="delete the person's adapter for the checkpoint; the corrections stay",
    )
    made.add_argument(
        "--clear", action="store_true", help="forget everything of the person, adapters included"
    )
    made.add_argument(
        "--folder", type=Path, metavar="DIR", help="where everything personal is (default: yours)"
    )
    return made


def _list(store: CorrectionStore, options: argparse.Namespace, screen: Console) -> int:
    screen.print(correction_table(store.all(options.person)))
    for problem in store.problems(options.person):
        values = problem.values
        screen.print(f"{values['file']}, line {values['line']} is not used: {values['reason']}.")
    return 0


def _remove(store: CorrectionStore, options: argparse.Namespace, screen: Console) -> int:
    found = [c for c in store.all(options.person) if c.id.startswith(options.remove.lower())]
    if len(found) != 1:
        raise ConfigError(
            f"{len(found)} corrections of {options.person} begin with {options.remove!r}.",
            "Choose one of: emoscope adapt --person NAME --list.",
        )
    store.remove(found[0])
    screen.print(f"Forgotten: {found[0].label} at {found[0].start:g} s of {found[0].source}.")
    return 0


def _clear(store: CorrectionStore, options: argparse.Namespace, screen: Console) -> int:
    count = len(store.all(options.person))
    store.clear(options.person)
    screen.print(f"Forgotten: {options.person}, with {count} corrections and every adapter.")
    return 0


def _remove_adapter(store: CorrectionStore, options: argparse.Namespace, screen: Console) -> int:
    info = find_adapter(options.person, _checkpoint(options).digest, store.folder)
    remove_adapter(info)
    screen.print(f"Removed: {info.path}")
    return 0


_Action = Callable[[CorrectionStore, argparse.Namespace, Console], int]
_ACTIONS: dict[str, _Action] = {
    "list": _list,
    "remove": _remove,
    "clear": _clear,
    "no_adapter": _remove_adapter,
}
"""Option -> what is done instead of making an adapter."""


def _adapt(store: CorrectionStore, options: argparse.Namespace, screen: Console) -> int:
    info = _checkpoint(options)
    if options.take is not None:
        count = _take(store, options.person, options.take, info)
        screen.print(f"Taken from {options.take}: {count} corrections of {options.person}.")
        if options.only_take:
            return 0
    with _progress() as advance:
        report = adapt(store, options.person, info.path, advance)
    for line in outcome_lines(report, options.person):
        screen.print(line)
    return 0 if report.reason in (KEPT, NO_GAIN) else EXIT_NOT_POSSIBLE


def _take(store: CorrectionStore, person: str, path: Path, info: CheckpointInfo) -> int:
    rows = read_table(path, info.specification.labels)
    for row in rows:
        samples = sound_of(row)
        end = row.end if row.end is not None else row.start + seconds(samples.size)
        store.add(
            samples,
            person=person,
            label=row.label,
            said=row.said,
            text=row.text,
            language=row.language,
            source=str(row.media.resolve()),
            start=row.start,
            end=end,
            digest=info.digest,
            weight=row.weight,
        )
    return len(rows)


def _checkpoint(options: argparse.Namespace) -> CheckpointInfo:
    return read_info(embedded_checkpoint() if options.model == "embedded" else Path(options.model))


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show progress on standard error while it is a terminal."""
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("adapting", total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
