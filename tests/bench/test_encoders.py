from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from core.bench import encoders, gpu, trained
from core.bench.encoder_modes import fit_modes, speech_task, text_task
from core.bench.options import Options
from core.bench.peak import operations, peaks
from core.bench.report import Part
from core.bench.subjects import Subjects
from core.models.runtimes.base import available


@pytest.mark.parametrize("kind", ["speech", "text", "large"])
def test_every_mode_computes_what_torch_does(kind: str, subjects: Subjects, tmp_path: Path) -> None:
    shapes = subjects.architectures
    made = {
        "speech": lambda: speech_task(shapes.speech, 1.0),
        "text": lambda: text_task(shapes.text, 12),
        "large": lambda: speech_task(shapes.large, 1.0),
    }
    task = made[kind]()
    fitted, problems = fit_modes(task, tmp_path)
    assert len(fitted) + len(problems) == len(available())
    assert {"torch:fp32", "packed:fp32"} <= {str(f.mode) for f in fitted}
    for mode in fitted:
        limit = 0.5 if mode.mode.lossy else 5e-5
        assert mode.error < limit, str(mode.mode)
        assert mode.same or mode.mode.lossy


def test_a_report_has_every_encoder_with_its_modes_and_targets(
    subjects: Subjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trained, "measure", lambda options: [])
    report = encoders.measure(Options(quick=True), subjects.architectures)
    ratio = report.figures["encoder_ratio"]
    assert set(ratio) == {"speech", "text", "large"}
    assert {"torch:fp32", "packed:fp32"} <= set(ratio["speech"])
    best = {m.name: m for m in report.measurements if ": best, " in m.name}
    assert best["speech: best, equal outputs"].target == 1.8
    assert best["text: best, equal outputs"].target == 2.4
    assert best["speech: best, equal, no new dependency"].target == 1.6
    assert best["text: best, equal, no new dependency"].target == 2.0
    assert best["speech: best, lossy"].target == 3.5
    assert best["text: best, lossy"].target == 5.0
    assert best["large: best, lossy"].target is None
    assert all(m.value > 0 for m in best.values())
    shares = [m.note for m in report.measurements if m.name.startswith("speech: packed")]
    assert all("of the fp32 peak" in note or "of the bf16 peak" in note for note in shares)


def test_the_fastest_lossy_mode_is_one() -> None:
    figures = {"encoder_ratio": {"a": {"x:fp32": 9.0, "x:bf16": 2.0, "y:int8": 3.0}}}
    part = Part((), (), figures)
    assert encoders.fastest_lossy(part, "a") == "y:int8"


def test_without_a_lossy_mode_nothing_is_asked_for() -> None:
    part = Part((), (), {"encoder_ratio": {"a": {"torch:fp32": 1.0}}})
    assert encoders.fastest_lossy(part, "a") == "auto"


def test_operations_of_a_linear_layer_are_counted() -> None:
    assert operations(nn.Linear(30, 50), torch.zeros(7, 30)) == 2 * 7 * 30 * 50


def test_the_peak_is_positive_in_single_precision() -> None:
    found = peaks(64)
    assert found["fp32"] > 0
    assert set(found) <= {"fp32", "bf16", "int8"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_nothing_is_said_of_one(subjects: Subjects) -> None:
    assert gpu.measure(subjects.architectures, quick=True) == []


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_is_measured_in_every_precision(subjects: Subjects) -> None:
    (part,) = gpu.measure(subjects.architectures, quick=True)
    assert {"fp32", "fp16", "bf16"} <= {m.name.rsplit(", ", 1)[-1] for m in part.measurements}
