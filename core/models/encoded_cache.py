"""What was encoded lately, so that it need not be again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from torch import Tensor

from core.models.outputs import Encoded

MOST = 4
"""Of each modality: an utterance judged ahead, its final, and those of another channel."""


class EncodedCache:
    """The last few encoded utterances or texts, by key. Not locked."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Encoded] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> Encoded | None:
        """Return what lies under a key, and keep it longer."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: Hashable, encoded: Encoded) -> None:
        """Keep it; what was asked for least lately goes."""
        self._kept[key] = encoded
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Let go of everything."""
        self._kept.clear()


def repeated(row: Encoded, count: int) -> Encoded:
    """Return one row (1, ...) as `count` equal ones; nothing is copied."""
    if count == 1:
        return row
    return Encoded(*(t.expand(count, *t.shape[1:]) for t in _parts(row)))


def text_key(tokens: Tensor, mask: Tensor) -> Hashable | None:
    """Return a key of tokens (B, L) under mask (B, L) whose rows are all the same; else None.

    Length is part of it, padding included: some ways of pooling take padding in.
    """
    if len(tokens) > 1 and not bool((tokens == tokens[:1]).all() and (mask == mask[:1]).all()):
        return None
    return tuple(tokens[0].tolist()), tuple(mask[0].tolist())


def _parts(encoded: Encoded) -> tuple[Tensor, ...]:
    return encoded.sequence, encoded.mask, encoded.pooled, encoded.logits
