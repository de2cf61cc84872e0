"""Which personal adapter corrects what the model says, and whose utterances; switched at any time.

A switch replaces one reference to frozen values, so the thread that judges needs no lock: it takes
the reference once for each result.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from core.errors import CheckpointError, EmoscopeError
from core.models.manifest import CheckpointInfo
from core.pipeline.events import Notice, Severity
from core.pipeline.hearing import KnownVoice
from core.types import Message

if TYPE_CHECKING:
    from core.personal.adapter import PersonalAdapter
    from core.personal.types import PersonalAdapterInfo

log = logging.getLogger(__name__)

UNAVAILABLE = "personal_unavailable"
"""Code of the notice, with `name` and `reason`, when an adapter that was asked for is not used."""


@dataclass(frozen=True, slots=True)
class Personal:
    """An adapter and the speakers whose utterances it corrects; none: everybody's."""

    adapter: PersonalAdapter | None = None
    speakers: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, info: PersonalAdapterInfo | None, speakers: tuple[str, ...], base: CheckpointInfo
    ) -> Personal:
        """Load an adapter. Raises CheckpointError where it does not belong to this checkpoint."""
        if info is None:
            return cls()
        from core.personal.adapter import check_fits
        from core.personal.adapter_files import load_adapter

        adapter = load_adapter(info.path)
        check_fits(adapter, base)
        return cls(adapter, frozenset(speakers))

    def fitting(self, base: CheckpointInfo) -> Personal:
        """Return itself where it belongs to this checkpoint, else what corrects nothing."""
        if self.adapter is None:
            return self
        from core.personal.adapter import check_fits

        try:
            check_fits(self.adapter, base)
        except CheckpointError:
            return Personal()
        return self

    @property
    def voice(self) -> KnownVoice | None:
        """What is known of the voice it was made from."""
        moments = None if self.adapter is None else self.adapter.voice
        return None if moments is None else KnownVoice(moments, self.speakers)

    @property
    def name(self) -> str:
        """Of the adapter; empty without one."""
        return "" if self.adapter is None else self.adapter.info.name

    def of_speaker(self, speaker: str | None) -> PersonalAdapter | None:
        """Return what corrects an utterance of this speaker."""
        return self.adapter if not self.speakers or speaker in self.speakers else None


@runtime_checkable
class Personalised(Protocol):
    """What an analyzer can do besides, if its checkpoint can have personal adapters."""

    def use_personal(
        self, adapter: PersonalAdapterInfo | None, speakers: tuple[str, ...] = ()
    ) -> None:
        """See `core.pipeline.analyzer.ModelAnalyzer.use_personal`."""
        ...


class PersonalSwitch:
    """What a session's user asked for, handed to its analyzer as soon as there is one.

    Every method from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._analyzer: object | None = None
        self._renew: Callable[[], None] = lambda: None
        self._wanted: tuple[PersonalAdapterInfo | None, tuple[str, ...]] | None = None

    def use(self, adapter: PersonalAdapterInfo | None, speakers: tuple[str, ...] = ()) -> None:
        """Ask for an adapter, or for none. Raises CheckpointError where it can't be used."""
        with self._lock:
            if self._analyzer is not None:
                self._apply(self._analyzer, adapter, speakers)
            self._wanted = (adapter, speakers)

    def attach(self, analyzer: object, emit: Callable[[Notice], None]) -> None:
        """Take the analyzer and give it what was asked for, if anybody asked for anything.

        `emit` is told when the session goes on without the adapter.
        """
        with self._lock:
            self._analyzer = analyzer
            if self._wanted is None:
                return
            adapter, speakers = self._wanted
            try:
                self._apply(analyzer, adapter, speakers)
            except EmoscopeError as error:
                values = {"name": adapter.name if adapter else "", "reason": str(error)}
                emit(Notice(Message(UNAVAILABLE, values), Severity.WARNING))

    def renew_by(self, renew: Callable[[], None]) -> None:
        """Call this after each switch from now on: what was judged ahead no longer holds."""
        with self._lock:
            self._renew = renew

    def _apply(
        self, analyzer: object, adapter: PersonalAdapterInfo | None, speakers: tuple[str, ...]
    ) -> None:
        if not isinstance(analyzer, Personalised):
            log.info("this analyzer takes no personal adapter")
            return
        analyzer.use_personal(adapter, speakers)
        self._renew()
