"""The real comparison's tables as Markdown, made of nothing but its JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.models.two_stage_config import GENDER, STYLE
from training.reproduce.rows import Column
from training.reproduce.two_stage_real_figures import CER, UA, WA, of

Json = dict[str, Any]

TABLES: Mapping[int, str] = {
    1: "Table 1: one stage",
    2: "Table 2: two stages, emotion alone in the second",
    3: "Table 3: second stage of setting 3 with gender and style",
    0: "Controls that the paper lacks",
}


def columns(content: Json) -> tuple[Column, ...]:
    """Return the figures that the rows of a comparison have, in the order of a table."""
    corpora = list(content["corpora"])
    names = [(UA, "UA"), *((of(UA, c), f"UA {c}") for c in corpora), (WA, "WA")]
    names += [(of(CER, c), f"CER {c}") for c in corpora]
    names += [(GENDER, "gender"), (STYLE, "style")]
    seen = {figure for row in content["rows"] for figure in row["figures"]}
    return tuple(Column(n, title, scale=100.0) for n, title in names if n in seen)


def markdown(content: Json) -> str:
    """Return the tables and verdicts of a comparison's JSON as Markdown."""
    parts = []
    for number, title in TABLES.items():
        rows = [row for row in content["rows"] if row["table"] == number]
        if rows:
            parts.append(f"### {title}\n\n" + _rows_markdown(rows, columns(content)))
    parts.append("### Which claims hold here\n\n" + _claims_markdown(content["claims"]))
    return "\n".join(parts)


def _rows_markdown(rows: Sequence[Json], columns: Sequence[Column]) -> str:
    columns = [c for c in columns if any(c.figure in row["figures"] for row in rows)]
    heads = ["row", *(c.title for c in columns), "trained last", "s of that"]
    lines = []
    for row in rows:
        figures = [_cell(row["figures"].get(column.figure)) for column in columns]
        sizes = [f"{row['parameters']['trained']:,}", f"{row['seconds']:.0f}"]
        lines.append([row["title"], *figures, *sizes])
    return _pipes(heads, lines)


def _claims_markdown(claims: Sequence[Json]) -> str:
    corpora = list(dict.fromkeys(name for claim in claims for name in claim["corpora"]))
    lines = []
    for claim in claims:
        paper = "" if claim["published"] is None else f"{100 * claim['published']:+.2f}"
        here = _cell(claim["difference"], "+")
        each = [_cell(claim["corpora"].get(name), "+") for name in corpora]
        figure = claim["figure"].replace("ua", "UA").replace("cer:", "CER ")
        lines.append([claim["sentence"], claim["verdict"], figure, paper, here, *each])
    return _pipes(["claim", "verdict", "in", "paper", "here", *corpora], lines)


def _cell(values: Json | None, sign: str = "") -> str:
    if values is None or values["value"] is None:
        return ""
    value, low, high = (f"{100 * values[name]:{sign}.1f}" for name in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def _pipes(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", "|---|" + "---:|" * (len(heads) - 1)]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"
