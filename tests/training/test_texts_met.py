from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from core.models.specification import Problem
from core.types import Modality
from training.data.example_splits import SplitConfig
from training.progress import Reporter
from training.system import _say_parts
from training.system_config import CorpusConfig
from training.system_data import SystemData, load_examples, prepare, texts_met


def prepared(folder: Path, *, acted: bool) -> SystemData:
    """Six speakers with texts; acted ones say the same four sentences with other punctuation."""
    rows = ["text,speaker,label"]
    for speaker in range(6):
        for number, label in enumerate(("happy", "sad", "angry", "neutral")):
            text = f"sentence {number}{'!' * speaker}" if acted else f"{speaker} says {number}"
            rows.append(f"{text},s{speaker},{label}")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    corpus = load_examples(
        CorpusConfig("manifest"), folder, (Modality.TEXT,), Reporter(silent=True)
    )
    return prepare(corpus, SplitConfig(folds=3, validation=0.0), Problem.SINGLE_LABEL, False)


@pytest.mark.parametrize(("acted", "share"), [(True, 1.0), (False, 0.0)])
def test_sentences_that_others_have_said_in_training_are_counted(
    tmp_path: Path, acted: bool, share: float
) -> None:
    tested, met = texts_met(prepared(tmp_path, acted=acted))
    assert tested == 8
    assert met == share * tested


@pytest.mark.parametrize("acted", [True, False])
def test_a_word_of_caution_where_a_reader_need_not_listen(tmp_path: Path, acted: bool) -> None:
    written = io.StringIO()
    _say_parts(prepared(tmp_path, acted=acted), Reporter(Console(file=written, width=300)))
    assert ("script_folds" in written.getvalue()) is acted
