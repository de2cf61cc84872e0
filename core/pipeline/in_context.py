"""Final turns on their way out, past the dialogue model: each leaves with what the dialogue says.

Trouble with the dialogue model costs the context, never a turn. Runs on the emotion thread.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from core.errors import EmoscopeError
from core.pipeline.context import DialogueContext
from core.pipeline.events import ContextReady, Event, Notice, Severity
from core.types import ContextResult, Message, ModelInfo, Turn

log = logging.getLogger(__name__)

FAILED = "context_failed"
OTHER_MODEL = "context_other_model"
FRAME = 1 / 30
"""Seconds; a dialogue model that takes longer does not keep a turn's own result waiting."""


def ready_context(
    given: DialogueContext | Callable[[], DialogueContext] | None,
    model: ModelInfo,
    emit: Callable[[Event], None],
) -> DialogueContext | None:
    """Return the dialogue model, loaded; None, and a notice, where that can't be.

    Args:
        given: it, or what makes it.
        model: the utterance model whose features it would get.
        emit: told that it is ready, or why there is none.
    """
    if given is None:
        return None
    try:
        context = given() if callable(given) else given
        if context.trained_on.digest != model.digest:
            emit(_of_another_model(context, model))
            return None
        context.reset()
        info = context.warm_up()
    except Exception as error:
        if not isinstance(error, EmoscopeError):
            log.warning("no dialogue model", exc_info=error)
        emit(Notice(Message("context_unavailable", {"reason": _reason(error)}), Severity.WARNING))
        return None
    emit(ContextReady(info))
    return context


class InContext:
    """Publishes final turns with their context, and later what hindsight says of them.

    Args:
        context: None: turns leave as they come.
        publish: takes each final turn; where the dialogue model is slow first without context, so
            that the emotion does not wait for it, then with it.
        revise: takes the index of an earlier turn and what is said of it with later ones in view.
        notify: told of trouble.
    """

    def __init__(
        self,
        context: DialogueContext | None,
        publish: Callable[[Turn], None],
        revise: Callable[[int, ContextResult], None],
        notify: Callable[[Notice], None],
    ) -> None:
        self._context = context
        self._publish = publish
        self._revise = revise
        self._notify = notify
        self._took = deque([0.0], maxlen=2)
        """Seconds the newest turns took: slow is what was slow twice, not what was held up once."""
        self._told_of = ""
        """Digest of the newest model whose features are not those of the dialogue model."""

    def publish(self, turn: Turn) -> None:
        """Publish a final turn; features that its emotion still carries go no further."""
        bare = without_features(turn)
        if self._context is None or not self._reads(self._context, turn):
            self._publish(bare)
            return
        if early := min(self._took) > FRAME:
            self._publish(bare)
        judged, revised = self._ask(self._context, turn, bare)
        if not early or judged != bare:
            self._publish(judged)
        for earlier in revised:
            if earlier.hindsight is not None:
                self._revise(earlier.index, earlier.hindsight)

    def _reads(self, context: DialogueContext, turn: Turn) -> bool:
        """Tell whether a turn's features are those of the dialogue model; if not, say so once.

        They are not where the session was switched to another checkpoint.
        """
        model = None if turn.emotion is None else turn.emotion.model
        if model is None or model.digest == context.trained_on.digest:
            return True
        if model.digest != self._told_of:
            self._told_of = model.digest
            self._notify(_of_another_model(context, model))
        return False

    def _ask(self, context: DialogueContext, turn: Turn, bare: Turn) -> tuple[Turn, list[Turn]]:
        """Return the turn as it is to be published, and earlier ones that changed."""
        features = dict(turn.emotion.features) if turn.emotion is not None else {}
        began = time.perf_counter()
        try:
            judged, *revised = context.add(bare, features)
        except Exception as error:
            self._failed(error, f"turn {turn.index}")
            return replace(bare, notes=(*bare.notes, FAILED)), []
        finally:
            self._took.append(time.perf_counter() - began)
        return replace(bare, context=judged.context), revised

    def finish(self) -> None:
        """Say of every turn what the whole dialogue says: nothing more will come."""
        if self._context is None:
            return
        try:
            turns = self._context.finish()
        except Exception as error:
            self._failed(error, "the whole dialogue")
            return
        for turn in turns:
            if turn.hindsight is not None:
                self._revise(turn.index, turn.hindsight)

    def _failed(self, error: Exception, what: str) -> None:
        log.warning("no context of %s", what, exc_info=error)
        self._notify(Notice(Message(FAILED, {"reason": _reason(error)}), Severity.WARNING))


def _of_another_model(context: DialogueContext, model: ModelInfo) -> Notice:
    values = {"needed": context.trained_on.name or "?", "used": model.name}
    return Notice(Message(OTHER_MODEL, values), Severity.WARNING)


def without_features(turn: Turn) -> Turn:
    """Return a turn as it may leave the emotion thread."""
    if turn.emotion is None or not turn.emotion.features:
        return turn
    return replace(turn, emotion=replace(turn.emotion, features={}))


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
