"""A GPU that can't hold the model: recognition goes on, on the CPU, and says so."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

from core.asr.decoder import Decoder, DecoderChoice
from core.asr.whisper import WhisperSettings, WhisperTranscriber
from core.errors import RecognitionError
from core.types import SAMPLE_RATE
from tests.asr.clips import MODEL, utterance_of
from tests.asr.fake_decoder import FakeDecoder, Loader

SPEECH = np.zeros(2 * SAMPLE_RATE, np.float32)


def on_gpu(*decoders: FakeDecoder, **settings: object) -> tuple[WhisperTranscriber, Loader]:
    loader = Loader(*decoders)
    chosen = WhisperSettings(
        model=str(MODEL),
        device="cuda",
        compute_type="float16",
        **settings,  # type: ignore[arg-type]
    )
    return WhisperTranscriber(chosen, clock=lambda: 0.0, load=loader), loader


def test_out_of_memory_in_the_middle_costs_no_text() -> None:
    gpu, cpu = FakeDecoder(device="cuda", breaks=3), FakeDecoder(lambda asked: "kept")
    transcriber, loader = on_gpu(gpu, cpu)
    transcriber.warm_up()
    assert transcriber.device == "cuda"
    assert transcriber.final(utterance_of(SPEECH, 0)).text == "kept"
    assert transcriber.device == "cpu"
    assert [choice.device for choice in loader.choices] == ["cuda", "cpu"]
    assert loader.choices[1].compute_type == "auto"  # float16 is for GPUs
    (message,) = transcriber.take_messages()
    assert message.code == "whisper_on_cpu"
    assert "out of memory" in message.values["reason"]
    assert transcriber.take_messages() == ()


def test_what_was_understood_before_the_fall_is_still_known_after_it() -> None:
    gpu, cpu = FakeDecoder(device="cuda"), FakeDecoder(lambda asked: asked.prompt or "alone")
    transcriber, _ = on_gpu(gpu, cpu, use_context=True, language="en")
    first = utterance_of(SPEECH, 0)
    transcriber.final(first)
    for _ in range(2):
        transcriber.partial(utterance_of(SPEECH, 1, len(SPEECH), final=False))
    gpu.breaks = 0
    grown = np.zeros(3 * SAMPLE_RATE, np.float32)
    shown = transcriber.partial(utterance_of(grown, 1, len(SPEECH), final=False))
    assert shown.stable == "so it is"
    asked = [question.prompt for question in cpu.asked]
    transcriber.final(utterance_of(grown, 1, len(SPEECH)))
    assert asked == [None]
    assert cpu.asked[1].prompt == "so it is"


@pytest.mark.parametrize("device", ["cuda", "auto"])
def test_a_gpu_that_can_not_even_load_it_leaves_it_to_the_cpu(device: str) -> None:
    def load(choice: DecoderChoice) -> Decoder:
        if choice.device != "cpu":
            raise RecognitionError("The model can't be loaded: CUDA out of memory.")
        return FakeDecoder()

    transcriber = WhisperTranscriber(WhisperSettings(model=str(MODEL), device=device), load=load)
    transcriber.warm_up()
    assert transcriber.device == "cpu"
    assert [message.code for message in transcriber.take_messages()] == ["whisper_on_cpu"]


def test_a_failure_on_the_cpu_is_a_sentence() -> None:
    settings = WhisperSettings(model=str(MODEL), device="cpu")
    transcriber = WhisperTranscriber(settings, load=Loader(FakeDecoder(breaks=2)))
    transcriber.warm_up()
    with pytest.raises(RecognitionError, match="failed") as caught:
        transcriber.final(utterance_of(SPEECH))
    assert caught.value.remedy


def test_a_failure_on_both_is_a_sentence_and_the_model_stays_on_the_cpu() -> None:
    transcriber, loader = on_gpu(FakeDecoder(device="cuda", breaks=2), FakeDecoder(breaks=1))
    transcriber.warm_up()
    for _ in range(2):
        with pytest.raises(RecognitionError):
            transcriber.final(utterance_of(SPEECH))
    assert len(loader.choices) == 2


def test_the_gpu_is_let_go_before_the_cpu_takes_over() -> None:
    gpu = FakeDecoder(device="cuda", breaks=2)
    held = weakref.ref(gpu)
    alive: list[bool] = []
    first = [gpu]
    del gpu

    def load(choice: DecoderChoice) -> Decoder:
        if choice.device == "cuda":
            return first.pop()
        alive.append(held() is not None)
        return FakeDecoder()

    settings = WhisperSettings(model=str(MODEL), device="cuda")
    transcriber = WhisperTranscriber(settings, load=load)
    transcriber.warm_up()
    transcriber.final(utterance_of(SPEECH))
    assert alive == [False]


def test_the_real_model_takes_over_on_the_cpu() -> None:
    from core.asr.host import load_engine

    def load(choice: DecoderChoice) -> Decoder:
        if choice.device == "cuda":
            return FakeDecoder(device="cuda", breaks=2)
        return load_engine(choice)

    settings = WhisperSettings(model=str(MODEL), device="cuda", quick_finals=True)
    transcriber = WhisperTranscriber(settings, load=load)
    transcriber.warm_up()
    assert transcriber.final(utterance_of(SPEECH)).rejection
    assert transcriber.device == "cpu"
