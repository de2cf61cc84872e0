"""Small tokenizers in the files of the real ones, with the words and letters of a few sentences.

The library's trainers break ties in another order every time; these give the same files again.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)

SENTENCES = (
    "I am so happy to see you today",
    "What is this, why are you angry with me",
    "It is nothing, the train is late again and we are sad",
    "Oh no, something is behind the door, I am afraid",
    "정말 기쁘다 오늘 만나서 반가워요",
    "왜 이렇게 화가 났어요 무서워요",
    "아무 일도 아니에요 기차가 또 늦었어요",
    "진짜 놀랐잖아 이게 뭐야 너무 싫어",
)
"""English and Korean, enough for a tokenizer that has words, pieces and unknown letters."""

WORDS = 400
"""Most words in a vocabulary, beside all letters and special tokens."""


def write_wordpiece(folder: Path, sentences: Sequence[str], special: Sequence[str]) -> int:
    """Write tokenizer.json, vocab.txt and its configs, as a BERT-type folder has them.

    Args:
        special: special tokens in the order of their ids.

    Returns:
        the size of the vocabulary.
    """
    normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    splitter = pre_tokenizers.BertPreTokenizer()
    counts = _words(sentences, normalizer, splitter)
    letters = sorted({letter for word in counts for letter in word})
    pieces = [*special, *letters, *(f"##{letter}" for letter in letters)]
    entries = _extended(pieces, counts)
    tokenizer = Tokenizer(
        models.WordPiece({piece: number for number, piece in enumerate(entries)}, unk_token="[UNK]")
    )
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, splitter
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(list(special))
    start, end = special.index("[CLS]"), special.index("[SEP]")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", start), ("[SEP]", end)],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    vocabulary = tokenizer.get_vocab()
    ordered = sorted(vocabulary, key=lambda token: vocabulary[token])
    (folder / "vocab.txt").write_text("\n".join(ordered) + "\n", encoding="utf-8")
    named = dict(zip(("cls", "sep", "pad", "unk", "mask"), _SPECIAL_NAMES, strict=True))
    _write_configs(folder, named, "BertTokenizer", do_lower_case=False, strip_accents=False)
    return len(vocabulary)


_SPECIAL_NAMES = ("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]")


def write_unigram(folder: Path, sentences: Sequence[str]) -> int:
    """Write tokenizer.json and its configs as XLM-RoBERTa's folder has them; returns the size."""
    normalizer = normalizers.Sequence([normalizers.NFKC()])
    splitter = pre_tokenizers.Metaspace()
    counts = _words(sentences, normalizer, splitter)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    letters = sorted({letter for word in counts for letter in word})
    entries = _extended([*special, *letters], counts)
    total = sum(counts.values())
    scores = {word: math.log(count / total) for word, count in counts.items()}
    rare = -2.0 * math.log(total + 1)  # of a letter: a word it is in is always the better choice
    vocabulary = [(e, 0.0 if e in special else scores.get(e, rare)) for e in entries]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=special.index("<unk>")))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, splitter
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(special)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    named = {"bos": "<s>", "cls": "<s>", "eos": "</s>", "sep": "</s>"}
    named |= {"pad": "<pad>", "unk": "<unk>", "mask": "<mask>"}
    _write_configs(folder, named, "XLMRobertaTokenizer")
    return int(tokenizer.get_vocab_size())


def _words(sentences: Sequence[str], normalizer: Any, splitter: Any) -> Counter[str]:
    """Return how often each word occurs, split as the tokenizer will split."""
    normalised = (normalizer.normalize_str(sentence) for sentence in sentences)
    return Counter(word for text in normalised for word, _ in splitter.pre_tokenize_str(text))


def _extended(pieces: Sequence[str], counts: Counter[str]) -> list[str]:
    """Return the pieces and the commonest words after them."""
    words = sorted(counts, key=lambda word: (-counts[word], word))
    known = dict.fromkeys(pieces)
    return [*known, *[word for word in words if word not in known][:WORDS]]


def _write_configs(folder: Path, named: dict[str, str], tokenizer: str, **settings: bool) -> None:
    tokens = {f"{role}_token": token for role, token in named.items()}
    config = {**tokens, **settings, "tokenizer_class": tokenizer, "model_max_length": 512}
    for name, content in (("tokenizer_config", config), ("special_tokens_map", tokens)):
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
