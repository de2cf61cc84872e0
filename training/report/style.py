"""How plots look, on paper and on light or dark screens; drawn without a display.

An SVG in a page takes its ink from the page: whatever is drawn in `INK` becomes `currentColor`, so
one drawing suits both. A PNG is for paper and Markdown, on white.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

P = ParamSpec("P")

INK = "#1d2430"
"""Text, axes and marks that are not coloured."""
BLUE, ORANGE, GREEN, GREY = "#2f7fd0", "#d9822b", "#2f9e77", "#8a94a3"
"""Readable on white and on near-black, and apart for most colour-blind readers."""

_STYLE: dict[str, Any] = {
    "figure.dpi": 100,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "grid.color": GREY,
    "grid.alpha": 0.28,
    "grid.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.fonttype": "none",
}
_DECLARATION = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>", re.DOTALL)
_FONT, _PAGE_FONT = "'DejaVu Sans'", "system-ui, sans-serif"


@contextmanager
def _styled(**more: Any) -> Iterator[None]:
    with mpl.rc_context({**_STYLE, **more}):
        yield


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw in the common style (matplotlib reads it when a title or a legend is made)."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with _styled():
            return draw(*args, **kwargs)

    return drawn


def new_figure(
    width: float, height: float, columns: int = 1, rows: int = 1
) -> tuple[Figure, list[Axes]]:
    """Return a figure of `width` x `height` inches with a row, or a column, of axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(rows, columns, squeeze=False).ravel())


def save_png(figure: Figure, path: Path) -> None:
    """Write a figure on white, sharp enough for print."""
    with _styled():
        FigureCanvasAgg(figure)
        figure.savefig(path, format="png", dpi=200, facecolor="white")


def save_svg(figure: Figure, path: Path) -> None:
    """Write a figure as an SVG file of its own, on white."""
    with _styled(**{"svg.hashsalt": path.stem}):
        FigureCanvasSVG(figure)
        figure.savefig(path, format="svg", facecolor="white", metadata={"Date": None})


def to_svg(figure: Figure, name: str) -> str:
    """Return a figure as an `<svg>` element that takes its ink from the page around it.

    name: differs from that of every other drawing in the page, as identifiers are made from it.
    """
    buffer = io.StringIO()
    with _styled(**{"svg.hashsalt": name}):
        FigureCanvasSVG(figure)
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    svg = _DECLARATION.sub("", buffer.getvalue()).strip()
    return svg.replace(INK, "currentColor").replace(_FONT, _PAGE_FONT)
