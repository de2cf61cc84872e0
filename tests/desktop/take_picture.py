"""Takes the pictures of the README: the real program, hearing people it was never trained on.

    python -m tests.desktop.take_picture docs/images

Needs Xvfb, xdotool, ImageMagick and PulseAudio, and the corpora beside the project. Two held-out
speakers talk in turns into the two channels of a virtual microphone; `window.png` is taken while
the last of them speaks, `file.png` of the bundled sample with a turn selected, `dialogue.png` and
`live_dialogue.png` of both with the dialogue panel in front, `engine.png` of the page about what
computes the results, `settings.png` of the engine's settings, and `personal.png` (with
`personal_turns.png`) of an adapter
that was learned from corrections of one speaker.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from core.audio.io import read_audio
from core.resources import sample_dialogue
from core.types import SAMPLE_RATE, FloatArray
from tests.conftest import SHARED_DATA
from tests.desktop.held_out import Clip, held_out_clips
from tests.desktop.screen import RunningApp, VirtualScreen
from tests.pulse import VirtualMicrophone

PAUSE = 0.8
"""Seconds between two clips."""

SETTINGS_TITLE = {"en": "Settings", "ko": "설정"}

LOUDNESS = 0.09
"""Root mean square every clip is brought to, as people sit equally far from a microphone."""


def main() -> None:
    """Take the pictures the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", default="1440x900")
    parser.add_argument("--theme", default="light", choices=("light", "dark"))
    parser.add_argument("--language", default="en", choices=("en", "ko"))
    parser.add_argument("--scale", default="1", help="scale of the screen, as 2")
    parser.add_argument("--corpus", default="ravdess", help="whose speakers talk")
    parser.add_argument("--seconds", type=float, default=56.0, help="how long they talk")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--checkpoint", default="", help="folder of a model; default: the embedded")
    parser.add_argument("--whisper", default="", help="recognition model, or off")
    parser.add_argument("--context", default="", help="folder of a dialogue model, or off")
    parser.add_argument("--channels", default="both", help="mono: one voice lane")
    parser.add_argument("--speakers", default="source", choices=("source", "voice"))
    parser.add_argument("--page", type=int, default=0, help="page of the dialogue panel, from 0")
    parser.add_argument("--only", choices=tuple(SCENES))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, take in SCENES.items():
        if options.only in (None, name) and (options.only or name not in ON_REQUEST):
            take(options, options.folder / f"{name}.png")


def start(options: argparse.Namespace, path: Path) -> None:
    """Take a picture of the start page."""
    with tempfile.TemporaryDirectory() as folder, screen_of(options) as screen:
        app = RunningApp(screen, prepared(Path(folder), options), environment(options))
        try:
            place(screen, options)
            time.sleep(3)
            screen.picture(path)
        finally:
            app.close()


def live_dialogue(options: argparse.Namespace, path: Path) -> None:
    """Take a picture of the dialogue panel while the second of two people speaks."""
    live(options, path, dialogue=True)


def engine(options: argparse.Namespace, path: Path) -> None:
    """Take a picture of what computes the results, opened from the status line."""
    live(options, path, show=show_engine)


def show_engine(screen: VirtualScreen, options: argparse.Namespace) -> None:
    """Click on the words at the left of the status line."""
    scale = float(options.scale)
    screen.click(round(50 * scale), size_of(options)[1] - round(17 * scale))
    time.sleep(0.8)


def preparing(options: argparse.Namespace, path: Path) -> None:
    """Take a picture while a big model is made ready, `--seconds` after the recording began."""
    folder = tempfile.TemporaryDirectory()
    with folder as name, screen_of(options) as screen, VirtualMicrophone(channels=2) as microphone:
        variables = {**environment(options), **microphone.environment}
        app = RunningApp(screen, prepared(Path(name), options), variables)
        try:
            place(screen, options)
            app.record(screen)
            time.sleep(options.seconds)
            screen.picture(path)
        finally:
            app.close()


def settings(options: argparse.Namespace, path: Path) -> None:
    """Take a picture of the engine's page of the settings."""
    with tempfile.TemporaryDirectory() as folder, screen_of(options) as screen:
        app = RunningApp(screen, prepared(Path(folder), options), environment(options))
        try:
            place(screen, options)
            time.sleep(2)
            screen.do("key", "ctrl+comma")
            screen.wait_for_window(SETTINGS_TITLE[options.language])
            time.sleep(0.5)
            screen.do("key", "ctrl+Tab")
            time.sleep(0.8)
            screen.picture(path)
        finally:
            app.close()


def live(
    options: argparse.Namespace,
    path: Path,
    dialogue: bool = False,
    show: Callable[[VirtualScreen, argparse.Namespace], None] | None = None,
) -> None:
    """Take a picture while the second of two people speaks."""
    folder = tempfile.TemporaryDirectory()
    with folder as name, screen_of(options) as screen, VirtualMicrophone(channels=2) as microphone:
        home = prepared(Path(name), options)
        variables = {**environment(options), **microphone.environment}
        app = RunningApp(screen, home, variables)
        try:
            place(screen, options)
            app.record(screen)
            wait_until_judged(app, microphone, screen)
            if dialogue:
                show_dialogue(screen, options)
            sound, last = talk(options.corpus, options.seconds, options.seed)
            microphone.play(sound)
            time.sleep(last + 1.8)
            if show is not None:
                show(screen, options)
            screen.picture(path)
        finally:
            app.close()
            print(app.log.read_text(), len(app.turns()), "turns")


def recorded_dialogue(options: argparse.Namespace, path: Path) -> None:
    """Take a picture of the dialogue panel with the bundled sample, one turn selected."""
    recording(options, path, dialogue=True)


def personal(options: argparse.Namespace, path: Path) -> None:
    """Take a picture of a personal adapter that was learned from corrections of one speaker."""
    from tests.desktop import picture_personal

    picture_personal.personal(options, path)


def show_dialogue(screen: VirtualScreen, options: argparse.Namespace) -> None:
    """Bring the dialogue panel to the front by its keys, and turn to a page of it."""
    screen.do("key", "ctrl+d")
    time.sleep(0.5)
    screen.do("key", *["Right"] * options.page) if options.page else None


def recording(options: argparse.Namespace, path: Path, dialogue: bool = False) -> None:
    """Take a picture of the bundled sample, one turn selected."""
    with tempfile.TemporaryDirectory() as folder, screen_of(options) as screen:
        command = ("-m", "desktop", str(sample_dialogue()))
        app = RunningApp(screen, prepared(Path(folder), options), environment(options), command)
        try:
            place(screen, options)
            time.sleep(float(os.environ.get("PICTURE_PATIENCE", "30")))
            if dialogue:
                show_dialogue(screen, options)
                screen.do("key", "ctrl+f", "key", "Escape")  # the arrows step through turns again
            for _ in range(4):
                screen.do("key", "Left")
            time.sleep(1.5)
            screen.picture(path)
        finally:
            app.close()


def talk(corpus: str, seconds: float, seed: int) -> tuple[FloatArray, float]:
    """Return two people's clips in turns, (2, n) at 16 kHz, and when the last begins (s)."""
    clips = held_out_clips(SHARED_DATA, (corpus,))
    chooser = random.Random(seed)
    people = two_people(clips, chooser)
    lanes: list[list[FloatArray]] = [[], []]
    length = 0.0
    begins = 0.0
    for number in itertools.count():
        if length > seconds:
            break
        clip = people[number % 2].pop()
        sound = level(read_audio(clip.path)[0])
        begins = length
        for lane in (0, 1):
            silent = np.zeros(len(sound), np.float32)
            lanes[lane] += [sound if lane == number % 2 else silent, pause()]
        length += len(sound) / SAMPLE_RATE + PAUSE
    return np.stack([np.concatenate(lane) for lane in lanes]), begins


def two_people(clips: Sequence[Clip], chooser: random.Random) -> list[list[Clip]]:
    """Return shuffled clips of a woman and a man, no emotion twice in a row where possible."""
    chosen = []
    for gender in ("f", "m"):
        names = sorted({c.speaker for c in clips if c.gender.lower().startswith(gender)})
        speaker = chooser.choice(names)
        own = [clip for clip in clips if clip.speaker == speaker]
        by_emotion: dict[str, list[Clip]] = {}
        for clip in chooser.sample(own, len(own)):
            by_emotion.setdefault(clip.emotion, []).append(clip)
        order = chooser.sample(sorted(by_emotion), len(by_emotion))
        rounds = itertools.zip_longest(*(by_emotion[name] for name in order))
        chosen.append([clip for turn in rounds for clip in turn if clip is not None][::-1])
    return chosen


def wait_until_judged(
    app: RunningApp, microphone: VirtualMicrophone, screen: VirtualScreen
) -> None:
    """Speak until the model has been loaded and the first turn was written."""
    for _ in range(20):
        voice = level(read_audio(sample_dialogue())[0, : 4 * SAMPLE_RATE])
        microphone.play(np.stack([voice, np.zeros_like(voice)])).wait()
        time.sleep(1.5)
        if app.turns():
            return
    screen.picture(Path(tempfile.gettempdir()) / "no_turn.png")
    raise RuntimeError(f"no turn was judged: {app.log.read_text()}")


def level(sound: FloatArray) -> FloatArray:
    """Bring a clip to the common loudness, without clipping it."""
    speech = sound[np.abs(sound) > 0.02 * np.abs(sound).max()]
    factor = LOUDNESS / max(float(np.sqrt(np.mean(speech**2))), 1e-4)
    return np.clip(sound * factor, -0.98, 0.98).astype(np.float32)


def pause() -> FloatArray:
    """Return the silence between two clips."""
    return np.zeros(round(PAUSE * SAMPLE_RATE), np.float32)


def screen_of(options: argparse.Namespace) -> VirtualScreen:
    """Return a screen of the wanted size, in physical pixels."""
    width, height = size_of(options)
    return VirtualScreen(width, height)


def size_of(options: argparse.Namespace) -> tuple[int, int]:
    """Return the size in physical pixels."""
    width, height = map(int, options.size.split("x"))
    scale = float(options.scale)
    return round(width * scale), round(height * scale)


def environment(options: argparse.Namespace) -> dict[str, str]:
    """Return the variables that scale the screen."""
    return {} if options.scale == "1" else {"QT_SCALE_FACTOR": options.scale}


def place(screen: VirtualScreen, options: argparse.Namespace) -> None:
    """Let the window fill the screen."""
    window = screen.wait_for_window()
    width, height = size_of(options)
    screen.do("windowmove", window, "0", "0")
    screen.do("windowsize", window, str(width), str(height))


def prepared(folder: Path, options: argparse.Namespace) -> Path:
    """Write the settings of a user who chose theme, language and two speakers."""
    (folder / "config" / "emoscope").mkdir(parents=True)
    lines = ("[app]", f"theme={options.theme}", f"interface_language={options.language}")
    models = (f"checkpoint={options.checkpoint}", f"whisper={options.whisper}")
    who = (f"channels={options.channels}", f"speakers={options.speakers}")
    text = "\n".join((*lines, *models, *who, f"context={options.context}", ""))
    (folder / "config" / "emoscope" / "emoscope.ini").write_text(text, encoding="utf-8")
    return folder


SCENES: Mapping[str, Callable[[argparse.Namespace, Path], None]] = {
    "start": start,
    "window": live,
    "file": recording,
    "dialogue": recorded_dialogue,
    "live_dialogue": live_dialogue,
    "engine": engine,
    "preparing": preparing,
    "settings": settings,
    "personal": personal,
}

ON_REQUEST = ("preparing",)
"""Scenes that need a model of the user's."""

if __name__ == "__main__":
    main()
