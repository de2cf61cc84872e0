"""Whisper in its published sizes with random weights, in the folder that faster-whisper loads.

Random weights cost what trained ones do, but what they write never ends, is refused by every gate,
and drives faster-whisper through all its temperatures. So a text is put into them: each position
of the decoder carries a direction of its own, strong enough to outweigh whatever the layers add,
and the embedding of the token that is to follow points the same way. The model writes these 20
tokens and ends, surely and whatever it hears, with any beam, precision or runtime. Whoever uses it
does exactly the work it would do for 20 tokens of a trained model, with its own code, limits and
gates; the text itself means nothing.

Radford et al. (2022), Robust Speech Recognition via Large-Scale Weak Supervision, for the sizes and
the order of the special tokens.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.bench.architectures import WhisperShape, fingerprint
from core.types import SAMPLE_RATE

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WORDS = ("정말", "오늘", "너무", "많이", "놀라", "같이", "집에", "가서", "쉬고", "싶어")
"""What every model writes: ten words of two tokens; so short that a second and a half holds it."""
TOKENS = 2 * len(WORDS)
LANGUAGE = "ko"
TEXT_TOKENS = 50_257
"""Of the published multilingual vocabulary; 1,608 special tokens follow."""
LANGUAGES, TIMESTAMPS, MELS = 99, 1501, 80
_STRENGTH = 400.0
"""Length of a position's direction: the layers add vectors of about 50 in all."""
_LOGIT = 30.0
"""Of the token that is to follow; all others together have about 11."""
_FIRST_STAMP, _FIRST_TEXT = 2, 3
"""Positions after which the first timestamp and the first word are written."""
_MADE = 3
"""Counts up when the same shape is built otherwise."""


def whisper_folder(shape: WhisperShape, root: Path) -> Path:
    """Return the folder of this model below `root`; it is made if it is not there.

    Its weights are stored as float16, as those offered for download are.
    """
    folder = root / f"whisper-{shape.name}-{fingerprint(shape, _MADE)}"
    if not folder.is_dir():
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".whisper-") as name:
            made = Path(name) / "ctranslate2"
            _convert(shape, Path(name) / "transformers", made)
            shutil.move(made, folder)
    return folder


def special_tokens() -> list[str]:
    """Return the special tokens in Whisper's order, timestamps included."""
    from transformers.models.whisper.tokenization_whisper import (
        LANGUAGES as LANGUAGE_NAMES,
    )

    named = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
    stamps = [f"{number * 0.02:.2f}" for number in range(TIMESTAMPS)]
    names = ["endoftext", "startoftranscript", *list(LANGUAGE_NAMES)[:LANGUAGES], *named, *stamps]
    return [f"<|{name}|>" for name in names]


def build_tokenizer() -> Tokenizer:
    """Return a byte-level BPE of Whisper's size that has the text's pieces, and names for the rest.

    The last of its text tokens is empty, by which CTranslate2 knows a multilingual model.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    entries = list(dict.fromkeys([*alphabet, *text_pieces()]))
    entries += [f"unused{number}" for number in range(TEXT_TOKENS - 1 - len(entries))]
    vocabulary = {piece: number for number, piece in enumerate([*entries, ""])}
    content = {"version": "1.0", "model": {"type": "BPE", "vocab": vocabulary, "merges": []}}
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in special_tokens()])
    return tokenizer


def text_pieces() -> list[str]:
    """Return the tokens of the text, as the vocabulary spells bytes."""
    from tokenizers import pre_tokenizers

    spell = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str
    return [spell(piece)[0][0] for word in WORDS for piece in (f" {word[0]}", word[1:])]


def _convert(shape: WhisperShape, source: Path, target: Path) -> None:
    from ctranslate2.converters import TransformersConverter
    from transformers import PreTrainedTokenizerFast

    tokenizer = build_tokenizer()
    _random_model(shape, tokenizer).save_pretrained(source)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|endoftext|>", bos_token="<|endoftext|>"
    ).save_pretrained(source)
    tokenizer.save(str(source / "tokenizer.json"), pretty=False)
    features = {"feature_size": MELS, "sampling_rate": SAMPLE_RATE, "hop_length": 160}
    features |= {"n_fft": 400, "chunk_length": 30}
    (source / "preprocessor_config.json").write_text(json.dumps(features), encoding="utf-8")
    kept = ["tokenizer.json", "preprocessor_config.json"]
    TransformersConverter(str(source), copy_files=kept).convert(str(target), quantization="float16")


def _random_model(shape: WhisperShape, tokenizer: Tokenizer) -> Any:
    import torch
    from transformers import GenerationConfig, WhisperForConditionalGeneration

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = WhisperForConditionalGeneration(_configuration(shape, tokenizer))
        _write_text_into(model, tokenizer)
    generation = GenerationConfig.from_model_config(model.config)
    generation.alignment_heads = [list(pair) for pair in shape.alignment]
    codes = special_tokens()[2 : 2 + LANGUAGES]
    generation.lang_to_id = {code: tokenizer.token_to_id(code) for code in codes}
    generation.suppress_tokens = generation.begin_suppress_tokens = []
    # else transformers makes it again from the model's configuration, without these four
    generation._from_model_config = False
    model.generation_config = generation
    return model


def _configuration(shape: WhisperShape, tokenizer: Tokenizer) -> Any:
    from transformers import WhisperConfig

    end = tokenizer.get_vocab()["<|endoftext|>"]
    return WhisperConfig(
        vocab_size=tokenizer.get_vocab_size(),
        num_mel_bins=MELS,
        d_model=shape.width,
        encoder_layers=shape.layers,
        decoder_layers=shape.layers,
        encoder_attention_heads=shape.heads,
        decoder_attention_heads=shape.heads,
        encoder_ffn_dim=4 * shape.width,
        decoder_ffn_dim=4 * shape.width,
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=end + 1,
        suppress_tokens=[],
        begin_suppress_tokens=[],
    )


def _write_text_into(model: Any, tokenizer: Tokenizer) -> None:
    """Make the token that is to follow each position the likeliest by far."""
    import torch

    decoder = model.model.decoder
    positions, tokens = decoder.embed_positions.weight, decoder.embed_tokens.weight
    followers = _followers(tokenizer, len(positions))
    with torch.no_grad():
        directions = torch.nn.functional.normalize(torch.randn(len(tokens), tokens.shape[1]))
        for position, token in followers.items():
            tokens[token] = _LOGIT / tokens.shape[1] ** 0.5 * directions[token]
            positions[position] = _STRENGTH * directions[token]


def _followers(tokenizer: Tokenizer, positions: int) -> dict[int, int]:
    """Return position -> token that is written after it.

    After the first one a language is told; then come the language, the task, and either the word
    that forbids timestamps or a timestamp: the text begins after the same position both ways.
    """
    ids = tokenizer.get_vocab()
    text = [ids[piece] for piece in text_pieces()]
    found = {0: ids[f"<|{LANGUAGE}|>"], _FIRST_STAMP: ids["<|0.00|>"]}
    found |= dict(enumerate(text, start=_FIRST_TEXT))
    beyond = range(_FIRST_TEXT + len(text), positions)
    return found | dict.fromkeys(beyond, ids["<|endoftext|>"])


def written_text() -> str:
    """Return what every model writes."""
    return " ".join(WORDS)
