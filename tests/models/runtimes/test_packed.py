from __future__ import annotations

import pytest
import torch
from torch import nn

from core.models.encoders.pretrained import load_pretrained_speech, load_pretrained_text
from core.models.runtimes.base import Mode, UnfitError
from core.models.runtimes.packed import Packed, twin
from core.models.runtimes.packed_convolutions import PackedConvolutions
from core.models.runtimes.packed_layers import PackedConv1d, PackedLinear, is_exact_gelu

PACKED = Mode("packed")


def test_a_twin_shares_what_is_not_packed_and_leaves_the_original_alone(tiny_encoder):
    model = load_pretrained_text(tiny_encoder("klue_roberta_like")).encoder.model
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    made = twin(model, torch.float32)
    kinds = [type(module) for module in made.modules()]
    assert kinds.count(PackedLinear) == sum(isinstance(m, nn.Linear) for m in model.modules()) > 0
    assert nn.Linear not in kinds
    ours = {parameter.data_ptr() for parameter in model.parameters()}
    assert {parameter.data_ptr() for parameter in made.parameters()} <= ours
    after = model.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_the_twin_of_an_encoder_with_a_parametrised_convolution_too(tiny_encoder, precision):
    encoder = load_pretrained_speech(tiny_encoder("wav2vec2_base_like")).encoder
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    made = twin(encoder.model.encoder, precision)
    assert any(isinstance(module, PackedConv1d) for module in made.modules())
    after = encoder.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert {tensor.dtype for tensor in after.values()} == {torch.float32}


@pytest.mark.parametrize("gelu", [False, True])
@pytest.mark.parametrize("shape", [(1, 7, 24), (3, 24), (2, 130, 24)])
def test_a_packed_layer_computes_what_the_layer_does(gelu, shape):
    torch.manual_seed(0)
    linear, x = nn.Linear(24, 40), torch.randn(shape)
    with torch.inference_mode():
        expected = nn.functional.gelu(linear(x)) if gelu else linear(x)
        found = PackedLinear(linear, torch.float32, gelu=gelu)(x)
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)


def test_a_packed_layer_keeps_its_weights_when_the_original_changes():
    linear, x = nn.Linear(8, 8), torch.randn(2, 8)
    with torch.no_grad():
        packed = PackedLinear(linear, torch.float32)
        expected = packed(x)
        linear.weight.zero_()
        linear.bias.zero_()
        assert torch.equal(packed(x), expected)


@pytest.mark.parametrize(("groups", "length"), [(1, 33), (4, 199), (4, 5)])
def test_a_packed_convolution_computes_what_the_convolution_does(groups, length):
    torch.manual_seed(0)
    conv, x = nn.Conv1d(16, 32, 8, padding=4, groups=groups), torch.randn(2, 16, length)
    with torch.inference_mode():
        found = PackedConv1d(conv)(x)
        torch.testing.assert_close(found, conv(x), rtol=0, atol=2e-6)
        rounded = PackedConv1d(conv)(x.bfloat16())
    assert rounded.dtype == torch.bfloat16
    torch.testing.assert_close(rounded.float(), found, rtol=0, atol=0.02)


def test_only_the_gelu_by_the_error_function_is_fused():
    assert is_exact_gelu(nn.GELU())
    assert is_exact_gelu(nn.functional.gelu)
    assert not is_exact_gelu(nn.GELU(approximate="tanh"))
    assert not is_exact_gelu(nn.ReLU())
    assert not is_exact_gelu(None)


@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu"])
def test_other_activations_stay(tiny_encoder, activation):
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.from_pretrained(tiny_encoder("klue_roberta_like"), hidden_act=activation)
    torch.manual_seed(0)
    model = AutoModel.from_config(config).eval()
    tokens = torch.randint(5, 50, (2, 9))
    with torch.inference_mode():
        expected = model(tokens).last_hidden_state
        found = twin(model, torch.float32)(tokens).last_hidden_state
    torch.testing.assert_close(found, expected, rtol=0, atol=5e-6)


@pytest.mark.parametrize("offset", [0.0, 3.0])
@pytest.mark.parametrize("kind", ["wav2vec2_base_like", "wav2vec2_large_like"])
def test_features_are_the_same_also_of_sound_with_an_offset(tiny_encoder, kind, offset):
    """The group norm is computed from the samples, where an offset could swamp the variance."""
    encoder = load_pretrained_speech(tiny_encoder(kind)).encoder
    torch.manual_seed(0)
    convolve = PackedConvolutions(encoder.model.feature_extractor, torch.float32)
    for rows, samples in ((1, 400), (1, 5_003), (2, 16_000)):
        waveform = torch.randn(rows, samples) + offset
        with torch.inference_mode():
            found, expected = convolve(waveform), encoder.convolve_by_torch(waveform)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_silence_stays_finite_and_the_same(tiny_encoder):
    encoder = load_pretrained_speech(tiny_encoder("wav2vec2_base_like")).encoder
    convolve = PackedConvolutions(encoder.model.feature_extractor, torch.float32)
    with torch.inference_mode():
        found = convolve(torch.zeros(1, 8_000))
        expected = encoder.convolve_by_torch(torch.zeros(1, 8_000))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_a_build_without_the_library_is_told(monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    with pytest.raises(UnfitError, match="oneDNN"):
        Packed(PACKED)
