from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np

from core.pipeline.history import History
from core.types import Modality, Transcript, Turn, TurnStatus, Utterance
from tests.fakes import FakeAnalyzer, FakeContext


def turn(index: int, start: int, status: TurnStatus = TurnStatus.FINAL) -> Turn:
    return Turn(index, start, start + 100, None, status)


def test_turns_are_ordered_by_start() -> None:
    history = History()
    for index, start in ((0, 500), (1, 100), (2, 300)):
        history.update(turn(index, start))
    assert [t.start for t in history.snapshot()] == [100, 300, 500]


def test_a_turn_is_replaced_by_a_later_one_of_its_index() -> None:
    history = History()
    history.update(turn(0, 100, TurnStatus.PARTIAL))
    before, revision = history.snapshot(), history.revision
    history.update(turn(0, 100))
    assert history.revision > revision
    assert [t.status for t in history.snapshot()] == [TurnStatus.FINAL]
    assert [t.status for t in before] == [TurnStatus.PARTIAL]
    assert history.get(0) == turn(0, 100)


def test_hindsight_takes_the_place_of_older_hindsight_and_of_nothing_else() -> None:
    history = History(attention_limit=1)
    samples = np.ones(100, np.float32)
    for index in range(2):
        emotion = FakeAnalyzer().final(
            Utterance(index, 100 * index, 100 * index + 100, samples), Transcript("some words")
        )
        history.update(replace(turn(index, 100 * index), emotion=emotion))
    context = FakeContext()
    context.add(history.snapshot()[0], {Modality.SPEECH: np.full(7, 1 / 7, np.float32)})
    (read,) = context.finish()
    assert read.hindsight is not None
    revision = history.revision
    revised = history.revise(0, read.hindsight)
    assert revised is not None
    assert revised == replace(history.snapshot()[0], hindsight=read.hindsight)
    assert history.revision > revision
    kept = [bool(t.emotion and t.emotion.attentions) for t in history.snapshot()]
    assert kept == [False, True], "a revised turn is not the newest"
    assert history.revise(7, read.hindsight) is None


def test_a_discarded_turn_is_gone() -> None:
    history = History()
    history.update(turn(0, 100))
    history.discard(0)
    history.discard(7)
    assert len(history) == 0
    assert history.get(0) is None


def test_only_the_newest_turns_keep_their_attention_maps() -> None:
    history = History(attention_limit=2)
    analyzer = FakeAnalyzer()
    for index in range(5):
        utterance = Utterance(index, index * 100, index * 100 + 100, np.ones(100, np.float32))
        emotion = analyzer.final(utterance, Transcript("some words"))
        history.update(replace(turn(index, index * 100), emotion=emotion))
    kept = [bool(t.emotion and t.emotion.attentions) for t in history.snapshot()]
    assert kept == [False, False, False, True, True]
    assert all(t.emotion is not None for t in history.snapshot())


def test_writers_and_readers_may_be_on_different_threads() -> None:
    history = History()

    def write(offset: int) -> None:
        for i in range(300):
            history.update(turn(offset + i, offset + i))
            starts = [t.start for t in history.snapshot()]
            assert starts == sorted(starts)

    writers = [threading.Thread(target=write, args=(1000 * n,)) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(history.snapshot()) == 1200
