from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import CorpusError
from training.evaluation.metrics import Estimate
from training.report import plots
from training.report.document import (
    Bullets,
    Document,
    Grid,
    Plot,
    Section,
    Text,
    as_html,
    as_markdown,
    write_report,
)


def drawn():
    matrix = np.array([[8.0, 2.0], [0.0, 5.0]])
    return plots.confusion_matrix(matrix, ["neutral", "happy"])


DOCUMENT = Document(
    "A <b>title</b>",
    "and its subtitle",
    (
        Section("Words", (Text("1 < 2 & 3"), Bullets(("first", "second")))),
        Section("Numbers", (Grid(("row", "F1"), (("a|b", "0.5"), ("always", "0.1")), aside=1),)),
        Section("Pictures", (Plot("confusion", "What was confused", drawn),)),
    ),
)


def test_markdown_has_every_block():
    text = as_markdown(DOCUMENT)
    for expected in (
        "# A <b>title</b>", "## Words", "- second", "| row | F1 |", "|---|---:|", "a\\|b",
        "![What was confused](confusion.png)",
    ):  # fmt: skip
        assert expected in text


def test_html_escapes_words_and_keeps_drawings():
    page = as_html(DOCUMENT)
    assert "A &lt;b&gt;title&lt;/b&gt;" in page
    assert "1 &lt; 2 &amp; 3" in page
    assert page.count("<svg") == 1
    assert "<?xml" not in page
    assert 'class="aside"' in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_a_report_is_written_with_its_pictures(tmp_path: Path):
    assert write_report(DOCUMENT, tmp_path / "r").name == "report.html"
    names = {path.name for path in (tmp_path / "r").iterdir()}
    assert names == {"report.html", "report.md", "confusion.png"}
    assert (tmp_path / "r" / "confusion.png").read_bytes().startswith(b"\x89PNG")


def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(CorpusError, match="file"):
        write_report(DOCUMENT, tmp_path / "file")


def test_a_drawing_takes_the_ink_of_the_page():
    svg = as_html(DOCUMENT)
    assert "currentColor" in svg
    assert plots.INK not in svg.split("<svg")[1]


def test_rows_are_drawn_beside_what_was_published():
    ours = [Estimate(0.5, 0.4, 0.6), Estimate(0.6, 0.5, 0.7)]
    figure = plots.published_beside_ours(["a", "b"], [0.9, None], ours, 0.45, "weighted F1")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    diamonds = [line for line in axes.lines if line.get_marker() == "D" and len(line.get_xdata())]
    assert [float(line.get_xdata()[0]) for line in diamonds] == [0.9]


def test_curves_mark_the_epoch_that_was_kept():
    history = [{"train_loss": 2.0 / n, "loss": 2.5 / n, "uar": 0.1 * n} for n in (1, 2, 3)]
    left, right = plots.learning_curves(history, "uar", 2).axes
    assert right.get_title(loc="left") == "Validation UAR"
    assert [float(line.get_xdata()[0]) for line in left.lines if line.get_linestyle() == ":"] == [2]
