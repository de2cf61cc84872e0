"""What the emotion thread works with, loaded on that thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from core.pipeline.checkpoint_switch import CheckpointSwitch
from core.pipeline.context import DialogueContext
from core.pipeline.dispatch import Dispatcher
from core.pipeline.emotion import EmotionWorker
from core.pipeline.events import Event
from core.pipeline.in_context import InContext, ready_context
from core.pipeline.judging import Judging
from core.pipeline.model_watch import ModelWatch
from core.pipeline.naming import SpeakerNames, ready_speakers
from core.pipeline.personal import PersonalSwitch
from core.pipeline.protocols import Analyzer
from core.pipeline.publishing import Publisher
from core.pipeline.revising import Reviser
from core.pipeline.speakers import SpeakerTracker


@dataclass(frozen=True, slots=True)
class Models:
    """What reads emotion, or functions that make it: see `core.pipeline.session.Session`."""

    analyzer: Analyzer | Callable[[], Analyzer]
    context: DialogueContext | Callable[[], DialogueContext] | None = None
    speakers: SpeakerTracker | Callable[[], SpeakerTracker] | None = None
    personal: PersonalSwitch = field(default_factory=PersonalSwitch)
    checkpoint: CheckpointSwitch = field(default_factory=CheckpointSwitch)


@dataclass(frozen=True, slots=True)
class EmotionThread:
    """Everything is loaded: `worker` runs, then `finals` are to be finished."""

    worker: EmotionWorker
    judging: Judging
    finals: InContext


def load_models(
    models: Models, dispatch: Dispatcher, publisher: Publisher, emit: Callable[[Event], None]
) -> EmotionThread:
    """Load the models, tell what they are, and put the thread's work together.

    Without the dialogue model, or who tells voices apart, the work goes on; without the analyzer it
    does not. Raises what that raises.
    """
    analyzer = models.analyzer() if callable(models.analyzer) else models.analyzer
    analyzer.reset()
    analyzer.warm_up()
    models.checkpoint.attach(analyzer, emit)
    models.personal.attach(analyzer, emit)
    watch = ModelWatch(analyzer, emit, publisher.describe)
    watch.check()
    context = ready_context(models.context, analyzer.model, emit)
    names = SpeakerNames(ready_speakers(models.speakers, emit), emit)
    finals = InContext(context, publisher.publish, publisher.revise, emit)
    judging = Judging(analyzer, emit, watch, dispatch.ahead_rule())
    models.personal.renew_by(judging.renew)
    models.checkpoint.call_after(judging.start_anew)
    worker = EmotionWorker(
        judging,
        dispatch.emotion,
        publisher.publish,
        finals,
        names,
        dispatch.effort,
        Reviser(judging, publisher.published, publisher.replace),
    )
    return EmotionThread(worker, judging, finals)
