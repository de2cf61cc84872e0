"""A byte-level BPE with Whisper's special tokens in Whisper's order.

Radford et al. (2022), "Robust Speech Recognition via Large-Scale Weak Supervision", section 2.3
for the multitask format; the order of the special tokens is that of the published vocabularies.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from faster_whisper.tokenizer import _LANGUAGE_CODES
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

TEXT_TOKENS = 700
PUNCTUATION = frozenset({sorted(pre_tokenizers.ByteLevel.alphabet()).index(mark) for mark in ".?"})
"""Ids of the full stop and the question mark: the byte alphabet comes first."""
_TIMESTAMPS = 1501
_LANGUAGES = _LANGUAGE_CODES[:99]  # Whisper v1 and v2; v3 added Cantonese
TIMESTAMP_STEP = 0.02
"""Seconds between timestamp tokens."""


def special_tokens() -> list[str]:
    """Return every special token before the timestamps, in order."""
    return [
        "<|endoftext|>",
        "<|startoftranscript|>",
        *(f"<|{code}|>" for code in _LANGUAGES),
        "<|translate|>",
        "<|transcribe|>",
        "<|startoflm|>",
        "<|startofprev|>",
        "<|nospeech|>",
        "<|notimestamps|>",
    ]


def build_tokenizer(sentences: Sequence[str]) -> Tokenizer:
    """Train the subwords on `sentences` and append the special tokens and the timestamps."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=TEXT_TOKENS - 1,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator([f" {sentence}" for sentence in sentences], trainer)
    tokenizer = _with_empty_token(bpe)
    stamps = [f"<|{i * TIMESTAMP_STEP:.2f}|>" for i in range(_TIMESTAMPS)]
    names = [*special_tokens(), *stamps]
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in names])
    return tokenizer


def _with_empty_token(bpe: Tokenizer) -> Tokenizer:
    """Return the tokenizer with the empty token "" as its last text token.

    CTranslate2 takes a vocabulary for multilingual only when it contains that token.
    """
    content = json.loads(bpe.to_str())
    vocabulary = content["model"]["vocab"]
    vocabulary[""] = len(vocabulary)
    return Tokenizer.from_str(json.dumps(content))


def language_ids(tokenizer: Tokenizer) -> dict[str, int]:
    """Return language token -> id."""
    names = [f"<|{code}|>" for code in _LANGUAGES]
    return {name: token_id(tokenizer, name[2:-2]) for name in names}


def token_id(tokenizer: Tokenizer, name: str) -> int:
    """Return the id of the special token <|name|>."""
    found = tokenizer.token_to_id(f"<|{name}|>")
    if found is None:
        raise KeyError(name)
    return int(found)
