"""`emoscope corpus NAME FOLDER`: read a corpus and say what is in it and what is wrong with it."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from core.errors import ConfigError
from training.data.corpora.registry import CORPORA, read_corpus
from training.data.corpus_summary import CorpusSummary, speech_hours, summarise
from training.data.example import Reading


def main(argv: Sequence[str]) -> int:
    """Print what a corpus holds; return 0, or 1 when there are rows that can't be used.

    Raises EmoscopeError: the corpus can't be read at all, or `--strict` and a bad row.
    """
    arguments = _parser().parse_args(argv)
    options = _options(arguments.option)
    with _notes_on_stderr():
        reading = read_corpus(arguments.name, arguments.root, strict=arguments.strict, **options)
    hours = speech_hours(reading.examples) if arguments.hours else None
    summary = summarise(reading, hours)
    if arguments.json:
        lines = [json.dumps(summary.to_json(), ensure_ascii=False, indent=2)]
    else:
        lines = _report(arguments.name, arguments.root, summary)
        lines += _problems(reading, summary, arguments.show)
    sys.stdout.write("\n".join([*lines, ""]))
    return 1 if reading.problems else 0


@contextmanager
def _notes_on_stderr() -> Iterator[None]:
    """Show what readers only log, such as columns of a manifest that are not read."""
    logger = logging.getLogger("training.data.corpora")
    handler = logging.StreamHandler(sys.stderr)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def _options(pairs: Sequence[str]) -> dict[str, Any]:
    """Return the reader's options of KEY=VALUE arguments; values are read as YAML."""
    options = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.isidentifier():
            raise ConfigError(f"The option {pair!r} is not KEY=VALUE.", "For one: classes=own.")
        try:
            options[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ConfigError(f"The value of {pair!r} can't be read: {error}.") from error
    return options


def _report(name: str, root: Path, summary: CorpusSummary) -> list[str]:
    lines = [f"{name}: {root}", ""]
    lines += [f"  examples   {summary.examples:,} ({_counts(summary.modalities)})"]
    if summary.hours is not None:
        lines += [f"  speech     {summary.hours:.2f} hours"]
    if summary.speakers:
        lines += [f"  speakers   {summary.speakers:,} ({_counts(_genders(summary.genders))})"]
    lines += [f"  sessions   {summary.sessions:,}"] if summary.sessions else []
    lines += [f"  dialogues  {summary.dialogues:,}"] if summary.dialogues else []
    lines += [f"  languages  {_counts(summary.languages)}"]
    lines += [f"  parts      {_counts(summary.parts)}"] if summary.parts else []
    for affect, (count, low, mean, high) in summary.affect.items():
        lines += [f"  {affect:<10} {count:,} from {low:+.2f} to {high:+.2f}, mean {mean:+.2f}"]
    return [*lines, "", *_labels(summary)]


def _labels(summary: CorpusSummary) -> list[str]:
    labelled = summary.examples - summary.none
    width = max(map(len, summary.labels), default=0)
    lines = [
        f"  {name:<{width}}  {count:>7,}  {count / max(labelled, 1):6.1%}"
        for name, count in summary.labels.items()
    ]
    if summary.several:
        lines.append(f"  Several labels: {summary.several:,} examples.")
    if summary.none:
        lines.append(f"  No label: {summary.none:,} examples.")
    if labelled:
        most = max(summary.labels, key=lambda name: summary.labels[name])
        share = summary.labels[most] / labelled
        lines.append(f"  Who always says {most} is right in {share:.1%}.")
    return [*lines, *(f"  Note: {note}" for note in summary.notes())]


def _problems(reading: Reading, summary: CorpusSummary, show: int) -> list[str]:
    if not reading.problems:
        return ["", "No row had to be left out."]
    lines = ["", f"Rows left out: {summary.problems:,}"]
    lines += [f"  {count:>7,} x {reason}" for reason, count in summary.reasons.items()]
    lines += ["", f"The first {min(show, summary.problems)}:"] if show else []
    return lines + [f"  {problem.source}: {problem.reason}" for problem in reading.problems[:show]]


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _genders(counts: Mapping[str, int]) -> dict[str, int]:
    return {"gender unknown" if k == "unknown" else k: n for k, n in counts.items()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emoscope corpus",
        description="Read a corpus and say what is in it and what is wrong with it.",
        epilog=f"Corpora: {', '.join(CORPORA)}. docs/corpora.md tells their layouts and options.",
    )
    parser.add_argument("name", help="name of the corpus; manifest: any table of your own")
    parser.add_argument("root", type=Path, help="its folder, or a manifest file")
    parser.add_argument(
        "-o", "--option", action="append", default=[], metavar="KEY=VALUE",
        help="an option of its reader, for one classes=own; may be given again",
    )  # fmt: skip
    parser.add_argument("--strict", action="store_true", help="stop at the first bad row")
    parser.add_argument("--hours", action="store_true", help="open the recordings and add them up")
    parser.add_argument("--show", type=int, default=10, help="problems to list (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    return parser
