"""Where a loaded model is put and what computes it there; GPUs and failures are made up."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from core.errors import ConfigError
from core.models.checkpoint import LoadedModel, load_checkpoint
from core.models.device import CPU, CUDA, DeviceChoice
from core.models.fitting import device_for, on_cpu, on_gpu, pretrained_of
from core.models.placement import RESERVE, memory_of
from core.models.runtimes.base import Precision
from core.types import Modality
from tests.checkpoints import make_checkpoint, make_speech_text_checkpoint
from tests.models.fake_gpu import FakeProbe

BOTH = {Modality.SPEECH, Modality.TEXT}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory) -> LoadedModel:
    folder = tmp_path_factory.mktemp("fitting")
    return load_checkpoint(
        make_speech_text_checkpoint(folder / "cat", system="cat", pretrained=True)
    )


@pytest.fixture(scope="module")
def compact(tmp_path_factory) -> LoadedModel:
    return load_checkpoint(make_checkpoint(tmp_path_factory.mktemp("compact") / "tiny"))


@pytest.fixture
def quality(monkeypatch) -> set[str]:
    """Modes that passed a quality check; filled by a test."""
    found: set[str] = set()
    module = ModuleType("core.quality")
    module.passed = lambda digest, modality, mode: "record" if str(mode) in found else None
    monkeypatch.setitem(sys.modules, "core.quality", module)
    return found


def test_a_gpu_computes_what_training_computed_unless_something_else_is_wanted(loaded):
    choice = device_for(loaded, "auto", "auto", FakeProbe())
    assert choice == DeviceChoice(CUDA, "cuda_found", Precision.FP32)
    (speech, text) = on_gpu(loaded.model, choice)
    assert (speech.precision, speech.lossy, text.modality) == ("fp32", False, Modality.TEXT)


def test_half_precision_unasked_needs_a_quality_check_that_passed(loaded, quality):
    assert device_for(loaded, "auto", "lossy", FakeProbe()).precision is Precision.FP32
    quality.add("openvino:bf16")
    choice = device_for(loaded, "auto", "lossy", FakeProbe())
    assert choice.precision is Precision.BF16
    assert all(info.lossy for info in on_gpu(loaded.model, choice, "lossy"))
    assert device_for(loaded, "auto", "auto", FakeProbe()).precision is Precision.FP32
    old = FakeProbe(version=(7, 5))  # fp16 only, which nobody checked
    assert device_for(loaded, "auto", "lossy", old).precision is Precision.FP32


def test_half_precision_by_name_is_what_the_gpu_can_do_and_is_said_to_be_chosen(loaded):
    new, old = FakeProbe(version=(9, 0)), FakeProbe(version=(7, 5))
    assert device_for(loaded, "cuda", "packed:bf16", new).precision is Precision.BF16
    choice = device_for(loaded, "cuda", "packed:bf16", old)
    assert choice.precision is Precision.FP16
    assert {info.reason for info in on_gpu(loaded.model, choice, "packed:bf16")} == {"chosen"}


def test_a_model_that_does_not_fit_stays_on_the_processor(loaded):
    needed = memory_of(loaded.model, seconds=loaded.processor.config.longest_seconds)
    assert needed > RESERVE
    enough, too_little = FakeProbe(free=needed), FakeProbe(free=needed - 1)
    assert device_for(loaded, "auto", "auto", enough).device == CUDA
    choice = device_for(loaded, "auto", "auto", too_little)
    assert (choice.device, choice.reason) == (CPU, "too_little_memory")
    assert choice.precision is Precision.FP32


def test_compact_models_have_no_runtimes(compact, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "core.models.runtimes.equip", None)  # may not be imported
    assert pretrained_of(compact.model) == {}
    assert on_cpu(compact, cache=tmp_path) == ()
    assert on_gpu(compact.model, DeviceChoice(CUDA, "chosen")) == ()


def test_the_encoders_are_fitted_for_the_processor(loaded, tmp_path):
    infos = on_cpu(loaded, "torch", 1, tmp_path)
    assert [(info.modality, info.name) for info in infos] == [
        (Modality.SPEECH, "torch"),
        (Modality.TEXT, "torch"),
    ]


@pytest.mark.parametrize("error", [RuntimeError("no such instruction"), ImportError("no onnx")])
def test_runtimes_that_fail_leave_the_work_to_torch_and_say_why(
    loaded, tmp_path, error, monkeypatch
):
    module = ModuleType("core.models.runtimes.equip")

    def equip(*args: object, **more: object) -> None:
        for encoder in pretrained_of(loaded.model).values():
            encoder.run_on(object())  # half done
        raise error

    module.equip = equip
    monkeypatch.setitem(sys.modules, "core.models.runtimes.equip", module)
    infos = on_cpu(loaded, cache=tmp_path)
    assert {info.modality for info in infos} == BOTH
    assert {(i.name, i.reason, i.detail) for i in infos} == {("torch", "fallback", str(error))}
    assert all(encoder.stages is None for encoder in pretrained_of(loaded.model).values())


def test_a_runtime_that_does_not_exist_is_refused(loaded, tmp_path: Path):
    with pytest.raises(ConfigError, match="warp"):
        on_cpu(loaded, "warp", cache=tmp_path)
    with pytest.raises(ConfigError, match="warp"):
        device_for(loaded, "auto", "warp", FakeProbe())
