"""Systems on encoders in real format: from the folder of a pretrained model to a checkpoint.

The encoders are tiny and know nothing; their files, padding and shapes are those of the real ones.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.errors import CheckpointError
from core.labels import EMOTIONS
from core.models.checkpoint import load_checkpoint, save_checkpoint, seal
from core.models.encoders.pretrained import (
    PretrainedSpeech,
    PretrainedText,
    load_pretrained_speech,
    load_pretrained_text,
    make_processor,
)
from core.models.outputs import ModelInputs
from core.models.specification import Problem
from core.models.speech_text import (
    ARCHITECTURE,
    SpeechTextConfig,
    SpeechTextModel,
    make_specification,
)
from core.models.systems.head import Variant
from core.models.systems.registry import SYSTEMS, system
from core.models.voting import soft_voting
from core.types import Modality
from tests.models.systems.material import SMALL
from training.generated.encoders import write_encoder

TEXTS = ("오늘은 정말 기분이 좋아요", "아니요")


@dataclass(frozen=True)
class Pretrained:
    speech: PretrainedSpeech
    text: PretrainedText


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Pretrained:
    """Read-only: tests take their weights, and train none of them."""
    folder = tmp_path_factory.mktemp("encoders")
    speech = write_encoder("wav2vec2_base_like", folder / "speech")
    text = write_encoder("klue_roberta_like", folder / "text")
    return Pretrained(load_pretrained_speech(speech), load_pretrained_text(text))


def make_model(name: str, pretrained: Pretrained, **changed: Any) -> SpeechTextModel:
    torch.manual_seed(0)
    given = {"affect": True, "head": SMALL.get(name, {}), **changed}
    config = SpeechTextConfig(name, **given)
    taken = system(name).modalities
    problem = Problem.MULTI_LABEL if system(name).source == "KNU" else Problem.SINGLE_LABEL
    languages = ("ko",) if Modality.TEXT in taken else ()
    return SpeechTextModel(
        make_specification(config, EMOTIONS, problem=problem, languages=languages),
        config,
        speech=pretrained.speech.encoder if Modality.SPEECH in taken else None,
        text=pretrained.text.encoder if Modality.TEXT in taken else None,
    ).eval()


def make_inputs(pretrained: Pretrained) -> ModelInputs:
    processor = make_processor(pretrained.speech, pretrained.text, languages=("ko",))
    generator = np.random.default_rng(0)
    sounds = [generator.normal(size=n).astype(np.float32) for n in (4000, 7000)]
    return processor.batch(
        [processor.prepare(sound) for sound in sounds], [processor.tokenize(t) for t in TEXTS]
    )


def save(model: SpeechTextModel, pretrained: Pretrained, folder: Path) -> None:
    taken = model.specification.modalities
    processor = make_processor(
        pretrained.speech if Modality.SPEECH in taken else None,
        pretrained.text if Modality.TEXT in taken else None,
        languages=("ko",) if Modality.TEXT in taken else (),
    )
    save_checkpoint(
        folder,
        model,
        processor,
        name="tiny",
        architecture=ARCHITECTURE,
        training={},
        metrics={},
        card="Tiny.",
        half=False,
    )


@pytest.mark.parametrize("name", sorted(SYSTEMS))
@pytest.mark.parametrize("variant", list(Variant))
def test_a_checkpoint_says_what_the_model_said(
    name: str, variant: Variant, pretrained: Pretrained, tmp_path: Path
) -> None:
    model = make_model(name, pretrained, variant=variant)
    inputs = make_inputs(pretrained)
    expected = model(model.encode(inputs))
    save(model, pretrained, tmp_path / "checkpoint")
    loaded = load_checkpoint(tmp_path / "checkpoint").model
    output = loaded(loaded.encode(inputs))
    assert torch.allclose(output.logits, expected.logits, atol=1e-5)
    assert torch.allclose(output.arousal, expected.arousal, atol=1e-5)
    assert loaded.specification == model.specification


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_an_utterance_is_judged_alike_alone_and_in_a_batch(
    name: str, pretrained: Pretrained
) -> None:
    model = make_model(name, pretrained)
    both = make_inputs(pretrained)
    assert both.waveform is not None
    assert both.tokens is not None
    assert both.waveform_mask is not None
    assert both.token_mask is not None
    samples, tokens = int(both.waveform_mask[0].sum()), int(both.token_mask[1].sum())
    first = ModelInputs(
        waveform=both.waveform[:1, :samples],
        waveform_mask=both.waveform_mask[:1, :samples],
        tokens=both.tokens[:1],
        token_mask=both.token_mask[:1],
    )
    assert tokens < both.tokens.shape[1]
    with torch.inference_mode():
        together = model(model.encode(both)).logits[0]
        alone = model(model.encode(first)).logits[0]
    assert torch.allclose(alone, together, atol=1e-5)


def test_speech_alone_answers_before_there_is_text(pretrained: Pretrained) -> None:
    model = make_model("rsa_cfn", pretrained)
    inputs = make_inputs(pretrained)
    heard = ModelInputs(waveform=inputs.waveform, waveform_mask=inputs.waveform_mask)
    output = model(model.encode(heard))
    assert output.logits.shape == (2, len(EMOTIONS))
    assert output.attentions["modality"][:, 0].tolist() == [1.0, 1.0]


def test_frozen_encoders_have_no_parameters_to_train(pretrained: Pretrained) -> None:
    model = make_model("early", pretrained)
    assert model.encoder_parameters() == []
    assert model.head_parameters()


def test_trained_checkpoints_of_the_same_frozen_encoders_become_one_hybrid(
    pretrained: Pretrained,
) -> None:
    names = ("early", "late", "residual", "rsa_cfn")
    models = {name: make_model(name, pretrained) for name in names}
    vote = soft_voting(models)
    assert isinstance(vote, SpeechTextModel)
    inputs = make_inputs(pretrained)
    said = [m(m.encode(inputs)).logits.softmax(-1) for m in models.values()]
    voted = vote(vote.encode(inputs)).logits.softmax(-1)
    assert torch.allclose(voted, torch.stack(said).mean(0), atol=1e-6)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"system": "telepathy"}, "telepathy"),
        ({"system": "text"}, "takes no speech"),
        ({"speech": None}, "needs speech"),
        ({"text": {"kind": "carrier pigeon"}}, "carrier pigeon"),
        ({"head": {"wings": 2}}, "no option wings"),
        ({"affect": False}, "arousal and valence"),
        ({"system": "late"}, "head.speech.emotion.weight is missing"),
    ],
)
def test_a_checkpoint_of_another_architecture_is_refused(
    change: dict[str, Any], sentence: str, pretrained: Pretrained, tmp_path: Path
) -> None:
    folder = tmp_path / "checkpoint"
    save(make_model("early", pretrained), pretrained, folder)
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["model"] |= change
    path.write_text(json.dumps(config), encoding="utf-8")
    seal(folder)
    with pytest.raises(CheckpointError, match=sentence):
        load_checkpoint(folder)
