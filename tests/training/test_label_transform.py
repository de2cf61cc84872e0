"""Label Transform against the counts of the paper's table 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from training.data.example import Example
from training.data.example_splits import Parts, SplitConfig, split
from training.data.label_transform import label_transform, telling_label

SINGLE = {
    "neutral": 11_120, "happy": 1_183, "angry": 144, "surprise": 156, "sad": 121, "fear": 43,
    "disgust": 61,
}  # fmt: skip
TIED = {"happy": 345, "angry": 83, "surprise": 56, "sad": 71, "fear": 17, "disgust": 40}
BEFORE = {
    "neutral": 8896, "happy": 946, "angry": 115, "surprise": 125, "sad": 97, "fear": 34,
    "disgust": 49,
}  # fmt: skip
AFTER = {
    "neutral": 8896, "happy": 1291, "angry": 198, "surprise": 181, "sad": 168, "fear": 51,
    "disgust": 89,
}  # fmt: skip
EVALUATION = {
    "neutral": 2224, "happy": 237, "angry": 29, "surprise": 31, "sad": 24, "fear": 9, "disgust": 12,
}  # fmt: skip
PAPER = SplitConfig("segments", folds=5, validation=0.0, seed=42)


def kemdy20_marginals() -> list[Example]:
    """Rows with the corpus's counts: single labels, "neutral;X", and 22 other compounds."""
    labels = [(name,) for name, count in SINGLE.items() for _ in range(count)]
    labels += [("neutral", name) for name, count in TIED.items() for _ in range(count)]
    labels += [("happy", "surprise")] * 15 + [("neutral", "angry", "disgust")] * 7
    order = np.random.default_rng(0).permutation(len(labels))
    return [
        Example(
            corpus="kemdy20", id=f"{n:05}", audio=Path(f"{n:05}.wav"), labels=labels[index],
            speaker=f"kemdy20/{n // 170}", session=f"kemdy20/{n // 340}",
        )
        for n, index in enumerate(order)
    ]  # fmt: skip


def counts(examples: Sequence[Example], rows: np.ndarray) -> dict[str, int]:
    return dict(Counter(examples[row].label for row in rows))


@pytest.fixture(scope="module")
def corpus() -> list[Example]:
    return kemdy20_marginals()


def test_the_counts_of_the_papers_table(corpus: list[Example]) -> None:
    parts = split(corpus, PAPER)
    assert (len(parts.train), len(parts.test)) == (10_262, 2_566)
    assert counts(corpus, parts.train) == BEFORE
    assert counts(corpus, parts.test) == EVALUATION
    result = label_transform(corpus, parts)
    assert len(result.parts.train) == 10_874
    assert counts(result.examples, result.parts.train) == AFTER
    assert result.added == TIED


def test_evaluation_and_its_rows_stay_as_they_are(corpus: list[Example]) -> None:
    parts = split(corpus, PAPER)
    result = label_transform(corpus, parts)
    assert np.array_equal(result.parts.test, parts.test)
    assert all(result.examples[row] is corpus[row] for row in parts.test)
    assert not set(result.parts.train) & set(result.parts.test)


def test_other_compounds_are_left_out_and_counted(corpus: list[Example]) -> None:
    result = label_transform(corpus, split(corpus, PAPER))
    assert result.dropped == {"happy;surprise": 15, "angry;disgust;neutral": 7}
    trained = {result.examples[row].labels for row in result.parts.train}
    assert all(len(labels) == 1 for labels in trained)
    assert len(result.parts.spare) == 0


def test_no_row_of_a_tested_speaker_is_added(corpus: list[Example]) -> None:
    parts = split(corpus, SplitConfig("speakers", folds=5, validation=0.1))
    result = label_transform(corpus, parts)
    added = set(result.parts.train) - set(parts.train)
    tested = {corpus[row].speaker for row in (*parts.test, *parts.validation)}
    assert 300 < len(added) < 612
    assert not tested & {corpus[row].speaker for row in added}


def test_a_multi_label_split_has_nothing_to_transform(corpus: list[Example]) -> None:
    parts = split(corpus, SplitConfig("blocks", folds=5, labels="all"))
    assert sum(len(rows) for _, rows in parts.items()) == len(corpus)
    result = label_transform(corpus, parts)
    assert result.added == {}
    assert np.array_equal(result.parts.train, parts.train)


def test_which_compounds_count() -> None:
    assert telling_label(("neutral", "happy")) == "happy"
    assert telling_label(("sad", "neutral")) == "sad"
    assert telling_label(("sad", "happy")) is None
    assert telling_label(("neutral",)) is None
    assert telling_label(("neutral", "sad", "fear")) is None


def test_without_compounds_nothing_changes() -> None:
    rows = [Example("c", str(n), labels=("happy",)) for n in range(4)]
    parts = Parts(np.array([0, 1]), np.array([2]), np.array([3]))
    result = label_transform(rows, parts)
    assert result.examples == tuple(rows)
    assert result.parts.train.tolist() == [0, 1]
