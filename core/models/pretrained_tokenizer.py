"""The tokenizer of a pretrained text encoder, kept as the one file that says everything.

A Hugging Face folder spreads a tokenizer over several files and a class; the fast tokenizer behind
that class is one `tokenizer.json`. A checkpoint keeps this file alone, so that opening it needs
neither the class nor a network.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from tokenizers import Tokenizer

from core.errors import CheckpointError
from core.models.tokenizer import TokenizedText

FILE = "tokenizer.json"


class PretrainedTokenizer:
    """Turns text into the ids a pretrained encoder knows, special tokens included; immutable.

    Args:
        tokenizer: with the post-processor that adds special tokens.
        pad_id: fills up a batch.
        max_tokens: longest text in tokens, special ones included; the beginning is kept.
    """

    def __init__(self, tokenizer: Tokenizer, pad_id: int, max_tokens: int) -> None:
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_tokens)
        self._tokenizer = tokenizer
        self.pad_id = pad_id
        self.max_tokens = max_tokens

    @classmethod
    def of(cls, fast: Any, max_tokens: int) -> Self:
        """Take over a `transformers.PreTrainedTokenizerFast`. Raises ValueError without padding."""
        if fast.pad_token_id is None:
            raise ValueError("the tokenizer has no padding token")
        copy = Tokenizer.from_str(fast.backend_tokenizer.to_str())
        return cls(copy, int(fast.pad_token_id), max_tokens)

    @classmethod
    def load(cls, folder: Path, pad_id: int, max_tokens: int) -> Self:
        """Read `tokenizer.json` from a folder. Raises CheckpointError."""
        path = folder / FILE
        try:
            return cls(Tokenizer.from_str(path.read_text(encoding="utf-8")), pad_id, max_tokens)
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
        """One more than the largest id."""
        return max(self._tokenizer.get_vocab(with_added_tokens=True).values()) + 1

    def encode(self, text: str) -> TokenizedText:
        """Return ids, and per token its span of characters; (0, 0) for special tokens."""
        encoding = self._tokenizer.encode(text)
        spans = zip(encoding.offsets, encoding.special_tokens_mask, strict=True)
        return TokenizedText(
            tuple(encoding.ids), tuple((0, 0) if special else span for span, special in spans)
        )
