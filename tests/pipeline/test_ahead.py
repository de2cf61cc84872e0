"""What is kept of work done ahead, and when such work is worth beginning."""

from __future__ import annotations

import numpy as np
import pytest

from core.pipeline.ahead import AheadCounts, AheadRule, Foreseen, PauseWatch
from core.pipeline.events import Event
from core.pipeline.judging import Judging
from core.pipeline.model_watch import ModelWatch
from core.types import Transcript, Utterance
from tests.fakes import FakeAnalyzer


def utterance(end: int, index: int = 0, *, paused: bool = False, final: bool = False) -> Utterance:
    samples = np.zeros(end, np.float32)
    return Utterance(index, 0, end, samples, is_final=final, paused=paused)


def test_what_is_kept_holds_for_the_same_samples_only() -> None:
    kept: Foreseen[str] = Foreseen()
    kept.keep(utterance(100, paused=True), "said")
    assert kept.use(utterance(101, final=True)) is None
    assert kept.use(utterance(100, index=1, final=True)) is None
    assert kept.use(utterance(100, final=True)) == "said"


def test_work_is_counted_as_used_or_wasted_once() -> None:
    kept: Foreseen[str] = Foreseen()
    kept.keep(utterance(100), "first pause")
    kept.keep(utterance(100), "first pause, with its text")
    kept.keep(utterance(200), "second pause")
    assert kept.counts == AheadCounts(begun=2, used=0, wasted=1)
    assert kept.use(utterance(200)) == "second pause"
    assert kept.use(utterance(200)) == "second pause"
    kept.drop(0)
    kept.drop(0)
    assert kept.counts == AheadCounts(begun=2, used=1, wasted=1)
    assert kept.use(utterance(200)) is None


def test_looking_is_not_using() -> None:
    kept: Foreseen[str] = Foreseen()
    kept.keep(utterance(100), "said")
    assert kept.look(utterance(100)) == "said"
    kept.clear()
    assert kept.counts == AheadCounts(begun=1, used=0, wasted=1)


def test_the_share_of_pauses_that_were_the_end_is_learned() -> None:
    pauses = PauseWatch()
    assert pauses.share == 0.5
    for index in range(8):
        pauses.grew(utterance(100, index, paused=True))
        pauses.ended(utterance(100, index, final=True))
    assert pauses.share == 0.9
    for index in range(8, 24):
        pauses.grew(utterance(100, index, paused=True))
        pauses.grew(utterance(200, index))
        pauses.ended(utterance(300, index, final=True))
    assert pauses.share == pytest.approx(9 / 26)


def rule(share: float, hangover: float = 0.3) -> AheadRule:
    class Known(PauseWatch):
        @property
        def share(self) -> float:
            return share

    return AheadRule(Known(), hangover, 0.1)


def test_work_shorter_than_the_hangover_is_always_begun() -> None:
    for share in (0.01, 0.5, 0.99):
        short = rule(share)
        assert short.worth(), "nothing is known yet"
        short.took(0.3)
        assert short.worth()


@pytest.mark.parametrize(
    ("share", "hangover", "seconds", "worth"),
    [
        (0.5, 0.3, 0.45, True),  # gains 0.2 s as often as it costs 0.15
        (0.5, 0.3, 0.6, False),  # as often as it costs 0.3
        (0.9, 0.3, 2.0, True),
        (0.9, 0.3, 2.2, False),
        (0.5, 0.5, 0.85, True),  # a longer hangover hides more
        (0.1, 0.3, 0.35, False),
    ],
)
def test_longer_work_is_begun_while_the_gain_outweighs_the_delay(
    share: float, hangover: float, seconds: float, worth: bool
) -> None:
    long = rule(share, hangover)
    long.took(seconds)
    assert long.worth() is worth


def test_a_recogniser_that_was_slow_for_a_moment_is_tried_again() -> None:
    one = rule(0.5)
    one.took(5.0)
    assert not one.worth()
    for _ in range(20):
        one.took(0.1)
    assert one.worth()
    assert 0.1 < one.estimate < 0.2


def test_a_pause_that_was_judged_with_its_text_is_not_judged_by_its_speech_alone() -> None:
    analyzer, told = FakeAnalyzer(), list[Event]()
    judging = Judging(analyzer, told.append, ModelWatch(analyzer, told.append), rule(0.5))
    pause, text = utterance(16_000, paused=True), Transcript("so it is")
    whole = judging.ahead(pause, text)
    assert whole is not None
    assert judging.ahead(pause, None) == whole
    assert judging.final(utterance(16_000, final=True), text).result == whole
    assert analyzer.count("final") == 1
