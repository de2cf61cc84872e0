"""Whether random weights are worth drawing: not when stored ones replace them at once.

Drawing those of a wav2vec2-large takes seconds, building it without takes hundredths.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_FOLLOW: ContextVar[bool] = ContextVar("weights_follow", default=False)


@contextmanager
def weights_follow() -> Iterator[None]:
    """Promise that every weight of what is built in here will be loaded, or the model dropped."""
    token = _FOLLOW.set(True)
    try:
        yield
    finally:
        _FOLLOW.reset(token)


def do_weights_follow() -> bool:
    """Tell whether such a promise was made."""
    return _FOLLOW.get()
