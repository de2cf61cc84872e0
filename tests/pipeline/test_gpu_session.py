"""A session whose GPU fails in the middle goes on. The GPU is made up; all else is real."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.models.device import CPU, CUDA, DeviceChoice
from core.models.inference import Inference
from core.models.manifest import read_info
from core.pipeline.analyzer import ModelAnalyzer, Wishes, load_analyzer
from core.pipeline.events import ModelReady
from core.pipeline.session import Session
from core.pipeline.settings import SessionSettings
from core.types import Modality, TurnStatus
from tests.checkpoints import make_speech_text_checkpoint
from tests.fakes import FakeTranscriber, LoudnessCutter, ScriptedSource, conversation
from tests.models.fake_gpu import FULL, LOST, FakeGpu, after
from tests.pipeline.conftest import Events

TURNS = 6
TEXTS = {i: ("I am so happy to see you", "why are you angry")[i % 2] for i in range(TURNS)}
REHEARSAL = 3
"""Batches that reach the GPU before the session: speech, a text, and a partial look."""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("gpu")
    return make_speech_text_checkpoint(folder / "cat", system="cat", pretrained=True)


def analyzer_on(checkpoint: Path, gpu: FakeGpu, cache: Path) -> ModelAnalyzer:
    def infer(loaded) -> Inference:
        return Inference(loaded.model, DeviceChoice(CUDA, "cuda_found"), gpu)

    return ModelAnalyzer(read_info(checkpoint), Wishes(cache=cache, infer=infer))


def run(events: Events, analyzer: ModelAnalyzer, live: bool = True) -> None:
    source = ScriptedSource(conversation(*[1.0] * TURNS), live=live)
    settings = SessionSettings(live=live, language="en")
    session = Session(
        source, settings, analyzer, FakeTranscriber(TEXTS), events, cutter=LoudnessCutter
    )
    session.start()
    assert session.join(60)
    assert session.error is None


@pytest.mark.parametrize(
    ("error", "reason"), [(FULL, "out_of_memory"), (LOST, "device_failed")], ids=["full", "lost"]
)
@pytest.mark.parametrize("lasts", [0, 4], ids=["at the first look", "in the middle"])
def test_every_final_arrives_though_the_gpu_fails(
    events: Events, checkpoint: Path, tmp_path: Path, error, reason, lasts
) -> None:
    gpu = FakeGpu(breaks=after(REHEARSAL + lasts, error))
    analyzer = analyzer_on(checkpoint, gpu, tmp_path)
    analyzer.warm_up()
    assert analyzer.model.device == CUDA
    run(events, analyzer)
    finals = events.finals()
    assert [turn.index for turn in finals] == list(range(TURNS))
    assert all(turn.emotion is not None for turn in finals)
    assert "emotion_failed" not in events.notices()
    last = finals[-1].emotion.model
    assert (last.device, last.device_reason) == (CPU, reason)
    taken = len(gpu.moved_rows)
    assert taken == REHEARSAL + lasts + 1  # the one that failed, and never again


def test_results_after_the_gpu_are_those_of_the_processor(
    events: Events, checkpoint: Path, tmp_path: Path
) -> None:
    run(events, analyzer_on(checkpoint, FakeGpu(breaks=after(REHEARSAL + 2, FULL)), tmp_path))
    expected = Events()
    run(expected, load_analyzer(checkpoint, "cpu"))
    for found, turn in zip(events.finals(), expected.finals(), strict=True):
        assert found.emotion.probabilities == pytest.approx(turn.emotion.probabilities, abs=1e-5)
        assert found.transcript == turn.transcript


def test_the_change_is_told_and_the_encoders_are_fitted_for_the_processor(
    events: Events, checkpoint: Path, tmp_path: Path
) -> None:
    analyzer = analyzer_on(checkpoint, FakeGpu(breaks=after(REHEARSAL, FULL)), tmp_path)
    run(events, analyzer)
    told = [event.info for event in events.of(ModelReady)]
    assert told[0].device == CUDA
    assert {info.modality for info in told[0].runtimes} == {Modality.SPEECH, Modality.TEXT}
    assert (told[-1].device, told[-1].device_reason) == (CPU, "out_of_memory")
    for info in analyzer.model.runtimes:
        assert (info.reason, info.lossy) == ("fallback", False)
        assert info.difference is not None  # so it was fitted, and compared with torch


def test_a_recording_goes_on_as_well(events: Events, checkpoint: Path, tmp_path: Path) -> None:
    gpu = FakeGpu(breaks=after(REHEARSAL + 5, FULL))
    run(events, analyzer_on(checkpoint, gpu, tmp_path), live=False)
    assert len(events.finals()) == TURNS
    assert all(turn.status is TurnStatus.FINAL for turn in events.finals())
    assert np.isfinite([turn.emotion.probabilities for turn in events.finals()]).all()
