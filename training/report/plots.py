"""The plots of a report: values in, figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from training.evaluation.metrics import Estimate
from training.evaluation.system_scores import Affect, Reliability
from training.report.style import BLUE, GREEN, GREY, INK, ORANGE, new_figure, styled

Float = NDArray[np.float64]

_PARTS = (BLUE, ORANGE, GREEN)
_TITLES: Mapping[str, str] = {
    "f1_weighted": "weighted F1",
    "f1_macro": "macro F1",
    "f1_micro": "micro F1",
    "uar": "UAR",
    "wa": "accuracy (WA)",
    "element_accuracy": "element accuracy",
    "ece": "calibration error",
    "ccc_arousal": "CCC arousal",
    "ccc_valence": "CCC valence",
    "ccc_mean": "CCC mean",
    "pearson_arousal": "Pearson arousal",
    "pearson_valence": "Pearson valence",
}
_MOST_POINTS = 3000
_HEAT = LinearSegmentedColormap.from_list("heat", ["#2f7fd000", "#2f7fd0ff"])
"""From nothing to blue, so that the page's own ground shows through where there is nothing."""


def title_of(name: str) -> str:
    """Return what people call a figure."""
    return _TITLES.get(name, name.replace("_", " "))


@styled
def learning_curves(history: Sequence[Mapping[str, float]], metric: str, best: int) -> Figure:
    """Draw the training loss and the validation metric per epoch; `best` counts from 1."""
    figure, (left, right) = new_figure(7.2, 2.7, columns=2)
    epochs = np.arange(1, len(history) + 1)
    marker = "o" if len(history) < 40 else None
    for axes, keys in ((left, ("train_loss", "loss")), (right, (metric,))):
        for key, colour in zip(keys, (BLUE, ORANGE), strict=False):
            if all(key in row for row in history):
                title = {"train_loss": "training", "loss": "validation"}.get(key, key)
                values = [row[key] for row in history]
                axes.plot(epochs, values, color=colour, marker=marker, markersize=3.5, label=title)
        axes.axvline(best, color=GREY, linewidth=1, linestyle=":")
        axes.set_xlabel("epoch")
        axes.grid(axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.set_title("Loss")
    left.legend()
    right.set_title(f"Validation {title_of(metric)}")
    return figure


@styled
def class_counts(classes: Sequence[str], parts: Mapping[str, Sequence[int]]) -> Figure:
    """Draw rows per class of every part, on a logarithmic axis: corpora are that uneven."""
    figure, (axes,) = new_figure(7.2, 0.8 + 0.42 * len(classes))
    height = 0.8 / len(parts)
    place = np.arange(len(classes))
    for index, (name, counts) in enumerate(parts.items()):
        at = place + (index - (len(parts) - 1) / 2) * height
        bars = axes.barh(at, counts, height * 0.9, color=_PARTS[index % 3], label=name)
        axes.bar_label(bars, [f" {n:,}" for n in counts], fontsize=7.5, color=INK)
    axes.set_yticks(place, classes)
    axes.invert_yaxis()
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlim(0, 2.5 * max(max(counts) for counts in parts.values()))
    axes.set_xlabel("rows")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.legend(loc="lower right", reverse=False)
    return figure


@styled
def confusion_matrix(matrix: Float, classes: Sequence[str]) -> Figure:
    """Draw counts (C, C), rows the truth, shaded by the share of the row."""
    size = 1.7 + 0.62 * len(classes)
    figure, (axes,) = new_figure(size + 0.5, size)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1e-9)
    axes.imshow(share, cmap=_HEAT, vmin=0, vmax=1)
    for row, column in np.ndindex(*matrix.shape):
        count = matrix[row, column]
        text = "·" if count == 0 else f"{count:,.0f}"
        colour = "white" if share[row, column] > 0.6 else INK
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8.5)
    axes.set_xticks(range(len(classes)), classes, rotation=35, ha="right")
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


@styled
def reliability_diagram(found: Reliability) -> Figure:
    """Draw how often predictions come true against how sure they were; areas show how many."""
    figure, (axes,) = new_figure(3.9, 3.7)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
    rows = np.asarray(found.rows, dtype=np.float64)
    axes.plot(found.confidence, found.accuracy, color=BLUE, linewidth=1.2, alpha=0.6)
    sizes = 14 + 190 * rows / rows.max()
    axes.scatter(
        found.confidence, found.accuracy, s=sizes, color=BLUE, alpha=0.8, linewidths=0,
        clip_on=False,
    )  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="came true", aspect="equal")
    axes.grid()
    return figure


@styled
def affect_scatter(affect: Mapping[str, Affect], ccc: Mapping[str, float]) -> Figure:
    """Draw predictions against annotations, with the line of perfect agreement."""
    figure, axes = new_figure(3.6 * len(affect), 3.6, columns=len(affect))
    for one, (name, values) in zip(axes, affect.items(), strict=True):
        there = np.flatnonzero(np.isfinite(values.truth))
        if there.size > _MOST_POINTS:
            there = np.random.default_rng(0).choice(there, _MOST_POINTS, replace=False)
        one.plot([-1, 1], [-1, 1], color=GREY, linewidth=1, linestyle="--")
        alpha = float(np.clip(60 / max(there.size, 1), 0.08, 0.6))
        one.scatter(
            values.truth[there], values.prediction[there], s=11, color=BLUE, alpha=alpha,
            linewidths=0,
        )  # fmt: skip
        one.set(xlim=(-1.05, 1.05), ylim=(-1.05, 1.05), xlabel="annotated", ylabel="predicted")
        one.set_title(f"{name.capitalize()}, CCC {ccc[name]:.3f}")
        one.set_aspect("equal")
        one.grid()
    return figure


@styled
def figures_beside_majority(
    figures: Mapping[str, Estimate], majority: Mapping[str, Estimate]
) -> Figure:
    """Draw each figure with its interval, and a mark where the majority class is."""
    figure, (axes,) = new_figure(7.2, 0.75 + 0.36 * len(figures))
    for at, (name, found) in enumerate(figures.items()):
        _interval(axes, found, at, BLUE)
        if name in majority:
            axes.plot(majority[name].value, at, "|", color=ORANGE, markersize=13, mew=2.2)
    axes.plot([], [], "o", color=BLUE, label="this system, 95 % interval")
    axes.plot([], [], "|", color=ORANGE, markersize=12, mew=2.2, label="always the commonest class")
    figure.legend(loc="outside upper center", ncols=2)
    _named(axes, list(figures))
    lowest = min([0.0, *(found.low for found in figures.values())])
    axes.set_xlim(lowest, 1)
    return figure


@styled
def published_beside_ours(
    names: Sequence[str], published: Sequence[float | None], ours: Sequence[Estimate],
    majority: float | None, title: str,
) -> Figure:  # fmt: skip
    """Draw one figure of every row of a table: the paper's, ours with its interval, majority."""
    figure, (axes,) = new_figure(7.2, 1.0 + 0.34 * len(names))
    for at, (there, here) in enumerate(zip(published, ours, strict=True)):
        _interval(axes, here, at, BLUE)
        if there is not None:
            axes.plot(there, at, "D", color=ORANGE, markersize=5.5)
    if majority is not None:
        axes.axvline(majority, color=GREY, linestyle=":", label="always the commonest class")
    axes.plot([], [], "o", color=BLUE, label="here, 95 % interval")
    if any(value is not None for value in published):
        axes.plot([], [], "D", color=ORANGE, markersize=5.5, label="paper (its data)")
    figure.legend(loc="outside upper center", ncols=3)
    _named(axes, list(names))
    axes.set_xlabel(title)
    return figure


def _interval(axes: Axes, found: Estimate, at: int, colour: str) -> None:
    axes.plot([found.low, found.high], [at, at], color=colour, linewidth=2.4, alpha=0.45)
    axes.plot(found.value, at, "o", color=colour, markersize=6)


def _named(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [title_of(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
