from __future__ import annotations

import json

import pytest
import torch
from transformers import (
    AlbertConfig,
    AutoModel,
    AutoTokenizer,
    ConvBertConfig,
    DebertaV2Config,
    DistilBertConfig,
    GPT2Config,
    MPNetConfig,
)

from core.errors import CheckpointError, ConfigError
from core.models.encoders import backbone
from core.models.encoders.build import build_text_encoder
from core.models.encoders.pretrained import load_pretrained_text, make_processor
from core.models.encoders.pretrained_config import PretrainedTextConfig
from core.models.encoders.pretrained_text import PretrainedTextEncoder
from core.models.encoders.trainable import set_trainable
from core.models.outputs import ModelInputs
from training.generated.encoders import TEXT

TEXTS = ("왜 이렇게 화가 났어요", "I am so happy to see you today, 오늘 만나서 반가워요", "a")
TOLERANCE = 1e-5


def inputs_of(loaded, texts) -> ModelInputs:
    processor = make_processor(text=loaded, languages=("ko", "en"))
    return processor.batch(texts=[processor.tokenize(text) for text in texts])


def hugging_face(folder, texts, **options):
    """Return what Hugging Face makes of texts padded to the longest, and the attention mask."""
    with backbone.quiet():
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    encoded = tokenizer(list(texts), return_tensors="pt", **({"padding": True} | options))
    with torch.no_grad():
        return model(**encoded), encoded["attention_mask"].bool()


@pytest.mark.parametrize("kind", sorted(TEXT))
def test_what_comes_out_is_what_hugging_face_computes(tiny_encoder, kind):
    folder = tiny_encoder(kind)
    loaded = load_pretrained_text(folder)
    with torch.no_grad():
        found = loaded.encoder(inputs_of(loaded, TEXTS))
    expected, mask = hugging_face(folder, TEXTS)
    assert torch.equal(found.mask, mask)
    torch.testing.assert_close(found.sequence[mask], expected.last_hidden_state[mask])
    weight = mask.unsqueeze(-1).float()
    mean = (expected.last_hidden_state * weight).sum(1) / weight.sum(1)
    torch.testing.assert_close(found.pooled, mean)
    assert loaded.encoder.dim == found.pooled.shape[1]


@pytest.mark.parametrize("kind", sorted(TEXT))
def test_a_row_of_a_batch_equals_the_row_alone(tiny_encoder, kind):
    loaded = load_pretrained_text(tiny_encoder(kind))
    with torch.no_grad():
        together = loaded.encoder(inputs_of(loaded, TEXTS))
        for row, text in enumerate(TEXTS):
            alone = loaded.encoder(inputs_of(loaded, [text]))
            length = alone.sequence.shape[1]
            gap = together.sequence[row, :length] - alone.sequence[0]
            assert float(gap.abs().max()) < TOLERANCE
            assert float((together.pooled[row] - alone.pooled[0]).abs().max()) < TOLERANCE


def test_the_published_mean_takes_in_256_tokens_whatever_the_batch(tiny_encoder):
    folder = tiny_encoder("klue_roberta_like")
    loaded = load_pretrained_text(folder, pooling="padded_mean", pad_to=256)
    with torch.no_grad():
        encoded = loaded.encoder(inputs_of(loaded, TEXTS))
        alone = loaded.encoder(inputs_of(loaded, TEXTS[2:]))
    expected, _ = hugging_face(folder, TEXTS, padding="max_length", max_length=256)
    assert encoded.sequence.shape[1] == 256
    torch.testing.assert_close(encoded.pooled, expected.last_hidden_state.mean(1))
    torch.testing.assert_close(alone.pooled[0], encoded.pooled[2])


def test_the_pooler_is_the_models_own(tiny_encoder):
    folder = tiny_encoder("klue_bert_like")
    loaded = load_pretrained_text(folder, pooling="pooler")
    with torch.no_grad():
        found = loaded.encoder(inputs_of(loaded, TEXTS)).pooled
    torch.testing.assert_close(found, hugging_face(folder, TEXTS)[0].pooler_output)
    cls = load_pretrained_text(folder, pooling="cls")
    with torch.no_grad():
        first = cls.encoder(inputs_of(cls, TEXTS))
    torch.testing.assert_close(first.pooled, first.sequence[:, 0])


def test_a_pooler_that_nobody_trained_is_refused(tiny_encoder):
    with pytest.raises(CheckpointError, match=r"2 weights missing \(pooler\.dense"):
        load_pretrained_text(tiny_encoder("klue_roberta_like"), pooling="pooler")
    with pytest.raises(ConfigError, match="no pooler"):
        load_pretrained_text(tiny_encoder("electra_like"), pooling="pooler")


def test_heads_of_other_tasks_are_left_out_and_named(tiny_encoder):
    assert load_pretrained_text(tiny_encoder("xlm_roberta_like")).ignored == ("lm_head",)
    loaded = load_pretrained_text(tiny_encoder("klue_bert_like"))
    assert loaded.ignored == ("cls",)
    assert not [name for name in loaded.encoder.state_dict() if "pooler" in name]


def test_the_configuration_builds_the_same_encoder(tiny_encoder):
    loaded = load_pretrained_text(tiny_encoder("xlm_roberta_like"), pooling="cls", pad_to=32)
    values = json.loads(json.dumps(loaded.encoder.config()))
    built = build_text_encoder(values).eval()
    built.load_state_dict(loaded.encoder.state_dict())
    inputs = inputs_of(loaded, TEXTS)
    with torch.no_grad():
        torch.testing.assert_close(built(inputs).pooled, loaded.encoder(inputs).pooled)


def test_dropout_can_be_switched_off_for_fine_tuning(tiny_encoder):
    folder = tiny_encoder("klue_roberta_like")
    still = load_pretrained_text(folder, trainable="all", dropout=False)
    inputs = inputs_of(still, TEXTS)
    encoder = still.encoder.train()
    torch.testing.assert_close(encoder(inputs).pooled, encoder(inputs).pooled)
    dropping = load_pretrained_text(folder, trainable="all").encoder.train()
    assert not torch.allclose(dropping(inputs).pooled, dropping(inputs).pooled)


def test_the_last_layers_can_train_alone(tiny_encoder):
    loaded = load_pretrained_text(tiny_encoder("klue_roberta_like"), trainable="top:1")
    encoder = loaded.encoder.train()
    encoder(inputs_of(loaded, TEXTS)).pooled.square().sum().backward()
    names = {n for n, p in encoder.named_parameters() if p.grad is not None}
    assert names
    assert all(name.startswith("model.encoder.layer.1.") for name in names)
    assert not encoder.frozen
    assert not encoder.model.embeddings.training


def test_text_has_no_convolutions_to_freeze(tiny_encoder):
    with pytest.raises(ConfigError, match="no convolutions"):
        load_pretrained_text(tiny_encoder("klue_roberta_like"), trainable="all_but_cnn")


@pytest.mark.parametrize("options", [{"pad_to": 513}, {"max_tokens": 513}])
def test_more_tokens_than_positions_are_refused(tiny_encoder, options):
    with pytest.raises(ConfigError, match="512 positions"):
        load_pretrained_text(tiny_encoder("klue_roberta_like"), **options)


def test_all_positions_there_are_can_be_used(tiny_encoder):
    loaded = load_pretrained_text(tiny_encoder("klue_roberta_like"), max_tokens=512)
    with torch.no_grad():
        encoded = loaded.encoder(inputs_of(loaded, ["happy " * 600]))
    assert encoded.sequence.shape[1] == 512


SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "vocab_size": 50,
}


@pytest.mark.parametrize(
    "model",
    [
        DistilBertConfig(dim=32, n_layers=2, n_heads=2, hidden_dim=32, vocab_size=50),
        AlbertConfig(embedding_size=16, **SIZES),
        DebertaV2Config(**SIZES),
        MPNetConfig(**SIZES),
        GPT2Config(vocab_size=50, n_embd=32, n_layer=2, n_head=2, bos_token_id=1, eos_token_id=2),
    ],
    ids=lambda model: model.model_type,
)
def test_other_models_keep_rows_apart_and_drop_nothing_if_so_asked(model):
    config = PretrainedTextConfig(backbone.plain(model), dropout=False)
    encoder = PretrainedTextEncoder(config)
    set_trainable(encoder, "top:1")
    encoder.train()
    tokens = torch.tensor([[5, 6, 7, 8, 9], [5, 6, 7, 1, 1]])
    mask = torch.tensor([[True] * 5, [True, True, True, False, False]])
    together = encoder(ModelInputs(tokens=tokens, token_mask=mask)).pooled
    alone = encoder.eval()(ModelInputs(tokens=tokens[1:, :3], token_mask=mask[1:, :3])).pooled
    assert float((together[1] - alone[0]).detach().abs().max()) < TOLERANCE
    assert together.requires_grad


def test_a_model_that_mixes_padding_in_is_refused():
    with pytest.raises(ConfigError, match="convbert mixes"):
        PretrainedTextEncoder(PretrainedTextConfig(backbone.plain(ConvBertConfig(**SIZES))))


def test_tokens_are_needed(tiny_encoder):
    with pytest.raises(ValueError, match="tokens"):
        load_pretrained_text(tiny_encoder("klue_roberta_like")).encoder(ModelInputs())
