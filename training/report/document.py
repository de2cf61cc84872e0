"""A report as sections of text, tables and plots, written once as Markdown and once as HTML.

    write_report(Document("Title", "One line", (Section("Data", (Text("..."),)),)), folder)

leaves `report.html` (one self-contained file, for light and dark screens), `report.md`, and the
plots as PNG beside it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import singledispatch
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from matplotlib.figure import Figure

from core.errors import CorpusError
from training.report.style import save_png, to_svg

MARKDOWN, HTML = "report.md", "report.html"


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; columns from `numbers_from` on hold numbers. The last `aside` rows are baselines."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers_from: int = 1
    aside: int = 0


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing: `name` is its file's; `caption` says what is seen, also to those who can't see."""

    name: str
    caption: str
    draw: Callable[[], Figure]


@dataclass(frozen=True, slots=True)
class Image:
    """A PNG file that was drawn before."""

    path: Path
    caption: str


Block = Text | Bullets | Grid | Plot | Image


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what is under it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]


def write_report(document: Document, folder: Path) -> Path:
    """Write `report.html`, `report.md` and the PNG files; returns the HTML file.

    Raises CorpusError when the folder can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for plot in _plots(document):
            save_png(plot.draw(), folder / f"{plot.name}.png")
        (folder / MARKDOWN).write_text(as_markdown(document), encoding="utf-8")
        (folder / HTML).write_text(as_html(document), encoding="utf-8")
    except OSError as error:
        raise CorpusError(
            f"The report can't be written to {folder} ({error}).", "Choose another folder."
        ) from error
    return folder / HTML


def _plots(document: Document) -> list[Plot]:
    blocks = [block for section in document.sections for block in section.blocks]
    return [block for block in blocks if isinstance(block, Plot)]


def as_markdown(document: Document) -> str:
    """Return the report in Markdown; plots are images beside it."""
    parts = [f"# {document.title}", document.subtitle]
    for section in document.sections:
        parts.append(f"## {section.title}")
        parts += [_markdown(block) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


@singledispatch
def _markdown(block: object) -> str:
    raise TypeError(f"no Markdown for {type(block).__name__}")


@_markdown.register
def _(block: Text) -> str:
    return block.text


@_markdown.register
def _(block: Bullets) -> str:
    return "\n".join(f"- {item}" for item in block.items)


@_markdown.register
def _(block: Grid) -> str:
    words = block.numbers_from
    rule = "|" + "---|" * words + "---:|" * (len(block.heads) - words)
    rows = ["| " + " | ".join(_escaped(cell) for cell in row) + " |" for row in block.rows]
    return "\n".join(["| " + " | ".join(block.heads) + " |", rule, *rows])


@_markdown.register
def _(block: Plot) -> str:
    return f"![{block.caption}]({block.name}.png)\n\n*{block.caption}*"


@_markdown.register
def _(block: Image) -> str:
    return f"![{block.caption}]({block.path.name})\n\n*{block.caption}*"


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")


def as_html(document: Document) -> str:
    """Return the report as one HTML file with the plots in it."""
    environment = Environment(
        loader=PackageLoader("training.report"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sections = [
        {"title": section.title, "blocks": [_for_template(block) for block in section.blocks]}
        for section in document.sections
    ]
    template = environment.get_template("report.html.j2")
    return template.render(title=document.title, subtitle=document.subtitle, sections=sections)


def _for_template(block: Block) -> Mapping[str, object]:
    values: dict[str, object] = {"kind": type(block).__name__.lower(), "block": block}
    if isinstance(block, Plot):
        values["svg"] = to_svg(block.draw(), block.name)
    if isinstance(block, Image):
        values["data"] = base64.b64encode(block.path.read_bytes()).decode("ascii")
    return values
