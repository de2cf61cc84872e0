"""The figure of the RSA-CFN paper: which feature dimensions RSA attends to, neutral and the rest.

From the RSA model's map (B, D, D) over the dimensions of the pooled vectors, speech first: the mean
over samples of each group, then the median over rows, as one bar per dimension. Attention spread
evenly would be 1 / D everywhere. A bar is neither a moment nor a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from training.report.style import BLUE, GREY, INK, ORANGE, new_figure, save_png, save_svg, styled

Float = NDArray[np.float64]

GROUPS = ("neutral", "other emotions")


@dataclass(frozen=True)
class AttentionProfile:
    """Median attention (D,) that each dimension receives, per group, and how many rows it is of.

    speech: how many of the D dimensions are the speech encoder's; they come first.
    """

    medians: dict[str, Float]
    rows: dict[str, int]
    speech: int


class ProfileBuilder:
    """Adds up maps batch by batch, so that only two of them are held.

    Args:
        speech: how many dimensions are the speech encoder's.
    """

    def __init__(self, speech: int) -> None:
        self._speech = speech
        self._sums: dict[str, Float] = {}
        self._rows: dict[str, int] = {}

    def add(self, maps: NDArray[np.float32], neutral: NDArray[np.bool_]) -> None:
        """Add maps (B, D, D) of rows that are neutral, or not (B,)."""
        for group, chosen in zip(GROUPS, (neutral, ~neutral), strict=True):
            if chosen.any():
                summed = maps[chosen].sum(axis=0, dtype=np.float64)
                self._sums[group] = self._sums.get(group, 0.0) + summed
                self._rows[group] = self._rows.get(group, 0) + int(chosen.sum())

    def profile(self) -> AttentionProfile:
        """Return the medians over rows of the mean maps. Groups without rows are left out."""
        medians = {
            group: np.median(total / self._rows[group], axis=0)
            for group, total in self._sums.items()
        }
        return AttentionProfile(medians, dict(self._rows), self._speech)


@styled
def draw_profile(found: AttentionProfile, title: str = "") -> Figure:
    """Draw a row of bars per group, with the speech-text divider and the line of even attention."""
    groups = [group for group in GROUPS if group in found.medians]
    figure, axes = new_figure(9.0, 2.5 * len(groups), rows=len(groups))
    width = len(found.medians[groups[0]])
    every = np.concatenate([found.medians[group] for group in groups])
    low, high = _limits(every, 1 / width)
    for one, group, colour in zip(axes, groups, (BLUE, ORANGE), strict=False):
        _bars(one, found.medians[group], low, colour)
        one.axhline(1 / width, color=INK, linewidth=0.9, linestyle="--")
        one.axvline(found.speech - 0.5, color=GREY, linewidth=1.2)
        one.set_ylim(low, high)
        one.set_xlim(-0.5, width - 0.5)
        one.set_title(f"{group} ({found.rows[group]:,} rows)")
        one.set_ylabel("median attention")
        _halves(one, found.speech, width)
    axes[-1].set_xlabel(f"feature dimension (dashed: even attention, 1 / {width:,})")
    if title:
        figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    return figure


def _bars(axes: Axes, values: Float, low: float, colour: str) -> None:
    """Fill one step per dimension: 1,792 separate bars would be a file of megabytes."""
    edges = np.arange(len(values) + 1) - 0.5
    axes.stairs(values, edges, baseline=low, fill=True, color=colour)


def _limits(values: Float, even: float) -> tuple[float, float]:
    """Return limits that show the differences, with the even line inside."""
    low, high = min(values.min(), even), max(values.max(), even)
    margin = 0.12 * max(high - low, 0.02 * even)
    return float(max(0.0, low - margin)), float(high + margin)


def _halves(axes: Axes, speech: int, width: int) -> None:
    for name, at in (("speech", speech / 2), ("text", (speech + width) / 2)):
        axes.text(
            at, 0.97, name, transform=axes.get_xaxis_transform(), ha="center", va="top",
            fontsize=8.5, color=INK,
        )  # fmt: skip


def save_profile(found: AttentionProfile, folder: Path, title: str = "") -> tuple[Path, Path]:
    """Write `rsa_attention.png` and `.svg`; returns both paths."""
    folder.mkdir(parents=True, exist_ok=True)
    png, svg = folder / "rsa_attention.png", folder / "rsa_attention.svg"
    save_png(draw_profile(found, title), png)
    save_svg(draw_profile(found, title), svg)
    return png, svg
