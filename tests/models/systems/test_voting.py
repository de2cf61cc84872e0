"""Four trained models vote: on shared encoders as one hybrid, else as four whole models."""

from __future__ import annotations

import json

import pytest
import torch

from core.errors import CheckpointError, ConfigError
from core.models.outputs import Features
from core.models.registry import architecture_class
from core.models.speech_text import SpeechTextModel
from core.models.systems.hybrid import VOTERS
from core.models.voting import VotingModel, soft_voting
from tests.models.systems.material import SPEECH, TEXT, TinyEncoder
from tests.models.systems.test_speech_text import make_inputs, make_model


def models(*, shared: bool) -> dict[str, SpeechTextModel]:
    made = {name: make_model(name, seed=i) for i, name in enumerate(VOTERS)}
    if shared:
        for model in made.values():
            model.load_state_dict(
                {n: made["early"].state_dict()[n] for n in _encoder_weights(model)}, strict=False
            )
    return made


def _encoder_weights(model: SpeechTextModel) -> list[str]:
    return [n for n in model.state_dict() if n.startswith(("speech.", "text."))]


@pytest.mark.parametrize("shared", [True, False])
def test_probabilities_are_averaged(shared: bool) -> None:
    voters = models(shared=shared)
    vote = soft_voting(voters)
    assert isinstance(vote, SpeechTextModel) == shared
    inputs = make_inputs()
    output = vote(vote.encode(inputs))
    alone = [m(m.encode(inputs)) for m in voters.values()]
    mean = torch.stack([o.logits.softmax(-1) for o in alone]).mean(0)
    assert torch.allclose(output.logits.softmax(-1), mean, atol=1e-6)
    valence = torch.stack([o.valence for o in alone]).mean(0)
    assert torch.allclose(output.valence, valence, atol=1e-6)
    assert {"modality", "feature"} <= set(output.attentions)


@pytest.mark.parametrize("shared", [True, False])
def test_speech_alone_is_answered_while_there_is_no_text(shared: bool) -> None:
    voters = models(shared=shared)
    vote = soft_voting(voters)
    heard = Features(speech=vote.encode(make_inputs()).speech)
    output = vote(heard)
    assert heard.speech is not None
    assert torch.allclose(output.logits.softmax(-1), heard.speech.logits.softmax(-1), atol=1e-6)
    alone = [m(Features(speech=m.encode(make_inputs()).speech)).logits for m in voters.values()]
    if shared:
        assert torch.allclose(output.logits, torch.stack(alone).mean(0), atol=1e-6)
    else:
        mean = torch.stack([z.softmax(-1) for z in alone]).mean(0)
        assert torch.allclose(output.logits.softmax(-1), mean, atol=1e-6)


def test_a_vote_of_whole_models_is_built_again_from_json(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.models.encoders import build

    for modality in ("speech", "text"):
        monkeypatch.setattr(
            build, f"build_{modality}_encoder", lambda config: TinyEncoder(**config)
        )
    vote = soft_voting(models(shared=False))
    read = json.loads(json.dumps(vote.config()))
    again = architecture_class("voting").from_config(vote.specification, read)
    again.load_state_dict(vote.state_dict())
    inputs = make_inputs()
    expected = vote(vote.encode(inputs)).logits
    assert torch.equal(again.eval()(again.encode(inputs)).logits, expected)


def test_what_can_not_vote_is_refused() -> None:
    voters = models(shared=True)
    without = {n: m for n, m in voters.items() if n != "late"}
    with pytest.raises(CheckpointError, match="also needs late"):
        soft_voting(without)
    with pytest.raises(CheckpointError, match="rsa has no vote"):
        soft_voting({**voters, "rsa": make_model("rsa")})
    with pytest.raises(CheckpointError, match="another system"):
        soft_voting({**voters, "late": voters["early"]})
    with pytest.raises(CheckpointError, match="differ in what they say"):
        soft_voting({**voters, "late": make_model("late", affect=False)})
    with pytest.raises(ConfigError, match="nothing else"):
        VotingModel.from_config(voters["late"].specification, {"members": {}, "wings": 2})


def test_members_of_different_widths_vote() -> None:
    voters = models(shared=False)
    wide = make_model("early")
    voters["early"] = SpeechTextModel(
        wide.specification,
        wide.architecture,
        speech=TinyEncoder(SPEECH + 3, "speech"),
        text=TinyEncoder(TEXT - 4, "text"),
    ).eval()
    vote = soft_voting(voters)
    assert vote(vote.encode(make_inputs())).logits.shape == (2, 7)
