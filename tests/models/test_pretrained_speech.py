from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from transformers import AutoModel, HubertModel, UniSpeechConfig

from core.errors import ConfigError
from core.models.encoders import backbone
from core.models.encoders.build import build_speech_encoder
from core.models.encoders.initialisation import weights_follow
from core.models.encoders.pretrained import load_pretrained_speech
from core.models.encoders.pretrained_config import PretrainedSpeechConfig
from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder
from core.models.encoders.trainable import set_trainable
from core.models.outputs import ModelInputs
from training.generated.encoders import SPEECH

LENGTHS = (16_000, 9_000, 23_457, 500)
TOLERANCE = 1e-5


def batch_of(waves) -> ModelInputs:
    rows = [torch.from_numpy(wave) for wave in waves]
    padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    lengths = torch.tensor([len(row) for row in rows])
    return ModelInputs(
        waveform=padded, waveform_mask=torch.arange(padded.shape[1])[None] < lengths[:, None]
    )


@pytest.fixture(scope="module")
def waves() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(0, 1, n).astype(np.float32) for n in LENGTHS]


def hugging_face(folder):
    with backbone.quiet():
        return AutoModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
        ).eval()


def difference(encoder, waves, order) -> float:
    """Return the largest difference between rows of a batch in this order and each row alone."""
    with torch.no_grad():
        together = encoder(batch_of([waves[i] for i in order]))
        worst = 0.0
        for row, index in enumerate(order):
            alone = encoder(batch_of([waves[index]]))
            length = alone.sequence.shape[1]
            assert int(together.mask[row].sum()) == length == int(alone.mask.sum())
            gaps = [
                together.sequence[row, :length] - alone.sequence[0],
                together.pooled[row] - alone.pooled[0],
            ]
            worst = max(worst, *(float(gap.abs().max()) for gap in gaps))
    return worst


@pytest.mark.parametrize("output", ["last_hidden_state", "extract_features"])
@pytest.mark.parametrize("kind", sorted(SPEECH))
def test_a_row_of_a_batch_equals_the_row_alone(tiny_encoder, waves, kind, output):
    encoder = load_pretrained_speech(tiny_encoder(kind), output=output).encoder
    assert difference(encoder, waves, [0, 1, 2, 3]) < TOLERANCE
    encoder.train()  # frozen, so training changes nothing
    assert difference(encoder, waves, [3, 0, 2, 1]) < TOLERANCE


@pytest.mark.parametrize("kind", sorted(SPEECH))
def test_a_row_of_a_fine_tuned_batch_equals_the_row_alone(tiny_encoder, waves, kind):
    encoder = load_pretrained_speech(tiny_encoder(kind), trainable="all", dropout=False).encoder
    assert difference(encoder.train(), waves, [0, 1, 2, 3]) < TOLERANCE


@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_poolings_keep_to_valid_frames(tiny_encoder, waves, pooling):
    folder = tiny_encoder("wav2vec2_base_like")
    encoder = load_pretrained_speech(folder, pooling=pooling).encoder
    assert difference(encoder, waves, [1, 2]) < TOLERANCE


@pytest.mark.parametrize("kind", sorted(SPEECH))
def test_what_comes_out_is_what_hugging_face_computes(tiny_encoder, waves, kind):
    folder = tiny_encoder(kind)
    reference = hugging_face(folder)
    encoder = load_pretrained_speech(folder).encoder
    features = load_pretrained_speech(folder, output="extract_features").encoder
    for wave in waves:
        with torch.no_grad():
            expected = reference(torch.from_numpy(wave)[None])
            found = encoder(batch_of([wave]))
            convolved = features(batch_of([wave])).sequence
        torch.testing.assert_close(found.sequence, expected.last_hidden_state, rtol=0, atol=1e-6)
        torch.testing.assert_close(found.pooled, expected.last_hidden_state.mean(1))
        assert found.logits.shape == (1, 0)
        if "extract_features" in expected:
            torch.testing.assert_close(convolved, expected.extract_features, rtol=0, atol=1e-6)


def test_group_norm_over_padding_is_the_trap_it_is_said_to_be(tiny_encoder, waves):
    """Were it not, the tests above would show nothing."""
    folder = tiny_encoder("wav2vec2_base_like")
    inputs = batch_of(waves)
    with torch.no_grad():
        naive = hugging_face(folder)(inputs.waveform, attention_mask=inputs.waveform_mask.long())
        exact = load_pretrained_speech(folder).encoder(inputs)
    gap = naive.last_hidden_state[3] - exact.sequence[3]
    assert float(gap[exact.mask[3]].abs().max()) > 0.1


@pytest.mark.parametrize("kind", ["wav2vec2_base_like", "wav2vec2_large_like"])
def test_as_published_padding_counts_as_speech(tiny_encoder, waves, kind):
    folder = tiny_encoder(kind)
    inputs = batch_of(waves)
    settings = {"respect_padding": False, "pooling": "padded_mean"}
    encoder = load_pretrained_speech(folder, **settings).encoder
    last = load_pretrained_speech(
        folder, output="extract_features", respect_padding=False, pooling="padded_last"
    ).encoder
    with torch.no_grad():
        naive = hugging_face(folder)(inputs.waveform)
        torch.testing.assert_close(
            encoder(inputs).pooled, naive.last_hidden_state.mean(1), rtol=0, atol=1e-5
        )
        torch.testing.assert_close(
            last(inputs).pooled, naive.extract_features[:, -1], rtol=0, atol=1e-5
        )
        assert encoder(inputs).mask.sum(1).tolist() == [49, 27, 73, 1]


def test_other_models_run_over_rows_of_equal_length(waves):
    model = UniSpeechConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=[16] * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4,
    )
    encoder = PretrainedSpeechEncoder(PretrainedSpeechConfig(backbone.plain(model))).eval()
    assert difference(encoder, [*waves, waves[0][::-1].copy()], [0, 4, 2, 1, 3]) < TOLERANCE


def test_extract_features_neither_builds_nor_stores_the_transformer(tiny_encoder):
    encoder = load_pretrained_speech(
        tiny_encoder("wav2vec2_base_like"), output="extract_features"
    ).encoder
    assert not [name for name in encoder.state_dict() if ".encoder." in name]
    assert encoder.layers() == []
    with pytest.raises(ConfigError, match="more layers"):
        set_trainable(encoder, "top:1")


def test_the_configuration_builds_the_same_encoder_without_weights_or_network(tiny_encoder, waves):
    encoder = load_pretrained_speech(tiny_encoder("wavlm_like"), pooling="last").encoder
    values = json.loads(json.dumps(encoder.config()))
    assert values["kind"] == "pretrained"
    built = build_speech_encoder(values).eval()
    built.load_state_dict(encoder.state_dict())
    with torch.no_grad():
        one, other = encoder(batch_of(waves)), built(batch_of(waves))
    torch.testing.assert_close(one.pooled, other.pooled)
    assert built.config() == encoder.config()


def test_weights_are_drawn_unless_stored_ones_follow(tiny_encoder, monkeypatch):
    values = load_pretrained_speech(tiny_encoder("hubert_like")).encoder.config()
    drawn = []
    monkeypatch.setattr(
        HubertModel, "_init_weights", lambda self, module: drawn.append(type(module))
    )
    with weights_follow():
        build_speech_encoder(values)
    assert not drawn
    build_speech_encoder(values)
    assert drawn


def test_a_clip_shorter_than_a_frame_is_filled_up(tiny_encoder):
    encoder = load_pretrained_speech(tiny_encoder("wav2vec2_base_like")).encoder
    encoded = encoder(batch_of([np.ones(10, np.float32), np.ones(3, np.float32)]))
    assert encoded.mask.sum(1).tolist() == [1, 1]
    assert encoded.pooled.isfinite().all()


def test_no_frame_is_masked_in_training_unless_asked(tiny_encoder, waves):
    folder = tiny_encoder("wav2vec2_large_like")
    assert json.loads((folder / "config.json").read_text())["mask_time_prob"] > 0
    settings = {"trainable": "all", "dropout": False}
    plain = load_pretrained_speech(folder, **settings).encoder.train()
    masking = load_pretrained_speech(folder, mask_time=0.5, **settings).encoder.train()
    inputs = batch_of(waves)
    torch.testing.assert_close(plain(inputs).sequence, plain(inputs).sequence)
    assert not torch.allclose(masking(inputs).sequence, masking(inputs).sequence)
    torch.testing.assert_close(masking.eval()(inputs).sequence, plain(inputs).sequence)


def test_a_frozen_encoder_does_not_drop_or_mask_in_training(tiny_encoder, waves):
    folder = tiny_encoder("wav2vec2_large_like")
    encoder = load_pretrained_speech(folder, mask_time=0.5, layerdrop=0.5).encoder.train()
    assert encoder.frozen
    expected = load_pretrained_speech(folder).encoder(batch_of(waves)).sequence
    torch.testing.assert_close(encoder(batch_of(waves)).sequence, expected)
    assert not encoder.model.training


def test_dropout_is_that_of_the_model_or_none(tiny_encoder, waves):
    folder, inputs = tiny_encoder("hubert_like"), batch_of(waves)
    dropping = load_pretrained_speech(folder, trainable="all").encoder.train()
    assert not torch.allclose(dropping(inputs).sequence, dropping(inputs).sequence)
    still = load_pretrained_speech(folder, trainable="all", dropout=False).encoder.train()
    torch.testing.assert_close(still(inputs).sequence, dropping.eval()(inputs).sequence)


def trained(encoder, inputs) -> set[str]:
    """Return the names of the weights that get a gradient."""
    encoder.train()
    encoder(inputs).pooled.square().sum().backward()
    return {n for n, p in encoder.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("kind", sorted(SPEECH))
def test_mixed_precision_keeps_to_valid_frames_too(tiny_encoder, waves, kind):
    encoder = load_pretrained_speech(tiny_encoder(kind), trainable="all_but_cnn").encoder.train()
    with torch.autocast("cpu", torch.bfloat16):
        pooled = encoder(batch_of(waves)).pooled
    pooled.float().square().sum().backward()
    assert all(p.grad.isfinite().all() for p in encoder.parameters() if p.grad is not None)
    exact = load_pretrained_speech(tiny_encoder(kind)).encoder(batch_of(waves)).pooled
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        rounded = encoder.eval()(batch_of(waves)).pooled
    assert float((rounded.float() - exact).norm() / exact.norm()) < 0.05


def test_parts_can_be_frozen(tiny_encoder, waves):
    folder, inputs = tiny_encoder("wav2vec2_large_like"), batch_of(waves)
    found = trained(load_pretrained_speech(folder, trainable="all_but_cnn").encoder, inputs)
    assert not [name for name in found if "feature_extractor" in name]
    assert [name for name in found if "feature_projection" in name]
    found = trained(load_pretrained_speech(folder, trainable="top:1").encoder, inputs)
    assert found
    assert all(n.startswith(("model.encoder.layers.1.", "model.encoder.layer_norm")) for n in found)
    everything = load_pretrained_speech(folder, trainable="all").encoder
    assert trained(everything, inputs) == {n for n, _ in everything.named_parameters()}


def test_frozen_layers_under_trained_ones_stay_still(tiny_encoder):
    folder = tiny_encoder("wav2vec2_large_like")
    encoder = load_pretrained_speech(folder, trainable="top:1").encoder.train()
    assert encoder.model.encoder.layers[1].training
    assert not encoder.model.encoder.layers[0].training
    assert not encoder.model.feature_extractor.training


@pytest.mark.parametrize("what", ["top:0", "top:9", "some", "top", ""])
def test_an_impossible_choice_of_what_trains_is_refused(tiny_encoder, what):
    with pytest.raises(ConfigError, match="top:"):
        load_pretrained_speech(tiny_encoder("hubert_like"), trainable=what)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"pooling": "pooler"}, "no pooling 'pooler'"),
        ({"output": "logits"}, "logits"),
        ({"colour": "red"}, "colour"),
        ({"mask_time": 1.5}, "mask_time"),
        ({"layerdrop": -0.1}, "layerdrop"),
    ],
)
def test_options_that_make_no_sense_are_refused(tiny_encoder, options, expected):
    with pytest.raises(ConfigError, match=expected):
        load_pretrained_speech(tiny_encoder("hubert_like"), **options)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"kind": "huge"}, "no encoder of kind 'huge'"),
        ({"model": {"model_type": "bert"}}, "no speech encoder"),
        ({"model": {"model_type": "nonsense"}}, "nonsense"),
        ({"model": None}, "Hugging Face configuration"),
        ({"depth": 3}, "depth"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(tiny_encoder, change, expected):
    values = load_pretrained_speech(tiny_encoder("hubert_like")).encoder.config()
    with pytest.raises(ConfigError, match=expected):
        build_speech_encoder(values | change)


def test_the_waveform_is_needed(tiny_encoder):
    with pytest.raises(ValueError, match="waveform"):
        load_pretrained_speech(tiny_encoder("hubert_like")).encoder(ModelInputs())
