"""MGLRA as a whole: who counts for whom, what may be missing, what its config and maps say."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.errors import ConfigError
from core.models.context.inputs import UNKNOWN_SPEAKER, DialogueInputs, DialogueOutput
from core.models.context.registry import dialogue_architecture
from core.models.layers.graph import GatedGraphConvolution
from core.models.mglra import MGLRA, RECONSTRUCTION
from tests.models.context.mglra_cases import (
    LABELS,
    SIZES,
    VARIANTS,
    dialogues,
    model,
    padded,
    rows,
    specification,
    without,
)
from tests.models.context.test_graph import looped

BOTH = pytest.mark.parametrize("variant", VARIANTS)
LENGTHS = (7, 4, 1, 5)


def judged(made: MGLRA, inputs: DialogueInputs) -> DialogueOutput:
    with torch.no_grad():
        return made(inputs, attention=True)


def same(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


@BOTH
@pytest.mark.parametrize(
    "options", [{}, {"reach": 2}, {"speaker_place": "encoder"}, {"norm": "batch"}]
)
def test_padding_and_batch_mates_change_nothing(variant: str, options: dict[str, Any]) -> None:
    made, inputs = model(variant, **options), dialogues(LENGTHS)
    together = judged(made, padded(inputs, 3, fill=float("nan")))
    for row, length in enumerate(LENGTHS):
        alone = judged(made, rows(inputs, [row], length))
        same(together.logits[row, :length], alone.logits[0])
        same(together.representation[row, :length], alone.representation[0])
        assert together.attention is not None
        assert alone.attention is not None
        same(together.attention[row, :length, :length], alone.attention[0])


@BOTH
def test_what_lies_where_a_modality_is_missing_counts_for_nothing(variant: str) -> None:
    made = model(variant)
    same(
        judged(made, dialogues(LENGTHS, fill=0.0)).logits,
        judged(made, dialogues(LENGTHS, fill=float("nan"))).logits,
    )


@BOTH
def test_the_order_of_dialogues_in_a_batch_does_not_matter(variant: str) -> None:
    made, inputs, order = model(variant), dialogues(LENGTHS), [2, 0, 3, 1]
    same(judged(made, inputs).logits[order], judged(made, rows(inputs, order)).logits)


@BOTH
def test_other_turns_count_for_a_turn(variant: str) -> None:
    made, inputs = model(variant), dialogues((6,), missing=0)
    changed = dialogues((6,), missing=0)
    changed.features["text"][0, 0, :, 0] += 3
    moved = (judged(made, inputs).logits - judged(made, changed).logits).abs().amax(dim=-1)
    assert (moved > 1e-5).all()


@BOTH
def test_a_modality_that_is_not_there_at_all_is_one_that_no_utterance_has(variant: str) -> None:
    made, inputs = model(variant), dialogues(LENGTHS, missing=0)
    for name in SIZES:
        inputs.present[name].zero_()
        nowhere = judged(made, inputs).logits
        inputs.present[name].copy_(inputs.mask)
        same(judged(made, without(inputs, name)).logits, nowhere)
        assert (nowhere - judged(made, inputs).logits).abs().max() > 1e-4


@BOTH
def test_without_any_modality_an_utterance_still_gets_finite_logits(variant: str) -> None:
    made, inputs = model(variant), dialogues(LENGTHS, missing=0)
    for present in inputs.present.values():
        present[0, 2] = False
        present[1] = False
    output = judged(made, inputs)
    bias = next(p for name, p in made.head.named_parameters() if name.endswith("bias"))
    same(output.logits[0, 2], bias.detach())
    assert torch.isfinite(output.logits).all()
    assert not output.representation[1].any()
    empty = DialogueInputs({}, {}, inputs.speakers, inputs.mask)
    same(judged(made, empty).logits[0, 0], bias.detach())


@BOTH
@pytest.mark.parametrize("modalities", [("text",), ("speech",), ("text", "vision"), tuple(SIZES)])
def test_any_modalities_make_a_model_with_a_slice_each(
    variant: str, modalities: tuple[str, ...]
) -> None:
    made = model(variant, modalities, students=True)
    output = judged(made, dialogues(LENGTHS, modalities=modalities))
    assert tuple(output.slices) == tuple(m for m in ("text", "speech", "vision") if m in modalities)
    assert output.logits.shape == (4, 7, len(LABELS))
    torch.testing.assert_close(torch.cat([*output.slices.values()], -1), output.representation)
    assert {name: said.shape for name, said in output.students.items()} == dict.fromkeys(
        modalities, output.logits.shape
    )


@BOTH
@pytest.mark.parametrize("modalities", [("text",), ("speech",), tuple(SIZES)])
@pytest.mark.parametrize("missing", [0.0, 0.6])
def test_attention_is_a_share_of_the_turns_there_are(
    variant: str, modalities: tuple[str, ...], missing: float
) -> None:
    inputs = dialogues(LENGTHS, modalities=modalities, missing=missing)
    attention = judged(model(variant, modalities), inputs).attention
    assert attention is not None
    assert (attention >= 0).all()
    same(attention.sum(dim=-1), inputs.mask.float())
    assert not attention.masked_select(~inputs.mask[:, None].expand_as(attention)).any()
    off_diagonal = attention - torch.diag_embed(attention.diagonal(dim1=1, dim2=2))
    assert off_diagonal[0].sum() > 0.05


@BOTH
def test_attention_is_only_made_when_asked_for(variant: str) -> None:
    made, inputs = model(variant), dialogues(LENGTHS)
    with torch.no_grad():
        plain = made(inputs)
    assert plain.attention is None
    same(plain.logits, judged(made, inputs).logits)


@BOTH
def test_with_a_reach_no_attention_goes_further(variant: str) -> None:
    attention = judged(model(variant, reach=1), dialogues((6,), missing=0)).attention
    assert attention is not None
    far = (torch.arange(6)[:, None] - torch.arange(6)).abs() > 1
    assert not attention[0][far].any()
    assert (attention[0][~far] > 0).all()


@BOTH
def test_who_speaks_counts_and_an_unknown_speaker_adds_nothing(variant: str) -> None:
    made, inputs = model(variant, distance=0), dialogues((5,), missing=0)
    nobody = torch.full_like(inputs.speakers, UNKNOWN_SPEAKER)
    unknown = DialogueInputs(inputs.features, inputs.present, nobody, inputs.mask)
    assert (judged(made, inputs).logits - judged(made, unknown).logits).abs().max() > 1e-4
    assert made.speakers is not None
    silent = judged(made, unknown).logits
    nn.init.normal_(made.speakers.embedding.weight, std=9.0)
    same(judged(made, unknown).logits, silent)


@BOTH
def test_speakers_beyond_the_last_share_its_vector(variant: str) -> None:
    made, inputs = model(variant), dialogues((5,))
    inputs.speakers.fill_(2)
    last = judged(made, inputs).logits
    inputs.speakers.fill_(8)
    same(judged(made, inputs).logits, last)


@BOTH
def test_evaluation_is_without_chance_and_training_is_not(variant: str) -> None:
    made = model(variant, dropout=0.0, encoder_dropout=0.0)
    inputs = dialogues(LENGTHS)
    assert torch.equal(judged(made, inputs).logits, judged(made, inputs).logits)
    made.train()
    assert not torch.equal(judged(made, inputs).logits, judged(made, inputs).logits)


def test_reconstruction_is_a_loss_of_training_alone() -> None:
    made, inputs = model("full"), dialogues(LENGTHS)
    assert not judged(made, inputs).auxiliary
    assert set(judged(made.train(), inputs).auxiliary) == {RECONSTRUCTION}
    assert not judged(model("full", reconstruction=False).train(), inputs).auxiliary
    assert not judged(model("released").train(), inputs).auxiliary


@BOTH
@pytest.mark.parametrize("place", ["graph", "encoder"])
@pytest.mark.parametrize("modalities", [("text",), tuple(SIZES)])
def test_a_gradient_reaches_every_parameter(
    variant: str, place: str, modalities: tuple[str, ...]
) -> None:
    nested = {"sizes": [8 * len(modalities)], "shared": False}
    made = model(variant, modalities, students=True, nested=nested, speaker_place=place).train()
    inputs = dialogues((9, 9, 8, 5), modalities=modalities, missing=0.1)
    torch.manual_seed(0)
    output = made(inputs)
    said = [output.logits, *output.nested.values(), *output.students.values()]
    loss = torch.stack([F.cross_entropy(x[inputs.mask], inputs.speakers[inputs.mask].clamp(0))
                        for x in said]).sum()  # fmt: skip
    (loss + sum(output.auxiliary.values())).backward()
    silent = [n for n, p in made.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []
    assert all(torch.isfinite(p.grad).all() for p in made.parameters() if p.grad is not None)


@BOTH
def test_a_config_builds_the_same_model_again(variant: str) -> None:
    options = {"students": True, "nested": {"sizes": [24, 12]}, "speaker_modalities": ["speech"]}
    made = model(variant, **options)
    config = json.loads(json.dumps(made.config()))
    again = dialogue_architecture("mglra").from_config(specification(), config)
    again.load_state_dict(made.state_dict())
    inputs = dialogues(LENGTHS)
    assert torch.equal(judged(made, inputs).logits, again.eval()(inputs).logits.detach())
    assert again.config() == config
    assert not any(value is None for key, value in config.items() if key not in ("reach", "kept"))


@BOTH
def test_weights_survive_half_precision(variant: str) -> None:
    made, inputs = model(variant), dialogues(LENGTHS)
    stored = made.state_dict()
    assert all(torch.isfinite(values.half()).all() for values in stored.values())
    assert all(values.is_floating_point() for values in stored.values())
    before = judged(made, inputs).logits
    made.load_state_dict({name: values.half().float() for name, values in stored.items()})
    torch.testing.assert_close(judged(made, inputs).logits, before, rtol=0, atol=2e-2)


@pytest.mark.parametrize(
    "options",
    [
        {"variant": "published"}, {"dim": 15}, {"heads": 3}, {"layers": 0}, {"mask_rate": 1.0},
        {"mask": "edge"}, {"norm": "group"}, {"order": "graph"}, {"speaker_place": "nowhere"},
        {"speaker_modalities": ["smell"]}, {"kept": [1, 1]}, {"kept": [0, 0, 0]},
        {"iterations": -1}, {"filter_threshold": 2.0}, {"depth": 3}, {"reach": -1},
        {"mask": "feature", "reconstruction": True}, {"nested": {"sizes": [4]}},
    ],
)  # fmt: skip
def test_an_option_that_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        model(**{"variant": "full", **options})


def test_features_of_another_size_are_refused() -> None:
    inputs = dialogues((3,))
    wrong = {**inputs.features, "vision": torch.zeros(1, 3, 6)}
    with pytest.raises(ValueError, match="1 layers of 5"):
        model("full")(DialogueInputs(wrong, inputs.present, inputs.speakers, inputs.mask))


def test_the_released_variant_is_what_the_formulas_say() -> None:
    """One dialogue without padding: BatchNorm, LSTM, cross-attention, speaker, edges, logits."""
    made, turns = model("released").double(), 6
    inputs = dialogues((turns,), missing=0)
    inputs = DialogueInputs(
        {name: values.double() for name, values in inputs.features.items()},
        inputs.present,
        inputs.speakers,
        inputs.mask,
    )
    encoder = made.encoder
    with torch.no_grad():
        norm = encoder.inputs["text"].norm  # its running statistics are 0 and 1
        levels = inputs.features["text"] / (1 + 1e-5) ** 0.5 * norm.weight + norm.bias
        text = encoder.lstm(encoder.inputs["text"].project(levels.mean(dim=2)), inputs.mask)
        encoded = [text]
        for name in ("speech", "vision"):
            own = encoder.inputs[name].project(inputs.features[name])
            q, k, v = (
                layer(x).view(1, turns, 2, 8).transpose(1, 2)
                for layer, x in (
                    (encoder.attention.query, own),
                    (encoder.attention.key, text),
                    (encoder.attention.value, text),
                )
            )
            found = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(1, turns, 16)
            encoded.append(own + encoder.attention.out(found))
        known = (inputs.speakers >= 0)[..., None]
        encoded[0] = encoded[0] + known * made.speakers.embedding(inputs.speakers.clamp(0))
        first = made.fc(torch.stack(encoded, dim=1))
        hidden = first
        valid = torch.ones(1, 3, turns, dtype=torch.bool)
        for layer in made.graph.layers:
            assert isinstance(layer, GatedGraphConvolution)
            hidden = hidden + torch.from_numpy(looped(hidden, valid, layer, None))
        both = torch.cat([first, hidden], dim=-1)[0]  # (3, T, 2 * node)
        logits = made.head(torch.cat([*both], dim=-1).relu()).logits
    np.testing.assert_allclose(judged(made, inputs).logits[0].numpy(), logits.numpy(), atol=1e-7)
