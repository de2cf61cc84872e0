"""Windows of dialogues: where they are cut, who is numbered how, and what is hidden."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

from core.models.context.inputs import UNKNOWN_SPEAKER
from core.models.context.speakers import by_appearance
from tests.training.context.dialogues import generated
from training.context.packed import GIVEN, numbered, pack
from training.context.windows import (
    DialogueBatches,
    HidingConfig,
    WindowConfig,
    draw_windows,
    every_window,
    hidden,
    only_last,
)
from training.data.buckets import BucketConfig
from training.data.dialogues import UNLABELLED, batch_of

SET = generated(30, 1, turns=(1, 20))
PACKED = pack(SET, most=4)


def test_a_batch_of_windows_is_the_batch_of_the_cut_dialogues() -> None:
    first, end = draw_windows(PACKED, WindowConfig(length=5, whole=0.0), np.random.default_rng(0))
    batch = pack(SET, most=4, numbering=GIVEN).windows(first, end)
    cut = [
        d.cut(int(a - s), int(b - s))
        for d, s, a, b in zip(SET.dialogues, PACKED.starts, first, end, strict=True)
    ]
    expected = batch_of(cut)
    for name, values in expected.inputs.features.items():
        assert torch.equal(batch.inputs.features[name], values)
        assert torch.equal(batch.inputs.present[name], expected.inputs.present[name])
    assert torch.equal(batch.inputs.mask, expected.inputs.mask)
    assert torch.equal(batch.inputs.speakers, expected.inputs.speakers)
    assert torch.equal(batch.labels, expected.labels)


def test_speakers_are_numbered_by_first_utterance_in_the_window() -> None:
    generator = np.random.default_rng(3)
    names = generator.integers(-1, 6, size=(40, 9))
    found = numbered(torch.from_numpy(names), most=4)
    for row, given in zip(found, names, strict=True):
        known = [None if n < 0 else f"s{n}" for n in given]
        assert row.tolist() == by_appearance(known, 4).tolist()
    assert (found == UNKNOWN_SPEAKER).any()


def test_names_count_even_where_the_set_ran_out_of_indices() -> None:
    joined = generated(1, 1, turns=(6, 6)).dialogues[0]
    crowded = type(joined)(
        joined.id, joined.corpus, joined.part, joined.features, joined.present,
        np.minimum(np.arange(6), 1), joined.labels, joined.utterances,
        tuple(f"n{n}" for n in range(6)),
    )  # fmt: skip
    packed = pack(type(SET)((crowded,), SET.classes, SET.sizes, 2), most=4)
    batch = packed.windows(np.array([3]), np.array([6]))
    assert batch.inputs.speakers.tolist() == [[0, 1, 2]]


def test_every_end_is_as_likely_as_the_other() -> None:
    one = generated(1, 2, turns=(8, 8))
    config = WindowConfig(length=3, draws=4000, whole=0.0)
    first, end = draw_windows(pack(one, 2), config, np.random.default_rng(0))
    counts = Counter(end.tolist())
    assert sorted(counts) == list(range(1, 9))
    assert max(counts.values()) < 1.25 * min(counts.values())
    assert (first == np.maximum(0, end - 3)).all()


def test_some_windows_are_the_whole_dialogue() -> None:
    config = WindowConfig(length=3, draws=300, whole=0.25)
    first, end = draw_windows(PACKED, config, np.random.default_rng(0))
    starts, ends = np.repeat(PACKED.starts, 300), np.repeat(PACKED.ends, 300)
    long = ends - starts > 3
    share = ((first == starts) & (end == ends))[long].mean()
    assert 0.22 < share < 0.28


def test_every_turn_is_once_the_last_of_its_window() -> None:
    first, end = every_window(PACKED, 4)
    row = 0
    for start, stop in zip(PACKED.starts, PACKED.ends, strict=True):
        for last in range(start, stop):
            assert (first[row], end[row]) == (max(start, last - 3), last + 1)
            row += 1
    assert row == len(end)


@pytest.mark.parametrize(
    "config",
    [WindowConfig(length=4), WindowConfig(length=4, draws=3), WindowConfig(cut="whole"),
     WindowConfig(length=4, cut="every")],
)  # fmt: skip
def test_an_epoch_has_as_many_batches_as_it_says(config: WindowConfig) -> None:
    batches = DialogueBatches(PACKED, config, BucketConfig(size=7))
    for epoch in (0, 1):
        assert len(list(batches(epoch, np.random.default_rng(epoch)))) == batches.steps


def test_every_labelled_turn_comes_once_in_whole_dialogues_and_as_a_last_one() -> None:
    labelled = int((PACKED.labels != UNLABELLED).sum())
    for config in (WindowConfig(cut="whole"), WindowConfig(length=4, cut="every", counted="last")):
        batches = DialogueBatches(PACKED, config, BucketConfig(size=7))
        found = sum(
            int((b.labels != UNLABELLED).sum()) for b in batches(0, np.random.default_rng())
        )
        assert found == labelled


def test_the_generator_alone_decides_what_is_drawn() -> None:
    config = HidingConfig(0.5, {"speech": 0.3}, {"text": 0.2})
    batches = DialogueBatches(PACKED, WindowConfig(length=4), BucketConfig(size=7), config)
    one, same, other = (list(batches(0, np.random.default_rng(seed))) for seed in (1, 1, 2))
    assert all(torch.equal(a.labels, b.labels) for a, b in zip(one, same, strict=True))
    assert all(
        torch.equal(a.inputs.present["speech"], b.inputs.present["speech"])
        for a, b in zip(one, same, strict=True)
    )
    assert any(
        a.labels.shape != b.labels.shape or not torch.equal(a.labels, b.labels)
        for a, b in zip(one, other, strict=True)
    )


def test_only_the_last_turn_counts_if_asked() -> None:
    batch = PACKED.windows(PACKED.starts[:9], PACKED.ends[:9])
    last = only_last(batch).labels
    for row, (dialogue, length) in enumerate(zip(SET.dialogues[:9], PACKED.lengths, strict=False)):
        expected = [UNLABELLED] * last.shape[1]
        expected[int(length) - 1] = int(dialogue.labels[-1])
        assert last[row].tolist() == expected


def test_the_only_modality_an_utterance_has_is_never_hidden() -> None:
    batch = PACKED.windows(PACKED.starts, PACKED.ends)
    config = HidingConfig(0.4, {"speech": 0.5}, {"speech": 0.5, "text": 0.5})
    found = hidden(batch, config, np.random.default_rng(0)).inputs
    there = torch.stack(list(found.present.values()))
    assert torch.equal(there.any(dim=0), batch.inputs.mask)
    assert 0.25 < float((~found.present["speech"])[batch.inputs.mask].float().mean()) < 0.55
    unknown = (found.speakers == UNKNOWN_SPEAKER).all(dim=1)
    assert 4 < int(unknown.sum()) < 22


def test_nonsense_is_refused() -> None:
    for wrong in ({"cut": "some"}, {"length": -1}, {"draws": 0}, {"whole": 2.0}):
        with pytest.raises(ValueError, match=r"cut|length"):
            WindowConfig(**wrong)
    with pytest.raises(ValueError, match="last needs windows"):
        WindowConfig(cut="whole", counted="last")
