"""The model around the heads: one modality alone, cached features, configs, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import torch

from core.errors import ConfigError
from core.labels import EMOTIONS
from core.models.outputs import Encoded, Features, ModelInputs
from core.models.registry import architecture_class
from core.models.size import number_of_parameters
from core.models.specification import Problem, Specification
from core.models.speech_text import (
    ARCHITECTURE,
    SpeechTextConfig,
    SpeechTextModel,
    make_specification,
)
from core.models.systems.head import Variant
from core.models.systems.registry import SYSTEMS, system
from core.types import Modality
from tests.models.systems.material import SMALL, SPEECH, TEXT, TinyEncoder, utterances

NAMES = sorted(SYSTEMS)
FUSED = [name for name in NAMES if len(system(name).modalities) == 2]
ALONE = {"speech_alone", "text_alone"}


def make_model(name: str, *, affect: bool = True, seed: int = 0, **changed: Any) -> SpeechTextModel:
    torch.manual_seed(seed)
    config = replace(SpeechTextConfig(name, affect=affect, head=SMALL.get(name, {})), **changed)
    specification = make_specification(config, EMOTIONS, languages=("ko",))
    taken = system(name).modalities
    return SpeechTextModel(
        specification,
        config,
        speech=TinyEncoder(SPEECH, "speech") if Modality.SPEECH in taken else None,
        text=TinyEncoder(TEXT, "text") if Modality.TEXT in taken else None,
    ).eval()


def make_inputs(rows: int = 2) -> ModelInputs:
    generator = torch.Generator().manual_seed(5)
    mask = torch.arange(6) < torch.tensor([[6], [4]])[:rows]
    return ModelInputs(
        waveform=torch.randn(rows, 6, generator=generator),
        waveform_mask=mask,
        tokens=torch.randint(1, 9, (rows, 6), generator=generator),
        token_mask=mask,
    )


@pytest.mark.parametrize("name", NAMES)
def test_both_modalities_give_what_the_head_gives(name: str) -> None:
    model = make_model(name)
    features = model.encode(make_inputs())
    output = model(features)
    expected = model.head(features.speech, features.text)
    assert torch.equal(output.logits, expected.logits)
    assert torch.equal(output.valence, expected.valence)
    assert set(expected.attentions) <= set(output.attentions)


@pytest.mark.parametrize("name", FUSED)
@pytest.mark.parametrize("modality", [Modality.SPEECH, Modality.TEXT])
def test_one_modality_alone_is_answered_by_its_probe(name: str, modality: Modality) -> None:
    model = make_model(name)
    both = model.encode(make_inputs())
    one = Features(speech=both.speech) if modality is Modality.SPEECH else Features(text=both.text)
    output = model(one)
    together = model(both).auxiliary
    alone = f"{modality.value}_alone"
    assert torch.allclose(output.logits, together[alone])
    assert torch.allclose(output.arousal, together[f"{alone}_arousal"])
    assert torch.allclose(output.valence, together[f"{alone}_valence"])
    assert set(output.auxiliary) == {alone, f"{alone}_arousal", f"{alone}_valence"}
    share = [1.0, 0.0] if modality is Modality.SPEECH else [0.0, 1.0]
    assert output.attentions["modality"].tolist() == [share, share]
    encoded = one.speech or one.text
    assert encoded is not None
    assert torch.equal(encoded.logits, output.logits)


@pytest.mark.parametrize("name", [n for n in NAMES if n not in FUSED])
def test_a_system_of_one_modality_needs_no_probe(name: str) -> None:
    model = make_model(name)
    features = model.encode(make_inputs())
    assert not list(model.probes)
    assert (features.speech is None) != (features.text is None)
    encoded = features.speech or features.text
    assert encoded is not None
    output = model(features)
    assert torch.equal(output.logits, encoded.logits)
    assert not set(output.auxiliary) & ALONE
    assert model.specification.required == system(name).modalities


@pytest.mark.parametrize("name", NAMES)
def test_cached_features_without_logits_are_enough(name: str) -> None:
    model = make_model(name)
    features = model.encode(make_inputs())
    cached = Features(_unasked(features.speech), _unasked(features.text))
    assert torch.equal(model(cached).logits, model(features).logits)


def _unasked(encoded: Encoded | None) -> Encoded | None:
    if encoded is None:
        return None
    return replace(encoded, logits=encoded.pooled.new_zeros(len(encoded.pooled), 0))


@pytest.mark.parametrize("name", FUSED)
def test_probes_do_not_reach_the_encoders(name: str) -> None:
    model = make_model(name)
    output = model(model.encode(make_inputs()))
    sum(tensor.square().sum() for n, tensor in output.auxiliary.items() if "_alone" in n).backward()
    assert all(p.grad is None for p in model.encoder_parameters())
    assert all(p.grad is None for p in model.head.parameters())
    assert all(p.grad is not None for p in model.probes.parameters())


@pytest.mark.parametrize("name", FUSED)
def test_the_head_reaches_both_encoders_and_no_probe(name: str) -> None:
    model = make_model(name)
    model(model.encode(make_inputs())).logits.square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.encoder_parameters())
    assert all(p.grad is None for p in model.probes.parameters())


def test_features_of_modalities_that_a_system_does_not_take_are_left_aside() -> None:
    model = make_model("text")
    speech, text = utterances()
    assert torch.equal(model(Features(speech, text)).logits, model(Features(text=text)).logits)
    with pytest.raises(ValueError, match="nothing was encoded"):
        model(Features(speech=speech))


def test_nothing_to_encode_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing was given"):
        make_model("early").encode(ModelInputs())
    with pytest.raises(ValueError, match="nothing was encoded"):
        make_model("early")(Features())


def test_parameters_come_in_groups_that_share_nothing_and_leave_nothing_out() -> None:
    model = make_model("residual")
    speech = model.encoder_parameters(Modality.SPEECH)
    text = model.encoder_parameters(Modality.TEXT)
    groups = [*speech, *text, *model.head_parameters()]
    assert len({id(p) for p in groups}) == len(groups) == len(list(model.parameters()))
    for parameter in speech:
        parameter.requires_grad_(False)
    assert model.encoder_parameters() == text
    frozen = sum(p.numel() for p in speech)
    assert number_of_parameters(model, trainable=True) == number_of_parameters(model) - frozen


@pytest.fixture
def tiny_encoders(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.models.encoders import build

    for modality in ("speech", "text"):
        monkeypatch.setattr(
            build, f"build_{modality}_encoder", lambda config: TinyEncoder(**config)
        )


@pytest.mark.usefixtures("tiny_encoders")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("variant", list(Variant))
def test_a_model_is_built_again_from_json(name: str, variant: Variant) -> None:
    model = make_model(name, variant=variant)
    text = json.dumps({"model": model.config(), "means": model.specification.to_dict()})
    read = json.loads(text)
    specification = Specification.from_dict(read["means"])
    again = architecture_class(ARCHITECTURE).from_config(specification, read["model"])
    again.load_state_dict(model.state_dict())
    features = model.encode(make_inputs())
    assert torch.equal(again.eval()(features).logits, model(features).logits)
    assert again.config() == model.config()
    assert again.specification == model.specification


def test_a_map_over_the_encoders_own_dimensions_is_described() -> None:
    assert make_model("rsa").feature_sizes == (SPEECH, TEXT)
    assert make_model("rsa_cfn").feature_sizes is None


def test_several_labels_are_voted_on_one_by_one() -> None:
    config = SpeechTextConfig("late", head={"average": "probabilities"})
    specification = make_specification(config, EMOTIONS, problem=Problem.MULTI_LABEL)
    encoders = {"speech": TinyEncoder(SPEECH, "speech"), "text": TinyEncoder(TEXT, "text")}
    model = SpeechTextModel(specification, config, **encoders)
    assert not model.head.sizes.exclusive


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"system": "telepathy"}, "no system 'telepathy'"),
        ({"system": "early", "wings": 2}, "has no wings"),
        ({}, "can't be made"),
        ({"system": "early", "variant": "wrong"}, "can't be made"),
        ({"system": "early", "head": 3}, "can't be made"),
        ({"system": "early", "head": {"dropout": 0.1}}, "has no option dropout"),
        ({"system": "early", "affect": True}, "arousal and valence"),
        ({"system": "early", "text": None}, "needs text"),
        ({"system": "text"}, "takes no speech"),
    ],
)
@pytest.mark.usefixtures("tiny_encoders")
def test_configs_that_make_no_sense_are_refused(given: dict[str, Any], sentence: str) -> None:
    encoders = {m: {"dim": 4, "modality": m} for m in ("speech", "text")}
    specification = Specification(EMOTIONS, (Modality.SPEECH, Modality.TEXT), ("ko",))
    with pytest.raises(ConfigError, match=sentence):
        SpeechTextModel.from_config(specification, {**encoders, **given})


def test_a_specification_of_other_modalities_is_refused() -> None:
    specification = Specification(EMOTIONS, (Modality.SPEECH,))
    encoders = {"speech": TinyEncoder(4, "speech"), "text": TinyEncoder(4, "text")}
    with pytest.raises(ConfigError, match="does not take just speech"):
        SpeechTextModel(specification, SpeechTextConfig("early"), **encoders)
