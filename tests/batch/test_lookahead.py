"""Recordings on a GPU: utterances are judged in groups, and turns are what they would be."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.dialogue.recording import Annotation
from core.pipeline.context import DialogueContext
from core.pipeline.offline import Outcome, analyze_file
from core.pipeline.session import Session
from core.types import EmotionResult, Transcript, Turn, Utterance
from tests.batch.corpus import write_wav
from tests.checkpoints import voice
from tests.fakes import FakeAnalyzer, FakeContext

ROWS = 4


class Batching(FakeAnalyzer):
    """Judges several at once, as a model on a GPU does; `spoiled` can't be judged together."""

    batch_rows = ROWS

    def __init__(self, spoiled: int | None = None, **named: object) -> None:
        super().__init__(**named)  # type: ignore[arg-type]
        self.groups: list[list[int]] = []
        self._spoiled = spoiled
        self.alone: list[int] = []

    def final(self, utterance: Utterance, transcript: Transcript | None) -> EmotionResult | None:
        self.alone.append(utterance.index)
        return super().final(utterance, transcript)

    def final_many(
        self, utterances: Sequence[Utterance], transcripts: Sequence[Transcript | None]
    ) -> list[EmotionResult | None]:
        self.groups.append([utterance.index for utterance in utterances])
        if self._spoiled in self.groups[-1]:
            raise RuntimeError("out of memory")
        pairs = zip(utterances, transcripts, strict=True)
        return [super(Batching, self).final(u, t) for u, t in pairs]


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_wav(tmp_path_factory.mktemp("talk") / "talk.wav", voice(12.0))


ANNOTATIONS = tuple(
    Annotation(number * 1.2, number * 1.2 + 0.9, f"text {number}", "AB"[number % 2])
    for number in range(10)
)


def analysed(talk: Path, analyzer: FakeAnalyzer, context: DialogueContext | None = None) -> Outcome:
    return analyze_file(
        talk, analyzer, None, lambda event: None, annotations=ANNOTATIONS, context=context
    )


def plain(turns: Sequence[Turn]) -> list[Turn]:
    """Turns without when they were computed and by whom before them."""
    emotions = [turn.emotion for turn in turns]
    return [
        replace(turn, emotion=replace(emotion, baseline_seconds=0.0) if emotion else None)
        for turn, emotion in zip(turns, emotions, strict=True)
    ]


def test_groups_are_the_same_ones_whoever_is_faster(talk: Path) -> None:
    analyzer = Batching()
    together = analysed(talk, analyzer, FakeContext())
    assert analyzer.groups == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert analyzer.alone == []
    one_by_one = analysed(talk, FakeAnalyzer(), FakeContext())
    assert plain(together.recording.turns) == plain(one_by_one.recording.turns)
    assert len(together.recording.turns) == 10


def test_trouble_with_a_group_costs_the_one_it_belongs_to(talk: Path) -> None:
    analyzer = Batching(spoiled=5, fail_on=[5])
    turns = analysed(talk, analyzer).recording.turns
    assert analyzer.alone == [4, 5, 6, 7]
    assert [turn.index for turn in turns if turn.emotion is None] == [5]


def test_speech_that_is_found_is_judged_in_groups_too(tmp_path: Path) -> None:
    from core.audio.io import read_audio
    from core.resources import sample_dialogue

    if not sample_dialogue().is_file():
        pytest.skip("the bundled sample is not there")
    media = write_wav(tmp_path / "a.wav", read_audio(sample_dialogue())[0, : 40 * 16_000])
    analyzer = Batching()
    outcome = analyze_file(media, analyzer, None, lambda event: None)
    indices = [index for group in analyzer.groups for index in group]
    assert indices == [turn.index for turn in outcome.recording.turns]
    assert [len(group) for group in analyzer.groups[:-1]] == [ROWS] * (len(analyzer.groups) - 1)


def test_an_interrupt_does_not_wait_for_a_group_to_fill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = write_wav(tmp_path / "long.wav", np.tile(voice(10.0), 20))
    begun = threading.Event()

    class Patient(Batching):
        def final_many(
            self, utterances: Sequence[Utterance], transcripts: Sequence[Transcript | None]
        ) -> list[EmotionResult | None]:
            begun.set()
            return super().final_many(utterances, transcripts)

    real = Session.join

    def joined(self: Session, timeout: float | None = None) -> bool:
        if timeout is not None and begun.wait(5.0):
            raise KeyboardInterrupt
        return real(self, timeout)

    monkeypatch.setattr(Session, "join", joined)
    annotations = [Annotation(n * 1.0, n + 0.8, f"text {n}") for n in range(190)]
    with pytest.raises(KeyboardInterrupt):
        analyze_file(media, Patient(delay=0.01), None, lambda event: None, annotations=annotations)
