"""Which words of a text are others than in the text it replaced."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]
"""First character and number of characters."""

_WORD = re.compile(r"\S+")


def replaced_words(old: str, new: str) -> tuple[Span, ...]:
    """Return where in `new` the words are that `old` did not have there, neighbours joined."""
    words = list(_WORD.finditer(new))
    matcher = SequenceMatcher(None, old.split(), [word.group() for word in words], autojunk=False)
    spans = []
    for kind, _, _, first, last in matcher.get_opcodes():
        if kind != "equal" and last > first:
            start = words[first].start()
            spans.append((start, words[last - 1].end() - start))
    return tuple(spans)
