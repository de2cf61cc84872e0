"""Merged LoRA says the same, and switching leaves nothing behind."""

from __future__ import annotations

import sys

import pytest
import torch

from core.errors import CheckpointError, ConfigError
from core.models.adapters import (
    adapter_names,
    adapter_state,
    as_merged,
    attach,
    config_of,
    detach,
    load_adapter_state,
    merge,
    switch,
)
from core.models.adapters.config import AdapterConfig, BottleneckConfig, LoraConfig
from core.models.adapters.injection import original_state
from tests.models.adapters.material import (
    BOTH,
    BOTTLENECK,
    ENCODERS,
    KINDS,
    LORA,
    adapted,
    encoder_of,
    learnt,
    said_by,
    same,
    snapshot,
)

every_encoder = pytest.mark.parametrize("family", ENCODERS)
every_kind = pytest.mark.parametrize("config", KINDS.values(), ids=KINDS)


@every_encoder
@every_kind
def test_merged_says_what_unmerged_says(family, config):
    encoder = adapted(family, config)
    said = said_by(encoder)
    merge(encoder)
    found = said_by(encoder)
    scale = float(said.abs().max())
    torch.testing.assert_close(found, said, atol=1e-6 * max(1.0, scale), rtol=0)


def test_the_merged_weight_is_the_sum():
    encoder = encoder_of("xls-r")
    name = "model.encoder.layers.0.attention.v_proj"
    before = encoder.get_submodule(name).weight.detach().clone()
    attach(encoder, LORA)
    state = learnt(encoder)
    load_adapter_state(encoder, state)
    merge(encoder)
    whole = before + 1.5 * state[f"{name}.lora_B.weight"] @ state[f"{name}.lora_A.weight"]
    torch.testing.assert_close(encoder.get_submodule(name).weight, whole, atol=1e-6, rtol=0)


@every_encoder
def test_a_merged_encoder_has_the_names_of_one_with_bottlenecks_alone(family):
    encoder, other = adapted(family), encoder_of(family)
    merge(encoder)
    attach(other, BOTTLENECK)
    assert encoder.state_dict().keys() == other.state_dict().keys()
    assert config_of(encoder) == AdapterConfig(None, BOTH.bottleneck)
    assert adapter_names(encoder) == adapter_names(other)


@every_encoder
def test_merging_keeps_what_was_learnt_and_the_weights_before(family):
    encoder, before = adapted(family), snapshot(encoder_of(family))
    state = adapter_state(encoder)
    merge(encoder)
    assert same(adapter_state(encoder), state)
    assert same(original_state(encoder), before)
    detach(encoder)
    assert same(snapshot(encoder), before)


@every_encoder
def test_a_new_state_is_merged_anew(family):
    encoder, other = adapted(family), adapted(family, seed=3)
    merge(encoder)
    load_adapter_state(encoder, adapter_state(other))
    merge(other)
    assert torch.equal(said_by(encoder), said_by(other))


@every_encoder
@every_kind
def test_merged_for_a_while_and_then_as_before(family, config):
    encoder = adapted(family, config)
    before, said = snapshot(encoder), said_by(encoder)
    parameters = dict(encoder.named_parameters())
    with as_merged(encoder):
        assert "base_layer" not in "".join(encoder.state_dict())
        inside = snapshot(encoder)
    assert same(snapshot(encoder), before)
    assert torch.equal(said_by(encoder), said)
    assert all(p is parameters[n] for n, p in encoder.named_parameters())  # the optimizer's own
    merge(encoder)
    assert same(snapshot(encoder), inside)


def test_merged_for_a_while_ends_so_when_something_fails():
    encoder = adapted("wav2vec2")
    before = snapshot(encoder)
    with pytest.raises(RuntimeError, match="disk"), as_merged(encoder):
        raise RuntimeError("the disk is full")
    assert same(snapshot(encoder), before)


@every_encoder
def test_switching_there_and_back_leaves_the_encoder_to_the_last_bit(family):
    first, second = adapted(family, BOTH, 1), adapted(family, BOTTLENECK, 2)
    states = (adapter_state(first), BOTH), (adapter_state(second), BOTTLENECK)
    merge(first)
    encoder = encoder_of(family)
    before, said = snapshot(encoder), said_by(encoder)
    for _ in range(2):
        switch(encoder, *states[0])
        assert torch.equal(said_by(encoder), said_by(first))
        switch(encoder, *states[1])
        assert torch.equal(said_by(encoder), said_by(second))
    switch(encoder, None)
    assert same(snapshot(encoder), before)
    assert torch.equal(said_by(encoder), said)


def test_switching_makes_no_copy_of_the_encoder():
    encoder = encoder_of("wav2vec2")
    before = {name: p.data_ptr() for name, p in encoder.named_parameters()}
    switch(encoder, adapter_state(adapted("wav2vec2")), BOTH)
    projected = {n for n in before if "_proj.weight" in n and "out_proj" not in n}
    after = dict(encoder.named_parameters())
    assert {n for n, place in before.items() if after[n].data_ptr() != place} == projected
    switch(encoder, None)
    assert {name: p.data_ptr() for name, p in encoder.named_parameters()} == before


def test_switching_works_where_peft_is_not_installed(monkeypatch):
    state = adapter_state(adapted("wavlm"))
    monkeypatch.setitem(sys.modules, "peft", None)
    encoder = encoder_of("wavlm")
    said = said_by(encoder)
    switch(encoder, state, BOTH)
    assert not torch.equal(said_by(encoder), said)


def test_nothing_of_a_switched_encoder_trains():
    encoder = encoder_of("wav2vec2").requires_grad_(False)
    switch(encoder, adapter_state(adapted("wav2vec2")), BOTH)
    assert encoder.frozen


def test_a_state_without_a_config_needs_adapters_to_be_there():
    state = adapter_state(adapted("wav2vec2"))
    with pytest.raises(ConfigError, match="no adapters yet"):
        switch(encoder_of("wav2vec2"), state)
    encoder = adapted("wav2vec2", seed=4)
    switch(encoder, state)
    assert same(adapter_state(encoder), state)


@pytest.mark.parametrize(
    "config",
    [AdapterConfig(LoraConfig(8), BottleneckConfig(8)), LORA, BOTTLENECK],
    ids=["rank", "no_bottleneck", "no_lora"],
)
def test_a_state_of_other_adapters_changes_nothing(config):
    encoder = adapted("wav2vec2", seed=4)
    merge(encoder)
    before = snapshot(encoder)
    with pytest.raises(CheckpointError, match="does not fit this encoder"):
        switch(encoder, adapter_state(adapted("wav2vec2")), config)
    assert same(snapshot(encoder), before)


def test_another_number_type_is_kept():
    encoder = encoder_of("wav2vec2").double()
    before = snapshot(encoder)
    state = adapter_state(adapted("wav2vec2"))
    switch(encoder, state, BOTH)
    assert {p.dtype for p in encoder.parameters()} == {torch.float64}
    switch(encoder, None)
    assert same(snapshot(encoder), before)
