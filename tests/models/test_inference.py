"""What is kept, what is counted, and what becomes of a GPU that is full or gone (all made up)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.models.checkpoint import LoadedModel, load_checkpoint
from core.models.device import CPU, CUDA, DeviceChoice
from core.models.encoded_cache import MOST
from core.models.inference import Inference
from core.models.judgement import Judgement
from core.models.outputs import ModelInputs
from core.models.placement import OnCuda, failure_of, memory_of
from core.models.runtimes.base import Precision
from core.types import Modality
from tests.checkpoints import make_checkpoint, make_speech_text_checkpoint, voice
from tests.models.fake_gpu import FULL, LOST, FakeGpu, after

FOUND = DeviceChoice(CUDA, "cuda_found")
TEXTS = ("I am so happy to see you", "why are you angry", "the train is late again and we are sad")
SECONDS = (1.0, 2.3, 1.7, 0.9, 2.0)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory) -> LoadedModel:
    folder = tmp_path_factory.mktemp("inference")
    return load_checkpoint(
        make_speech_text_checkpoint(folder / "cat", system="cat", pretrained=True)
    )


@pytest.fixture(scope="module")
def batch(loaded) -> ModelInputs:
    """Utterances of several lengths, each with a text of its own."""
    return inputs_of(loaded, SECONDS, [TEXTS[i % 3] for i in range(len(SECONDS))])


def inputs_of(loaded: LoadedModel, seconds, texts=None) -> ModelInputs:
    processor = loaded.processor
    speech = [processor.prepare(voice(s, 120 + 20 * i, i)) for i, s in enumerate(seconds)]
    tokens = None if texts is None else [processor.tokenize(text) for text in texts]
    return processor.batch(speech, tokens)


def on_cpu(loaded: LoadedModel) -> Inference:
    return Inference(loaded.model, DeviceChoice(CPU, "test"))


def assert_same(found: Judgement, expected: Judgement, tolerance: float = 1e-5) -> None:
    np.testing.assert_allclose(found.logits, expected.logits, atol=tolerance)
    np.testing.assert_array_equal(found.lengths, expected.lengths)
    assert found.present == expected.present
    for modality, values in expected.alone.items():
        np.testing.assert_allclose(found.alone[modality], values, atol=tolerance)
        np.testing.assert_allclose(
            found.pooled[modality], expected.pooled[modality], atol=tolerance
        )
    for name, values in expected.attentions.items():
        np.testing.assert_allclose(found.attentions[name], values, atol=tolerance)


def test_a_text_is_read_once_however_often_its_speech_changes(loaded):
    infer = on_cpu(loaded)
    for seconds in (1.0, 1.5, 2.0):
        infer(inputs_of(loaded, [seconds], TEXTS[:1]))
    once = len(loaded.processor.tokenize(TEXTS[0]).ids)
    assert infer.work.tokens_read == once
    assert infer.work.text_kept == 2
    infer(inputs_of(loaded, [1.0], TEXTS[1:2]))
    assert infer.work.tokens_read == once + len(loaded.processor.tokenize(TEXTS[1]).ids)


def test_chunks_of_one_utterance_share_one_reading_of_its_text(loaded):
    infer = on_cpu(loaded)
    three = inputs_of(loaded, [1.0, 1.2, 1.4], [TEXTS[0]] * 3)
    found = infer(three)
    assert infer.work.tokens_read == len(loaded.processor.tokenize(TEXTS[0]).ids)
    with torch.inference_mode():
        expected = loaded.model(loaded.model.encode(three)).logits.numpy()
    np.testing.assert_allclose(found.logits, expected, atol=1e-5)


def test_speech_judged_ahead_costs_the_final_answer_its_text_alone(loaded):
    infer = on_cpu(loaded)
    infer(inputs_of(loaded, [2.0]), key="paused")
    ahead = infer.work.copy()
    fused = infer(inputs_of(loaded, [2.0], TEXTS[:1]), key="paused")
    spent = infer.work - ahead
    assert (spent.frames_encoded, spent.frames_convolved, spent.speech_kept) == (0, 0, 1)
    assert spent.tokens_read > 0
    assert_same(fused, on_cpu(loaded)(inputs_of(loaded, [2.0], TEXTS[:1])))


def test_another_utterance_between_the_two_does_not_push_the_speech_out(loaded):
    infer = on_cpu(loaded)
    for key in range(MOST):
        infer(inputs_of(loaded, [1.0]), key=key)
    before = infer.work.copy()
    infer(inputs_of(loaded, [1.0]), key=0)
    assert (infer.work - before).frames_encoded == 0
    infer(inputs_of(loaded, [1.0]), key="one more")
    infer(inputs_of(loaded, [1.0]), key=1)  # asked for least lately
    assert (infer.work - before).speech_kept == 1
    infer.forget()
    infer(inputs_of(loaded, [1.0]), key=0)
    assert (infer.work - before).speech_kept == 1


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_full_gpu_gets_smaller_batches_and_says_the_same(loaded, batch, rows):
    gpu = FakeGpu(rows=rows)
    infer = Inference(loaded.model, FOUND, gpu)
    found = infer(batch)
    assert_same(found, on_cpu(loaded)(batch))
    assert infer.choice == FOUND
    assert gpu.tidied >= 1
    failed = infer.work.retries
    assert failed > 0
    assert_same(infer(batch), found)  # it has learned what fits
    assert infer.work.retries == failed


def test_when_not_even_one_row_fits_the_processor_takes_over(loaded, batch):
    gpu = FakeGpu(rows=0)
    infer = Inference(loaded.model, FOUND, gpu)
    found = infer(batch)
    assert (infer.choice.device, infer.choice.reason) == (CPU, "out_of_memory")
    assert_same(found, on_cpu(loaded)(batch))
    assert gpu.moved_rows == [5, 2, 1]
    infer(batch)
    assert gpu.moved_rows == [5, 2, 1]


def test_a_lost_gpu_is_left_at_once_and_asked_for_nothing(loaded, batch):
    gpu = FakeGpu(breaks=after(2, LOST))
    infer = Inference(loaded.model, FOUND, gpu)
    expected = on_cpu(loaded)
    assert_same(
        infer(inputs_of(loaded, [1.0], TEXTS[:1])), expected(inputs_of(loaded, [1.0], TEXTS[:1]))
    )
    assert infer.choice == FOUND
    assert_same(infer(batch), expected(batch))
    assert (infer.choice.device, infer.choice.reason) == (CPU, "device_failed")
    assert infer._model is loaded.model  # which never left the host


def test_what_was_kept_on_the_gpu_is_not_used_on_the_processor(loaded):
    gpu = FakeGpu(breaks=after(2, FULL))
    infer = Inference(loaded.model, FOUND, gpu)
    infer(inputs_of(loaded, [1.0], TEXTS[:1]), key="a")
    infer(inputs_of(loaded, [1.4], TEXTS[1:2]), key="b")
    assert infer.on_host
    before = infer.work.copy()
    infer(inputs_of(loaded, [1.0], TEXTS[:1]), key="a")
    spent = infer.work - before
    assert spent.frames_encoded > 0
    assert (spent.speech_kept, spent.text_kept) == (0, 0)


@pytest.mark.parametrize(("error", "reason"), [(FULL, "out_of_memory"), (LOST, "device_failed")])
def test_a_model_that_does_not_get_onto_the_gpu_stays_on_the_host(loaded, error, reason):
    infer = Inference(loaded.model, FOUND, FakeGpu(adopts=error))
    assert (infer.choice.device, infer.choice.reason) == (CPU, reason)
    assert_same(infer(inputs_of(loaded, [1.0])), on_cpu(loaded)(inputs_of(loaded, [1.0])))


def test_a_mistake_of_ours_is_no_failure_of_the_gpu(loaded, batch):
    mistake = RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    infer = Inference(loaded.model, FOUND, FakeGpu(breaks=after(0, mistake)))
    with pytest.raises(RuntimeError, match="mat1"):
        infer(batch)
    assert infer.choice == FOUND
    with pytest.raises(ValueError, match="nothing was given"):
        Inference(loaded.model, FOUND, FakeGpu())(ModelInputs())


def test_a_full_processor_has_nowhere_to_go(loaded, batch, monkeypatch):
    infer = on_cpu(loaded)
    monkeypatch.setattr(infer, "_placement", FakeGpu(rows=0))
    with pytest.raises(torch.OutOfMemoryError):
        infer(batch)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FULL, "out_of_memory"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), "out_of_memory"),
        (LOST, "device_failed"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), "device_failed"),
        (RuntimeError("expected scalar type Long"), None),
        (KeyError("cuda"), None),
    ],
)
def test_what_a_device_does_wrong_is_told_from_what_we_do_wrong(error, code):
    assert failure_of(error) == code


def test_memory_is_asked_for_weights_and_the_largest_tensor(loaded):
    weights = sum(p.numel() for p in loaded.model.parameters()) * 4
    least, ten, twenty = (memory_of(loaded.model, seconds=s) for s in (0.0, 10.0, 20.0))
    assert least > weights
    assert twenty - ten == ten - least > 0
    assert memory_of(loaded.model, Precision.BF16) < least


def test_half_precision_is_near_and_what_judges_stays_in_full(loaded, batch, monkeypatch):
    """On the CPU, by the means of a GPU."""
    from core.models.half import InHalf, in_half

    class Half(FakeGpu):
        def adopt(self, model, precision):
            return in_half(super().adopt(model, precision), precision, "cpu")

    choice = DeviceChoice(CUDA, "cuda_found", Precision.BF16)
    infer = Inference(loaded.model, choice, Half())
    assert isinstance(infer._model.speech, InHalf)
    assert isinstance(infer._model.text, InHalf)
    linear = next(m for m in infer._model.text.modules() if isinstance(m, torch.nn.Linear))
    assert linear.weight.dtype is torch.bfloat16
    assert {p.dtype for p in infer._model.head.parameters()} == {torch.float32}
    assert {p.dtype for p in loaded.model.parameters()} == {torch.float32}
    exact = on_cpu(loaded)(batch)
    found = infer(batch)
    off = np.abs(found.pooled[Modality.SPEECH] - exact.pooled[Modality.SPEECH]).max()
    assert 0 < off < 0.1
    assert_same(found, exact, tolerance=0.5)
    with torch.inference_mode():
        assert infer._model.encode(batch).speech.sequence.dtype is torch.float32


def test_batches_get_to_the_gpu_from_pinned_memory_without_being_waited_for(batch, monkeypatch):
    calls: list[tuple] = []

    def pin(self):
        calls.append(("pinned",))
        return self

    def to(self, *args, **more):
        calls.append((args, more))
        return self

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    monkeypatch.setattr(torch.Tensor, "to", to)
    OnCuda().moved(batch)
    assert calls == [("pinned",), ((CUDA,), {"non_blocking": True})] * 4


def test_compact_models_import_nothing_of_pretrained_ones(tmp_path: Path):
    import subprocess
    import sys

    path = make_checkpoint(tmp_path / "tiny")
    code = (
        "import sys; from core.pipeline.analyzer import load_analyzer; "
        f"load_analyzer({str(path)!r}, 'cpu').warm_up(); "
        "names = ('transformers', 'onnxruntime', 'openvino', 'onnx', "
        "'core.models.encoders.pretrained_speech', 'core.models.runtimes.equip'); "
        "sys.exit(', '.join(n for n in names if n in sys.modules) or 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
