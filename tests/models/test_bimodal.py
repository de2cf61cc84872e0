from __future__ import annotations

import json

import pytest
import torch

from core.errors import CheckpointError
from core.labels import EMOTIONS
from core.models.bimodal import BimodalConfig, BimodalModel, FusionConfig
from core.models.encoders.speech import SpeechEncoderConfig
from core.models.encoders.text import TextEncoderConfig
from core.models.fusion.cross_attention import CrossAttentionConfig
from core.models.fusion.rsa_cfn import RsaCfnConfig
from core.models.outputs import Features, ModelInputs
from core.models.registry import architecture_class
from core.models.specification import Specification
from core.types import Modality

SPECIFICATION = Specification(EMOTIONS, (Modality.SPEECH, Modality.TEXT), ("en", "ko"))
CONFIG = BimodalConfig(
    SpeechEncoderConfig(frame_dim=6, functional_dim=5, dim=16, blocks=1, attention_layers=1),
    TextEncoderConfig(vocabulary=40, dim=16, layers=1, heads=2, feed_forward=16),
    FusionConfig(
        rsa_cfn=RsaCfnConfig(speech_dim=16, text_dim=16, projection=3, attention=4, hidden=8),
        cross_attention=CrossAttentionConfig(speech_dim=16, text_dim=16, dim=8),
    ),
)


@pytest.fixture
def model() -> BimodalModel:
    torch.manual_seed(0)
    return BimodalModel(SPECIFICATION, CONFIG).eval()


def inputs(speech: bool = True, text: bool = True) -> ModelInputs:
    generator = torch.Generator().manual_seed(2)
    frames = torch.randn(2, 40, 6, generator=generator)
    functionals = torch.randn(2, 5, generator=generator)
    return ModelInputs(
        frames if speech else None,
        torch.ones(2, 40, dtype=torch.bool) if speech else None,
        functionals if speech else None,
        torch.randint(1, 40, (2, 7), generator=generator) if text else None,
        torch.ones(2, 7, dtype=torch.bool) if text else None,
    )


def test_either_modality_may_be_missing(model: BimodalModel) -> None:
    both = model.encode(inputs())
    assert both.speech is not None
    assert both.text is not None
    speech = model(model.encode(inputs(text=False)))
    text = model(model.encode(inputs(speech=False)))
    assert torch.allclose(speech.logits, both.speech.logits, atol=1e-6)
    assert torch.allclose(text.logits, both.text.logits, atol=1e-6)
    assert speech.attentions["modality"].tolist() == [[1.0, 0.0]] * 2
    assert text.attentions["modality"].tolist() == [[0.0, 1.0]] * 2
    with pytest.raises(ValueError, match="neither"):
        model.encode(inputs(speech=False, text=False))
    with pytest.raises(ValueError, match="neither"):
        model(Features())


def test_attention_maps_have_their_shapes_and_sum_to_one(model: BimodalModel) -> None:
    features = model.encode(inputs())
    assert features.speech is not None
    frames = features.speech.sequence.shape[1]
    maps = model(features).attentions
    assert maps["token"].shape == (2, 7, frames)
    assert maps["frame"].shape == (2, frames)
    assert maps["feature"].shape == (2, 6, 6)
    assert maps["modality"].shape == (2, 2)
    for name, weights in maps.items():
        assert torch.allclose(weights.sum(-1), torch.ones_like(weights.sum(-1)), atol=1e-5), name


def test_an_untrained_fusion_adds_no_correction(model: BimodalModel) -> None:
    output = model(model.encode(inputs()))
    assert torch.equal(output.logits, output.auxiliary["late"])
    assert torch.allclose(output.auxiliary["contributions"].sum(1), output.logits)


def test_corrections_learn(model: BimodalModel) -> None:
    features = model.encode(inputs())
    model.train()
    optimizer = torch.optim.Adam(model.fusion.parameters(), lr=0.01)
    target = torch.tensor([1, 4])
    detached = Features(*(type(f)(*(t.detach() for t in _tensors(f))) for f in _both(features)))
    for _ in range(40):
        loss = torch.nn.functional.cross_entropy(model(detached).logits, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    output = model(detached)
    assert output.logits.argmax(-1).tolist() == target.tolist()
    assert output.auxiliary["correction"].abs().sum() > 0


def _both(features: Features) -> list:
    return [features.speech, features.text]


def _tensors(encoded) -> list[torch.Tensor]:
    return [encoded.sequence, encoded.mask, encoded.pooled, encoded.logits]


def test_the_configuration_survives_json(model: BimodalModel) -> None:
    plain = json.loads(json.dumps(model.config()))
    again = BimodalModel.from_config(SPECIFICATION, plain)
    again.load_state_dict(model.state_dict())
    features = model.encode(inputs())
    assert torch.equal(again.eval()(features).logits, model(features).logits)
    assert architecture_class("bimodal") is BimodalModel


def test_fusion_without_corrections_is_a_configuration(model: BimodalModel) -> None:
    plain = model.config()
    plain["fusion"] = {**plain["fusion"], "rsa_cfn": None, "cross_attention": None}
    late = BimodalModel.from_config(SPECIFICATION, plain).eval()
    assert set(late(late.encode(inputs())).attentions) == {"modality", "frame"}


def test_an_unknown_key_is_refused(model: BimodalModel) -> None:
    with pytest.raises(CheckpointError, match="sped"):
        BimodalModel.from_config(SPECIFICATION, {**model.config(), "speech": {"sped": 1}})
