"""What the emotion thread asks of the analyzer, and what it keeps of that for later."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from core.pipeline.ahead import AheadCounts, AheadRule, Foreseen
from core.pipeline.events import Notice, Severity
from core.pipeline.model_watch import ModelWatch
from core.pipeline.protocols import Analyzer
from core.types import EmotionResult, Message, Transcript, Utterance

log = logging.getLogger(__name__)

FAILED = "emotion_failed"

Results: TypeAlias = Mapping[Transcript | None, EmotionResult]
"""Of one utterance, by the text that was read with it."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """A result; None if there is nothing to judge by, or if judging failed: `note` says so."""

    result: EmotionResult | None
    note: str | None = None


class Judging:
    """Asks the analyzer; one that raises costs a result and is told of, never the session.

    Results for paused utterances are kept and given for finals that cover the same samples, unless
    the speaker's baseline changed in between: a final never says anything else than it would have
    without work ahead. Trouble in work ahead is not told: the final is asked for again.
    After each call `watch` looks whether the model went on elsewhere, also where the call failed.
    """

    def __init__(
        self,
        analyzer: Analyzer,
        notify: Callable[[Notice], None],
        watch: ModelWatch,
        rule: AheadRule,
    ) -> None:
        self._analyzer = analyzer
        self._notify = notify
        self._watch = watch
        self._rule = rule
        self._foreseen: Foreseen[Results] = Foreseen()
        self._renewals = 0
        self._asked_for_text = False
        """Whether it was said that the model reads text and nobody writes any."""

    @property
    def counts(self) -> AheadCounts:
        """Pauses in which something was judged ahead."""
        return self._foreseen.counts

    def renew(self) -> None:
        """Let go of what was judged ahead, also of what is being judged now; from any thread."""
        self._renewals += 1
        self._foreseen.clear()

    def start_anew(self) -> None:
        """Tell of the model that judges from now on, and let go of what another one judged ahead.

        From any thread.
        """
        self.renew()
        self._watch.check()

    def partial(
        self, utterance: Utterance, transcript: Transcript | None, seconds: float | None
    ) -> Opinion:
        """Judge a growing utterance by its newest seconds; it went on: nothing foreseen holds."""
        if not utterance.paused:
            self._foreseen.drop(utterance.index)
        heard = usable(transcript)
        return self._told(utterance, lambda: self._analyzer.partial(utterance, heard, seconds))

    def ahead(self, utterance: Utterance, transcript: Transcript | None) -> EmotionResult | None:
        """Judge a paused utterance as if it were over, and keep the result.

        None when there is none: it can't be judged (so far), or it is not worth beginning.
        """
        heard = usable(transcript)
        known = self._foreseen.look(utterance) or {}
        if heard in known:
            return known[heard]
        if heard is None and known:
            return next(iter(known.values()))  # with its text already: the speech alone says less
        if not self._rule.worth():
            return None
        renewals = self._renewals
        try:
            result = self._final(utterance, heard)
        except Exception:
            log.info("utterance %d not judged ahead", utterance.index, exc_info=True)
            return None
        finally:
            self._watch.check()
        if result is not None:
            self._foreseen.keep(utterance, {**known, heard: result})
            if renewals != self._renewals:  # another answer holds by now
                self._foreseen.drop(utterance.index)
        return result

    def final(self, utterance: Utterance, transcript: Transcript | None) -> Opinion:
        """Judge a complete utterance, with its text or by the speech alone."""
        heard = usable(transcript)
        kept = (self._foreseen.look(utterance) or {}).get(heard)
        if kept is not None:
            self._foreseen.use(utterance)
            return Opinion(kept)
        return self._told(utterance, lambda: self._final(utterance, heard))

    def again(self, utterance: Utterance, transcript: Transcript) -> EmotionResult | None:
        """Judge a complete utterance whose text changed; None when that is not possible."""
        try:
            return self._final(utterance, usable(transcript))
        except Exception:
            log.info("utterance %d not judged again", utterance.index, exc_info=True)
            return None
        finally:
            self._watch.check()

    def settle(self, index: int) -> None:
        """Let go of what was kept for an utterance whose turn is final."""
        self._foreseen.drop(index)

    def remember(self, utterance: Utterance) -> None:
        """Let a complete utterance shape its speaker's baseline, and so what others will be."""
        self._foreseen.clear()
        try:
            self._analyzer.remember(utterance)
        except Exception:
            log.warning("utterance %d not remembered", utterance.index, exc_info=True)
        finally:
            self._watch.check()

    def ask_for_text(self) -> None:
        """Say, once, that the model reads text and nobody writes any."""
        if not self._asked_for_text:
            self._asked_for_text = True
            values = {"model": self._analyzer.model.name}
            self._notify(Notice(Message("model_reads_text", values), Severity.WARNING))

    def _final(self, utterance: Utterance, heard: Transcript | None) -> EmotionResult | None:
        began = time.monotonic()
        result = self._analyzer.final(utterance, heard)
        if result is not None:
            self._rule.took(time.monotonic() - began)
        return result

    def _told(self, utterance: Utterance, ask: Callable[[], EmotionResult | None]) -> Opinion:
        """Return what the analyzer says, and tell of trouble."""
        try:
            return Opinion(ask())
        except Exception as error:
            log.warning("no judgement of utterance %d", utterance.index, exc_info=error)
            values = {"reason": str(error) or type(error).__name__}
            self._notify(Notice(Message(FAILED, values), Severity.WARNING))
            return Opinion(None, FAILED)
        finally:
            self._watch.check()


def usable(transcript: Transcript | None) -> Transcript | None:
    """Return the text if the model may see it: there is one, and no gate refused it."""
    if transcript is None or transcript.rejection is not None or not transcript.text.strip():
        return None
    return transcript
