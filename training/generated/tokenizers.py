"""Small tokenizers in the files of the real ones, trained on a few sentences."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
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

VOCABULARY = 400


def write_wordpiece(folder: Path, sentences: Sequence[str], special: Sequence[str]) -> int:
    """Write tokenizer.json, vocab.txt and its configs, as a BERT-type folder has them.

    Args:
        special: special tokens in the order of their ids.

    Returns:
        the size of the vocabulary.
    """
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=VOCABULARY, special_tokens=list(special), show_progress=False
    )
    tokenizer.train_from_iterator(sentences, trainer)
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
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        unk_token="<unk>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(list(sentences) * 4, trainer)
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


def _write_configs(folder: Path, named: dict[str, str], tokenizer: str, **settings: bool) -> None:
    tokens = {f"{role}_token": token for role, token in named.items()}
    config = {**tokens, **settings, "tokenizer_class": tokenizer, "model_max_length": 512}
    for name, content in (("tokenizer_config", config), ("special_tokens_map", tokens)):
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
