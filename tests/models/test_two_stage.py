"""The two-stage model: its heads, what padding may do to them, and its configuration."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from core.errors import ConfigError
from core.models.adapters import as_merged, attach, merge
from core.models.adapters.bottleneck import BottleneckAdapter
from core.models.adapters.config import AdapterConfig, BottleneckConfig, LoraConfig
from core.models.encoders.build import build_speech_encoder
from core.models.encoders.pretrained import load_pretrained_speech
from core.models.encoders.trainable import set_trainable
from core.models.outputs import EmotionOutput, Encoded, Features, ModelInputs
from core.models.specification import Problem, Specification
from core.models.two_stage import HEAD_PREFIXES, Recogniser, TwoStageModel, make_specification
from core.models.two_stage_config import TaskHeads, TwoStageConfig
from core.types import Modality
from tests.checkpoints import MODEL
from training.losses.multitask import MultiTaskLoss
from training.multitask.targets import TaskTargets

LABELS = ("neutral", "happy", "sad", "angry")
HEADS = TaskHeads(
    gender=("F", "M"), style=("normal", "strong"), symbols=(" ", "a", "b"), steps=2, adapter=4,
    fusion=True,
)  # fmt: skip
COMPACT = {"kind": "compact", **MODEL.speech.to_dict()}
ADAPTERS = AdapterConfig(LoraConfig(rank=2), BottleneckConfig(width=3))


class Given(nn.Module):
    """An encoder whose sequence is its input, and whose pooled vector is nonsense."""

    dim = 6

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def config(self) -> dict[str, object]:
        return {"kind": "given"}

    def forward(self, inputs: ModelInputs) -> Encoded:
        assert inputs.speech is not None
        assert inputs.speech_mask is not None
        sequence = self.scale * inputs.speech
        wrong = torch.full((len(sequence), self.dim), 99.0)
        return Encoded(sequence, inputs.speech_mask, wrong, sequence.new_zeros(len(sequence), 0))


def model_of(heads: TaskHeads = HEADS, speech: nn.Module | None = None) -> TwoStageModel:
    """Return a model whose task adapters already differ."""
    torch.manual_seed(0)
    model = TwoStageModel(
        make_specification(LABELS), TwoStageConfig({}, heads), speech=speech or Given()
    )
    for adapter in model.task_adapters.values():
        nn.init.normal_(adapter.up.weight)
    return model.eval()


def batch(lengths: tuple[int, ...] = (5, 3, 4), width: int = 6) -> ModelInputs:
    longest = max(lengths)
    values = torch.randn(len(lengths), longest, width, generator=torch.Generator().manual_seed(1))
    return ModelInputs(
        speech=values, speech_mask=torch.arange(longest)[None] < torch.tensor(lengths)[:, None]
    )


def run(model: TwoStageModel, inputs: ModelInputs) -> EmotionOutput:
    return model(model.encode(inputs))


def linear(model: TwoStageModel, task: str) -> nn.Linear:
    found = model.classifiers[task][1]
    assert isinstance(found, nn.Linear)
    return found


def test_every_task_has_its_output():
    output = run(model_of(), batch())
    assert output.logits.shape == (3, 4)
    shapes = {name: tuple(value.shape) for name, value in output.auxiliary.items()}
    assert shapes == {
        "vector_emotion": (3, 6), "vector_gender": (3, 6), "vector_style": (3, 6),
        "gender": (3, 2), "style": (3, 2), "recognition": (3, 10, 4), "recognition_lengths": (3,),
    }  # fmt: skip
    assert output.auxiliary["recognition_lengths"].tolist() == [10, 6, 8]
    assert output.attentions["modality"].tolist() == [[1.0, 0.0]] * 3


@pytest.mark.parametrize(
    ("heads", "expected"),
    [
        (TaskHeads(), {"vector_emotion"}),
        (TaskHeads(symbols=("a",)), {"vector_emotion", "recognition", "recognition_lengths"}),
        (TaskHeads(style=("x", "y")), {"vector_emotion", "vector_style", "style"}),
    ],
)
def test_there_is_no_output_of_a_task_without_a_head(heads, expected):
    assert run(model_of(heads), batch()).auxiliary.keys() == expected


def test_vectors_are_the_adapted_mean_over_valid_positions():
    model, inputs = model_of(), batch()
    output = run(model, inputs)
    assert inputs.speech is not None
    means = torch.stack([inputs.speech[i, :n].mean(0) for i, n in enumerate((5, 3, 4))])
    torch.testing.assert_close(model.encode(inputs).speech.pooled, means)
    for task, adapter in model.task_adapters.items():
        assert isinstance(adapter, BottleneckAdapter)
        hidden = torch.relu(means @ adapter.down.weight.T + adapter.down.bias)
        expected = means + hidden @ adapter.up.weight.T + adapter.up.bias
        torch.testing.assert_close(output.auxiliary[f"vector_{task}"], expected)


def test_fusion_joins_emotion_gender_and_style_in_this_order():
    model, inputs = model_of(), batch()
    output = run(model, inputs)
    vectors = [output.auxiliary[f"vector_{task}"] for task in ("emotion", "gender", "style")]
    out = linear(model, "emotion")
    torch.testing.assert_close(output.logits, torch.cat(vectors, 1) @ out.weight.T + out.bias)
    for task, vector in zip(("gender", "style"), vectors[1:], strict=True):
        own = linear(model, task)
        torch.testing.assert_close(output.auxiliary[task], vector @ own.weight.T + own.bias)


def test_without_fusion_emotion_is_read_from_its_own_vector():
    model = model_of(replace(HEADS, fusion=False))
    output, out = run(model, batch()), linear(model, "emotion")
    expected = output.auxiliary["vector_emotion"] @ out.weight.T + out.bias
    torch.testing.assert_close(output.logits, expected)


def test_fusion_takes_only_the_tasks_that_there_are():
    model = model_of(replace(HEADS, gender=()))
    assert linear(model, "emotion").in_features == 12


def test_each_position_is_spread_over_steps_in_time():
    recogniser = Recogniser(dim=3, symbols=1, steps=2, dropout=0.0)
    with torch.no_grad():
        recogniser.out.weight.zero_()
        recogniser.out.bias.copy_(torch.tensor([1.0, 2.0, 3.0, 4.0]))
        recogniser.out.weight[:, 0] = 10.0
    sequence = torch.zeros(1, 2, 3)
    sequence[0, 1, 0] = 1.0
    logits, lengths = recogniser(sequence, torch.ones(1, 2, dtype=torch.bool))
    assert logits[0].tolist() == [[1.0, 2.0], [3.0, 4.0], [11.0, 12.0], [13.0, 14.0]]
    assert lengths.tolist() == [4]


def test_what_lies_beyond_the_mask_changes_nothing():
    model, inputs = model_of(), batch()
    before = run(model, inputs)
    assert inputs.speech is not None
    assert inputs.speech_mask is not None
    beyond = inputs.speech.masked_fill(~inputs.speech_mask[..., None], float("inf"))
    after = run(model, replace(inputs, speech=beyond))
    torch.testing.assert_close(after.logits, before.logits)
    for name, value in before.auxiliary.items():
        if name != "recognition":
            torch.testing.assert_close(after.auxiliary[name], value)
    for row, length in enumerate(before.auxiliary["recognition_lengths"].tolist()):
        ours, others = (o.auxiliary["recognition"][row, :length] for o in (before, after))
        torch.testing.assert_close(others, ours)


@pytest.fixture(params=["compact", "wav2vec2_base_like", "wavlm_like"])
def encoder(request, tiny_encoder) -> nn.Module:
    torch.manual_seed(0)
    if request.param == "compact":
        return build_speech_encoder(COMPACT)
    return load_pretrained_speech(tiny_encoder(request.param), trainable="all").encoder


def speech_of(encoder: nn.Module, lengths: tuple[int, ...]) -> ModelInputs:
    """Return rows of sound for an encoder, as long as frames of 10 ms."""
    if encoder.config()["kind"] == "compact":  # type: ignore[operator]
        return batch(lengths, MODEL.speech.frame_dim)
    samples = torch.tensor(lengths) * 160
    waves = torch.randn(
        len(lengths), int(samples.max()), generator=torch.Generator().manual_seed(2)
    )
    return ModelInputs(
        waveform=waves, waveform_mask=torch.arange(waves.shape[1])[None] < samples[:, None]
    )


def row_alone(inputs: ModelInputs, row: int) -> ModelInputs:
    def own(values: Tensor | None, mask: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
        if values is None or mask is None:
            return None, None
        length = int(mask[row].sum())
        return values[row : row + 1, :length], mask[row : row + 1, :length]

    speech, speech_mask = own(inputs.speech, inputs.speech_mask)
    waveform, waveform_mask = own(inputs.waveform, inputs.waveform_mask)
    return ModelInputs(
        speech=speech, speech_mask=speech_mask, waveform=waveform, waveform_mask=waveform_mask
    )


def test_batch_mates_change_nothing(encoder):
    model = model_of(speech=encoder)
    inputs = speech_of(encoder, (100, 61, 83))
    with torch.no_grad():
        together = run(model, inputs)
        for row in range(3):
            alone = run(model, row_alone(inputs, row))
            torch.testing.assert_close(together.logits[row], alone.logits[0], rtol=0, atol=1e-5)
            length = int(alone.auxiliary["recognition_lengths"][0])
            assert int(together.auxiliary["recognition_lengths"][row]) == length
            assert alone.auxiliary["recognition"].shape[1] == length
            for name in ("gender", "style", "recognition"):
                ours = together.auxiliary[name][row][: alone.auxiliary[name].shape[1]]
                torch.testing.assert_close(ours, alone.auxiliary[name][0], rtol=0, atol=1e-5)


def targets(lengths: Tensor) -> TaskTargets:
    rows = len(lengths)
    return TaskTargets(
        emotion=torch.arange(rows) % 4,
        gender=torch.arange(rows) % 2,
        style=torch.zeros(rows, dtype=torch.int64),
        allowed=torch.ones(rows, 4, dtype=torch.bool),
        symbols=torch.tensor([[2, 3]] * rows),
        symbol_counts=torch.full((rows,), 2),
        weights=torch.ones(rows),
    )


@pytest.mark.parametrize("task", ["emotion", "recognition", "gender", "style", "scl_norm"])
def test_every_task_trains_the_encoder_that_yields_the_sequence(encoder, task):
    model = model_of(speech=encoder).train()
    output = run(model, speech_of(encoder, (100, 61)))
    loss = MultiTaskLoss({task: 1.0})(output, targets(torch.tensor([1, 1])))["loss"]
    torch.autograd.backward(loss)
    layer = {
        "compact": "encoder.members.0.attention.0.project.weight",
        "pretrained": "model.encoder.layers.0.feed_forward.intermediate_dense.weight",
    }[encoder.config()["kind"]]
    weight = encoder.get_parameter(layer)
    assert weight.grad is not None
    assert float(weight.grad.abs().sum()) > 0
    graded = [p.grad for p in model.parameters() if p.grad is not None]
    assert all(bool(g.isfinite().all()) for g in graded)


def test_adapters_train_beside_a_frozen_encoder(encoder):
    set_trainable(encoder, "none")
    attach(encoder, ADAPTERS)
    model = model_of(speech=encoder).train()
    loss = MultiTaskLoss({"emotion": 0.8, "gender": 0.1, "style": 0.1})(
        run(model, speech_of(encoder, (100, 61))), targets(torch.tensor([1, 1]))
    )["loss"]
    torch.autograd.backward(loss)
    trained = {n for n, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    assert any("lora_B" in name for name in trained)
    assert any("adapter.up" in name for name in trained)
    assert all(
        name.startswith(HEAD_PREFIXES) or "lora" in name or ".adapter." in name for name in trained
    )


def test_half_precision_neither_overflows_nor_averages_coarsely():
    sequence = torch.full((1, 3001, 6), 100.0, dtype=torch.float16)  # their sum is above 65,504
    sequence[0, 0] = 0.0
    mask = torch.ones(1, 3001, dtype=torch.bool)
    half = Encoded(sequence, mask, sequence[:, 0], sequence.new_zeros(1, 0))
    output = model_of(TaskHeads())(Features(half))
    expected = torch.full((1, 6), 100.0 * 3000 / 3001)
    torch.testing.assert_close(output.auxiliary["vector_emotion"], expected)


def test_the_configuration_builds_the_same_model(encoder):
    described = TwoStageConfig({}, HEADS, ADAPTERS)
    model = TwoStageModel(make_specification(LABELS), described, speech=encoder).eval()
    values = json.loads(json.dumps(model.config()))
    again = TwoStageModel.from_config(make_specification(LABELS), values).eval()
    assert again.config() == model.config()
    again.load_state_dict(model.state_dict())
    inputs = speech_of(encoder, (100, 61))
    with torch.no_grad():
        torch.testing.assert_close(run(again, inputs).logits, run(model, inputs).logits)


def test_merged_lora_is_no_part_of_the_configuration_while_it_is_merged(encoder):
    described = TwoStageConfig({}, HEADS, ADAPTERS)
    model = TwoStageModel(make_specification(LABELS), described, speech=encoder).eval()
    with as_merged(model):
        assert model.config()["adapters"] == {"lora": None, "bottleneck": {"width": 3}}
        again = TwoStageModel.from_config(model.specification, model.config())
        assert again.state_dict().keys() == model.state_dict().keys()
    assert model.config()["adapters"] == ADAPTERS.to_dict()


def test_all_that_is_not_the_encoder_is_heads():
    model = model_of()
    heads = {id(p) for p in model.head_parameters()}
    encoding = {id(p) for p in model.speech.parameters()}
    assert heads | encoding == {id(p) for p in model.parameters()}
    assert not heads & encoding


@pytest.mark.parametrize(
    ("specification", "words"),
    [
        (Specification(LABELS, (Modality.SPEECH, Modality.TEXT)), "speech alone"),
        (Specification(LABELS, (Modality.SPEECH,), problem=Problem.MULTI_LABEL), "one label"),
        (Specification(LABELS, (Modality.SPEECH,), affect=True), "arousal"),
    ],
)
def test_what_it_can_not_give_is_refused(specification, words):
    with pytest.raises(ConfigError, match=words):
        TwoStageModel(specification, TwoStageConfig({}), speech=Given())


def test_speech_is_needed():
    model = model_of()
    with pytest.raises(ValueError, match="takes speech"):
        model(Features())
    with pytest.raises(ConfigError, match="no pitch"):
        TwoStageModel.from_config(make_specification(LABELS), {"speech": COMPACT, "pitch": 1})


def test_an_encoder_whose_lora_is_merged_has_its_adapters_already() -> None:
    lora = AdapterConfig(LoraConfig(rank=2))
    encoder = build_speech_encoder(COMPACT)
    attach(encoder, lora)
    merge(encoder)
    before = [name for name, _ in encoder.named_modules()]
    TwoStageModel(make_specification(LABELS), TwoStageConfig({}, HEADS, lora), speech=encoder)
    assert [name for name, _ in encoder.named_modules()] == before
