"""`emoscope adopt`: make a checkpoint of classifiers that somebody else trained."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from core.errors import ConfigError, CorpusError, EmoscopeError


def main(argv: Sequence[str]) -> int:
    """Load, map, calibrate and write; return 0, or 2 with a sentence when it can't be done."""
    arguments = _parser().parse_args(argv)
    try:
        _adopt(arguments)
    except EmoscopeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _adopt(arguments: argparse.Namespace) -> None:
    if (arguments.calibrate is None) != (arguments.data is None):
        raise ConfigError("--calibrate and --data go together.", "Give both or neither.")
    from training.adopt import adopt, fit, write
    from training.adopt_config import load_adopt_config
    from training.data.corpora.registry import read_corpus
    from training.progress import Reporter

    reporter = Reporter()
    adopted = adopt(load_adopt_config(arguments.labels), arguments.speech, arguments.text)
    fitted = None
    if arguments.calibrate is not None:
        if not arguments.data.is_dir():
            raise CorpusError(f"The folder {arguments.data} does not exist.", "Check --data.")
        reading = read_corpus(arguments.calibrate, arguments.data)
        fitted = fit(adopted, reading.examples, reporter)
    info = write(adopted, arguments.out, fitted)
    sys.stdout.write(f"Written: {info.path}\n")
    sys.stdout.write(f"It takes {' and '.join(info.specification.modalities)}")
    sys.stdout.write(f", and gives {', '.join(info.specification.labels)}.\n")
    if fitted is None:
        sys.stdout.write("It is not calibrated: --calibrate CORPUS --data DIR would do that.\n")
    else:
        speech, text = fitted.weights
        sys.stdout.write(
            f"Calibrated on {fitted.utterances} utterances: weights {speech:.2f} (speech) and"
            f" {text:.2f} (text).\n"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emoscope adopt",
        description="Make a checkpoint of an audio classifier, a text classifier, or both, from"
        " the Hugging Face hub or from folders. Afterwards it works offline.",
    )
    parser.add_argument("--speech", help="audio classifier: owner/name on the hub, or a folder")
    parser.add_argument("--text", help="text classifier: owner/name on the hub, or a folder")
    parser.add_argument(
        "--labels", type=Path, required=True,
        help="YAML that says what their labels mean; examples in training/configs/ready_made",
    )  # fmt: skip
    parser.add_argument("--calibrate", metavar="CORPUS", help="fit confidence on this corpus")
    parser.add_argument("--data", type=Path, metavar="DIR", help="its folder")
    parser.add_argument("--out", type=Path, required=True, help="folder of the new checkpoint")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
