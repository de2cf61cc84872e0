from __future__ import annotations

import json
import logging

import numpy as np
import pytest
import torch

from core.errors import ConfigError
from core.models.checkpoint import load_checkpoint
from core.models.outputs import ModelInputs
from core.models.runtimes import base, choosing, fitting
from core.models.runtimes.base import Mode, Precision
from core.models.runtimes.equip import equip
from core.models.runtimes.graphs import WEIGHTS
from core.models.stored_weights import write_weights
from core.types import Modality
from tests.checkpoints import make_checkpoint

ONNX = pytest.mark.skipif(
    bool(base.missing(Mode("onnxruntime"))), reason="onnx and onnxruntime are not installed"
)


@pytest.fixture
def grown_up(monkeypatch):
    """Tiny encoders count as worth the trouble."""
    monkeypatch.setattr(fitting, "SMALL", 0)


@pytest.fixture
def installed(monkeypatch):
    """Return a function that says which modes are there."""
    return lambda *modes: monkeypatch.setattr(
        fitting, "available", lambda: tuple(base.parse_preference(m).mode for m in modes)
    )


class Measured:
    """Measures by a table of seconds instead of a clock, and counts."""

    def __init__(self, **seconds: float) -> None:
        self.seconds, self.contests = seconds, 0

    def __call__(self, runs) -> list[float]:
        self.contests += 1
        found = []
        for run in runs:
            run(0)  # it does compute
            info = run.args[0].info
            found.append(self.seconds[f"{info.name}_{info.precision}"])
        return found


SPEEDS = {"torch_fp32": 1.0, "packed_fp32": 0.5, "onnxruntime_fp32": 0.4, "openvino_fp32": 0.3,
          "packed_bf16": 0.25}  # fmt: skip


def fit(loaded, preference, cache, **more):
    return equip(
        loaded.model, loaded.processor, loaded.info.digest, preference, cache=cache, **more
    )


def inputs() -> ModelInputs:
    torch.manual_seed(0)
    tokens = torch.randint(5, 60, (1, 9))
    return ModelInputs(
        waveform=torch.randn(1, 12_000),
        waveform_mask=torch.ones(1, 12_000, dtype=torch.bool),
        tokens=tokens,
        token_mask=torch.ones_like(tokens, dtype=torch.bool),
    )


def logits(model) -> torch.Tensor:
    with torch.inference_mode():
        return model(model.encode(inputs())).logits


def stages(model) -> list[object]:
    return [model.encoder(m).stages for m in (Modality.SPEECH, Modality.TEXT)]


@pytest.mark.parametrize("name", ["packed", "onnxruntime", "openvino"])
def test_what_is_asked_for_by_name_is_used_and_answers_the_same(load, exports, name):
    if lacking := base.missing(Mode(name)):
        pytest.skip(f"{', '.join(lacking)} not installed")
    loaded = load()
    expected = logits(loaded.model)
    speech, text = fit(loaded, name, exports)
    assert [info.modality for info in (speech, text)] == [Modality.SPEECH, Modality.TEXT]
    for info in (speech, text):
        assert (info.name, info.precision, info.reason, info.detail) == (name, "fp32", "chosen", "")
        assert not info.lossy
        assert info.difference < 1e-5
    assert [stage.info for stage in stages(loaded.model)] == [speech, text]
    torch.testing.assert_close(logits(loaded.model), expected, rtol=0, atol=1e-5)
    assert torch.equal(logits(loaded.model).argmax(-1), expected.argmax(-1))


def test_torch_by_name_takes_everything_off_again(load, tmp_path):
    loaded = load()
    fit(loaded, "packed", tmp_path)
    assert None not in stages(loaded.model)
    infos = fit(loaded, "torch", tmp_path)
    assert [(info.name, info.reason) for info in infos] == [("torch", "chosen")] * 2
    assert stages(loaded.model) == [None, None]


def test_a_lossy_mode_asked_for_by_name_is_used_and_said_to_be_so(load, tmp_path):
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        pytest.skip("this processor has no bf16 instructions")
    loaded = load()
    expected = logits(loaded.model)
    for info in fit(loaded, "packed:bf16", tmp_path):
        assert (info.name, info.precision, info.reason) == ("packed", "bf16", "chosen")
        assert info.lossy
        assert info.difference > 1e-4
    assert 0 < float((logits(loaded.model) - expected).abs().max()) < 0.2


def test_nothing_is_done_for_small_encoders(load, tmp_path):
    loaded = load()
    infos = fit(loaded, "auto", tmp_path)
    assert [(info.name, info.reason, info.detail) for info in infos] == [
        ("torch", "only", "small")
    ] * 2
    assert stages(loaded.model) == [None, None]
    assert list(tmp_path.iterdir()) == []


def test_a_model_without_pretrained_encoders_is_left_alone(tmp_path):
    loaded = load_checkpoint(make_checkpoint(tmp_path / "compact"))
    assert fit(loaded, "auto", tmp_path / "cache") == ()


@ONNX
def test_the_choice_is_by_measurement(load, exports, tmp_path, grown_up, installed):
    installed("torch", "packed", "onnxruntime")
    for fastest in ("onnxruntime", "packed"):
        loaded, times = load(), SPEEDS | {f"{fastest}_fp32": 0.125}
        infos = fit(loaded, "auto", tmp_path / fastest, measure=Measured(**times))
        for info in infos:
            assert (info.name, info.reason) == (fastest, "measured")
            assert info.speedup == pytest.approx(8.0)


def test_what_is_slower_than_torch_is_not_taken(load, tmp_path, grown_up, installed):
    installed("torch", "packed")
    loaded = load()
    infos = fit(loaded, "auto", tmp_path, measure=Measured(torch_fp32=1.0, packed_fp32=1.01))
    assert [(info.name, info.reason, info.speedup) for info in infos] == [
        ("torch", "measured", 1.0)
    ] * 2
    assert stages(loaded.model) == [None, None]


def test_a_later_start_need_not_measure_again(load, tmp_path, grown_up, installed):
    installed("torch", "packed")
    measure = Measured(**SPEEDS)
    first = fit(load(), "auto", tmp_path, measure=measure)
    assert measure.contests == 2
    loaded = load()
    assert fit(loaded, "auto", tmp_path, measure=measure) == first
    assert measure.contests == 2
    assert None not in stages(loaded.model)
    fit(load(), "auto", tmp_path, measure=measure, threads=2)
    assert measure.contests == 4


def test_a_later_start_takes_what_the_first_took_even_by_a_hair(
    load, tmp_path, grown_up, installed
):
    installed("torch", "packed")
    measure = Measured(torch_fp32=1.0, packed_fp32=0.99)
    for _ in range(2):
        infos = fit(load(), "auto", tmp_path, measure=measure)
        assert [info.name for info in infos] == ["torch"] * 2


@ONNX
def test_the_quantizer_leaves_the_root_logger_as_it_was(load, tmp_path, monkeypatch):
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    (info, _) = fit(load(), "onnxruntime:int8", tmp_path)
    assert (info.name, info.precision) == ("onnxruntime", Precision.INT8)
    assert root.handlers == []
    assert root.filters == []


def test_what_was_the_fastest_but_fails_now_is_measured_anew(
    load, tmp_path, grown_up, installed, monkeypatch
):
    installed("torch", "packed")
    measure = Measured(**SPEEDS)
    fit(load(), "auto", tmp_path, measure=measure)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    infos = fit(load(), "auto", tmp_path, measure=measure)
    assert [(info.name, info.reason) for info in infos] == [("torch", "fallback")] * 2
    assert all("oneDNN" in info.detail for info in infos)


@ONNX
@pytest.mark.parametrize("preference", ["auto", "onnxruntime"])
def test_an_export_that_fails_falls_back_and_says_so(
    load, tmp_path, grown_up, installed, monkeypatch, preference
):
    installed("torch", "packed", "onnxruntime")
    tries = []

    def fail(*_, **__):
        tries.append(1)
        raise RuntimeError("Unsupported: aten::odd\nmore")

    monkeypatch.setattr(torch.onnx, "export", fail)
    for _ in range(2):
        loaded = load()
        infos = fit(loaded, preference, tmp_path, measure=Measured(**SPEEDS))
        for info in infos:
            assert (info.name, info.reason) == ("packed", "fallback")
            assert "onnxruntime" in info.detail
            assert "aten::odd" in info.detail
            assert "more" not in info.detail
        assert None not in stages(loaded.model)
    # nobody tries again at every start what can't work, unless asked by name
    assert len(tries) == (2 if preference == "auto" else 4)


@ONNX
@pytest.mark.parametrize(
    "failure",
    [OSError(28, "No space left on device"), RuntimeError("[1] can't allocate memory: 9 bytes")],
    ids=["disk", "memory"],
)
def test_what_ran_short_is_tried_again_at_the_next_start(
    load, tmp_path, grown_up, installed, monkeypatch, failure
):
    installed("torch", "packed", "onnxruntime")
    export = torch.onnx.export

    def full(*_, **__):
        raise failure

    monkeypatch.setattr(torch.onnx, "export", full)
    infos = fit(load(), "auto", tmp_path, measure=Measured(**SPEEDS))
    assert [(info.name, info.reason) for info in infos] == [("packed", "fallback")] * 2
    assert all(failure.args[-1] in info.detail for info in infos)
    monkeypatch.setattr(torch.onnx, "export", export)
    infos = fit(load(), "auto", tmp_path, measure=Measured(**SPEEDS))
    assert [(info.name, info.reason) for info in infos] == [("onnxruntime", "measured")] * 2


@ONNX
def test_an_export_spoiled_on_disk_is_made_again(load, tmp_path, caplog):
    loaded = load()
    expected = logits(loaded.model)
    fit(loaded, "onnxruntime", tmp_path)
    graphs = sorted((tmp_path / "exports").glob(f"*/{WEIGHTS}"))
    contents = {graph: graph.read_bytes() for graph in graphs}
    assert len(graphs) == 3
    truncated, flipped, noted = graphs
    truncated.write_bytes(contents[truncated][: len(contents[truncated]) // 2])
    middle = bytearray(contents[flipped])
    middle[len(middle) // 2] ^= 0x40
    flipped.write_bytes(middle)
    (noted.parent / "about.json").write_text("{}")
    again = load()
    with caplog.at_level(logging.WARNING):
        infos = fit(again, "onnxruntime", tmp_path)
    assert caplog.text.count("made again") == 3
    assert [(info.name, info.reason) for info in infos] == [("onnxruntime", "chosen")] * 2
    assert {graph: graph.read_bytes() for graph in graphs} == contents
    torch.testing.assert_close(logits(again.model), expected, rtol=0, atol=1e-5)


@ONNX
def test_the_difference_is_noted_beside_each_export(load, tmp_path):
    speech, text = fit(load(), "onnxruntime", tmp_path)
    found = sorted(
        json.loads(about.read_text())["differences"]["onnxruntime:fp32"]
        for about in (tmp_path / "exports").glob("*/about.json")
    )
    assert found == sorted([speech.difference, speech.difference, text.difference])


def test_outputs_that_differ_are_refused(load, tmp_path, grown_up, installed, monkeypatch):
    monkeypatch.setattr(choosing, "EQUAL", 0.0)
    installed("torch", "packed")
    loaded = load()
    for preference in ("auto", "packed"):
        speech, _ = fit(loaded, preference, tmp_path, measure=Measured(**SPEEDS))
        assert (speech.name, speech.reason) == ("torch", "fallback")
        assert "differ from torch's by" in speech.detail
        assert loaded.model.encoder(Modality.SPEECH).stages is None


def test_what_is_not_installed_is_said_and_packed_taken(load, tmp_path, monkeypatch):
    monkeypatch.setattr(base, "find_spec", lambda name: None)
    infos = fit(load(), "openvino:bf16", tmp_path)
    for info in infos:
        assert (info.name, info.precision, info.reason) == ("packed", "fp32", "fallback")
        assert info.detail == "openvino:bf16: onnx, openvino not installed"


def test_lossy_modes_are_taken_only_where_a_quality_check_passed(
    load, tmp_path, grown_up, installed, monkeypatch
):
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        pytest.skip("this processor has no bf16 instructions")
    import core.quality

    asked = []

    def passed(digest, modality, mode, store=None):
        asked.append((digest, modality, mode, store))
        return "a record" if modality is Modality.TEXT else None

    monkeypatch.setattr(core.quality, "passed", passed)
    installed("torch", "packed", "packed:bf16")
    loaded = load()
    infos = fit(loaded, "lossy", tmp_path, store=tmp_path / "q", measure=Measured(**SPEEDS))
    assert [(info.precision, info.lossy) for info in infos] == [("fp32", False), ("bf16", True)]
    mode = Mode("packed", Precision.BF16)
    assert asked == [
        (loaded.info.digest, m, mode, tmp_path / "q") for m in (Modality.SPEECH, Modality.TEXT)
    ]
    infos = fit(load(), "auto", tmp_path, measure=Measured(**SPEEDS))
    assert not any(info.lossy for info in infos)
    assert len(asked) == 2


def test_an_equipped_model_is_saved_as_it_was(load, tmp_path):
    loaded = load()
    write_weights(loaded.model, tmp_path / "before.safetensors", half=False)
    fit(loaded, "packed", tmp_path / "cache")
    logits(loaded.model)
    write_weights(loaded.model, tmp_path / "after.safetensors", half=False)
    before, after = (tmp_path / f"{n}.safetensors" for n in ("before", "after"))
    assert before.read_bytes() == after.read_bytes()


def test_an_equipped_model_can_be_put_back_on_torch(load, tmp_path):
    loaded = load()
    expected = logits(loaded.model)
    fit(loaded, "packed", tmp_path)
    for modality in (Modality.SPEECH, Modality.TEXT):
        loaded.model.encoder(modality).run_on(None)
    assert np.array_equal(logits(loaded.model), expected)


def test_encoders_elsewhere_than_on_the_cpu_are_left_alone(load, tmp_path):
    loaded = load()
    loaded.model.to("meta")
    assert fit(loaded, "packed", tmp_path) == ()


def test_an_unknown_preference_is_refused(load, tmp_path):
    with pytest.raises(ConfigError, match="no encoder runtime"):
        fit(load(), "quickly", tmp_path)
