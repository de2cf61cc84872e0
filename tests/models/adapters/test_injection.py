"""Adapters in every family of encoders: new ones change nothing, trained ones change the output."""

from __future__ import annotations

import copy
import pickle
import sys

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from core.errors import CheckpointError, ConfigError
from core.models.adapters import (
    adapter_names,
    adapter_state,
    attach,
    config_of,
    detach,
    load_adapter_state,
    train_adapters_only,
)
from core.models.adapters.bottleneck import BottleneckAdapter
from core.models.adapters.config import AdapterConfig, BottleneckConfig, LoraConfig
from core.models.adapters.sites import FAMILIES, sites_of
from core.models.encoders.pretrained_text import PretrainedTextEncoder
from core.models.encoders.trainable import set_trainable
from tests.models.adapters.material import (
    BOTH,
    BOTTLENECK,
    COMPACT,
    ENCODERS,
    KINDS,
    LORA,
    adapted,
    encoder_of,
    heard_by,
    learnt,
    said_by,
    same,
    snapshot,
)

_BOTTLENECK = tuple(f"adapter.{x}.{y}" for x in ("down", "up") for y in ("weight", "bias"))
every_encoder = pytest.mark.parametrize("family", ENCODERS)
every_kind = pytest.mark.parametrize("config", KINDS.values(), ids=KINDS)


@every_encoder
@every_kind
def test_new_adapters_change_nothing(family, config):
    encoder = encoder_of(family)
    before = said_by(encoder)
    attach(encoder, config)
    # WavLM's weights are sums while LoRA is open: equal numbers, but torch adds up in another order
    atol = 2e-6 if family.startswith("wavlm") else 0.0
    torch.testing.assert_close(said_by(encoder), before, atol=atol, rtol=0)


@every_encoder
@every_kind
def test_trained_adapters_change_the_output(family, config):
    assert (said_by(adapted(family, config)) - said_by(encoder_of(family))).abs().max() > 1e-3


@every_encoder
@every_kind
def test_gradients_reach_every_adapter_and_nothing_else_of_a_frozen_encoder(family, config):
    encoder = adapted(family, config)
    train_adapters_only(encoder)
    encoder.train()(heard_by(encoder)).sequence.square().sum().backward()
    names = adapter_names(encoder)
    gradients = {n: p.grad for n, p in encoder.named_parameters() if p.grad is not None}
    assert gradients.keys() == names
    # a bias of the keys moves every score alike, but nothing of LoRA is a bias
    assert all(bool(gradient.abs().max() > 0) for gradient in gradients.values())


@every_encoder
def test_adapters_stand_in_every_layer_and_have_the_asked_sizes(family):
    encoder = encoder_of(family)
    attach(encoder, BOTH)
    state = adapter_state(encoder)
    layers = 2
    projections = 1 if family == COMPACT else 3
    factors = [name for name in state if "lora_" in name]
    assert len(factors) == 2 * layers * projections
    assert all(4 in state[name].shape for name in factors)
    downs = [name for name in state if name.endswith("adapter.down.weight")]
    assert [tuple(state[name].shape) for name in downs] == [(8, encoder.dim)] * layers


@every_encoder
@every_kind
def test_detaching_brings_the_encoder_back_to_the_last_bit(family, config):
    encoder = encoder_of(family)
    before, said, tree = snapshot(encoder), said_by(encoder), repr(encoder)
    attach(encoder, config)
    load_adapter_state(encoder, learnt(encoder))
    detach(encoder)
    assert same(snapshot(encoder), before)
    assert torch.equal(said_by(encoder), said)
    assert repr(encoder) == tree
    assert not adapter_names(encoder)
    attach(encoder, config)


@every_encoder
def test_a_state_makes_the_same_encoder_of_another_copy_of_the_base(family):
    first, second = adapted(family), encoder_of(family)
    attach(second, BOTH)
    load_adapter_state(second, adapter_state(first))
    assert same(adapter_state(second), adapter_state(first))
    assert torch.equal(said_by(second), said_by(first))


@every_encoder
def test_names_are_those_of_the_new_parameters_in_the_state(family):
    encoder = encoder_of(family)
    own = len(encoder.state_dict())
    attach(encoder, BOTH)
    names = adapter_names(encoder)
    assert names <= encoder.state_dict().keys()
    assert len(encoder.state_dict()) == own + len(names)


def test_names_of_a_whole_model_begin_with_its_encoder():
    class Holder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.speech = adapted("wav2vec2")
            self.head = nn.Linear(2, 2)

    model = Holder()
    assert {f"speech.{name}" for name in adapter_names(model.speech)} == adapter_names(model)
    assert adapter_state(model).keys() == {f"speech.{n}" for n in adapter_state(model.speech)}
    load_adapter_state(model, learnt(model, seed=2))
    assert same(adapter_state(model), learnt(model, seed=2))


@pytest.mark.parametrize("alpha", [None, 8.0, 3.0])
def test_lora_is_what_its_formula_says(alpha):
    encoder = encoder_of("wav2vec2")
    config = LoraConfig(rank=2, alpha=alpha)
    name = "model.encoder.layers.1.attention.k_proj"
    linear = encoder.get_submodule(name)
    attach(encoder, AdapterConfig(config, None))
    state = learnt(encoder)
    load_adapter_state(encoder, state)
    x = torch.randn(3, 5, encoder.dim)
    a, b = state[f"{name}.lora_A.weight"], state[f"{name}.lora_B.weight"]
    scale = 1.0 if alpha is None else alpha / 2
    by_hand = x @ linear.weight.T + linear.bias + scale * (x @ a.T @ b.T)
    torch.testing.assert_close(encoder.get_submodule(name)(x), by_hand, atol=1e-6, rtol=1e-6)


def test_wavlm_multiplies_by_weights_that_contain_lora():
    encoder = adapted("wavlm", LORA)
    name = "model.encoder.layers.0.attention.q_proj"
    state = adapter_state(encoder)
    a, b = state[f"{name}.lora_A.weight"], state[f"{name}.lora_B.weight"]
    layer = encoder.get_submodule(name)
    whole = layer.base_layer.weight + 1.5 * (b @ a)
    torch.testing.assert_close(layer.weight, whole, atol=1e-6, rtol=0)


def test_a_bottleneck_is_what_its_formula_says():
    adapter = BottleneckAdapter(6, 3)
    x = torch.randn(2, 4, 6)
    assert torch.equal(adapter(x), x)
    with torch.no_grad():
        adapter.up.weight.normal_()
        adapter.up.bias.normal_()
    hidden = F.relu(x @ adapter.down.weight.T + adapter.down.bias)
    by_hand = x + hidden @ adapter.up.weight.T + adapter.up.bias
    torch.testing.assert_close(adapter(x), by_hand)


def test_the_bottleneck_comes_after_the_feed_forward_and_before_the_residual():
    encoder = adapted("wav2vec2", BOTTLENECK)
    layer = encoder.layers()[0]
    x = torch.randn(1, 7, encoder.dim)
    with torch.inference_mode():
        hidden = layer.layer_norm(x + layer.attention(x)[0])
        forward = layer.feed_forward
        inner = F.gelu(forward.intermediate_dense(hidden))
        added = forward.adapter(forward.output_dense(inner))
        by_hand = layer.final_layer_norm(hidden + added)
        found = layer(x)
    torch.testing.assert_close(found, by_hand, atol=1e-6, rtol=0)


def test_the_bottleneck_of_the_compact_encoder_comes_before_its_residual_too():
    encoder = adapted(COMPACT, BOTTLENECK)
    layer = encoder.encoder.members[0].attention[0]
    *inner, adapter = layer.feed_forward
    x = torch.randn(1, 7, encoder.dim)
    mask = torch.ones(1, 7, dtype=torch.bool)
    with torch.inference_mode():
        found = layer(x, mask)
        adapter_off = nn.Sequential(*inner)
        qkv = layer.project(layer.norm(x)).view(1, 7, 3, layer.heads, -1)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).reshape(x.shape)
        hidden = x + layer.out(y)
        by_hand = hidden + adapter(adapter_off(hidden))
    torch.testing.assert_close(found, by_hand, atol=1e-6, rtol=0)


@pytest.mark.parametrize("family", [name for name in ENCODERS if name != COMPACT])
def test_adapters_are_in_the_layers_that_can_be_trained_one_by_one(family):
    encoder = adapted(family)
    names = adapter_names(encoder)
    inside = [n for layer in encoder.layers() for n, _ in layer.named_parameters()]
    assert sum(name.endswith(("default.weight", *_BOTTLENECK)) for name in inside) == len(names)
    set_trainable(encoder, "top:1")
    free = {name for name in names if encoder.get_parameter(name).requires_grad}
    assert len(free) == len(names) / 2


def test_only_the_member_of_the_compact_encoder_that_is_heard_is_adapted():
    names = adapter_names(adapted(COMPACT))
    assert all(name.startswith("encoder.members.0.attention.") for name in names)


@every_encoder
def test_with_a_frozen_base_only_what_holds_adapters_is_in_training_mode(family):
    encoder = encoder_of(family)
    set_trainable(encoder, "none")
    assert encoder.train().frozen
    attach(encoder, BOTH)
    assert not encoder.frozen
    assert encoder.train().training
    training = [m for m in encoder.modules() if m.training and list(m.parameters())]
    assert all(any(p.requires_grad for p in m.parameters()) for m in training)
    adapters = [m for m in encoder.modules() if isinstance(m, BottleneckAdapter)]
    assert adapters
    assert all(adapter.training for adapter in adapters)


@pytest.mark.parametrize("trainable", ["none", "all", "all_but_cnn"])
def test_attaching_leaves_what_of_the_base_trains_as_it_is(trainable):
    encoder = encoder_of("wav2vec2")
    set_trainable(encoder, trainable)
    before = {n: p.requires_grad for n, p in encoder.named_parameters()}
    attach(encoder, BOTH)
    after = {n.replace(".base_layer", ""): p.requires_grad for n, p in encoder.named_parameters()}
    assert {n: after[n] for n in before} == before
    assert all(after[n.replace(".base_layer", "")] for n in adapter_names(encoder))


def test_a_layer_may_be_dropped_in_training():
    encoder = adapted("wav2vec2", layerdrop=0.9)
    train_adapters_only(encoder)
    encoder.train()
    torch.manual_seed(0)
    found = [encoder(heard_by(encoder)).sequence for _ in range(8)]
    assert any(not bool(sequence.requires_grad) for sequence in found)
    assert all(bool(sequence.isfinite().all()) for sequence in found)


def test_dropout_of_lora_acts_in_training_alone():
    config = AdapterConfig(LoraConfig(rank=4, dropout=0.5), None)
    encoder = adapted("wav2vec2", config, dropout=False)
    x = torch.randn(1, 4, encoder.dim)
    layer = encoder.get_submodule("model.encoder.layers.0.attention.q_proj")
    assert torch.equal(layer(x), layer(x))
    encoder.train()
    assert not torch.equal(layer(x), layer(x))


def test_dropout_of_lora_is_refused_where_there_is_no_input_to_drop():
    config = AdapterConfig(LoraConfig(rank=4, dropout=0.5), None)
    encoder = encoder_of("wavlm")
    before = snapshot(encoder)
    with pytest.raises(ConfigError, match="WavLM has no dropout"):
        attach(encoder, config)
    assert same(snapshot(encoder), before)


@every_encoder
@every_kind
def test_a_copy_has_adapters_of_its_own(family, config):
    encoder = adapted(family, config)
    made = copy.deepcopy(encoder)
    said = said_by(encoder)
    assert torch.equal(said_by(made), said)
    load_adapter_state(made, learnt(made, seed=7))
    assert torch.equal(said_by(encoder), said)
    assert not torch.equal(said_by(made), said)
    detach(made)
    assert torch.equal(said_by(encoder), said)
    assert torch.equal(said_by(made), said_by(encoder_of(family)))


def test_a_pickle_has_adapters_of_its_own():
    encoder = adapted(COMPACT)  # torch pickles no weight norm, which pretrained ones have
    made = pickle.loads(pickle.dumps(encoder))
    assert torch.equal(said_by(made), said_by(encoder))
    detach(made)
    assert torch.equal(said_by(made), said_by(encoder_of(COMPACT)))


def test_a_second_adapter_on_top_is_refused():
    with pytest.raises(ConfigError, match="has adapters already"):
        attach(adapted("wav2vec2"), BOTH)


def test_an_unknown_family_is_refused(monkeypatch):
    encoder = encoder_of("hubert")
    monkeypatch.setattr(encoder.model.config, "model_type", "wav2vec3")
    with pytest.raises(ConfigError, match="no adapters for models of type 'wav2vec3'") as error:
        attach(encoder, BOTH)
    assert all(family in str(error.value) for family in FAMILIES)


def test_an_encoder_without_layers_is_refused():
    with pytest.raises(ConfigError, match="no layers for adapters"):
        attach(encoder_of("wav2vec2", output="extract_features"), BOTH)


def test_what_is_no_speech_encoder_is_refused():
    text = PretrainedTextEncoder.__new__(PretrainedTextEncoder)
    for other in (nn.Linear(2, 2), text):
        with pytest.raises(ConfigError, match="go into speech encoders"):
            sites_of(other)


def test_without_peft_lora_is_refused_and_bottlenecks_are_not(monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    encoder = encoder_of("wav2vec2")
    with pytest.raises(ConfigError, match="peft"):
        attach(encoder, LORA)
    attach(encoder, BOTTLENECK)
    assert adapter_names(encoder)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda state: state.pop(sorted(state)[0]), "is missing"),
        (lambda state: state.update(other=torch.zeros(1)), "weight other is unexpected"),
        (lambda state: state.update({sorted(state)[0]: torch.zeros(2)}), "has shape"),
        (lambda state: state[sorted(state)[0]].fill_(float("nan")), "not finite"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, complaint):
    encoder = adapted("wav2vec2")
    before = snapshot(encoder)
    state = learnt(encoder, seed=5)
    change(state)
    with pytest.raises(CheckpointError, match=complaint):
        load_adapter_state(encoder, state)
    assert same(snapshot(encoder), before)


def test_the_config_says_what_stands_apart_from_the_weights():
    encoder = encoder_of("wav2vec2")
    assert config_of(encoder) is None
    attach(encoder, BOTH)
    assert config_of(encoder) == BOTH


def test_a_wide_bottleneck_and_a_high_rank_are_taken():
    encoder = encoder_of("wav2vec2")
    attach(encoder, AdapterConfig(LoraConfig(64), BottleneckConfig(256)))
    assert said_by(encoder).isfinite().all()
