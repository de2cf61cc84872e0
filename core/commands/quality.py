"""`emoscope quality`: whether faster but inexact ways to compute a model answer the same."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from core.asr.catalog import require_model
from core.asr.fallback import find_transcriber
from core.asr.whisper import WhisperSettings, WhisperTranscriber
from core.asr.window_checks import WindowCheck, WindowChecks, default_path
from core.asr.word_errors import check_short_encoder
from core.commands.quality_json import as_json
from core.commands.quality_table import explanation, material_lines, table
from core.commands.quality_window import window_lines, window_table
from core.commands.sentences import sentence
from core.dialogue.atomic import write_atomically
from core.errors import ConfigError, RecognitionError
from core.models.manifest import CheckpointInfo, read_info
from core.quality.check import Checked, Checker, Tell, parse_modes, with_texts
from core.quality.material import MOST_CLIPS, Material, annotated, find_material
from core.quality.rule import RULE
from core.resources import embedded_checkpoint
from core.types import Modality

_PLAIN_WIDTH = 170


def main(argv: Sequence[str]) -> int:
    """Check, print a table of verdicts and keep them; 0 whatever the verdicts are.

    Raises EmoscopeError for a checkpoint, material or mode that can't be used.
    """
    options = parser().parse_args(argv)
    if options.most < 1:
        raise ConfigError(f"A check needs at least one clip, not {options.most}.")
    screen = Console(highlight=False)
    if not screen.is_terminal:
        screen = Console(highlight=False, width=_PLAIN_WIDTH)
    _Run(options, screen).run()
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    made = argparse.ArgumentParser(
        prog="emoscope quality",
        description="Judges recordings exactly and by each lossy mode, and says which modes answer "
        'the same. The runtime "lossy" takes those that pass; "auto" never takes a lossy one.',
        epilog=f"It takes {RULE.clips_needed()} utterances, about 20 minutes of speech, none of "
        "which gets another label unless both are marked as unsure, no probability of which moves "
        f"by more than {RULE.shift:g}, and with labels an F1 that is lower by {RULE.f1_loss:g} at "
        "most.",
    )
    made.add_argument(
        "--model", default="embedded", metavar="M", help="checkpoint folder (default: embedded)"
    )
    made.add_argument(
        "--modes",
        nargs="+",
        default=(),
        metavar="MODE",
        help="such as openvino:bf16 or onnxruntime:int8 (default: all that are installed)",
    )
    made.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder of recordings, with or without transcripts beside them, or of labelled clips "
        "with a manifest.csv (default: what was recorded here, else the bundled sample)",
    )
    made.add_argument(
        "--labels", type=Path, metavar="CSV", help="table of labelled clips: file,label[,text]"
    )
    _add_more(made)
    return made


def _add_more(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--whisper",
        metavar="NAME",
        help="Whisper model or its folder: is checked, too, and writes down clips without a text",
    )
    made.add_argument(
        "--language", choices=("ko", "en", "auto"), default="auto", help="of the speech"
    )
    made.add_argument(
        "--most",
        type=int,
        default=MOST_CLIPS,
        metavar="N",
        help="clips to judge; of more, so many are drawn (default: %(default)s)",
    )
    made.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    made.add_argument(
        "--out", type=Path, metavar="DIR", help="keep the verdicts here instead of for use"
    )


class _Run:
    """One call of the command."""

    def __init__(self, options: argparse.Namespace, screen: Console) -> None:
        self._options, self._screen = options, screen

    def run(self) -> None:
        """Check the encoders, then the recognition if asked for."""
        options = self._options
        modes = parse_modes(options.modes)
        folder = embedded_checkpoint() if options.model == "embedded" else Path(options.model)
        info = read_info(folder)
        transcriber = self._transcriber()
        material = find_material(options.data, options.labels, most=options.most)
        self._say(*material_lines(material))
        with _progress() as tell:
            checker = Checker(info, store=options.out, tell=tell)
            spoken = material
            if transcriber is not None and Modality.TEXT in checker.encoders:
                spoken = replace(material, clips=with_texts(material.clips, transcriber, tell))
            checked = tuple(checker.run(spoken, modes))
            windows = self._check_window(transcriber, material, tell)
        self._report(info, checker, checked, spoken)
        if windows is not None:
            self._screen.print(window_table(windows))
            self._say(*window_lines(windows))
        if options.json is not None:
            _write(options.json, as_json(info.digest, spoken, checked, windows))

    def _report(
        self, info: CheckpointInfo, checker: Checker, checked: Sequence[Checked], material: Material
    ) -> None:
        if checked:
            self._screen.print(table(checked))
        self._say(*explanation(info, checker.encoders, checked, material, self._options.out))

    def _transcriber(self) -> WhisperTranscriber | None:
        """Return what writes down clips, if it was asked for. Raises RecognitionError."""
        if self._options.whisper is None:
            return None
        found = find_transcriber(self._settings())
        if found.transcriber is None:
            why = sentence(found.message) if found.message is not None else ""
            raise RecognitionError(f"Whisper can't be checked: {why}")
        return found.transcriber

    def _settings(self) -> WhisperSettings:
        language = None if self._options.language == "auto" else self._options.language
        return WhisperSettings(model=self._options.whisper, language=language)

    def _check_window(
        self, transcriber: WhisperTranscriber | None, material: Material, tell: Tell
    ) -> WindowCheck | None:
        """Check whether Whisper may look at the speech alone, and keep the verdict."""
        if transcriber is None:
            return None
        said = annotated(material.clips)
        clips = said or material.clips
        check = check_short_encoder(
            require_model(self._options.whisper),
            [clip.utterance for clip in clips],
            [clip.transcript.text for clip in clips if clip.transcript] if said else None,
            self._settings(),
            lambda done, total: tell("Whisper's window", done, total),
        )
        store = self._options.out
        WindowChecks(store / default_path().name if store else None).keep(check)
        return check

    def _say(self, *lines: str) -> None:
        for line in lines:
            self._screen.print(line, markup=False)


def _write(path: Path, content: object) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(path, text + "\n")


@contextmanager
def _progress() -> Iterator[Tell]:
    """Show progress on standard error while it is a terminal."""
    from rich.progress import Progress, TaskID

    with Progress(console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done)

        yield tell
