"""Who speaks, as dialogue models are told it: in training and live by the same rule."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from core.models.context.inputs import UNKNOWN_SPEAKER


def by_appearance(names: Sequence[Hashable], most: int) -> NDArray[np.int64]:
    """Return each speaker as an index by first utterance; the last index serves all beyond `most`.

    None and empty names become `UNKNOWN_SPEAKER`.
    """
    order: dict[Hashable, int] = {}
    found = [order.setdefault(n, len(order)) if n else UNKNOWN_SPEAKER for n in names]
    return np.minimum(np.array(found, dtype=np.int64), most - 1)
