"""What Gao et al. printed on IEMOCAP, as rows: tables 1 to 4, and rows that their readers ask for.

Gao, Shi, Chu & Kawahara (2024), Enhancing two-stage finetuning for speech emotion recognition using
adapters, ICASSP: XLS-R 300M, four classes, five folds without a speaker in common. The gains that
its text names do not all follow from its tables; the tables are quoted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from training.reproduce.rows import Row

SOURCE = (
    "Published: Gao et al. (2024), ICASSP, tables 1 to 4: XLS-R 300M on IEMOCAP, four classes, five"
    " folds without a speaker in common; UA (mean recall), WA (accuracy), WER, and accuracy of"
    " gender and style, in per cent."
)
FIGURES = ("uar", "wa", "wer", "gender", "style")
"""In the order of the printed columns UA, WA, WER, gender, style."""
BEST = "scl-cos"
"""The row that the paper proposes."""


@dataclass(frozen=True, slots=True)
class PrintedTable:
    """A table of the paper, or one that its readers asked for: a title and its rows.

    Attributes:
        name: how all of its rows are asked for.
        notes: what the paper says or does not say about it.
    """

    name: str
    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def _row(name: str, title: str, cells: str = "") -> Row:
    """Return a row; cells: the printed per cent in the order of `FIGURES`, "-" where none is."""
    printed = zip(FIGURES, cells.split(), strict=False)
    figures = {name: round(float(x) / 100, 6) for name, x in printed if x != "-"}
    return Row(name, title, name, figures)


TABLE_1 = PrintedTable(
    "table-1",
    "Table 1: one stage",
    (
        _row("adapters-ser", "adapters: SER", "68.51 67.83"),
        _row("adapters-ser-asr", "adapters: SER+ASR", "71.70 71.28 23.68"),
        _row("adapters-ser-gender-style", "adapters: SER+gender+style",
             "70.19 69.85 - 85.82 80.34"),
        _row("full-ser", "full: SER", "70.88 71.57"),
        _row("full-ser-asr", "full: SER+ASR", "75.40 75.17 19.99"),
        _row("full-ser-gender-style", "full: SER+gender+style", "71.05 70.27 - 86.37 82.16"),
        _row("full-all", "full: all four", "76.19 75.49 20.14 97.52 89.29"),
    ),
)  # fmt: skip
TABLE_2 = PrintedTable(
    "table-2",
    "Table 2: how the two stages are tuned",
    (
        _row("setting-1", "adapters, then adapters", "71.89 71.46"),
        _row("setting-2", "full, then full", "74.92 73.81"),
        _row("setting-3", "full, then adapters", "76.54 76.07"),
    ),
    (
        "Stage 1: SER+ASR; stage 2: SER+gender+style, without an adapter per task after pooling:"
        " with these the third is the row x_e of table 3. The paper does not say what tells its two"
        " figures apart.",
    ),
)
TABLE_3 = PrintedTable(
    "table-3",
    "Table 3: what emotion is read from in stage 2",
    (
        _row("x_e", "x_e only", "77.13 76.30 - 98.48 91.33"),
        _row("concat", "x_e, x_g and x_s concatenated", "76.89 76.06 - 98.77 89.29"),
        _row("scl-norm", "concatenated, SCL_norm", "77.91 77.24 - 98.31 90.23"),
        _row("scl-cos", "concatenated, SCL_cos", "78.49 77.85 - 98.64 90.57"),
    ),
    (
        "SCL as printed would push the vectors apart (norm), or takes the cosine of one vector"
        " (cos); here both draw them together, as the text says.",
    ),
)
OTHERS = (
    _row("pepino", "Pepino et al.", "67.20 -"),
    _row("li", "Li et al.", "- 63.40"),
    _row("zou", "Zou et al.", "71.05 69.80"),
    _row("ioannides", "Ioannides et al.", "- 74.32"),
    _row("chen", "Chen et al.", "74.30 -"),
    _row("fang", "Fang et al.", "74.03 74.95"),
    _row("gao-2023", "Gao et al. 2023", "76.10 74.94"),
)
"""What the paper quotes of others in its fourth table."""
TABLE_4 = PrintedTable(
    "table-4",
    "Table 4: beside others",
    (*OTHERS, _row(BEST, "proposed: full, then adapters, SCL_cos", "78.49 77.85")),
    ("Figures of others are quoted from the paper: not run here, and not all of one split.",),
)
ALONE = PrintedTable(
    "alone",
    "Gender alone and style alone (not in the paper)",
    (
        _row("emotion-alone", "stage 2: SER"),
        _row("gender", "stage 2: SER+gender"),
        _row("style", "stage 2: SER+style"),
    ),
    ("As the row x_e, with fewer tasks in stage 2.",),
)
PRINTED = (TABLE_1, TABLE_2, TABLE_3, ALONE)
"""What is run: the fourth has one row, which stands in the third; sweeps depend on the encoder."""


def of_corpus(rows: Sequence[Row], corpus: str, *, published: bool) -> tuple[Row, ...]:
    """Return rows under names of a corpus, `kemdy-x_e`; without figures where none are printed."""
    return tuple(
        replace(
            row,
            name=f"{corpus}-{row.name}",
            corpus=corpus,
            figures=row.figures if published else {},
        )
        for row in rows
    )
