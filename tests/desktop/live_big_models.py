"""A live session with big models of random weights, in the real window, through a microphone.

    python -m tests.desktop.live_big_models --seconds 120 --whisper tiny

The bundled dialogue is spoken into a virtual microphone line by line. Printed are the gaps between
the frames of the window, how many lines came back as final turns and how late, what gave way, and
how the memory grew. The status is 1 if a line or a turn was lost. Needs PulseAudio, and Xvfb for a
window that is really drawn on a screen; models are made on first use and kept in the folder of the
bench (a fused model of base size takes 900 MB and half a minute).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEventLoop, QSettings, QTimer
from PySide6.QtWidgets import QApplication

from core.bench.architectures import REAL, Architectures, SpeechShape, TextShape, WhisperShape
from core.bench.emotion_model import checkpoint_folder
from core.bench.material import load_dialogue, spans
from core.bench.options import Options
from core.bench.whisper_model import LANGUAGE, whisper_folder
from core.cli import set_up_libraries
from core.pipeline.events import SessionState
from core.types import SAMPLE_RATE, FloatArray
from desktop.app import Application
from tests.desktop.live_outcome import Outcome, outcome_of, table
from tests.desktop.live_watch import WatchedSessions, WindowWatch
from tests.desktop.screen import VirtualScreen, missing_tool
from tests.pulse import VirtualMicrophone

PAUSE_SECONDS = 1.0
LOADING_SECONDS = 300.0
CATCHING_UP_SECONDS = 90.0
LATENCY_MS = 200

TINY = Architectures(
    speech=SpeechShape("tiny-speech", width=64, layers=2, heads=4, channels=32),
    text=TextShape("tiny-text", width=64, layers=2, heads=4),
    large=SpeechShape("tiny-large", width=64, layers=2, heads=4, channels=32, stable=True),
    whispers={"tiny": WhisperShape("small-tiny", 256, 2, 4, ((1, 0),))},
)
"""The same kinds in a size that is made in a second, for the test of this script."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one session and print what was seen; return 1 if anything was lost."""
    options = parser().parse_args(argv)
    with contextlib.ExitStack() as stack:
        environment(stack)
        models = stack.enter_context(folder_of(options))
        outcome = run(options, models, stack)
    sys.stdout.write(table(outcome))
    if options.json:
        options.json.write_text(json.dumps(asdict(outcome), ensure_ascii=False, indent=1))
    return 0 if outcome.nothing_lost else 1


def parser() -> argparse.ArgumentParser:
    """Return the parser of the options."""
    made = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    made.add_argument("--seconds", type=float, default=120.0, help="how long is spoken")
    made.add_argument("--size", choices=("tiny", "base", "large"), default="base")
    made.add_argument("--whisper", default="", help="tiny, base or small; without: speech alone")
    made.add_argument("--runtime", default="auto", help="what computes the encoders")
    made.add_argument("--pause", default="short", help="short, medium or long")
    made.add_argument("--models", type=Path, help="folder of the models that are made")
    made.add_argument("--json", type=Path, help="write what was seen to a file")
    made.add_argument("--picture", type=Path, help="save the window as it is near the end")
    return made


def environment(stack: contextlib.ExitStack) -> None:
    """Give this process a screen if it has none, and threads that wait without spinning."""
    set_up_libraries()
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return
    if missing_tool():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        return
    os.environ["DISPLAY"] = stack.enter_context(VirtualScreen(1440, 900)).display
    os.environ["QT_QPA_PLATFORM"] = "xcb"


@contextlib.contextmanager
def folder_of(options: argparse.Namespace) -> Iterator[Path]:
    """Give the folder of the models; tiny ones are not kept."""
    if options.models or options.size != "tiny":
        yield options.models or Options().made
    else:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)


def run(options: argparse.Namespace, models: Path, stack: contextlib.ExitStack) -> Outcome:
    """Make the models, speak, and return what was seen."""
    checkpoint, whisper = made_models(options, models)
    microphone = stack.enter_context(VirtualMicrophone())
    stack.enter_context(microphone.used_here())
    home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    qt = QApplication(["emoscope"])
    stack.callback(qt.shutdown)  # before its screen goes: Qt would end the process
    sessions = WatchedSessions()
    application = program(qt, home, sessions, checkpoint, whisper, options)
    watch = WindowWatch(application)
    began = time.monotonic()
    application.controller.start_live()
    wait(lambda: application.state.session is not SessionState.LOADING, LOADING_SECONDS)
    loading = time.monotonic() - began
    lines = converse(application, sessions, watch, microphone, options)
    application.controller.stop()
    wait(lambda: application.state.session is SessionState.IDLE, CATCHING_UP_SECONDS)
    recognition = application.window.status.text_source()
    application.window.close()
    return outcome_of(sessions.told, watch, lines, loading, recognition)


def made_models(options: argparse.Namespace, folder: Path) -> tuple[Path, Path | None]:
    """Return the folders of the emotion model and of the recognition, if there is one."""
    shapes = TINY if options.size == "tiny" else REAL
    speech = shapes.large if options.size == "large" else shapes.speech
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = checkpoint_folder(speech, shapes.text, folder)
    if not options.whisper:
        return checkpoint, None
    return checkpoint, whisper_folder(shapes.whispers[options.whisper], folder)


def program(
    qt: QApplication,
    home: Path,
    sessions: WatchedSessions,
    checkpoint: Path,
    whisper: Path | None,
    options: argparse.Namespace,
) -> Application:
    """Return the program as a user has it who chose these models, shown."""
    settings = QSettings(str(home / "settings.ini"), QSettings.Format.IniFormat)
    for name, value in (
        ("sessions_folder", str(home / "sessions")),
        ("checkpoint", str(checkpoint)),
        ("whisper", str(whisper) if whisper else "off"),
        ("context", "off"),
        ("language", LANGUAGE),
        ("runtime", options.runtime),
        ("pause", options.pause),
        ("interface_language", "en"),
    ):
        settings.setValue(f"app/{name}", value)
    application = Application(qt, settings, sessions, home)
    application.window.show()
    application.window.build_workspace()
    return application


def speech(seconds: float) -> tuple[FloatArray, list[tuple[float, float]]]:
    """Return lines of the bundled dialogue with pauses, (n,), and when each is spoken (s)."""
    audio, annotations = load_dialogue()
    pause = np.zeros(round(PAUSE_SECONDS * SAMPLE_RATE), np.float32)
    pieces, lines, length = [pause], [], len(pause)
    while length < seconds * SAMPLE_RATE:
        start, end = spans(annotations)[len(lines) % len(annotations)]
        lines.append((length / SAMPLE_RATE, (length + end - start) / SAMPLE_RATE))
        pieces += [audio[start:end], pause]
        length += end - start + len(pause)
    return np.concatenate(pieces), lines


def converse(
    application: Application,
    sessions: WatchedSessions,
    watch: WindowWatch,
    microphone: VirtualMicrophone,
    options: argparse.Namespace,
) -> list[tuple[float, float]]:
    """Speak while the window is watched; return when each line was heard (s)."""
    if sessions.session is None or sessions.session.error is not None:
        raise RuntimeError(f"no session: {sessions.session and sessions.session.error}")
    sound, lines = speech(options.seconds)
    wait(lambda: False, 1.0)
    watch.watching = True
    begins = sessions.session.position / SAMPLE_RATE + LATENCY_MS / 1000
    player = microphone.play(sound, latency_ms=LATENCY_MS)
    wait(lambda: player.poll() is not None, len(sound) / SAMPLE_RATE + 30)
    if options.picture:
        application.window.grab().save(str(options.picture))
    watch.watching = False
    wait(lambda: False, 1.0)
    wait(lambda: not sessions.told.unfinished(), CATCHING_UP_SECONDS)
    return [(begins + start, begins + end) for start, end in lines]


def wait(condition: Callable[[], bool], timeout: float) -> None:
    """Run the event loop until a condition holds or time is up."""
    loop = QEventLoop()
    deadline = time.monotonic() + timeout
    look = QTimer()
    look.setInterval(50)
    look.timeout.connect(
        lambda: loop.quit() if condition() or time.monotonic() > deadline else None
    )
    look.start()
    loop.exec()


if __name__ == "__main__":
    sys.exit(main())
