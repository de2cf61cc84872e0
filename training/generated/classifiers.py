"""Tiny classifiers with random weights, in the layout of the ready-made ones on the hub."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from training.generated.encoders import (
    KERNELS,
    KLUE_BERT_SPECIAL,
    STRIDES,
    save_model,
    write_json,
)
from training.generated.tokenizers import SENTENCES, write_unigram, write_wordpiece


def write_audio_classifier(
    folder: Path, labels: Sequence[str], *, width: int = 32, seed: int = 0
) -> Path:
    """Write a folder like superb/wav2vec2-base-superb-er: a wav2vec2 with group norm, projector
    and classifier."""
    from transformers import Wav2Vec2Config, Wav2Vec2ForSequenceClassification

    config = Wav2Vec2Config(
        feat_extract_norm="group",
        hidden_size=width,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=2 * width,
        conv_dim=[width] * len(KERNELS),
        conv_kernel=list(KERNELS),
        conv_stride=list(STRIDES),
        classifier_proj_size=16,
        **_named(labels),
    )
    _save(Wav2Vec2ForSequenceClassification, config, folder, seed)
    settings = {
        "do_normalize": True,
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "feature_size": 1,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": False,
        "sampling_rate": 16000,
    }
    write_json(folder / "preprocessor_config.json", settings)
    return folder


def write_spectrogram_classifier(
    folder: Path, labels: Sequence[str], *, width: int = 32, seed: int = 0
) -> Path:
    """Write a folder like a Whisper that was made an audio classifier."""
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForAudioClassification

    config = WhisperConfig(
        d_model=width,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=2 * width,
        decoder_ffn_dim=2 * width,
        max_source_positions=100,  # two seconds; the real ones take thirty
        classifier_proj_size=16,
        vocab_size=64,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
        **_named(labels),
    )
    _save(WhisperForAudioClassification, config, folder, seed)
    WhisperFeatureExtractor(chunk_length=2).save_pretrained(folder)
    return folder


def write_text_classifier(
    folder: Path,
    labels: Sequence[str],
    *,
    multi_label: bool = False,
    width: int = 32,
    sentences: Sequence[str] = SENTENCES,
    seed: int = 0,
) -> Path:
    """Write a folder like SamLowe/roberta-base-go_emotions (multi-label), or with one label."""
    from transformers import XLMRobertaConfig, XLMRobertaForSequenceClassification

    folder.mkdir(parents=True, exist_ok=True)
    config = XLMRobertaConfig(
        vocab_size=write_unigram(folder, sentences),
        max_position_embeddings=514,
        type_vocab_size=1,
        pad_token_id=1,
        problem_type=_problem(multi_label),
        **_text_sizes(width),
        **_named(labels),
    )
    _save(XLMRobertaForSequenceClassification, config, folder, seed)
    return folder


def write_bert_classifier(
    folder: Path, labels: Sequence[str], *, width: int = 32, seed: int = 0
) -> Path:
    """Write a folder like a fine-tuned KLUE-BERT: WordPiece, one label."""
    from transformers import BertConfig, BertForSequenceClassification

    folder.mkdir(parents=True, exist_ok=True)
    config = BertConfig(
        vocab_size=write_wordpiece(folder, SENTENCES, KLUE_BERT_SPECIAL),
        problem_type=_problem(multi_label=False),
        **_text_sizes(width),
        **_named(labels),
    )
    _save(BertForSequenceClassification, config, folder, seed)
    return folder


def _text_sizes(width: int) -> dict[str, int]:
    return {
        "hidden_size": width,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 2 * width,
    }


def _problem(multi_label: bool) -> str:
    return "multi_label_classification" if multi_label else "single_label_classification"


def _named(labels: Sequence[str]) -> dict[str, Any]:
    return {
        "id2label": dict(enumerate(labels)),
        "label2id": {label: index for index, label in enumerate(labels)},
    }


def _save(kind: Any, config: Any, folder: Path, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = kind(config)
        for parameter in model.parameters():  # answers that differ visibly from even
            parameter.data.mul_(3.0)
    save_model(model, folder)
