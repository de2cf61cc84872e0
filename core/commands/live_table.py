"""A session as a table that grows in the terminal; plain lines where there is no terminal."""

from __future__ import annotations

import threading
from collections import OrderedDict
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from core.commands.sentences import sentence
from core.dialogue.export.wording import clock, context_phrase, emotion_phrase
from core.palette import colours_for
from core.pipeline.events import Event, Notice, Progress, TurnUpdated
from core.types import EmotionResult, Turn, TurnStatus, seconds

BAR = 12
"""Characters of a bar for a probability of one."""


def turn_line(turn: Turn) -> str:
    """Return a final turn as one plain line."""
    emotion = _emotion(turn, "not judged", " in context")
    text = turn.transcript.text if turn.transcript else ""
    return (
        f"{clock(seconds(turn.start)):>5}  {turn.speaker or '':<8}  {emotion:<16}  {text}".rstrip()
    )


def _emotion(turn: Turn, nothing: str, ending: str = "") -> str:
    """Return the emotion of a turn, and what it is in context where that is another one."""
    emotion, context = turn.emotion, turn.context
    phrase = emotion_phrase(emotion, "en") if emotion else nothing
    if context is None or (emotion is not None and context.label in emotion.given):
        return phrase
    return f"{phrase} → {context_phrase(context, 'en')}{ending}"


class PipedConsole(Console):
    """A console that, when its reader has left, raises instead of exiting on any thread."""

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError."""
        raise BrokenPipeError


class LiveTable:
    """Shows the turns of a session as they come; a listener, called from any thread."""

    def __init__(self, title: str, console: Console | None = None) -> None:
        self._title = title
        self._console = console or PipedConsole(highlight=False)
        self._unread = False
        self._lock = threading.Lock()
        self._turns: OrderedDict[int, Turn] = OrderedDict()
        self._progress = ""
        self._live: Live | None = None
        self._printed: set[int] = set()

    def __enter__(self) -> LiveTable:
        if self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False)
            self._live.start()
        else:
            self._console.print(self._title, markup=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, event: Event) -> None:
        """Show what an event changes; nothing once nobody reads any more."""
        with self._lock:
            if self._unread:
                return
            try:
                self._show(event)
            except BrokenPipeError:
                self._unread = True

    def _show(self, event: Event) -> None:
        if isinstance(event, TurnUpdated):
            self._show_turn(event.turn)
        elif isinstance(event, Progress):
            self._progress = f"{clock(seconds(event.done))}, {event.speed:.1f} x real time"
        elif isinstance(event, Notice) and event.active:
            self._console.print(sentence(event.message), markup=False)
        else:
            return
        self._draw()

    def _show_turn(self, turn: Turn) -> None:
        self._turns[turn.index] = turn
        final = turn.status is TurnStatus.FINAL and turn.index not in self._printed
        if self._live is None and final:
            self._printed.add(turn.index)
            self._console.print(turn_line(turn), markup=False, soft_wrap=True)

    def _draw(self) -> None:
        if self._live is not None:
            self._live.update(self._table(), refresh=True)

    def _table(self) -> Table:
        """Return the newest turns that fit the screen."""
        table = Table(title=self._title, caption=self._progress, expand=True)
        table.add_column("Time", justify="right", no_wrap=True)
        table.add_column("Speaker", no_wrap=True)
        table.add_column("Words", ratio=1, no_wrap=True, overflow="ellipsis")
        in_context = any(turn.context is not None for turn in self._turns.values())
        table.add_column("Emotion → in context" if in_context else "Emotion", no_wrap=True)
        table.add_column("", no_wrap=True, width=BAR)
        room = max(3, self._console.height - 8)
        for turn in list(self._turns.values())[-room:]:
            table.add_row(*_cells(turn))
        return table


def _cells(turn: Turn) -> tuple[Text, ...]:
    transcript, emotion = turn.transcript, turn.emotion
    said = Text(transcript.text if transcript else "…")
    if turn.status is not TurnStatus.FINAL:
        said.stylize("italic dim")
    return (
        Text(clock(seconds(turn.start))),
        Text(turn.speaker or ""),
        said,
        Text(_emotion(turn, "…")),
        _bar(emotion),
    )


def _bar(emotion: EmotionResult | None) -> Text:
    """Return a bar as long as the emotion is likely, in its colour (the word stands beside it)."""
    if emotion is None:
        return Text("")
    filled = round(BAR * emotion.confidence)
    return Text("█" * filled, style=colours_for(emotion.labels, dark=True)[emotion.label])
