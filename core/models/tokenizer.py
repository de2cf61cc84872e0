"""Subword tokenizer of the text encoder: Korean and English, NFKC, lower case, byte fallback.

Byte-pair encoding (Sennrich, Haddow & Birch 2016, ACL) over characters; what the training texts did
not show is spelled in bytes, so nothing is ever lost to an unknown token.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from core.errors import CheckpointError

FILE = "tokenizer.json"
PAD = "[PAD]"
START = "[START]"
MASK = "[MASK]"
_SPECIAL = (PAD, START, MASK)
_BYTES = tuple(f"<0x{value:02X}>" for value in range(256))
MAX_TOKENS = 128


@dataclass(frozen=True, slots=True)
class TokenizedText:
    """Token ids (L,) that begin with [START], and per token its span of characters in the text.

    The span of [START] is (0, 0).
    """

    ids: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]

    def pieces(self, text: str) -> tuple[str, ...]:
        """Return the stretch of `text` behind each token."""
        return tuple(text[start:end] for start, end in self.spans)


class TextTokenizer:
    """Turns text into ids; immutable once trained or loaded."""

    def __init__(self, tokenizer: Tokenizer, max_tokens: int = MAX_TOKENS) -> None:
        self._tokenizer = tokenizer
        self._max_tokens = max_tokens
        self._start = self._id(START)

    @classmethod
    def train(cls, texts: Iterable[str], vocabulary: int, max_tokens: int = MAX_TOKENS) -> Self:
        """Learn `vocabulary` subwords (special and byte tokens included) from `texts`."""
        tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=False))
        tokenizer.normalizer = _normalizer()
        tokenizer.pre_tokenizer = _pre_tokenizer()
        tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary,
            min_frequency=2,
            limit_alphabet=min(2400, vocabulary // 4),
            special_tokens=[*_SPECIAL, *_BYTES],
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        return cls(tokenizer, max_tokens)

    @classmethod
    def load(cls, folder: Path, max_tokens: int = MAX_TOKENS) -> Self:
        """Read `tokenizer.json` from a folder. Raises CheckpointError."""
        path = folder / FILE
        try:
            return cls(Tokenizer.from_str(path.read_text(encoding="utf-8")), max_tokens)
        except Exception as error:  # the library raises bare Exception for a damaged file
            raise CheckpointError(
                f"The tokenizer {path} can't be read: {error}.", "Restore the checkpoint."
            ) from error

    def save(self, folder: Path) -> None:
        """Write `tokenizer.json` into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(self._tokenizer.to_str(pretty=False), encoding="utf-8")

    @property
    def vocabulary_size(self) -> int:
        """How many different ids there are."""
        return int(self._tokenizer.get_vocab_size())

    @property
    def pad_id(self) -> int:
        """Id with which a batch is filled up."""
        return self._id(PAD)

    @property
    def mask_id(self) -> int:
        """Id that hides a token in pretraining."""
        return self._id(MASK)

    def _id(self, token: str) -> int:
        found = self._tokenizer.token_to_id(token)
        if found is None:
            raise CheckpointError(f"The tokenizer has no token {token}.", "Restore the checkpoint.")
        return int(found)

    def encode(self, text: str) -> TokenizedText:
        """Return ids and spans of a text, at most `max_tokens` of them (the beginning is kept)."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        kept = self._max_tokens - 1
        ids, spans = encoding.ids[:kept], encoding.offsets[:kept]
        return TokenizedText((self._start, *ids), ((0, 0), *spans))

    def encode_ids(self, texts: Sequence[str], dropout: float = 0.0) -> list[list[int]]:
        """Return the ids of many texts.

        With `dropout` each merge is skipped with that probability, so that a text is cut another
        way every time (BPE dropout: Provilkov, Emelianenko & Voita 2020, ACL); for training only.
        """
        self._tokenizer.model.dropout = dropout or None
        try:
            encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        finally:
            self._tokenizer.model.dropout = None
        return [[self._start, *e.ids[: self._max_tokens - 1]] for e in encodings]


def _normalizer() -> normalizers.Normalizer:
    """NFKC and lower case; runs of laughter, tears and marks are cut to a fixed length."""
    runs = [("ㅋ{2,}", "ㅋㅋ"), ("ㅎ{2,}", "ㅎㅎ"), ("[ㅠㅜ]{2,}", "ㅠㅠ"), (r"\.{3,}", "...")]
    runs += [("!{2,}", "!!"), (r"\?{2,}", "??"), ("[’‘`]", "'"), ("[“”]", '"'), (r"\s+", " ")]
    replacements = [normalizers.Replace(Regex(pattern), text) for pattern, text in runs]
    return normalizers.Sequence(
        [*replacements, normalizers.NFKC(), normalizers.Lowercase(), normalizers.Strip()]
    )


def _pre_tokenizer() -> pre_tokenizers.PreTokenizer:
    """Words carry the space before them as `▁`; punctuation and digits stand alone."""
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always"),
            pre_tokenizers.Punctuation(behavior="isolated"),
            pre_tokenizers.Digits(individual_digits=True),
        ]
    )
