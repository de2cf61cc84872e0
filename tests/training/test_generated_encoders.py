from __future__ import annotations

import time

import pytest
import torch
from safetensors.torch import load_file

from core.models.encoders.pretrained import load_pretrained_speech, load_pretrained_text
from training.generated.encoders import ENCODERS, SPEECH, TEXT, write_encoder

SPEECH_FILES = {"config.json", "model.safetensors", "preprocessor_config.json"}
TEXT_FILES = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}


@pytest.mark.parametrize("kind", ENCODERS)
def test_a_folder_has_the_files_of_the_real_one_and_loads(tmp_path, kind):
    folder = write_encoder(kind, tmp_path / kind)
    names = {path.name for path in folder.iterdir()}
    assert names >= (SPEECH_FILES if kind in SPEECH else TEXT_FILES)
    load = load_pretrained_speech if kind in SPEECH else load_pretrained_text
    assert load(folder).encoder.dim == 32


def test_weights_carry_the_names_of_the_hub(tmp_path):
    names = load_file(write_encoder("wav2vec2_base_like", tmp_path) / "model.safetensors")
    assert "wav2vec2.encoder.pos_conv_embed.conv.weight_g" in names
    assert "lm_head.weight" in names
    assert "wav2vec2.masked_spec_embed" in names


def test_the_same_seed_gives_the_same_weights(tmp_path):
    first = load_file(write_encoder("xlm_roberta_like", tmp_path / "a") / "model.safetensors")
    again = load_file(write_encoder("xlm_roberta_like", tmp_path / "b") / "model.safetensors")
    other = load_file(
        write_encoder("xlm_roberta_like", tmp_path / "c", seed=1) / "model.safetensors"
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize(
    ("kind", "width"),
    [("wav2vec2_large_like", 1024), ("klue_roberta_like", 768), ("wav2vec2_base_like", 768)],
)
def test_one_layer_of_the_real_width_takes_two_seconds_at_most(tmp_path, kind, width):
    write_encoder(kind, tmp_path / "warm")
    began = time.process_time()
    folder = write_encoder(kind, tmp_path / "real", width=width, layers=1)
    assert time.process_time() - began < 2.0
    load = load_pretrained_speech if kind in SPEECH else load_pretrained_text
    assert load(folder).encoder.dim == width


def test_the_tokenizer_knows_the_sentences_it_was_given(tmp_path):
    sentences = ("나는 오늘 학교에 갔다", "나는 내일 학교에 간다") * 3
    for kind in TEXT:
        folder = write_encoder(kind, tmp_path / kind, sentences=sentences)
        tokenizer = load_pretrained_text(folder).tokenizer
        text = "나는 학교에"
        found = tokenizer.encode(text)
        covered = {index for begin, end in found.spans for index in range(begin, end)}
        assert "".join(text[i] for i in sorted(covered)) in (text, "나는학교에")
        assert len(found.ids) <= 2 + 2 * len(text)


def test_a_width_the_convolutions_do_not_divide_is_refused(tmp_path):
    with pytest.raises(ValueError, match="multiple of 16"):
        write_encoder("hubert_like", tmp_path, width=20)
