"""What `emoscope analyze` can be told, and what it means."""

from __future__ import annotations

import argparse
from pathlib import Path

from core.asr.catalog import DEFAULT_MODEL
from core.batch.models import MOST_CONTEXT_TURNS
from core.batch.values import Options
from core.dialogue.export.formats import FORMATS, parse_formats


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    made = argparse.ArgumentParser(
        prog="emoscope analyze",
        description="Reads recordings (anything FFmpeg opens) and writes who said what, and how.",
        epilog="A transcript beside a recording under the same name (SRT, VTT, TextGrid, CSV) is "
        "used instead of recognition, with its speakers.",
    )
    made.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="a recording, a folder of recordings, or @LIST: a text file with a name on each line",
    )
    made.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for the results"
    )
    _add_text_options(made)
    _add_model_options(made)
    _add_dialogue_options(made)
    _add_batch_options(made)
    return made


def options_of(arguments: argparse.Namespace) -> Options:
    """Return how each recording is to be analysed. Raises ConfigError for an unknown format."""
    return Options(
        model=arguments.model,
        device=arguments.device,
        runtime=arguments.runtime,
        whisper=arguments.whisper,
        language=arguments.language,
        channels=arguments.channels,
        context=arguments.context,
        context_turns=arguments.context_turns,
        speakers=arguments.speakers,
        personal=arguments.personal,
        transcript=arguments.transcript,
        beside=not arguments.no_transcript,
        formats=parse_formats(arguments.formats),
    )


def _add_text_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--transcript", type=Path, metavar="F", help="the recording's transcript")
    made.add_argument(
        "--no-transcript", action="store_true", help="recognise, even with a transcript beside"
    )
    made.add_argument(
        "--whisper",
        default=DEFAULT_MODEL,
        metavar="NAME",
        help=f"Whisper model, its folder, or none for speech alone (default: {DEFAULT_MODEL})",
    )
    made.add_argument(
        "--language",
        choices=("ko", "en", "auto"),
        default="auto",
        help="language spoken, and of the report (default: auto)",
    )
    made.add_argument(
        "--formats",
        default="jsonl,html",
        metavar="LIST",
        help=f"any of {','.join(FORMATS)} (default: jsonl,html)",
    )


def _add_model_options(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--model", default="embedded", metavar="M", help="checkpoint folder (default: embedded)"
    )
    made.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where the model runs (default: auto, a GPU if one can be used)",
    )
    made.add_argument(
        "--runtime",
        default="auto",
        metavar="R",
        help="what computes a pretrained encoder on a CPU: auto (the fastest with equal results), "
        "lossy (also one that passed its quality check), or a name such as openvino or "
        "onnxruntime:int8 (default: auto)",
    )
    made.add_argument(
        "--personal",
        default="",
        metavar="NAME",
        help="personal adapter of whoever speaks: a person's name or the adapter's folder; see "
        '"emoscope adapt" (default: none)',
    )
    made.add_argument(
        "--channels",
        choices=("mono", "both"),
        default="mono",
        help="both: each channel is a speaker, A and B (default: mono)",
    )


def _add_dialogue_options(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--context",
        default="auto",
        metavar="C",
        help="dialogue model that reads each turn among the others: auto (the one that ships, "
        "where it fits the checkpoint), off, or its folder (default: auto)",
    )
    made.add_argument(
        "--context-turns",
        type=int,
        metavar="N",
        help="how many turns it looks at, the newest included, "
        f"{MOST_CONTEXT_TURNS} at most (default: as in its training)",
    )
    made.add_argument(
        "--speakers",
        choices=("auto", "voices"),
        default="auto",
        help="who speaks: auto (as the transcript or the channels say), or where these say "
        "nothing by the voices, which is experimental (default: auto)",
    )


def _add_batch_options(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--workers",
        default="auto",
        metavar="W",
        help="auto (as many as the recordings are worth), a number of processes, ray (a local Ray "
        "cluster), or ray://HOST:PORT: every machine of a cluster must have Emoscope and see the "
        "recordings under the same paths (default: auto)",
    )
    made.add_argument(
        "--resume",
        action="store_true",
        help="go on where an earlier call was interrupted: recordings whose results are there are "
        "kept, unless they, the options or the model have changed",
    )
