"""The baselines of dialogue models: nobody else in the batch, nor what fills it up, counts."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from core.errors import ConfigError
from core.models.context.base import DialogueModel
from core.models.context.bilstm import BiLSTM
from core.models.context.inputs import UNKNOWN_SPEAKER, DialogueInputs
from core.models.context.registry import dialogue_architecture
from core.models.context.specification import DialogueSpecification, FeatureSize
from core.models.context.utterance import UtteranceOnly

SPECIFICATION = DialogueSpecification(
    ("neutral", "happy", "sad"),
    {"text": FeatureSize(6), "speech": FeatureSize(4, layers=2)},
    speakers=3,
)
BOTH = pytest.mark.parametrize("kind", [UtteranceOnly, BiLSTM])


def built(kind: type[DialogueModel], **options: object) -> DialogueModel:
    torch.manual_seed(3)
    return kind.from_config(SPECIFICATION, options).eval()


def dialogues(lengths: tuple[int, ...], seed: int = 0) -> DialogueInputs:
    generator = torch.Generator().manual_seed(seed)
    shape = (len(lengths), max(lengths))
    mask = torch.arange(shape[1])[None] < torch.tensor(lengths)[:, None]
    features = {
        "text": torch.randn(*shape, 6, generator=generator),
        "speech": torch.randn(*shape, 2, 4, generator=generator),
    }
    present = {"text": mask, "speech": mask & (torch.rand(shape, generator=generator) > 0.4)}
    speakers = torch.randint(-1, 5, shape, generator=generator)
    return DialogueInputs(features, present, speakers, mask)


def row(inputs: DialogueInputs, index: int, length: int) -> DialogueInputs:
    return DialogueInputs(
        {name: value[index : index + 1, :length] for name, value in inputs.features.items()},
        {name: value[index : index + 1, :length] for name, value in inputs.present.items()},
        inputs.speakers[index : index + 1, :length],
        inputs.mask[index : index + 1, :length],
    )


def logits(model: DialogueModel, inputs: DialogueInputs) -> Tensor:
    with torch.no_grad():
        return model(inputs).logits


@pytest.mark.parametrize("options", [{}, {"direction": "past"}, {"layers": 2, "speaker": 0}])
def test_batch_mates_and_padding_change_nothing_of_the_lstm(options: dict[str, object]) -> None:
    check_alone(built(BiLSTM, **options))


def test_batch_mates_and_padding_change_nothing_of_the_perceptron() -> None:
    check_alone(built(UtteranceOnly))


def check_alone(model: DialogueModel) -> None:
    lengths = (5, 1, 8)
    inputs = dialogues(lengths)
    together = logits(model, inputs)
    for index, length in enumerate(lengths):
        alone = logits(model, row(inputs, index, length))
        torch.testing.assert_close(together[index, :length], alone[0], rtol=0, atol=1e-6)


@BOTH
def test_what_stands_in_a_gap_plays_no_role(kind: type[DialogueModel]) -> None:
    model, inputs = built(kind), dialogues((5, 3))
    gap = ~inputs.present["speech"][..., None, None]
    filled = inputs.features["speech"].masked_fill(gap, float("nan"))
    other = replace(inputs, features={**inputs.features, "speech": filled})
    valid = inputs.mask
    assert torch.equal(logits(model, inputs)[valid], logits(model, other)[valid])


@BOTH
def test_a_modality_may_be_missing_everywhere(kind: type[DialogueModel]) -> None:
    model, inputs = built(kind), dialogues((4,))
    without = replace(inputs, features={"text": inputs.features["text"]})
    nowhere = {**inputs.present, "speech": torch.zeros_like(inputs.mask)}
    absent = logits(model, replace(inputs, present=nowhere))
    assert torch.equal(logits(model, without), absent)
    assert not torch.allclose(absent, logits(model, inputs), atol=1e-3)


def changed_turn(model: DialogueModel, turn: int) -> Tensor:
    """Return which turns of six (6,) are judged otherwise when one of them is another."""
    inputs = dialogues((6,))
    text = inputs.features["text"].clone()
    text[0, turn] += torch.randn(6, generator=torch.Generator().manual_seed(9))
    other = replace(inputs, features={**inputs.features, "text": text})
    return (logits(model, inputs) - logits(model, other)).abs().amax(dim=-1)[0] > 1e-7


def test_an_utterance_alone_knows_nothing_of_the_others() -> None:
    assert changed_turn(built(UtteranceOnly), 2).tolist() == [False, False, True] + [False] * 3


def test_the_lstm_sees_both_directions_or_only_the_past() -> None:
    assert changed_turn(built(BiLSTM), 2).all()
    assert changed_turn(built(BiLSTM, direction="past"), 2).tolist() == [False] * 2 + [True] * 4


def test_who_speaks_matters_to_the_lstm_alone() -> None:
    inputs = dialogues((5,))
    other = replace(inputs, speakers=torch.tensor([[0, 1, 0, 1, UNKNOWN_SPEAKER]]))
    assert not torch.equal(logits(built(BiLSTM), inputs), logits(built(BiLSTM), other))
    plain = built(UtteranceOnly)
    assert torch.equal(logits(plain, inputs), logits(plain, other))


def test_speakers_beyond_the_last_share_its_index() -> None:
    inputs = dialogues((3,))
    model = built(BiLSTM)
    beyond = replace(inputs, speakers=torch.tensor([[0, 2, 1]]))
    far = replace(inputs, speakers=torch.tensor([[0, 7, 1]]))
    assert torch.equal(logits(model, beyond), logits(model, far))


def test_attention_is_on_itself_or_unknown() -> None:
    inputs = dialogues((3, 2))
    weights = built(UtteranceOnly)(inputs, attention=True).attention
    assert weights is not None
    assert torch.equal(weights[0], torch.eye(3))
    assert torch.equal(weights[1], torch.diag(torch.tensor([1.0, 1.0, 0.0])))
    assert built(UtteranceOnly)(inputs).attention is None
    assert built(BiLSTM)(inputs, attention=True).attention is None


@pytest.mark.parametrize("name", ["utterance", "bilstm"])
def test_config_builds_the_same_architecture(name: str) -> None:
    kind = dialogue_architecture(name)
    model = kind.from_config(SPECIFICATION, {"hidden": 10, "layers": 2})
    again = kind.from_config(SPECIFICATION, model.config())
    shapes = {key: value.shape for key, value in model.state_dict().items()}
    assert shapes == {key: value.shape for key, value in again.state_dict().items()}


@pytest.mark.parametrize("options", [{"direction": "future"}, {"hidden": 7}, {"layers": 0}])
def test_nonsense_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"direction|hidden"):
        BiLSTM.from_config(SPECIFICATION, options)
