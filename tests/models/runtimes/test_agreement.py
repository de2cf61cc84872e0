"""Every runtime computes what torch does, through the encoder as the program uses it."""

from __future__ import annotations

import copy
import importlib
import pickle

import pytest
import torch
from transformers import SEWConfig, UniSpeechConfig

from core.models.encoders import backbone
from core.models.encoders.pretrained import load_pretrained_speech, load_pretrained_text
from core.models.encoders.pretrained_config import PretrainedSpeechConfig
from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder
from core.models.outputs import ModelInputs
from core.models.runtimes.base import MODES, RUNTIMES, Mode, Workplace, missing
from core.models.runtimes.choosing import candidate, reference_of
from core.models.runtimes.exports import ExportCache
from core.models.runtimes.packed import Packed
from core.models.runtimes.subjects import SpeechSubject, subjects_of, weights_hash
from core.types import Modality
from training.generated.encoders import SPEECH, TEXT

EXACT = [mode for mode in MODES if not mode.lossy and mode.runtime != "torch"]
LOSSY = [mode for mode in MODES if mode.lossy]
SECONDS = (0.1, 0.7, 1.31)
TOKENS = (3, 17, 40)


def made(mode: Mode, encoder, exports):
    """Return the stages of a mode, or skip if its packages are not here."""
    if lacking := missing(mode):
        pytest.skip(f"{', '.join(lacking)} not installed")
    module, name = RUNTIMES[mode.runtime].split(":")
    is_speech = isinstance(encoder, PretrainedSpeechEncoder)
    modality = Modality.SPEECH if is_speech else Modality.TEXT
    place = Workplace(ExportCache(exports), weights_hash(encoder, "", modality))
    runtime = getattr(importlib.import_module(module), name)(mode, place)
    return runtime.speech(encoder) if is_speech else runtime.text(encoder)


def heard(*lengths: int) -> ModelInputs:
    """Return noise of these lengths, in one batch."""
    torch.manual_seed(0)
    mask = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    return ModelInputs(waveform=torch.randn(len(lengths), max(lengths)) * mask, waveform_mask=mask)


def written(encoder, *lengths: int) -> ModelInputs:
    """Return random tokens of these lengths, in one batch."""
    torch.manual_seed(0)
    mask = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    tokens = torch.randint(5, encoder.model.config.vocab_size, mask.shape)
    pad = encoder.model.config.pad_token_id
    return ModelInputs(tokens=tokens.where(mask, torch.tensor(pad)), token_mask=mask)


def both(encoder, stages, inputs):
    """Return what torch and what the stages make of a batch."""
    with torch.inference_mode():
        encoder.run_on(None)
        expected = encoder(inputs)
        encoder.run_on(stages)
        found = encoder(inputs)
        encoder.run_on(None)
    assert torch.equal(found.mask, expected.mask)
    return found, expected


def assert_equal(found, expected):
    for ours, theirs in ((found.sequence, expected.sequence), (found.pooled, expected.pooled)):
        assert ours.dtype == torch.float32
        scale = max(1.0, float(theirs.abs().max()))
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5 * scale)


@pytest.mark.parametrize("output", ["last_hidden_state", "extract_features"])
@pytest.mark.parametrize("kind", sorted(SPEECH))
@pytest.mark.parametrize("mode", EXACT, ids=str)
def test_speech_is_what_torch_computes(tiny_encoder, exports, mode, kind, output):
    encoder = load_pretrained_speech(tiny_encoder(kind), output=output).encoder.eval()
    stages = made(mode, encoder, exports)
    for seconds in SECONDS:
        length = int(seconds * 16_000)
        assert_equal(*both(encoder, stages, heard(length)))
    assert_equal(*both(encoder, stages, heard(8_000, 8_000, 8_000)))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"pad_to": 48, "pooling": "padded_mean"},
        {"respect_padding": False, "pooling": "cls"},
    ],
    ids=["plain", "padded", "padding_counts"],
)
@pytest.mark.parametrize("kind", sorted(TEXT))
@pytest.mark.parametrize("mode", EXACT, ids=str)
def test_text_is_what_torch_computes(tiny_encoder, exports, mode, kind, options):
    encoder = load_pretrained_text(tiny_encoder(kind), max_tokens=64, **options).encoder.eval()
    stages = made(mode, encoder, exports)
    for length in TOKENS:
        assert_equal(*both(encoder, stages, written(encoder, length)))
    assert_equal(*both(encoder, stages, written(encoder, *TOKENS)))


@pytest.mark.parametrize("mode", EXACT, ids=str)
def test_the_pooler_of_a_text_model_is_its_own(tiny_encoder, exports, mode):
    encoder = load_pretrained_text(tiny_encoder("klue_bert_like"), pooling="pooler").encoder.eval()
    found, expected = both(encoder, made(mode, encoder, exports), written(encoder, *TOKENS))
    assert_equal(found, expected)
    assert float((found.pooled - found.sequence[:, 0]).abs().max()) > 0.1


@pytest.mark.parametrize("kind", ["wav2vec2_base_like", "wavlm_like", "klue_roberta_like"])
@pytest.mark.parametrize("mode", LOSSY, ids=str)
def test_lossy_modes_are_near_and_say_that_they_are_lossy(tiny_encoder, exports, mode, kind):
    loader = load_pretrained_speech if kind in SPEECH else load_pretrained_text
    encoder = loader(tiny_encoder(kind)).encoder.eval()
    subject = next(iter(subjects_of(Holder(encoder))))
    reference = reference_of(subject)
    if lacking := missing(mode):
        pytest.skip(f"{', '.join(lacking)} not installed")
    place = Workplace(ExportCache(exports), weights_hash(encoder, "", subject.modality))
    with torch.inference_mode():
        found = candidate(subject, mode, place, reference)
    assert found.stages.info.lossy
    assert found.stages.info.precision == mode.precision
    assert 1e-5 < found.difference < 0.2


class Holder:
    """A model of a single encoder."""

    def __init__(self, encoder) -> None:
        self._encoder = encoder

    def encoder(self, modality):
        is_speech = isinstance(self._encoder, PretrainedSpeechEncoder)
        return self._encoder if is_speech == (modality is Modality.SPEECH) else None


class Refusing:
    """Stages that must not be used."""

    def _refuse(self, *_):
        raise AssertionError("the stages were used")

    info = property(_refuse)
    convolve = contextualise = read = _refuse


@pytest.mark.parametrize("kind", ["wav2vec2_base_like", "wav2vec2_large_like"])
def test_padded_batches_of_speech_and_training_go_through_torch(tiny_encoder, kind):
    encoder = load_pretrained_speech(tiny_encoder(kind), trainable="all").encoder.eval()
    expected = encoder(heard(16_000, 9_000)).sequence
    encoder.run_on(Refusing())
    assert torch.equal(encoder(heard(16_000, 9_000)).sequence, expected)
    with pytest.raises(AssertionError, match="were used"):
        encoder(heard(9_000))
    encoder.train()
    encoder(heard(9_000)).pooled.sum().backward()
    assert next(encoder.layers()[0].parameters()).grad is not None


def test_training_of_text_goes_through_torch(tiny_encoder):
    encoder = load_pretrained_text(tiny_encoder("electra_like"), trainable="all").encoder
    encoder.run_on(Refusing())
    with pytest.raises(AssertionError, match="were used"):
        encoder.eval()(written(encoder, 5))
    encoder.train()(written(encoder, 5)).pooled.sum().backward()


@pytest.mark.parametrize(
    "change",
    [
        lambda encoder: encoder.train().eval(),
        lambda encoder: encoder.load_state_dict(encoder.state_dict()),
        lambda encoder: encoder.to(torch.float64),
    ],
    ids=["trained", "loaded", "moved"],
)
def test_stages_with_other_weights_than_the_encoder_are_not_used(tiny_encoder, change):
    encoder = load_pretrained_text(tiny_encoder("electra_like"), trainable="all").encoder
    encoder.eval().run_on(Refusing())
    change(encoder)
    assert encoder.stages is None
    assert encoder(written(encoder, 5)).pooled.isfinite().all()


def test_a_frozen_encoder_keeps_its_stages_whatever_is_trained_around_it(tiny_encoder):
    encoder = load_pretrained_text(tiny_encoder("electra_like"), trainable="none").encoder
    encoder.run_on(stages := Refusing())
    assert encoder.train().to("cpu").eval().stages is stages


def test_copies_and_pickles_are_computed_by_torch(tiny_encoder):
    encoder = load_pretrained_text(tiny_encoder("electra_like"), trainable="none").encoder
    expected = encoder(written(encoder, 5)).pooled
    encoder.run_on(Packed(Mode("packed")).text(encoder))
    for copied in (copy.deepcopy(encoder), pickle.loads(pickle.dumps(encoder))):
        assert copied.stages is None
        assert torch.equal(copied(written(encoder, 5)).pooled, expected)
    assert encoder.stages is not None


def of(config) -> PretrainedSpeechEncoder:
    torch.manual_seed(0)
    return PretrainedSpeechEncoder(PretrainedSpeechConfig(backbone.plain(config))).eval()


SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}


@pytest.mark.parametrize("mode", EXACT, ids=str)
def test_models_that_run_by_length_do_so_on_stages_too(exports, mode):
    encoder = of(UniSpeechConfig(conv_dim=[16] * 7, **SMALL))
    stages = made(mode, encoder, exports)
    assert_equal(*both(encoder, stages, heard(9_000, 16_000, 9_000)))


def test_a_model_of_other_make_is_left_to_torch():
    encoder = of(SEWConfig(conv_dim=[16] * 13, squeeze_factor=2, **SMALL))
    assert not encoder.has_stages
    assert not SpeechSubject(encoder).can_change
