"""The rows and tables of a reproduction: what was published, and what was measured here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from training.evaluation.metrics import Estimate


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a published table.

    Attributes:
        name: how it is asked for (`--rows 4`); title: as the paper calls the model.
        system: its name in `core.models.systems.registry.SYSTEMS`.
        figures: published values by the name of the figure, as shares of one.
        counts: published predictions per class, empty if not printed.
        label_transform: whether rows labelled "neutral;X" were trained on as X.
        text: which text encoder, as the protocol names it; empty: the paper's default.
        corpus: where a table spans several, else empty.
    """

    name: str
    title: str
    system: str
    figures: Mapping[str, float] = field(default_factory=dict)
    counts: tuple[int, ...] = ()
    label_transform: bool = False
    text: str = ""
    corpus: str = ""


@dataclass(frozen=True, slots=True)
class RowResult:
    """What came of training a row.

    Attributes:
        name, system: of the row. rows 0: nothing was run, the row is only quoted.
        figures: by name (see `training.evaluation.system_scores`), means over folds and seeds.
        majority: the same figures of always saying the commonest training label.
        counts: predictions per class; occurring: rows per class in the test part.
        rows: judged (per seed); train_rows: trained on (of the first fold).
        parameters: trained parameters; head_parameters: those of the system's head.
        seconds: of training and judging, all folds and seeds together.
        seeds, folds: that were run.
        notes: what is particular about this row.
    """

    name: str
    system: str
    figures: Mapping[str, Estimate]
    counts: tuple[float, ...] = ()
    majority: Mapping[str, Estimate] = field(default_factory=dict)
    occurring: tuple[float, ...] = ()
    rows: int = 0
    train_rows: int = 0
    parameters: int = 0
    head_parameters: int = 0
    seconds: float = 0.0
    seeds: tuple[int, ...] = ()
    folds: int = 1
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A figure that a table shows: its name, its heading, and whether the paper printed it.

    scale: 100 where the paper prints per cent. whole: a count, shown without an interval.
    """

    figure: str
    title: str
    published: bool = False
    scale: float = 1.0
    whole: bool = False


@dataclass(frozen=True, slots=True)
class TableReport:
    """A published table and the results beside it.

    Attributes:
        classes: names of the classes that counts are given for, in order.
        published: rows of the paper; empty for a comparison that no paper has printed.
        results: by the name of the row; a row without one was not asked for.
        notes: printed below.
    """

    title: str
    columns: tuple[Column, ...]
    classes: tuple[str, ...]
    published: tuple[Row, ...]
    results: Mapping[str, RowResult]
    notes: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[tuple[Row, RowResult], ...]:
        """Rows that were run, in the order of the table."""
        return tuple((r, self.results[r.name]) for r in self.published if r.name in self.results)


@dataclass(frozen=True, slots=True)
class CountTable:
    """Counts per class, published beside ours: (name, published, ours), any of them empty."""

    title: str
    classes: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reproduction:
    """Everything that a reproduction found.

    Attributes:
        name: as it is asked for; title: of the paper; source: where its figures are from.
        tables: with results; counts: of rows.
        differences: what differs from the paper, one sentence each.
        images: drawings that were made.
        intervals: what was resampled for them; empty: rows of the test part.
        seconds: it took.
    """

    name: str
    title: str
    source: str
    tables: tuple[TableReport, ...]
    counts: tuple[CountTable, ...] = ()
    differences: tuple[str, ...] = ()
    images: tuple[Path, ...] = ()
    seconds: float = 0.0
    intervals: str = ""
