"""The emotion thread's work: utterances and their texts in, turns out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from core.pipeline.events import Notice, Severity
from core.pipeline.in_context import InContext, without_features
from core.pipeline.jobs import EmotionJob, Judge, ShowText, Stage
from core.pipeline.naming import SpeakerNames
from core.pipeline.protocols import Analyzer
from core.pipeline.work_queue import WorkQueue
from core.types import EmotionResult, Message, Transcript, Turn, TurnStatus, Utterance

log = logging.getLogger(__name__)

FAILED = "emotion_failed"
TEXT_AWAITED = "text_awaited"
"""The model reads text only, and the text is still to come ..."""
NO_TEXT = "no_text_to_judge"
"""... or there is none it can read."""

_STATUS = {
    Stage.PARTIAL: TurnStatus.PARTIAL,
    Stage.SPEECH: TurnStatus.SPEECH,
    Stage.FINAL: TurnStatus.FINAL,
}


class EmotionWorker:
    """Judges what waits on `queue` and publishes each turn as far as it has come.

    The only maker of turns: whatever is known about one is put together here, on one thread.

    Args:
        publish: takes turns that are not final yet.
        finals: takes those that are, and publishes them in their context.
        names: who speaks where the utterance does not say.
    """

    def __init__(
        self,
        analyzer: Analyzer,
        queue: WorkQueue[EmotionJob],
        publish: Callable[[Turn], None],
        notify: Callable[[Notice], None],
        finals: InContext,
        names: SpeakerNames,
    ) -> None:
        self._analyzer = analyzer
        self._queue = queue
        self._publish = publish
        self._notify = notify
        self._finals = finals
        self._names = names
        self._turns: dict[int, Turn] = {}
        """Turns that are not final yet."""
        self._texts: dict[int, Transcript] = {}
        """Partial texts that came before the first judgement of their utterance."""
        self._asked_for_text = False
        """Whether it was said that the model reads text and nobody writes any."""

    def run(self) -> None:
        """Work until the queue is closed and empty."""
        while (job := self._queue.get()) is not None:
            if isinstance(job, ShowText):
                self._show_text(job)
            else:
                self._judge(job)

    def surrender(self) -> None:
        """Make every turn final as it stands, without asking any model: nothing more will come."""
        for turn in tuple(self._turns.values()):
            note = "text_skipped" if turn.status is TurnStatus.SPEECH else "interrupted"
            final = replace(turn, status=TurnStatus.FINAL, notes=(*turn.notes, note))
            self._publish(without_features(final))
        self._turns.clear()

    def _show_text(self, job: ShowText) -> None:
        turn = self._turns.get(job.index)
        if turn is None:
            self._texts[job.index] = job.transcript
        elif turn.status is TurnStatus.PARTIAL:
            self._update(replace(turn, transcript=job.transcript))

    def _judge(self, job: Judge) -> None:
        # The analyzer gets the utterance as it was heard: the personal baseline stays that of the
        # channel where only the voice tells the speakers apart. A voice taken for another one must
        # not spoil the baseline of either, and a baseline of its own would begin at nothing.
        speaker = self._names.of(job.utterance)
        if job.skip:
            self._finish(_turn(job, speaker, job.transcript, None, job.notes))
            return
        before = self._turns.get(job.utterance.index)
        transcript = job.transcript or self._partial_text(job, before)
        emotion, note = self._ask(job, transcript)
        if emotion is None and note == FAILED and before is not None:
            emotion = before.emotion
        turn = _turn(job, speaker, transcript, emotion, (*job.notes, *([note] if note else ())))
        if job.stage is Stage.FINAL:
            self._finish(turn)
            self._remember(job.utterance)
        else:
            self._update(turn)

    def _partial_text(self, job: Judge, before: Turn | None) -> Transcript | None:
        """Return the text so far of an utterance whose final text is not there yet."""
        if job.stage is Stage.FINAL:
            return None
        early = self._texts.pop(job.utterance.index, None)
        return early or (before.transcript if before is not None else None)

    def _ask(
        self, job: Judge, transcript: Transcript | None
    ) -> tuple[EmotionResult | None, str | None]:
        """Return the result, or a note that says why there is none."""
        partial = job.stage is Stage.PARTIAL
        call = self._analyzer.partial if partial else self._analyzer.final
        # The final speech-only judgement must not rest on a text that may yet change.
        heard = None if job.stage is Stage.SPEECH else _usable(transcript)
        try:
            result = call(job.utterance, heard)
        except Exception as error:
            log.warning("no judgement of utterance %d", job.utterance.index, exc_info=error)
            values = {"reason": str(error) or type(error).__name__}
            self._notify(Notice(Message("emotion_failed", values), Severity.WARNING))
            return None, FAILED
        if result is not None:
            return result, None
        if job.stage is not Stage.FINAL:
            return None, TEXT_AWAITED
        if transcript is None and not self._asked_for_text:
            self._asked_for_text = True
            values = {"model": self._analyzer.model.name}
            self._notify(Notice(Message("model_reads_text", values), Severity.WARNING))
        return None, NO_TEXT

    def _remember(self, utterance: Utterance) -> None:
        try:
            self._analyzer.remember(utterance)
        except Exception:
            log.warning("utterance %d not remembered", utterance.index, exc_info=True)

    def _update(self, turn: Turn) -> None:
        self._turns[turn.index] = turn
        self._publish(without_features(turn))

    def _finish(self, turn: Turn) -> None:
        self._turns.pop(turn.index, None)
        self._texts.pop(turn.index, None)
        self._names.forget(turn.index)
        self._finals.publish(turn)


def _usable(transcript: Transcript | None) -> Transcript | None:
    """Return the text if the model may see it: there is one, and no gate refused it."""
    if transcript is None or transcript.rejection is not None or not transcript.text.strip():
        return None
    return transcript


def _turn(
    job: Judge,
    speaker: str | None,
    transcript: Transcript | None,
    emotion: EmotionResult | None,
    notes: tuple[str, ...],
) -> Turn:
    utterance = job.utterance
    return Turn(
        index=utterance.index,
        start=utterance.start,
        end=utterance.end,
        speaker=speaker,
        status=_STATUS[job.stage],
        transcript=transcript,
        emotion=emotion,
        channel=utterance.channel,
        notes=notes,
    )
