"""Tiny pretrained encoders with random weights, in the layout of the real Hugging Face folders.

For tests, and for `--generated` runs of a protocol: every file a published model has is there under
its own name, so that whatever loads these loads the real ones. They know nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from training.generated.tokenizers import SENTENCES, write_unigram, write_wordpiece

KERNELS = (10, 3, 3, 3, 3, 2, 2)
STRIDES = (5, 2, 2, 2, 2, 2, 2)

KLUE_ROBERTA_SPECIAL = ("[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]")
KLUE_BERT_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""Special tokens in the order of their ids."""


def write_encoder(
    kind: str,
    folder: Path,
    *,
    width: int = 32,
    layers: int = 2,
    features: int = 0,
    sentences: Sequence[str] = SENTENCES,
    seed: int = 0,
) -> Path:
    """Write a folder as the hub has it for a model of this kind; it is replaced file by file.

    Args:
        kind: one of `ENCODERS`.
        width: of the hidden states; a multiple of 16.
        layers: of the transformer.
        features: channels of the convolutions of a speech encoder; 0: `width`, but 512 at most.
        sentences: what the tokenizer of a text encoder is trained on.
        seed: of the weights.

    Returns:
        the folder.

    Raises:
        KeyError: there is no such kind. ValueError: the width is not a multiple of 16.
    """
    if width % 16:
        raise ValueError(f"the width must be a multiple of 16, not {width}")
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if kind in SPEECH:
            SPEECH[kind](folder, _speech_sizes(width, layers, features or min(width, 512)))
        else:
            TEXT[kind](folder, _text_sizes(width, layers), sentences)
    return folder


def _speech_sizes(width: int, layers: int, features: int) -> dict[str, Any]:
    return {
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": max(2, width // 64),
        "intermediate_size": 2 * width,
        "conv_dim": [features] * len(KERNELS),
        "conv_kernel": list(KERNELS),
        "conv_stride": list(STRIDES),
        "num_conv_pos_embeddings": 128,
        "num_conv_pos_embedding_groups": 16,
    }


def _text_sizes(width: int, layers: int) -> dict[str, Any]:
    return {
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": max(2, width // 64),
        "intermediate_size": 2 * width,
    }


def _wav2vec2_base(folder: Path, sizes: dict[str, Any]) -> None:
    """As facebook/wav2vec2-base-960h: group norm, a CTC head on top."""
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    config = Wav2Vec2Config(feat_extract_norm="group", conv_bias=False, vocab_size=32, **sizes)
    _save_speech(Wav2Vec2ForCTC(config), folder, normalise=True)
    _write_ctc_vocabulary(folder)


def _wav2vec2_large(folder: Path, sizes: dict[str, Any]) -> None:
    """As facebook/wav2vec2-large-960h-lv60-self: layer norm, pre-norm blocks, a CTC head."""
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    config = Wav2Vec2Config(
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        conv_bias=True,
        vocab_size=32,
        **sizes,
    )
    _save_speech(Wav2Vec2ForCTC(config), folder, normalise=True, mask=True)
    _write_ctc_vocabulary(folder)


def _xls_r(folder: Path, sizes: dict[str, Any]) -> None:
    """As facebook/wav2vec2-xls-r-300m: the large architecture with its pretraining heads."""
    from transformers import Wav2Vec2Config, Wav2Vec2ForPreTraining

    config = Wav2Vec2Config(
        feat_extract_norm="layer", do_stable_layer_norm=True, conv_bias=True, **sizes
    )
    _save_speech(Wav2Vec2ForPreTraining(config), folder, normalise=True, mask=True)


def _hubert(folder: Path, sizes: dict[str, Any]) -> None:
    """As facebook/hubert-base-ls960: group norm, no head."""
    from transformers import HubertConfig, HubertModel

    config = HubertConfig(feat_extract_norm="group", conv_bias=False, **sizes)
    _save_speech(HubertModel(config), folder, normalise=True)


def _wavlm(folder: Path, sizes: dict[str, Any]) -> None:
    """As microsoft/wavlm-large: layer norm, gated relative positions, no head."""
    from transformers import WavLMConfig, WavLMModel

    config = WavLMConfig(
        feat_extract_norm="layer", do_stable_layer_norm=True, conv_bias=False, **sizes
    )
    _save_speech(WavLMModel(config), folder, normalise=True, mask=True)


def _save_speech(model: Any, folder: Path, *, normalise: bool, mask: bool = False) -> None:
    save_model(model, folder)
    settings = {
        "do_normalize": normalise,
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "feature_size": 1,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": mask,
        "sampling_rate": 16000,
    }
    write_json(folder / "preprocessor_config.json", settings)


def save_model(model: Any, folder: Path) -> None:
    """Write config.json and model.safetensors with the weights' published names."""
    from safetensors.torch import save_file

    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(folder)
    state = {_published(name): t.detach().clone() for name, t in model.state_dict().items()}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


def _published(name: str) -> str:
    """Return a weight's name from before torch had parametrizations, as the hub's files have it."""
    name = name.replace("parametrizations.weight.original0", "weight_g")
    return name.replace("parametrizations.weight.original1", "weight_v")


def _write_ctc_vocabulary(folder: Path) -> None:
    tokens = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ"]
    write_json(folder / "vocab.json", {token: i for i, token in enumerate(tokens)})
    write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "Wav2Vec2CTCTokenizer", "pad_token": "<pad>", "unk_token": "<unk>"},
    )


def _klue_roberta(folder: Path, sizes: dict[str, Any], sentences: Sequence[str]) -> None:
    """As klue/roberta-base: a RoBERTa, without pooler, whose tokenizer is BERT's WordPiece."""
    from transformers import RobertaConfig, RobertaForMaskedLM

    vocabulary = write_wordpiece(folder, sentences, KLUE_ROBERTA_SPECIAL)
    config = RobertaConfig(
        vocab_size=vocabulary,
        max_position_embeddings=514,
        type_vocab_size=1,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        **sizes,
    )
    save_model(RobertaForMaskedLM(config), folder)


def _xlm_roberta(folder: Path, sizes: dict[str, Any], sentences: Sequence[str]) -> None:
    """As xlm-roberta-base: SentencePiece's unigrams, no pooler."""
    from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

    vocabulary = write_unigram(folder, sentences)
    config = XLMRobertaConfig(
        vocab_size=vocabulary,
        max_position_embeddings=514,
        type_vocab_size=1,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        **sizes,
    )
    save_model(XLMRobertaForMaskedLM(config), folder)


def _klue_bert(folder: Path, sizes: dict[str, Any], sentences: Sequence[str]) -> None:
    """As klue/bert-base: with its pooler and pretraining heads."""
    from transformers import BertConfig, BertForPreTraining

    vocabulary = write_wordpiece(folder, sentences, KLUE_BERT_SPECIAL)
    config = BertConfig(vocab_size=vocabulary, pad_token_id=0, **sizes)
    save_model(BertForPreTraining(config), folder)


def _electra(folder: Path, sizes: dict[str, Any], sentences: Sequence[str]) -> None:
    """As beomi/KcELECTRA-base: a discriminator."""
    from transformers import ElectraConfig, ElectraForPreTraining

    vocabulary = write_wordpiece(folder, sentences, KLUE_BERT_SPECIAL)
    config = ElectraConfig(
        vocab_size=vocabulary, embedding_size=sizes["hidden_size"], pad_token_id=0, **sizes
    )
    save_model(ElectraForPreTraining(config), folder)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file as the hub's are."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


SPEECH: Mapping[str, Callable[[Path, dict[str, Any]], None]] = MappingProxyType(
    {
        "wav2vec2_base_like": _wav2vec2_base,
        "wav2vec2_large_like": _wav2vec2_large,
        "xls_r_like": _xls_r,
        "hubert_like": _hubert,
        "wavlm_like": _wavlm,
    }
)
TEXT: Mapping[str, Callable[[Path, dict[str, Any], Sequence[str]], None]] = MappingProxyType(
    {
        "klue_roberta_like": _klue_roberta,
        "xlm_roberta_like": _xlm_roberta,
        "klue_bert_like": _klue_bert,
        "electra_like": _electra,
    }
)
ENCODERS: tuple[str, ...] = (*SPEECH, *TEXT)
"""Every kind there is."""
