"""What a session tells of its model: once it is loaded, and when it moves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.pipeline.events import ModelReady, Notice
from core.pipeline.model_watch import ModelWatch
from core.pipeline.session import Session
from core.pipeline.settings import SessionSettings
from core.types import (
    EmotionResult,
    Modality,
    ModelInfo,
    RuntimeInfo,
    Transcript,
    Utterance,
)
from tests.fakes import (
    FAKE_MODEL,
    FakeAnalyzer,
    FakeTranscriber,
    LoudnessCutter,
    ScriptedSource,
    conversation,
)
from tests.pipeline.conftest import Events

GPU = replace(FAKE_MODEL, device="cuda", device_reason="cuda_works")
CPU = replace(FAKE_MODEL, device="cpu", device_reason="out_of_memory")


class Moving(FakeAnalyzer):
    """Begins on the GPU and goes on on the CPU after the final of an utterance."""

    def __init__(self, after: int, *, fail: bool = False) -> None:
        super().__init__()
        self._after = after
        self._fail = fail
        self._model = GPU

    @property
    def model(self) -> ModelInfo:
        return self._model

    def final(self, utterance: Utterance, transcript: Transcript | None) -> EmotionResult | None:
        if utterance.index == self._after:
            self._model = CPU
            if self._fail:
                raise RuntimeError("out of memory")
        return super().final(utterance, transcript)


@pytest.mark.parametrize("fail", [False, True])
@pytest.mark.parametrize("live", [True, False])
def test_a_model_that_moves_is_told_of_and_the_session_goes_on(
    events: Events, fail: bool, live: bool
) -> None:
    source = ScriptedSource(conversation(1, 1, 1), live=live)
    settings = SessionSettings(live=live)
    analyzer = Moving(1, fail=fail)
    session = Session(source, settings, analyzer, FakeTranscriber(), events, cutter=LoudnessCutter)
    session.start()
    assert session.join(20)
    assert [event.info for event in events.of(ModelReady)] == [GPU, CPU]
    moved = [n for n in events.of(Notice) if n.message.code == "device_changed"]
    (notice,) = moved
    assert dict(notice.message.values) == {"device": "cpu", "reason": "out_of_memory"}
    assert len(events.finals()) == 3
    assert events.states()[-1] == "idle"


def test_the_model_is_told_of_before_the_session_runs(events: Events) -> None:
    source = ScriptedSource(conversation(1, 1, 1))
    settings = SessionSettings(live=False, file_backlog=1)
    session = Session(source, settings, FakeAnalyzer(), None, events, cutter=LoudnessCutter)
    session.start()
    assert session.join(20)
    (ready,) = events.of(ModelReady)
    assert ready.info == FAKE_MODEL
    kinds = [type(event).__name__ for event in events.all]
    states = [i for i, event in enumerate(events.all) if getattr(event, "state", "") == "running"]
    assert kinds.index("ModelReady") < states[0]


def test_runtimes_that_change_are_told_without_a_warning() -> None:
    analyzer = Moving(99)
    told: list[object] = []
    described: list[ModelInfo] = []
    watch = ModelWatch(analyzer, told.append, described.append)
    watch.check()
    watch.check()
    slower = RuntimeInfo(Modality.SPEECH, "torch", reason="fallback")
    analyzer._model = replace(GPU, runtimes=(slower,))
    watch.check()
    assert told == [ModelReady(GPU), ModelReady(analyzer._model)]
    assert described == [GPU, analyzer._model]
