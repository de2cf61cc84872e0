from __future__ import annotations

import pytest

from core.bench import answers, live_cost
from core.bench.report import Part
from core.bench.subjects import Subjects
from core.bench.timing import Sample


@pytest.fixture(scope="module")
def part(subjects: Subjects) -> Part:
    return answers.measure(subjects, "packed:bf16", quick=True)


def test_every_figure_of_the_answers_is_there(part: Part) -> None:
    wanted = {"fused_ratio", "fused_ratio_lossy", "speech_only_ratio", "speech_only_ratio_lossy"}
    assert wanted <= set(part.figures)
    assert all(part.figures[name] > 0 for name in wanted)
    assert {"fused_ratio_loaded", "fused_ratio_lossy_loaded"} <= set(part.figures)


def test_outputs_said_to_be_equal_are(part: Part) -> None:
    equal = [m for m in part.measurements if m.name.startswith("ours, fused: largest")]
    assert [m.met for m in equal] == [True]
    lossy = [m for m in part.measurements if m.name.startswith("ours, lossy, fused: largest")]
    assert [m.met for m in lossy] == [None]


def test_targets_stand_beside_the_figures() -> None:
    samples = [Sample(4.0, 4.0)], [Sample(2.0, 1.0)], [Sample(0.5, 0.5)]
    runs = dict(zip(("naive", "ours", "ours, lossy"), samples, strict=True))
    rows = answers._fused_rows(runs, "Whisper x", targets=(1.8, 6.0))
    assert [(r.value, r.target, r.met) for r in rows[:2]] == [(2.0, 1.8, True), (8.0, 6.0, True)]
    assert "4.00 times less processor time" in rows[0].note
    assert [r.value for r in rows[2:]] == [4000.0, 2000.0, 500.0]


def test_what_a_longer_utterance_adds_is_taken_round_by_round() -> None:
    runs = {"a 2.0": [Sample(1, 0), Sample(2, 0)], "a 16.0": [Sample(4, 0), Sample(3, 0)]}
    assert answers._added(runs, "a") == [3, 1]


def test_updates_at_both_lengths_are_compared(subjects: Subjects) -> None:
    analyzer = subjects.analyzer("packed")
    short, long = live_cost._updates(analyzer, subjects.clips, rounds=1)
    assert len(short) == len(long) == 9
    assert all(sample.processor >= 0 for sample in (*short, *long))


def test_a_live_session_updates_and_costs_something(subjects: Subjects) -> None:
    share, rate = live_cost._session(subjects.analyzer("packed"), 3.0)
    assert 0 < share <= 200
    assert 0.3 < rate <= 8
