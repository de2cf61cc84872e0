"""How much a live session does beside its results, and in which order it does less.

When a machine can't keep up, what is shown while somebody speaks gives way first; the result of a
finished utterance and the recorded sound never do.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """What is done while somebody speaks.

    partial_interval: seconds between two judgements of one growing utterance.
    partial_seconds: how much of it each looks at; None: as much as suits the model.
    partial_text: whether growing utterances are transcribed.
    ahead: whether a result is prepared in each pause, before it is sure that the speaker is done.
    better_text: whether finished texts are looked at again.
    smaller_model: whether the user is told that a smaller recognition model would keep up.
    """

    partial_interval: float = 0.25
    partial_seconds: float | None = None
    partial_text: bool = True
    ahead: bool = True
    better_text: bool = True
    smaller_model: bool = False


LADDER: tuple[Effort, ...] = (
    Effort(),
    Effort(partial_interval=0.5, better_text=False),
    Effort(partial_interval=1.0, partial_seconds=2.0, better_text=False),
    Effort(partial_interval=2.0, partial_seconds=2.0, partial_text=False, better_text=False),
    Effort(
        partial_interval=2.0,
        partial_seconds=1.5,
        partial_text=False,
        ahead=False,
        better_text=False,
        smaller_model=True,
    ),
)
"""From everything to least; a session that falls behind goes one step at a time.

First nobody looks twice and looks are fewer, then shorter, then growing texts go, and last what
is prepared in pauses, whereupon a smaller recognition model is offered. What is common to all steps
is what they never touch: finished utterances, and the sound.
"""
