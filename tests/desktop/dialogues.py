"""A made-up dialogue of two people with context, as the session would tell of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from core.labels import EMOTIONS, derive_affect
from core.pipeline.events import ContextReady, TurnUpdated
from core.types import (
    SAMPLE_RATE,
    ContextInfo,
    ContextResult,
    ContextScope,
    Modality,
    ModelInfo,
    NestedSize,
    Transcript,
    Turn,
    TurnStatus,
)
from desktop.bench.feed import SyntheticFeed
from desktop.view_state import ViewState

MODEL = ModelInfo("synthetic dialogue", "0", "d" * 64, EMOTIONS, (Modality.SPEECH,), ("en",))
SIZES = (3, 6, 12, 24, 48, 96, 192)
INFO = ContextInfo(MODEL, 16, tuple(NestedSize(s, 900 * s, 3600 * s, 0.004 * s) for s in SIZES))
LINES = (
    ("Mina", "There is a meeting at seven this evening.", "neutral", 2.7),
    ("Jun", "Right, I put the papers on your desk.", "neutral", 2.9),
    ("Mina", "I heard today that I passed! I am so happy!", "happy", 3.6),
    ("Jun", "What? Really? What a surprise!", "surprise", 3.2),
    ("Mina", "I can't believe it, I am so happy right now!", "happy", 2.6),
    ("Jun", "Congratulations! That is wonderful news!", "happy", 2.5),
    ("Jun", "But I had to let my dog go yesterday.", "neutral", 4.2),
    ("Mina", "아, 마음이 너무 아프다. 얼마나 힘들었을까.", "sad", 4.8),
    ("Jun", "I miss him so much. The house feels empty.", "sad", 3.7),
    ("Mina", "Wait, there was a noise outside just now.", "fear", 3.7),
    ("Jun", "Somebody is at the door. I am really scared.", "fear", 2.1),
    ("Jun", "The neighbours again! Why so loud every night!", "angry", 3.8),
    ("Mina", "This is outrageous! They never listen!", "happy", 2.6),
    ("Mina", "Ugh, the smell of rubbish in the corridor.", "disgust", 4.5),
    ("Jun", "That is disgusting. Somebody left food outside.", "disgust", 4.1),
    ("Mina", "All right. Let us talk to the office tomorrow.", "neutral", 3.0),
)
MADE = SyntheticFeed()._emotion(0, 1.0, ("word",), final=False)
GAP = 0.7
"""Seconds between two turns."""


def dialogue(
    count: int = len(LINES), sizes: Sequence[int] = SIZES, speakers: bool = True
) -> Iterator[TurnUpdated]:
    """Yield the turns one by one, each followed by an earlier one that hindsight changed."""
    turns: list[Turn] = []
    moment = 0.8
    for index in range(count):
        speaker, text, emotion, length = LINES[index % len(LINES)]
        turn = _turn(index, moment, length, speaker if speakers else None, text, emotion)
        turns.append(replace(turn, context=_read(turns, turn, sizes)))
        yield TurnUpdated(turns[-1])
        moment += length + GAP
        if index % len(LINES) == 8:
            turns[6 + index - 8] = _changed(turns, 6 + index - 8, "sad", sizes)
            yield TurnUpdated(turns[6 + index - 8])


def converse_in_context(state: ViewState, count: int = len(LINES), live: bool = False) -> None:
    """Show a dialogue in context in a window."""
    state.begin(live)
    bring(state, ContextReady(INFO))
    for event in dialogue(count):
        bring(state, event)
    newest = state.turns.turn(state.turns.rowCount() - 1)
    if newest is not None and live:
        state.time.now = newest.end / SAMPLE_RATE + 0.3
    elif newest is not None:
        state.set_total(newest.end / SAMPLE_RATE + 0.3)


def bring(state: ViewState, event: ContextReady | TurnUpdated) -> None:
    """Hand an event to the window as the controller does."""
    if isinstance(event, ContextReady):
        state.set_context(event.info)
    else:
        state.update_turn(event)


def shares(label: str, strength: float = 0.5) -> tuple[float, ...]:
    """Return probabilities that lean to a label."""
    rest = (1 - strength) / (len(EMOTIONS) - 1)
    return tuple(strength if name == label else rest for name in EMOTIONS)


def _turn(
    index: int, moment: float, length: float, speaker: str | None, text: str, label: str
) -> Turn:
    start, end = round(moment * SAMPLE_RATE), round((moment + length) * SAMPLE_RATE)
    values = shares(label)
    arousal, valence = derive_affect(EMOTIONS, values)
    emotion = replace(
        MADE, probabilities=values, arousal=arousal, valence=valence, doubts=(), attentions=()
    )
    transcript = Transcript(text)
    return Turn(index, start, end, speaker, TurnStatus.FINAL, transcript, emotion)


def _read(before: Sequence[Turn], turn: Turn, sizes: Sequence[int]) -> ContextResult:
    """Return what the turn's own emotion and those of the turns before it make together."""
    assert turn.emotion is not None
    view = [*before[-15:], turn]
    weights = np.array([0.75 ** (len(view) - 1 - i) for i in range(len(view))])
    weights[-1] = 1.2
    weights /= weights.sum()
    own = np.array([t.emotion.probabilities for t in view if t.emotion])
    mixed = tuple((weights @ own).tolist())
    even = np.full(len(EMOTIONS), 1 / len(EMOTIONS))
    nested = {
        size: tuple(
            (
                np.array(mixed) * (size / max(sizes)) ** 0.3
                + np.array(shares("neutral", 0.4)) * (1 - (size / max(sizes)) ** 0.3) * 0.5
                + even * (1 - (size / max(sizes)) ** 0.3) * 0.5
            ).tolist()
        )
        for size in sizes
    }
    return ContextResult(
        labels=EMOTIONS,
        probabilities=mixed,
        scope=ContextScope.PAST,
        alone=turn.emotion.probabilities,
        turns=tuple(t.index for t in view),
        attention=tuple(weights.tolist()),
        model=MODEL,
        nested=nested,
    )


def _changed(turns: Sequence[Turn], place: int, label: str, sizes: Sequence[int]) -> Turn:
    """Return an earlier turn as it looks with later ones in view."""
    turn = turns[place]
    assert turn.context is not None
    later = replace(turn.context, probabilities=shares(label), scope=ContextScope.LATER)
    return replace(turn, hindsight=later)
