"""`python -m training.voices report|train`: judge the voice embedding by folds, or make it.

    python -m training.voices report CONFIG --data DIR --out DIR --report FILE
    python -m training.voices train CONFIG --data DIR --out DIR --report FILE --checkpoint DIR

`report` writes the figures of networks that never heard the speakers they are judged on; `train`
trains one network on all speakers, and puts those figures on its card.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from core.errors import CorpusError, EmoscopeError
from core.models.voices.checkpoint import VoiceInfo, save_voice_checkpoint
from core.models.voices.clustering import ClusteringConfig
from core.models.voices.front_end import VoiceFrontEnd
from core.resources import embedded_checkpoint, voice_checkpoint
from training import config as configuration
from training.progress import Reporter
from training.voices.card import is_experimental, voice_card
from training.voices.config import VoicesConfig
from training.voices.data import VoiceData, load_voices
from training.voices.report import voices_report
from training.voices.training import train_voices

NAME = "Emoscope voices"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of the two commands; returns the exit status."""
    options = _parser().parse_args(argv)
    torch.set_num_threads(options.threads)
    reporter = Reporter()
    try:
        config = configuration.load(VoicesConfig, options.config)
        data = load_voices(
            options.data,
            config.copies,
            VoiceFrontEnd(config.front_end),
            options.out / "measured",
            reporter,
            most=options.most,
        )
        _COMMANDS[options.command](config, data, options, reporter)
    except EmoscopeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _report(
    config: VoicesConfig, data: VoiceData, options: argparse.Namespace, reporter: Reporter
) -> None:
    found = voices_report(config, data, options.out, options.emotion_model, reporter)
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(text, encoding="utf-8", newline="\n")
    reporter.say(f"figures in {options.report}")


def _train(
    config: VoicesConfig, data: VoiceData, options: argparse.Namespace, reporter: Reporter
) -> VoiceInfo:
    try:
        found = json.loads(options.report.read_text(encoding="utf-8"))
        clustering = ClusteringConfig.from_dict(found["clustering"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorpusError(
            f"{options.report} holds no figures of voices ({error}).",
            "Run `python -m training.voices report` first.",
        ) from error
    network = train_voices(
        config, data, np.arange(len(data.clips)), options.out / "everybody", reporter
    )
    speakers = sorted({str(name) for name in data.speakers})
    info = save_voice_checkpoint(
        options.checkpoint,
        network,
        name=NAME,
        front_end=config.front_end,
        clustering=clustering,
        experimental=is_experimental(found),
        training={**configuration.to_mapping(config), "trained_on": {"speakers": speakers}},
        metrics=found,
        card=voice_card(found),
    )
    reporter.say(f"checkpoint in {info.path}")
    return info


_COMMANDS = {"report": _report, "train": _train}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.voices")
    parser.add_argument("command", choices=sorted(_COMMANDS))
    parser.add_argument("config", type=Path, help="training/voices/voices.yaml")
    parser.add_argument("--data", type=Path, required=True, help="folder with speech/manifest.csv")
    parser.add_argument("--out", type=Path, required=True, help="folder for measures and states")
    parser.add_argument(
        "--report", type=Path, default=Path("training/reports/voices.json"), help="the figures"
    )
    parser.add_argument("--checkpoint", type=Path, default=voice_checkpoint())
    parser.add_argument("--emotion-model", type=Path, default=embedded_checkpoint())
    parser.add_argument("--most", type=int, help="clips of each speaker (default: all)")
    parser.add_argument("--threads", type=int, default=1)
    return parser


if __name__ == "__main__":
    sys.exit(main())
