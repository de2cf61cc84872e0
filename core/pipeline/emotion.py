"""The emotion thread's work: utterances and their texts in, turns out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from core.pipeline.effort import Effort
from core.pipeline.in_context import InContext, without_features
from core.pipeline.jobs import EmotionJob, Judge, Prepare, Revise, ShowText, Stage
from core.pipeline.judging import FAILED, Judging, Opinion
from core.pipeline.naming import SpeakerNames
from core.pipeline.work_queue import WorkQueue
from core.types import EmotionResult, Transcript, Turn, TurnStatus, Utterance

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

    The only maker of turns but for revisions: whatever is known about one is put together here, on
    one thread.

    Args:
        publish: takes turns that are not final yet.
        finals: takes those that are, and publishes them in their context.
        names: who speaks where the utterance does not say.
        effort: what may be done beside finals.
        revise: takes better texts of turns that are final.
    """

    def __init__(
        self,
        judging: Judging,
        queue: WorkQueue[EmotionJob],
        publish: Callable[[Turn], None],
        finals: InContext,
        names: SpeakerNames,
        effort: Callable[[], Effort],
        revise: Callable[[Revise], None],
    ) -> None:
        self._judging = judging
        self._queue = queue
        self._publish = publish
        self._finals = finals
        self._names = names
        self._effort = effort
        self._revise = revise
        self._turns: dict[int, Turn] = {}
        """Turns that are not final yet."""

    def run(self) -> None:
        """Work until the queue is closed and empty."""
        while (job := self._queue.get()) is not None:
            if isinstance(job, ShowText):
                self._show_text(job)
            elif isinstance(job, Prepare):
                self._prepare(job)
            elif isinstance(job, Revise):
                self._revise(job)
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
        # The sound of an utterance waits here before its text does: no turn means it is over.
        turn = self._turns.get(job.index)
        if turn is not None and turn.status is TurnStatus.PARTIAL:
            self._update(replace(turn, transcript=job.transcript))

    def _prepare(self, job: Prepare) -> None:
        """Judge a paused utterance with its text, unless it went on, or is over, meanwhile.

        The text itself is not shown: what follows it, if speech resumes, may take it back.
        """
        turn = self._turns.get(job.utterance.index)
        if turn is None or turn.status is not TurnStatus.PARTIAL or turn.end > job.utterance.end:
            return
        result = self._judging.ahead(job.utterance, job.transcript)
        if result is not None:
            self._update(replace(turn, emotion=result))

    def _judge(self, job: Judge) -> None:
        # The analyzer gets the utterance as it was heard: the personal baseline stays that of the
        # channel where only the voice tells the speakers apart. A voice taken for another one must
        # not spoil the baseline of either, and a baseline of its own would begin at nothing.
        speaker = self._names.of(job.utterance)
        if job.skip:
            self._finish(_turn(job, speaker, job.transcript, None, job.notes))
            return
        before = self._turns.get(job.utterance.index)
        transcript = job.transcript
        if transcript is None and before is not None and job.stage is not Stage.FINAL:
            transcript = before.transcript  # the text so far
        opinion = self._ask(job, transcript)
        emotion, note = opinion.result, opinion.note
        if emotion is None and note == FAILED and before is not None:
            emotion = before.emotion
        turn = _turn(job, speaker, transcript, emotion, (*job.notes, *([note] if note else ())))
        if job.stage is Stage.FINAL:
            self._finish(turn)
            self._judging.remember(job.utterance)
        else:
            self._update(turn)

    def _ask(self, job: Judge, transcript: Transcript | None) -> Opinion:
        """Return the result, or a note that says why there is none."""
        if job.stage is Stage.PARTIAL:
            opinion = self._look(job.utterance, transcript)
        else:
            # The final speech-only judgement must not rest on a text that may yet change.
            heard = transcript if job.stage is Stage.FINAL else None
            opinion = self._judging.final(job.utterance, heard)
        if opinion.result is not None or opinion.note is not None:
            return opinion
        if job.stage is not Stage.FINAL:
            return Opinion(None, TEXT_AWAITED)
        if transcript is None:
            self._judging.ask_for_text()
        return Opinion(None, NO_TEXT)

    def _look(self, utterance: Utterance, transcript: Transcript | None) -> Opinion:
        """Judge a growing utterance: as a whole in a pause, where that may be the end of it."""
        effort = self._effort()
        if utterance.paused and effort.ahead:
            result = self._judging.ahead(utterance, None)
            if result is not None:
                return Opinion(result)
        return self._judging.partial(utterance, transcript, effort.partial_seconds)

    def _update(self, turn: Turn) -> None:
        self._turns[turn.index] = turn
        self._publish(without_features(turn))

    def _finish(self, turn: Turn) -> None:
        self._turns.pop(turn.index, None)
        self._names.forget(turn.index)
        self._judging.settle(turn.index)
        self._finals.publish(turn)


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
