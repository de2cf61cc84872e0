"""The picture of a personal adapter: a person who was never trained on, corrected by the keyboard.

Forty clips of one held-out speaker are a recording with its transcript; each turn is given the
label that the corpus has for it, the adapter is learned, and switched on.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.audio.io import read_audio
from core.dialogue.wav import to_pcm, wav_header
from core.labels import EMOTIONS
from core.types import SAMPLE_RATE
from tests.conftest import SHARED_DATA
from tests.desktop.held_out import Clip, held_out_clips
from tests.desktop.screen import RunningApp, VirtualScreen
from tests.desktop.take_picture import (
    environment,
    level,
    pause,
    place,
    prepared,
    screen_of,
    size_of,
)

CLIPS = 40
TITLE = {"en": "Personal adapter", "ko": "개인 어댑터"}


def personal(options: argparse.Namespace, path: Path) -> None:
    """Take a picture of what was learned, and one of the corrected turns ("..._turns").

    The window cannot show the whole dialog beside the transcript that it is about.
    """
    clips = clips_of_one(options)
    with tempfile.TemporaryDirectory() as folder, screen_of(options) as screen:
        media = write_recording(Path(folder), clips)
        command = ("-m", "desktop", str(media))
        app = RunningApp(screen, prepared(Path(folder), options), environment(options), command)
        try:
            place(screen, options)
            time.sleep(float(os.environ.get("PICTURE_PATIENCE", "60")))
            correct(screen, clips)
            wait_for_lines(app, len(clips))
            learn(screen, app, TITLE[options.language])
            beside(screen, options)
            screen.picture(path)
            screen.do("key", "Escape")
            screen.wait_for_window()
            time.sleep(1)
            screen.picture(path.with_stem(f"{path.stem}_turns"))
        finally:
            app.close()
            print(app.log.read_text())


def clips_of_one(options: argparse.Namespace) -> list[Clip]:
    """Return clips of one speaker, no emotion twice in a row where possible."""
    clips = held_out_clips(SHARED_DATA, (options.corpus,))
    chooser = random.Random(options.seed)
    speaker = chooser.choice(sorted({clip.speaker for clip in clips}))
    by_emotion: dict[str, list[Clip]] = {}
    for clip in chooser.sample(clips, len(clips)):
        if clip.speaker == speaker and clip.emotion in EMOTIONS:
            by_emotion.setdefault(clip.emotion, []).append(clip)
    rounds = itertools.zip_longest(*(by_emotion[name] for name in sorted(by_emotion)))
    return [clip for turn in rounds for clip in turn if clip is not None][:CLIPS]


def write_recording(folder: Path, clips: Sequence[Clip]) -> Path:
    """Write the clips as one recording, and its transcript beside it."""
    parts, lines, position = [pause()], [], len(pause())
    for number, clip in enumerate(clips, 1):
        sound = level(read_audio(clip.path)[0])
        begin, end = position / SAMPLE_RATE, (position + len(sound)) / SAMPLE_RATE
        lines.append(f"{number}\n{stamp(begin)} --> {stamp(end)}\n{clip.text}\n")
        parts += [sound, pause()]
        position += len(sound) + len(pause())
    pcm = to_pcm(np.concatenate(parts)[None])
    media = folder / "talk.wav"
    media.write_bytes(wav_header(1, len(pcm)) + pcm)
    media.with_suffix(".srt").write_text("\n".join(lines), encoding="utf-8")
    return media


def stamp(seconds: float) -> str:
    """Return a time as SubRip has it."""
    whole, rest = divmod(round(1000 * seconds), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d},{rest:03d}"


def correct(screen: VirtualScreen, clips: Sequence[Clip]) -> None:
    """Say of each turn, from the last one back, what it was."""
    screen.do("key", "ctrl+f", "key", "Escape")
    for clip in reversed(clips):
        screen.do("key", "Left")
        time.sleep(0.15)
        screen.do("key", "ctrl+l")
        time.sleep(0.4)
        screen.do("key", str(1 + EMOTIONS.index(clip.emotion)))
        time.sleep(0.25)


def beside(screen: VirtualScreen, options: argparse.Namespace) -> None:
    """Move the dialog to the right, where it leaves the transcript to be seen."""
    dialog = screen.wait_for_window(TITLE[options.language])
    scale = float(options.scale)
    left = size_of(options)[0] - round(736 * scale)
    screen.do("windowmove", dialog, str(max(0, left)), str(round(150 * scale)))
    time.sleep(1)


def wait_for_lines(app: RunningApp, count: int, timeout: float = 120.0) -> None:
    """Wait until so many corrections are kept."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        files = (app.data / "personal").glob("*/corrections.jsonl")
        if sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files) >= count:
            return
        time.sleep(0.2)


def learn(screen: VirtualScreen, app: RunningApp, title: str, timeout: float = 300.0) -> None:
    """Press Adapt, wait, and switch on what was learned; the dialog stays open."""
    screen.do("key", "ctrl+p")
    screen.wait_for_window(title)
    time.sleep(1.5)
    screen.do("key", "space")
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if any((app.data / "personal").glob("*/adapters/*/config.json")):
            break
        time.sleep(0.5)
    time.sleep(2)
    screen.do("key", "Escape")
    screen.wait_for_window()
    screen.do("key", "ctrl+shift+p")
    time.sleep(0.5)
    screen.do("key", "ctrl+p")
    screen.wait_for_window(title)
    time.sleep(1.5)
