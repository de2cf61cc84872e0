"""Saying what a turn was: asked for in a menu, shown at once, kept with its sound beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QInputDialog

from core.errors import ConfigError
from core.personal.folders import person_name
from core.personal.types import Correction
from core.types import EmotionResult, Turn, TurnStatus, seconds
from desktop.in_turn import InTurn
from desktop.item_models.corrected import same_turn
from desktop.item_models.turns import turn_text
from desktop.main_window import MainWindow
from desktop.panels.correction_menu import Asked, CorrectionMenu, known_persons
from desktop.panels.panel import PlacesTurns
from desktop.personal_work import PersonalWork
from desktop.settings import AppSettings
from desktop.turn_sound import SessionSound

CLOSING_SECONDS = 6.0
"""How long closing the window waits for corrections that are being written."""

LONGEST_SECONDS = 120.0
"""Longer turns are not kept: the core would refuse them."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A turn that was left alone, its sound, and what is to be kept of it."""

    sound: SessionSound
    turn: Turn
    wanted: Correction


class Correcting(QObject):
    """Corrections of the turns that are shown.

    `settings` and `sound` return those of the time: the settings, and the file of the sound (None
    where there is none). `change` changes settings, `known` returns the persons there are, `failed`
    shows an error.
    """

    kept = Signal()
    """What is kept on this computer changed."""
    adapter_wanted = Signal()

    def __init__(
        self,
        window: MainWindow,
        queue: InTurn,
        work: PersonalWork,
        settings: Callable[[], AppSettings],
        change: Callable[..., None],
        sound: Callable[[], Path | None],
        known: Callable[[], tuple[str, ...]],
        failed: Callable[[BaseException], None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._state = window.state
        self._queue = queue
        self.work = work
        self._settings = settings
        self._change = change
        self._sound = sound
        self._known = known
        self._failed = failed
        self._channels = "both"
        self._persons: dict[str, str] = {}
        """Whose voice a speaker of this session is, by the speaker's name."""
        self._state.correctable = self.possible
        self._state.correction_asked.connect(self.ask)

    def begin(self, channels: str = "both") -> None:
        """Look for what was said of the session that is shown now, in the channels it heard."""
        self._channels = channels
        self._persons.clear()
        sound = self._session_sound()
        if sound is not None:
            self._queue.do(
                lambda: self.work.said_of(sound),
                lambda found: self._show(sound, found),
                self._failed,
            )

    def _show(self, sound: SessionSound, found: tuple[Correction, ...]) -> None:
        if self._session_sound() == sound:
            newer = tuple(self._state.corrected)  # said while this was read
            older = (c for c in found if not any(same_turn(c, n) for n in newer))
            self._state.corrected.begin((*older, *newer))

    def close(self) -> None:
        """Keep what was said before the window goes."""
        self._queue.finish(CLOSING_SECONDS)

    # -- whether and who ----------------------------------------------------------------------

    def possible(self, turn: Turn) -> bool:
        """Tell whether a turn can be corrected: complete, judged, and its sound is at hand."""
        return _complete(turn) and self._sound() is not None

    def person_of(self, speaker: str | None) -> str:
        """Return whose voice a speaker is taken for.

        The first one who is corrected is the user, others are called as the session calls them,
        until somebody says otherwise.
        """
        speaker = speaker or ""
        if speaker in self._persons:
            return self._persons[speaker]
        me = self.me()
        return speaker if speaker and me in self._persons.values() else me

    def speakers_of(self, person: str) -> tuple[str, ...]:
        """Return the speakers of this session whose voice was said to be a person's."""
        return tuple(speaker for speaker, name in self._persons.items() if name == person)

    def me(self) -> str:
        """Return what the user calls themselves."""
        return self._settings().person or self.tr("me")

    def _set_person(self, speaker: str | None, name: str) -> None:
        self._persons[speaker or ""] = name
        if not self._settings().person and name == self.me():
            self._change(person=name)  # so that it stays when the language changes

    # -- asking -------------------------------------------------------------------------------

    def ask_about_shown(self) -> None:
        """Ask about the turn whose evidence is shown."""
        turn = self._state.evidence_turn()
        if turn is not None:
            self.ask(turn)

    def ask(self, turn: Turn, place: QPoint | None = None) -> None:
        """Open the menu in which the user says what a turn was."""
        if not self.possible(turn):
            return
        said, person = self._state.corrected.of(turn), self.person_of(turn.speaker)
        person = said.person if said is not None else person
        known = known_persons((self.me(),), self._known(), self._persons_here(), (person,))
        menu = CorrectionMenu(Asked(turn, said, person, known), self._state.theme, self._window)
        menu.said.connect(lambda label: self.say(turn, label))
        menu.taken_back.connect(lambda: self.take_back(turn))
        menu.person_chosen.connect(lambda name: self.give(turn, name))
        menu.person_wanted.connect(lambda: self._ask_for_person(turn, known))
        menu.adapter_wanted.connect(self.adapter_wanted)
        menu.popup(place or self._place_of(turn))

    def _persons_here(self) -> tuple[str, ...]:
        return (*self._persons.values(), *self._state.speakers())

    def _place_of(self, turn: Turn) -> QPoint:
        panel = self._window.panels.get("transcript")
        place = panel.place_of(turn) if isinstance(panel, PlacesTurns) else None
        return place or QCursor.pos()

    def _ask_for_person(self, turn: Turn, known: tuple[str, ...]) -> None:
        dialog = QInputDialog(self._window)
        dialog.setWindowTitle(self.tr("Whose voice is it?"))
        dialog.setLabelText(self.tr("Name of the person, for you alone:"))
        dialog.setComboBoxItems(list(known))
        dialog.setComboBoxEditable(True)
        dialog.setTextValue("")
        dialog.textValueSelected.connect(lambda name: self.give(turn, name.strip()))
        dialog.open()

    # -- saying -------------------------------------------------------------------------------

    def give(self, turn: Turn, person: str) -> None:
        """Say whose voice the speaker of a turn is, from now on in this session."""
        if not person:
            return
        try:
            person = person_name(person)
        except ConfigError as error:
            self._failed(error)
            return
        self._set_person(turn.speaker, person)
        said = self._state.corrected.of(turn)
        if said is None:
            self.ask(turn)
        elif said.person != person:
            self._keep(turn, replace(said, id="", person=person))

    def say(self, turn: Turn, label: str) -> None:
        """Keep what the user says a turn was; the model's own label stays beside it."""
        sound = self._session_sound()
        if sound is None or turn.emotion is None:
            return
        before = self._state.corrected.of(turn)
        person = before.person if before is not None else self.person_of(turn.speaker)
        self._set_person(turn.speaker, person)
        self._keep(turn, _correction(turn, turn.emotion, sound, person, label))

    def _keep(self, turn: Turn, wanted: Correction) -> None:
        sound = self._session_sound()
        if sound is None:
            return
        before = self._state.corrected.of(turn)
        self._state.corrected.put(turn, wanted)
        self._queue.do(
            lambda: self.work.keep(sound, turn, wanted),
            lambda found: self._kept(turn, wanted, found),
            lambda error: self._not_kept(turn, wanted, before, error),
        )

    def _kept(self, turn: Turn, wanted: Correction, found: Correction) -> None:
        if self._state.corrected.of(turn) is wanted:
            self._state.corrected.put(turn, found)
        self.kept.emit()

    def _not_kept(
        self, turn: Turn, wanted: Correction, before: Correction | None, error: Exception
    ) -> None:
        if self._state.corrected.of(turn) is wanted:
            if before is None:
                self._state.corrected.drop(turn)
            else:
                self._state.corrected.put(turn, before)
        self._failed(error)

    def take_back(self, turn: Turn) -> None:
        """Forget what was said of a turn, and its sound."""
        said = self._state.corrected.of(turn)
        if said is None:
            return
        self._state.corrected.drop(turn)
        self._queue.do(lambda: self.work.take_back(said), lambda _: self.kept.emit(), self._failed)

    def left_alone(self, person: str) -> tuple[Passed, ...]:
        """Return the turns of a person that the user passed by without a word, for they were right.

        These are the sure ones before the last turn that the user spoke about, of the same
        speakers. Whoever learns from mistakes alone unlearns what was right.
        """
        from core.personal.corrections import LEFT_ALONE

        sound, corrected = self._session_sound(), self._state.corrected
        if sound is None:
            return ()
        turns = [turn for turn in self._state.turns.turns() if _complete(turn)]
        spoken = [t for t in turns if (c := corrected.of(t)) is not None and c.person == person]
        speakers = {turn.speaker for turn in spoken}
        last = max((turn.start for turn in spoken), default=0)
        return tuple(
            Passed(sound, t, _correction(t, t.emotion, sound, person, t.emotion.label, LEFT_ALONE))
            for t in turns
            if t.start < last and t.speaker in speakers and corrected.of(t) is None
            if t.emotion is not None and t.emotion.given and not t.emotion.uncertain
        )

    def _session_sound(self) -> SessionSound | None:
        path = self._sound()
        return None if path is None else SessionSound(path, self._channels)


def _complete(turn: Turn) -> bool:
    judged = turn.status is TurnStatus.FINAL and turn.emotion is not None
    return judged and seconds(turn.end - turn.start) <= LONGEST_SECONDS


def _correction(
    turn: Turn,
    result: EmotionResult,
    sound: SessionSound,
    person: str,
    label: str,
    weight: float = 1.0,
) -> Correction:
    """Return what is to be kept of a turn; it has no id until it is."""
    sure = bool(result.given) and not result.uncertain
    said = result.label if sure or (result.given and label == result.label) else ""
    transcript = turn.transcript
    language = transcript.language if transcript is not None else None
    start, end = round(seconds(turn.start), 4), round(seconds(turn.end), 4)
    return Correction(
        "", person, label, said, turn_text(turn) or None, language, sound.name,
        start, end, "", result.model.digest, weight,
    )  # fmt: skip
