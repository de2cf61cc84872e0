"""Topic `live`: from the end of speech to the result on the screen, beside the model's own time.

The real program hears speech through a virtual microphone. The clock of an utterance starts when
the block arrives that completes the hangover, and stops when the bars that show its final result
have been painted; what the model itself took in between is subtracted.

Before that comes everything that needs no window: `core.bench.engine`.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QObject, QSettings, QTimer
from PySide6.QtWidgets import QAbstractItemView, QApplication

from core.audio.segmenter import SegmenterSettings
from core.bench import engine, trained
from core.bench.architectures import REAL, Architectures
from core.bench.material import load_dialogue, spans
from core.bench.options import Options
from core.bench.report import Part, Report, joined
from core.bench.timing import summarise
from core.bench.virtual_microphone import VirtualMicrophone, virtual_microphone
from core.errors import EmoscopeError
from core.pipeline.events import AudioHeard, Event, SessionState, TurnUpdated
from core.pipeline.session import Session
from core.types import SAMPLE_RATE, FloatArray, Turn, TurnStatus
from desktop.app import Application
from desktop.bench.window import environment, virtual_display
from desktop.plots.emotion_bars import EmotionBars
from desktop.sessions import Prepared, RealSessions
from desktop.settings import AppSettings

UTTERANCES, QUICK_UTTERANCES = 12, 6
PAUSE_SECONDS = 1.2
OVERHEAD_MS = 50.0
LOADING_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Delay:
    """Of one utterance, in seconds: hangover to paint, the model's own, event to paint."""

    whole: float
    model: float
    window: float


@dataclass
class Stopwatch:
    """Notes when sound arrives and finals are told (any thread), and when they are painted."""

    arrivals: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=4000))
    told: dict[int, tuple[Turn, float]] = field(default_factory=dict)
    painted: dict[int, float] = field(default_factory=dict)
    session: Session | None = None

    def note(self, event: Event) -> None:
        """Take an event at the moment it is told."""
        if isinstance(event, AudioHeard):
            end = event.block.start + event.block.samples.shape[1]
            self.arrivals.append((end, time.monotonic()))
        elif isinstance(event, TurnUpdated) and _is_result(event.turn):
            # told again when a better text is found, which nobody waits for
            self.told.setdefault(event.turn.index, (event.turn, time.monotonic()))

    def delays(self) -> list[Delay]:
        """Return the delay of every utterance that a hangover ended and that was painted."""
        found = (self._delay(index) for index in self.painted)
        return [delay for delay in found if delay is not None]

    def _delay(self, index: int) -> Delay | None:
        turn, told = self.told[index]
        settings = SegmenterSettings()
        silence = round((settings.hangover - settings.padding) * SAMPLE_RATE)
        arrived = next((at for end, at in self.arrivals if end >= turn.end + silence), None)
        if arrived is None or arrived > told or turn.emotion is None:
            return None
        painted = self.painted[index]
        # what was computed within the hangover, before the clock began, was not waited for
        model = min(turn.emotion.compute_seconds, told - arrived)
        return Delay(painted - arrived, model, painted - told)


def _is_result(turn: Turn) -> bool:
    return turn.status is TurnStatus.FINAL and turn.emotion is not None


class Tapped(RealSessions):
    """Makes the sessions the program makes, with a stopwatch between session and window."""

    def __init__(self, stopwatch: Stopwatch) -> None:
        self._stopwatch = stopwatch

    def live(self, settings: AppSettings, listener: Callable[[Event], None]) -> Prepared:
        """Return a live session whose events are timed on their way."""

        def both(event: Event) -> None:
            self._stopwatch.note(event)
            listener(event)

        prepared = super().live(settings, both)
        self._stopwatch.session = prepared.session
        return prepared


class PaintWatch(QObject):
    """Notes when the bars or the transcript were painted after a final result came.

    Both, because bars are not painted again when the final result equals the last partial one.
    """

    def __init__(self, application: Application, stopwatch: Stopwatch) -> None:
        super().__init__()
        self._stopwatch = stopwatch
        self._waiting: list[int] = []
        window = application.window
        views = [view.viewport() for view in window.findChildren(QAbstractItemView)]
        for widget in (*window.findChildren(EmotionBars), *views):
            widget.installEventFilter(self)
        application.state.turn_changed.connect(self._changed)

    def _changed(self, turn: Turn) -> None:
        if turn.status is TurnStatus.FINAL and turn.index in self._stopwatch.told:
            self._waiting.append(turn.index)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let every event pass; after a paint event has been handled, note the time."""
        if event.type() == QEvent.Type.Paint and self._waiting:
            waiting, self._waiting = self._waiting, []
            QTimer.singleShot(0, lambda: self._painted(waiting))
        return super().eventFilter(watched, event)

    def _painted(self, indices: list[int]) -> None:
        now = time.monotonic()
        for index in indices:
            self._stopwatch.painted.setdefault(index, now)


def measure(options: Options, architectures: Architectures = REAL) -> Report:
    """Measure answers and waits with big models, then speak into the running program.

    Without a sound server the last part is left out, and it is said.
    """
    quality = trained.measure(options)  # first: what can't be read is told before all the rest
    parts = engine.measure(options, architectures)
    try:
        parts.append(measure_paint(QUICK_UTTERANCES if options.quick else UTTERANCES))
    except EmoscopeError as error:
        parts.append(Part((), (f"Not spoken into the program: {error}",)))
    return joined("live", [*parts, *quality])


def measure_paint(count: int) -> Part:
    """Speak so many utterances into the running program and time its answers.

    Raises:
        DeviceError: there is no sound server.
        EmoscopeError: nothing came through it.
    """
    stopwatch = Stopwatch()
    speech = utterances(count)
    with _qt() as qt, virtual_microphone() as microphone, tempfile.TemporaryDirectory() as folder:
        platform = qt.platformName()
        _converse(_program(qt, Path(folder), stopwatch), microphone, speech, stopwatch)
    delays = stopwatch.delays()
    if not delays:
        raise EmoscopeError("No utterance came through the virtual microphone.", "Try again.")
    overhead = [1000 * (delay.whole - delay.model) for delay in delays]
    said = f"{len(delays)} utterances"
    name = "end of hangover to picture, less the model's time"
    measurements = (
        summarise(name, overhead, "ms", target=OVERHEAD_MS, note=said),
        summarise("end of hangover to picture", [1000 * d.whole for d in delays], "ms"),
        summarise("the model's own time", [1000 * d.model for d in delays], "ms"),
        summarise("result known to picture", [1000 * d.window for d in delays], "ms"),
    )
    return Part(measurements, (f"Qt platform: {platform}.",))


def utterances(count: int) -> FloatArray:
    """Return lines of the bundled dialogue, each followed by `PAUSE_SECONDS`, shape (n,)."""
    audio, lines = load_dialogue()
    pause = np.zeros(round(PAUSE_SECONDS * SAMPLE_RATE), np.float32)
    pieces = [pause]
    for number in range(count):
        start, end = spans(lines)[number % len(lines)]
        pieces += [audio[start:end], pause]
    return np.concatenate(pieces)


@contextlib.contextmanager
def _qt() -> Iterator[QApplication]:
    """Give the running Qt application, or one on the display there is, or on a virtual one."""
    running = QApplication.instance()
    if isinstance(running, QApplication):
        yield running
        return
    with contextlib.ExitStack() as stack:
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            os.environ.update(environment(stack.enter_context(virtual_display())))
        application = QApplication(["emoscope"])
        stack.callback(application.shutdown)  # before its screen goes: Qt would end the process
        yield application


def _program(qt: QApplication, folder: Path, stopwatch: Stopwatch) -> Application:
    """Return the program with settings and sessions of its own in `folder`, shown."""
    settings = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)
    settings.setValue("app/sessions_folder", str(folder / "sessions"))
    settings.setValue("app/whisper", "off")
    application = Application(qt, settings, Tapped(stopwatch), folder)
    application.window.show()
    application.window.build_workspace()
    return application


def _converse(
    application: Application,
    microphone: VirtualMicrophone,
    speech: FloatArray,
    stopwatch: Stopwatch,
) -> None:
    """Record while the speech is played; return when the session has ended."""
    watch = PaintWatch(application, stopwatch)
    application.controller.start_live()
    loaded = (SessionState.RUNNING, SessionState.FAILED)
    _wait(lambda: application.state.session in loaded, LOADING_SECONDS)
    if stopwatch.session is not None and stopwatch.session.error is not None:
        raise stopwatch.session.error
    player = microphone.play(speech)
    _wait(lambda: player.poll() is not None, len(speech) / SAMPLE_RATE + 30)
    _wait(lambda: False, 1.5)
    application.controller.stop()
    _wait(lambda: application.state.session is SessionState.IDLE, 10)
    application.window.close()
    watch.deleteLater()
    stopwatch.session = None


def _wait(condition: Callable[[], bool], timeout: float) -> None:
    """Run the event loop until a condition holds or time is up."""
    deadline = time.monotonic() + timeout
    while not condition() and time.monotonic() < deadline:
        QApplication.processEvents()
        time.sleep(0.001)
