"""How a long dialogue is looked at once it is over: in overlapping stretches of bounded length."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Stretch:
    """Turns `first` to `end` seen together; from it come the results of `own_first` to `own_end`.

    All are positions in the dialogue, ends not included.
    """

    first: int
    end: int
    own_first: int
    own_end: int


def stretches(turns: int, window: int) -> tuple[Stretch, ...]:
    """Cut a dialogue into stretches of two windows, half of each shared with the next.

    A dialogue of two windows or less is seen as a whole. In a longer one every turn gets its result
    from the stretch in which it lies nearest to the middle, so it is seen with half a window at
    least on either side, but for the dialogue's own beginning and end.
    """
    if not turns:
        return ()
    span = 2 * window
    last = max(0, turns - span)
    starts = [*range(0, last, window), last]
    # where the next stretch takes over: in the middle of what both see
    cuts = [(a + span + b) // 2 for a, b in pairwise(starts)]
    edges = [0, *cuts, turns]
    return tuple(
        Stretch(start, min(start + span, turns), own_first, own_end)
        for start, (own_first, own_end) in zip(starts, pairwise(edges), strict=True)
    )
