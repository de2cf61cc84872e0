"""A two-stage checkpoint opens in the app as any other, and keeps gender and style to itself."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from core.labels import EMOTIONS
from core.models.adapters.config import AdapterConfig, BottleneckConfig, LoraConfig
from core.models.calibration import Path as JudgedBy
from core.models.checkpoint import load_checkpoint, save_checkpoint
from core.models.encoders.build import build_speech_encoder
from core.models.encoders.pretrained import load_pretrained_speech
from core.models.encoders.pretrained import make_processor as make_pretrained_processor
from core.models.outputs import ModelInputs
from core.models.summary import summarise
from core.models.two_stage import TwoStageModel, make_specification
from core.models.two_stage_config import ARCHITECTURE, TaskHeads, TwoStageConfig
from core.pipeline.analyzer import ModelAnalyzer, load_analyzer
from core.types import Modality, Transcript, Utterance
from tests.checkpoints import MODEL, make_processor, voice

GENDERS, STYLES = ("gender-one", "gender-two"), ("style-one", "style-two")
HEADS = TaskHeads(GENDERS, STYLES, tuple("abc"), steps=2, adapter=4, fusion=True)
ADAPTERS = AdapterConfig(LoraConfig(rank=2), BottleneckConfig(width=3))
KINDS = ("compact", "wav2vec2_base_like", "wav2vec2_large_like", "wavlm_like")


def shaken(model: TwoStageModel) -> TwoStageModel:
    """Move adapters and heads away from where they start, so that answers differ."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "encoder" not in name or "lora" in name or "adapter" in name:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


@pytest.fixture(scope="module", params=KINDS)
def made(request, tiny_encoder, tmp_path_factory) -> tuple[Path, TwoStageModel]:
    torch.manual_seed(0)
    if request.param == "compact":
        speech = build_speech_encoder({"kind": "compact", **MODEL.speech.to_dict()})
        processor = make_processor(())
    else:
        loaded = load_pretrained_speech(tiny_encoder(request.param))
        speech = loaded.encoder
        processor = make_pretrained_processor(loaded, None, longest_seconds=6.0)
    config = TwoStageConfig({}, HEADS, ADAPTERS)
    model = shaken(TwoStageModel(make_specification(EMOTIONS), config, speech=speech))
    folder = tmp_path_factory.mktemp("two_stage") / request.param
    save_checkpoint(
        folder, model, processor, name="tiny-two-stage", architecture=ARCHITECTURE,
        training={"trained_on": {}}, metrics={}, card="# Tiny\n\nRandom weights.\n", half=False,
    )  # fmt: skip
    return folder, model


@pytest.fixture
def analyzer(made) -> ModelAnalyzer:
    return load_analyzer(made[0], device="cpu")


def utterance(seconds: float, seed: int = 0) -> Utterance:
    sound = voice(seconds, seed=seed)
    return Utterance(0, 0, sound.size, sound)


def inputs_for(model: TwoStageModel) -> ModelInputs:
    ones = torch.ones(1, 200, dtype=torch.bool)
    if model.config()["speech"]["kind"] == "compact":
        return ModelInputs(speech=torch.randn(1, 200, MODEL.speech.frame_dim), speech_mask=ones)
    sound = torch.from_numpy(voice(1.0))[None]
    return ModelInputs(waveform=sound, waveform_mask=torch.ones_like(sound, dtype=torch.bool))


def test_what_is_loaded_says_what_was_saved(made):
    folder, model = made
    loaded = load_checkpoint(folder).model
    inputs = inputs_for(model)
    with torch.no_grad():
        one, other = (m(m.encode(inputs)) for m in (model, loaded))
    torch.testing.assert_close(other.logits, one.logits, rtol=1e-4, atol=1e-5)
    for name, value in one.auxiliary.items():
        torch.testing.assert_close(other.auxiliary[name], value, rtol=1e-4, atol=1e-5)


def test_it_needs_no_peft(made, monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    assert load_checkpoint(made[0]).model.config()["adapters"]["lora"] is None


def test_it_judges_whole_growing_and_many_utterances(analyzer):
    spoken = [utterance(2.0), utterance(3.1, seed=1), utterance(9.0, seed=2)]
    finals = [analyzer.final(one, None) for one in spoken]
    for result in finals:
        assert result is not None
        assert result.labels == EMOTIONS
        assert sum(result.probabilities) == pytest.approx(1.0, abs=1e-5)
        assert result.modalities == (Modality.SPEECH,)
        assert result.modality_share == {Modality.SPEECH: 1.0}
        assert result.by_modality[Modality.SPEECH] == result.probabilities
    growing = dataclasses.replace(spoken[1], is_final=False)
    for _ in range(2):
        assert analyzer.partial(growing, None) is not None
    together = analyzer.final_in_batches(spoken, [None] * 3, rows=2)
    for alone, batched in zip(finals, together, strict=True):
        assert alone is not None
        assert batched is not None
        np.testing.assert_allclose(batched.probabilities, alone.probabilities, atol=1e-4)


def test_a_transcript_changes_nothing(analyzer):
    spoken = utterance(2.0)
    with_text = analyzer.final(spoken, Transcript("I am so happy", language="en"))
    without = analyzer.final(spoken, None)
    assert with_text is not None
    assert without is not None
    assert with_text.probabilities == without.probabilities


def test_its_vector_is_the_mean_that_it_judges_by(made, analyzer):
    result = analyzer.final(utterance(3.0), None)  # long enough to be judged as it is
    assert result is not None
    loaded = load_checkpoint(made[0])
    model = loaded.model
    assert isinstance(model, TwoStageModel)
    pooled = torch.from_numpy(result.features[Modality.SPEECH])[None]
    with torch.no_grad():
        vectors = [model.task_adapters[task](pooled) for task in ("emotion", "gender", "style")]
        logits = model.classifiers["emotion"](torch.cat(vectors, dim=1))[0]
    expected = loaded.calibration.probabilities(logits, JudgedBy.SPEECH_RAW)
    np.testing.assert_allclose(result.probabilities, expected, atol=1e-4)


def test_neither_gender_nor_style_nor_recognition_leaves_it(analyzer):
    result = analyzer.final(utterance(2.0), None)
    said = repr(result) + repr(analyzer.model)
    for name in (*GENDERS, *STYLES, "vector_", "recognition"):
        assert name not in said
    assert {m.name for m in result.attentions} == {"modality_share"}


def test_its_card_can_be_read(made):
    found = summarise(made[0])
    assert found.system == ARCHITECTURE
    assert set(found.encoders) == {"speech"}
