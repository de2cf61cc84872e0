"""What is asked of `core.personal`, on background threads; it is imported when it is needed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from core.errors import CheckpointError, MediaError
from core.personal.types import AdaptationReport, Correction, PersonalAdapterInfo
from core.types import FloatArray, Message, Turn
from desktop.turn_sound import SessionSound, read_turn, read_turns

if TYPE_CHECKING:
    from core.personal.corrections import CorrectionStore

log = logging.getLogger(__name__)

Advanced = Callable[[float], object]
"""Takes how much of the work is done, 0 to 1; called on the thread that works."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one person: corrections, seconds and bytes of sound, and what is unreadable.

    `adapter` is what was learned of them for the model in question.
    """

    person: str
    corrections: tuple[Correction, ...] = ()
    seconds: float = 0.0
    bytes: int = 0
    problems: tuple[Message, ...] = ()
    adapter: PersonalAdapterInfo | None = None

    @property
    def said(self) -> int:
        """How many turns the user spoke about."""
        return sum(c.weight >= 1 for c in self.corrections)

    @property
    def confirmed(self) -> int:
        """Of how many of these they said that the model was right."""
        return sum(c.confirms and c.weight >= 1 for c in self.corrections)


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that is kept on this computer: by person, for one model, and where."""

    folder: Path = Path()
    model: str = ""
    persons: Mapping[str, Kept] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, person: str) -> Kept:
        """Return what is kept of a person, nothing for one who is not known."""
        return self.persons.get(person) or Kept(person)


class PersonalWork:
    """The calls, each for a background thread.

    Args:
        folder: of everything personal; None: the user's.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def said_of(self, sound: SessionSound) -> tuple[Correction, ...]:
        """Return what was said of turns of a recording."""
        return self._store().of_source(sound.name)

    def keep(self, sound: SessionSound, turn: Turn, wanted: Correction) -> Correction:
        """Keep what a person says of a turn, with its sound. Raises EmoscopeError."""
        return self._add(read_turn(sound, turn), wanted)

    def keep_passed(
        self,
        sound: SessionSound,
        wanted: Sequence[tuple[Turn, Correction]],
        cancelled: Callable[[], bool],
    ) -> None:
        """Keep turns that were left alone; those whose sound is gone are passed over.

        The recording is decoded once for all of them. Raises JournalError.
        """
        of_turn = {id(turn): correction for turn, correction in wanted}
        try:
            for turn, samples in read_turns(sound, [turn for turn, _ in wanted]):
                if cancelled():
                    return
                self._add(samples, of_turn[id(turn)])
        except MediaError as error:
            log.warning("turns that were left alone can't be learned from: %s", error)

    def _add(self, samples: FloatArray, wanted: Correction) -> Correction:
        return self._store().add(
            samples,
            person=wanted.person,
            label=wanted.label,
            said=wanted.said,
            text=wanted.text,
            language=wanted.language,
            source=wanted.source,
            start=wanted.start,
            end=wanted.end,
            digest=wanted.digest,
            weight=wanted.weight,
        )

    def take_back(self, kept: Correction) -> None:
        """Forget what was said of a turn, whoever was said to speak in it."""
        from desktop.item_models.corrected import same_turn

        store = self._store()
        for found in store.of_source(kept.source):
            if same_turn(found, kept):
                store.remove(found)

    def remove(self, corrections: tuple[Correction, ...]) -> None:
        """Forget these corrections and their sound."""
        for correction in corrections:
            self._store().remove(correction)

    def clear(self, person: str) -> None:
        """Forget everything of a person, what was learned of them too. Raises JournalError."""
        self._store().clear(person)

    def overview(self, checkpoint: Path) -> Overview:
        """Return what is kept, with what was learned for a model. Raises JournalError."""
        from core.models.manifest import read_info
        from core.personal.catalog import adapters

        store = self._store()
        try:
            info = read_info(checkpoint)
        except CheckpointError:  # said where the model is chosen
            model, learned = "", {}
        else:
            model = f"{info.name} {info.version}"
            found = adapters(store.folder, digest=info.digest)
            learned = {adapter.person: adapter for adapter in reversed(found)}
        names = dict.fromkeys((*store.persons(), *learned))
        persons = {name: self._kept(store, name, learned.get(name)) for name in names}
        return Overview(store.folder, model, MappingProxyType(persons))

    def adapter(self, checkpoint: Path, person: str) -> PersonalAdapterInfo | None:
        """Return what was learned of a person for a model, None for nothing."""
        from core.models.manifest import read_info
        from core.personal.catalog import adapters

        digest = read_info(checkpoint).digest
        return next(iter(adapters(self._store().folder, person, digest)), None)

    def adapt(
        self,
        checkpoint: Path,
        person: str,
        advanced: Advanced,
        cancelled: Callable[[], bool],
    ) -> AdaptationReport:
        """Learn from what is kept of a person. Raises EmoscopeError."""
        from core.personal.adapting import adapt

        def told(done: int, total: int) -> None:
            advanced(done / total if total else 0.0)

        return adapt(self._store(), person, checkpoint, told, cancelled)

    def _kept(
        self, store: CorrectionStore, person: str, adapter: PersonalAdapterInfo | None
    ) -> Kept:
        summary = store.summary(person)
        return Kept(
            person,
            store.all(person),
            summary.seconds,
            summary.bytes,
            store.problems(person),
            adapter,
        )

    def _store(self) -> CorrectionStore:
        from core.personal.corrections import CorrectionStore

        return CorrectionStore(self._folder)
