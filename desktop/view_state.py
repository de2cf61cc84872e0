"""What the panels show, in one place: turns, sound, time, the selected turn, theme."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal

from core.labels import EMOTIONS
from core.pipeline.events import AudioHeard, SessionState, TurnUpdated
from core.types import SAMPLE_RATE, ContextInfo, Message, Turn, TurnStatus
from desktop.item_models.corrected import CorrectedTurns
from desktop.item_models.emotion_timeline import EmotionTimeline
from desktop.item_models.readings import Reading
from desktop.item_models.sound_history import SoundHistory
from desktop.item_models.steady_label import SteadyLabel
from desktop.item_models.turns import TurnModel, turn_text
from desktop.theme import LIGHT, Theme
from desktop.time_view import TimeView

RunApart = Callable[
    [str, Callable[[], Any], Callable[[Any], Any], Callable[[Exception], Any]], None
]
"""Does work: its name, the work, what takes its result, what takes its error."""

CLIP_SHARE = 0.001
"""Share of clipped samples in a block that lights the clip light."""


class ViewState(QObject):
    """Fed by the main window from the bridge; panels read it and listen to its signals."""

    turn_changed = Signal(object)
    turn_revised = Signal(object)
    """What the dialogue says of a complete turn changed; nothing that was heard of it did."""
    sound_changed = Signal()
    selection_changed = Signal(object)
    cleared = Signal()
    theme_changed = Signal(object)
    state_changed = Signal(object)
    playhead_moved = Signal(object)
    context_changed = Signal()
    """The dialogue model became ready, or it was said why there is none."""
    reading_changed = Signal(object)
    play_asked = Signal(object)
    """A turn that was clicked: to be heard, unless somebody is being recorded."""
    correction_asked = Signal(object, object)
    """A turn of which the user wants to say what it was, and where on the screen to ask."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.corrected = CorrectedTurns(self)
        self.correctable: Callable[[Turn], bool] = lambda _: False
        """Tells whether the user may say of a turn what it was; the controller knows."""
        self.turns = TurnModel(self, self.corrected)
        self.sound = SoundHistory()
        self.timeline = EmotionTimeline()
        self.time = TimeView(self)
        self.steady = SteadyLabel()
        self.theme: Theme = LIGHT
        self.labels: tuple[str, ...] = EMOTIONS
        """The classes of the model whose results are shown ..."""
        self.exclusive = True
        """... and whether they exclude each other."""
        self._dialogue_labels: tuple[str, ...] = ()
        self.session = SessionState.IDLE
        self.preparing = False
        """A model is made ready for this computer while it is loaded, which is done once."""
        self.live = False
        self.newest: Turn | None = None
        self.newest_at = 0.0
        """Seconds heard when the newest turn was told: later than its end on a busy computer."""
        self.complete: Turn | None = None
        self.selected: Turn | None = None
        self.level: tuple[float, ...] = ()
        self.clipped = False
        self.playhead: float | None = None
        self.context: ContextInfo | None = None
        self.no_context: Message | None = None
        """Why a dialogue model that was asked for is not there."""
        self.expects_context = False
        """A dialogue model was asked for and is not ready yet."""
        self.reading = Reading.CONTEXT
        self.run_apart: RunApart = _run_here
        """Does work beside the window; the controller puts the bridge's here."""
        self._speakers: dict[str, None] = {}
        self._of_nobody: set[int] = set()
        self._newest_speaker: tuple[int, str] = (-1, "")
        """When the newest final turn with a speaker began, and whose it is."""

    def begin(self, live: bool) -> None:
        """Forget the last session: a new one starts."""
        self.live = live
        self.turns.clear()
        self._speakers.clear()
        self._of_nobody.clear()
        self._newest_speaker = (-1, "")
        self.corrected.begin()
        self.timeline.clear()
        self.sound.clear()
        self.steady.clear()
        self.newest = self.complete = self.selected = None
        self.newest_at = 0.0
        self.level, self.clipped, self.playhead = (), False, None
        self.context = self.no_context = None
        self.expects_context = False
        self.time.now = self.time.total = 0.0
        self.cleared.emit()
        self.context_changed.emit()
        if live:
            self.time.follow()
        else:
            self.time.review(0.0)
        self.selection_changed.emit(None)

    def enter(self, session: SessionState) -> None:
        """Take note of the session's state; when it ends the whole of it can be looked through."""
        self.session = session
        self.preparing = self.preparing and session is SessionState.LOADING
        if session in (SessionState.IDLE, SessionState.FAILED):
            self.level, self.clipped = (), False
            if self.live and self.time.following and self.sound.windows:
                self.time.review(self.sound.seconds)
        self.state_changed.emit(session)

    def prepare(self) -> None:
        """Take note that a model is made ready for this computer before it is loaded."""
        if self.session is SessionState.LOADING and not self.preparing:
            self.preparing = True
            self.state_changed.emit(self.session)

    def hear(self, heard: Sequence[AudioHeard]) -> None:
        """Add blocks that were heard."""
        self.sound.append(heard, spectrogram=self.live)
        listening = self.live and self.session not in (SessionState.IDLE, SessionState.FAILED)
        self.level = heard[-1].level_dbfs if listening else ()
        self.clipped = listening and any(
            max(event.clipping, default=0.0) > CLIP_SHARE for event in heard
        )
        self.time.now = self.sound.seconds
        if not self.time.following and self.sound.seconds > self.time.total:
            self.time.review(self.sound.seconds)
        self.sound_changed.emit()

    def show_recording(self, turns: Sequence[Turn], sound: SoundHistory, length: float) -> None:
        """Show a session that was read back from disk."""
        self.begin(live=False)
        self.session = SessionState.IDLE
        self.sound = sound
        for turn in turns:
            self.update_turn(TurnUpdated(turn))
        self.time.review(max(length, sound.seconds))
        self.state_changed.emit(self.session)
        self.sound_changed.emit()

    def set_total(self, seconds: float) -> None:
        """Take the length of a recording before all of it was heard."""
        if not self.time.following and seconds > self.time.total:
            self.time.review(seconds)

    def update_turn(self, event: TurnUpdated) -> None:
        """Take a turn; one that ended with neither text, emotion nor note was no speech."""
        turn = event.turn
        said = turn.emotion is not None or turn.transcript is not None or turn.notes
        if turn.status is TurnStatus.FINAL and not said:
            self.turns.discard(turn.index)
            self.timeline.discard(turn.index)
            self._of_nobody.discard(turn.index)
        else:
            before = self.turns.find_turn(turn.index)
            self._take_speaker(turn)
            self._take_labels(turn)
            row = self.turns.update(turn)
            kept = self.turns.turn(row)
            if kept is None or kept.status is not turn.status:
                return
            turn = kept
            if before is not None and _heard_alike(before, turn):
                self._revise(turn)
                return
            self.timeline.update(turn)
            if before is not None and before.status is TurnStatus.FINAL:
                self._take_again(turn)
                return
        self._take_newest(turn)
        self.turn_changed.emit(turn)
        if self.selected is not None and self.selected.index == turn.index:
            self.select(turn)

    def _take_newest(self, turn: Turn) -> None:
        if turn.emotion is None:
            return
        if self.newest is None or self.newest.index != turn.index:
            self.steady.clear()
        self.steady.update(turn.emotion, turn.status is not TurnStatus.PARTIAL)
        self.newest, self.newest_at = turn, self.time.now
        if turn.status is not TurnStatus.PARTIAL:
            self.complete = turn

    def _take_again(self, turn: Turn) -> None:
        """Take a turn that was complete before, as with a better text.

        Whoever reads another turn meanwhile, or another time, is left there.
        """
        self._replace(turn)
        self.turn_changed.emit(turn)
        if self.selected is turn:
            self.selection_changed.emit(turn)

    def _replace(self, turn: Turn) -> None:
        """Put a turn in the place of its earlier state; none becomes the newest."""
        if self.newest is not None and self.newest.index == turn.index:
            self.newest = turn
            if turn.emotion is not None:
                self.steady.update(turn.emotion, complete=True)
        if self.complete is not None and self.complete.index == turn.index:
            self.complete = turn
        if self.selected is not None and self.selected.index == turn.index:
            self.selected = turn

    def _revise(self, turn: Turn) -> None:
        """Take what the dialogue says of a turn later: the newest turn stays the newest."""
        self._replace(turn)
        self.turn_revised.emit(turn)

    def _take_speaker(self, turn: Turn) -> None:
        """Take note of who speaks; nobody in particular is only one whose turn stays unnamed."""
        if turn.speaker:
            self._speakers.setdefault(turn.speaker)
            self._of_nobody.discard(turn.index)
            self._newest_speaker = max(self._newest_speaker, (turn.start, turn.speaker))
        elif turn.status is TurnStatus.FINAL:
            self._of_nobody.add(turn.index)
            self._speakers.setdefault("")

    def _take_labels(self, turn: Turn) -> None:
        """Give every class of the models a colour before the first of it is drawn."""
        labels, dialogue = self.labels, self._dialogue_labels
        if turn.emotion is not None:
            self.exclusive = turn.emotion.exclusive
            labels = turn.emotion.labels
        if turn.context is not None:
            dialogue = turn.context.labels
        if (labels, dialogue) != (self.labels, self._dialogue_labels):
            self.labels, self._dialogue_labels = labels, dialogue
            self.set_theme(self.theme)

    # -- the dialogue model -------------------------------------------------------------------

    def set_context(self, info: ContextInfo) -> None:
        """Take note of the dialogue model that reads the turns among each other."""
        self.context, self.no_context, self.expects_context = info, None, False
        if info.model.labels != self._dialogue_labels:
            self._dialogue_labels = info.model.labels
            self.set_theme(self.theme)
        self.context_changed.emit()

    def expect_context(self) -> None:
        """Take note that a dialogue model is being loaded."""
        self.expects_context = True
        self.context_changed.emit()

    def miss_context(self, reason: Message) -> None:
        """Take note of why the dialogue model that was asked for is not there."""
        self.no_context, self.expects_context = reason, False
        self.context_changed.emit()

    def read_as(self, reading: Reading) -> None:
        """Show the turns of the dialogue with or without their context."""
        if reading is not self.reading:
            self.reading = reading
            self.reading_changed.emit(reading)

    def toggle_context(self) -> None:
        """Show the turns without their context, or with it again."""
        alone = self.reading is Reading.ALONE
        self.read_as(Reading.CONTEXT if alone else Reading.ALONE)

    # -- selection ----------------------------------------------------------------------------

    def select(self, turn: Turn | None) -> None:
        """Select a turn, in every panel; None selects the newest again."""
        self.selected = turn
        if turn is not None:
            self.time.reveal(turn.start / SAMPLE_RATE, turn.end / SAMPLE_RATE)
        self.selection_changed.emit(turn)

    def click(self, seconds: float) -> None:
        """Select the turn spoken at this moment, and ask for it to be heard."""
        row = self.turns.row_at(seconds)
        turn = None if row is None else self.turns.turn(row)
        if turn is not None:
            self.select(turn)
            self.play_asked.emit(turn)

    def shown_turn(self) -> Turn | None:
        """Return the selected turn, or the newest one that has a result."""
        return self.selected or self.newest

    def evidence_turn(self) -> Turn | None:
        """Return the selected turn, or the newest complete one: its evidence does not flicker."""
        return self.selected or self.complete or self.newest

    def set_theme(self, theme: Theme) -> None:
        """Use other colours everywhere; the classes of the model keep one each."""
        self.theme = theme.for_labels(tuple(dict.fromkeys((*self.labels, *self._dialogue_labels))))
        self.theme_changed.emit(self.theme)

    def set_playhead(self, seconds: float | None) -> None:
        """Show where playback is, None when nothing plays."""
        self.playhead = seconds
        self.playhead_moved.emit(seconds)

    def speakers(self) -> tuple[str, ...]:
        """Return the speakers in the order they were first heard; "" for nobody in particular.

        Nobody is among them as long as there are final turns of nobody, or nobody else.
        """
        found = tuple(name for name in self._speakers if name or self._of_nobody)
        return found or ("",) * bool(self.turns.rowCount())

    def lanes(self) -> dict[str, int]:
        """Map speakers to lanes; "" also where it has none of its own.

        It is then that of the newest speaker: by voice, who speaks is known when the turn ends.
        """
        lanes = {name: lane for lane, name in enumerate(self.speakers())}
        return {"": lanes.get(self._newest_speaker[1], 0)} | lanes


def _heard_alike(before: Turn, after: Turn) -> bool:
    """True for a complete turn of which at most the dialogue now says something else."""
    old, new = before.emotion, after.emotion
    if before.status is not TurnStatus.FINAL or old is None or new is None:
        return False
    if turn_text(before) != turn_text(after):
        return False
    return (old.probabilities, old.doubts) == (new.probabilities, new.doubts)


def _run_here(
    _: str, work: Callable[[], Any], done: Callable[[Any], Any], failed: Callable[[Exception], Any]
) -> None:
    try:
        result = work()
    except Exception as error:
        failed(error)
    else:
        done(result)
