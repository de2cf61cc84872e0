"""What is learned from one person's corrections: made, judged, switched on and off."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from core.errors import EmoscopeError
from core.personal.types import AdaptationReport, Correction, PersonalAdapterInfo
from core.pipeline.events import Severity
from desktop import personal_words
from desktop.bridge import EventBridge
from desktop.correcting import Correcting, Passed
from desktop.in_turn import InTurn
from desktop.main_window import MainWindow
from desktop.panels.banner import BannerButton
from desktop.panels.personal_button import PersonalState
from desktop.personal_work import Kept, Overview, PersonalWork
from desktop.settings import AppSettings

if TYPE_CHECKING:
    from core.pipeline.session import Session
    from desktop.sessions import Prepared

CLOSING_SECONDS = 6.0
"""How long closing the window waits for an adaptation that was told to stop."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of adapting to a person."""

    person: str
    report: AdaptationReport


class Personal(QObject):
    """Personal adapters of the chosen model.

    `settings`, `checkpoint` and `session` return those of the time: the settings, the folder of
    the model, and the session that runs (None: none does). `failed` shows an error.
    """

    changed = Signal()
    """What is kept, in use or being learned."""
    dialog_wanted = Signal()
    _advanced = Signal(float)

    def __init__(
        self,
        window: MainWindow,
        bridge: EventBridge,
        queue: InTurn,
        correcting: Correcting,
        settings: Callable[[], AppSettings],
        change: Callable[..., None],
        checkpoint: Callable[[], Path],
        session: Callable[[], Session | None],
        failed: Callable[[BaseException], None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._bridge = bridge
        self._queue = queue
        self._correcting = correcting
        self._settings = settings
        self._change = change
        self._checkpoint = checkpoint
        self._session = session
        self._failed = failed
        self.overview = Overview()
        self.progress: float | None = None
        """Of learning, 0 to 1; None while nothing is learned."""
        self.outcome: Outcome | None = None
        self.subject = ""
        """The recording that is shown; "" for what a microphone hears."""
        self._speakers: dict[str, tuple[str, ...]] = {}
        self._began_with = Path()
        """The model of the session that runs."""
        self._looked = self._looking = self._look_again = False
        self._pupil = ""
        """Whose voice is being learned."""
        self._cancel = threading.Event()
        self._ended = threading.Event()
        self._ended.set()
        self._advanced.connect(self._advance, Qt.ConnectionType.QueuedConnection)
        correcting.kept.connect(self.look)
        self.changed.connect(self._show_state)

    @property
    def work(self) -> PersonalWork:
        """What does the work; tests put their own in its place."""
        return self._correcting.work

    # -- what there is ------------------------------------------------------------------------

    def look(self) -> None:
        """Look again at what is kept and what was learned."""
        self._look_again = self._looking
        if not self._looking:
            self._looking = True
            checkpoint = self._checkpoint()
            self._queue.do(lambda: self.work.overview(checkpoint), self._seen, self._not_seen)

    def _not_seen(self, error: Exception) -> None:
        self._looking = False
        self._failed(error)

    def _seen(self, overview: Overview) -> None:
        self._looking = False
        if self._look_again:
            self.look()
        before, self.overview, self._looked = self.adapter, overview, True
        if self.adapter != before:
            self.apply()
        every = (c.id for kept in overview.persons.values() for c in kept.corrections)
        self._window.state.corrected.keep_only(frozenset(every))
        self.changed.emit()

    @property
    def person(self) -> str:
        """Whose adapter is meant: the user's, unless another one was chosen."""
        return self._correcting.me()

    @property
    def kept(self) -> Kept:
        """What is kept of that person."""
        return self.overview.of(self.person)

    @property
    def adapter(self) -> PersonalAdapterInfo | None:
        """What was learned of that person for the chosen model."""
        return self.kept.adapter

    @property
    def is_on(self) -> bool:
        """True when the adapter is used, from the next utterance on."""
        return self._settings().personal and self.adapter is not None

    @property
    def speakers(self) -> tuple[str, ...]:
        """For which speakers it is used; none: for everybody."""
        if self.subject:
            return self._speakers.get(self.subject, ())
        return self._settings().personal_speakers

    @property
    def adapting(self) -> bool:
        """True while something is learned."""
        return self.progress is not None

    def persons(self) -> tuple[str, ...]:
        """Return everybody there is anything of, the user first."""
        return tuple(dict.fromkeys((self.person, *self.overview.persons)))

    # -- learning -----------------------------------------------------------------------------

    def adapt(self) -> None:
        """Learn from what is kept of the person, on a thread of its own."""
        if self.adapting:
            return
        person, checkpoint, work = self.person, self._checkpoint(), self.work
        passed, cancel, ended = self.left_alone(), self._cancel, self._ended
        cancel.clear()
        ended.clear()
        self.progress, self.outcome, self._pupil = 0.0, None, person

        def advanced(share: float) -> None:
            if not cancel.is_set():
                self._advanced.emit(share)

        def learn() -> Outcome:
            try:
                if passed:
                    pairs = [(one.turn, one.wanted) for one in passed]
                    work.keep_passed(passed[0].sound, pairs, cancel.is_set)
                return Outcome(person, work.adapt(checkpoint, person, advanced, cancel.is_set))
            finally:
                ended.set()

        self._bridge.run("adapt", learn, self._learned, self._not_learned)
        self.changed.emit()

    @property
    def counts_left_alone(self) -> bool:
        """True when turns that the user left alone count as right, with less weight."""
        return self._settings().left_alone

    def count_left_alone(self, counts: bool) -> None:
        """Let turns that were left alone count, or not."""
        self._change(left_alone=counts)
        self.changed.emit()

    def left_alone(self) -> tuple[Passed, ...]:
        """Return the turns that are shown, were left alone and so will be learned from, too."""
        if not self.counts_left_alone:
            return ()
        known = {(c.source, c.start) for c in self.kept.corrections}
        found = self._correcting.left_alone(self.person)
        return tuple(p for p in found if (p.wanted.source, p.wanted.start) not in known)

    def cancel(self) -> None:
        """Learn no further; what was there before stays."""
        self._cancel.set()

    def close(self) -> None:
        """Stop learning and wait for its thread: the window closes."""
        self._cancel.set()
        self._ended.wait(CLOSING_SECONDS)

    def _advance(self, share: float) -> None:
        if self.adapting:
            self.progress = min(max(share, 0.0), 1.0)
            self.changed.emit()

    def _learned(self, outcome: Outcome) -> None:
        self.progress, self.outcome = None, outcome
        if outcome.report.reason != "cancelled":
            self._tell(outcome)
        self.look()
        self.changed.emit()

    def _not_learned(self, error: Exception) -> None:
        self.progress = None
        self.changed.emit()
        self._failed(error)

    def _tell(self, outcome: Outcome) -> None:
        """Say what came of it; a click leads to all there is to say and do."""
        self._window.banners.show_banner(
            "personal",
            Severity.INFO,
            lambda: personal_words.outcome(outcome.report, outcome.person),
            (BannerButton(lambda: self.tr("Personal adapter…"), self.dialog_wanted.emit),),
        )

    # -- using --------------------------------------------------------------------------------

    def toggle(self) -> None:
        """Use the adapter, or no longer; without one, show how to make it."""
        self.switch(not self.is_on)

    def switch(self, on: bool) -> None:
        """Use the adapter from the next utterance on, or no longer."""
        if on and self.adapter is None:
            self.changed.emit()
            self.dialog_wanted.emit()
            return
        if on and self.subject and self.subject not in self._speakers:
            self._speakers[self.subject] = self._own_speakers()
        self._change(personal=on)
        self.apply()
        self.changed.emit()

    def choose_person(self, name: str) -> None:
        """Mean another person's adapter."""
        if name and name != self.person:
            self.outcome = None
            self._change(person=name)
            self.apply()
            self.changed.emit()

    def choose_speakers(self, names: tuple[str, ...]) -> None:
        """Use the adapter for these speakers only; none: for everybody."""
        if self.subject:
            self._speakers[self.subject] = names
        else:
            self._change(personal_speakers=names)
        self.apply()
        self.changed.emit()

    def arranged(self, build: Callable[[], Prepared]) -> Callable[[], Prepared]:
        """Return what builds a session that uses the adapter from its start, if it is on."""
        self._began_with = self._checkpoint()
        if not self._settings().personal:
            return build
        person, checkpoint, speakers = self.person, self._checkpoint(), self.speakers
        work = self.work

        def make() -> Prepared:
            prepared = build()
            adapter = work.adapter(checkpoint, person)
            if adapter is not None:
                prepared.session.use_personal(adapter, speakers)
            return prepared

        return make

    def goes_on_with(self, checkpoint: Path) -> None:
        """Take note that the session that runs goes on with another model."""
        self._began_with = checkpoint
        if not self._looking:  # else what is known is of the model before
            self.apply()

    def apply(self) -> None:
        """Let the session that runs use what is to be used, if it began with the chosen model."""
        session = self._session()
        if session is None or not self._looked or self._checkpoint() != self._began_with:
            return
        try:
            session.use_personal(self.adapter if self.is_on else None, self.speakers)
        except EmoscopeError as error:
            self._failed(error)

    def _own_speakers(self) -> tuple[str, ...]:
        """Return the speakers whose voice was said to be the person's, if there are others."""
        here = [name for name in self._window.state.speakers() if name]
        own = tuple(n for n in here if n in self._correcting.speakers_of(self.person))
        return own if len(own) < len(here) else ()

    # -- forgetting ---------------------------------------------------------------------------

    def remove(self, corrections: tuple[Correction, ...]) -> None:
        """Forget these corrections and their sound."""
        self._queue.do(lambda: self.work.remove(corrections), lambda _: self.look(), self._failed)

    def clear(self) -> None:
        """Forget everything of the person, what was learned of them too."""
        person = self.person
        if self.is_on:
            self.switch(False)
        if self.adapting and person == self._pupil:
            self.cancel()
        self.outcome = None
        self._queue.do(lambda: self._forget(person), lambda _: self.look(), self._failed)

    def _forget(self, person: str) -> None:
        """Clear after learning has stopped, which may still keep turns (on a worker's thread)."""
        if person == self._pupil:
            self._ended.wait(CLOSING_SECONDS)
        self.work.clear(person)

    def _show_state(self) -> None:
        adapter = self.adapter
        gain = adapter.gain if adapter is not None else None
        state = PersonalState(
            self.person, adapter is not None, self.is_on, self.speakers, self.progress, gain
        )
        self._window.status.personal.show_state(state)
        self._window.status.engine.refresh()
        action = self._window.actions_by_name["personal_on"]
        action.setChecked(self.is_on)
        action.setEnabled(adapter is not None)
