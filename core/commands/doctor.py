"""`emoscope doctor`: what works on this machine and what does not, with a remedy for each."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.commands.checks import CHECKS, Finding, Status, examine

STYLES = {Status.OK: "green", Status.WARN: "yellow", Status.FAIL: "bold red"}


def main(argv: Sequence[str]) -> int:
    """Examine this machine; return 0 unless a check failed (warnings are fine), else 1."""
    options = _parser().parse_args(argv)
    findings = examine(options.only or tuple(CHECKS))
    if options.json:
        print(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2))
    else:
        Console(highlight=False).print(_table(findings))
    return int(any(finding.status is Status.FAIL for finding in findings))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="emoscope doctor", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument("--only", nargs="+", choices=tuple(CHECKS), help="run only these checks")
    return parser


def _table(findings: Sequence[Finding]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        words = Text(finding.detail)
        if finding.remedy:
            words.append(f"\n{finding.remedy}", style="bold")
        table.add_row(Text(finding.status, style=STYLES[finding.status]), finding.name, words)
    return table
