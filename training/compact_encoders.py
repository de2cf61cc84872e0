"""Compact speech encoders that never heard a given corpus, to compare fusion heads on that corpus.

    python -m training.compact_encoders training/configs/embedded/speech.yaml --data DIR --out DIR
        [--without emotiontts_ko,nemo] [--threads 1]

A head that is trained on the features of clips which the encoder was itself trained on sees them
better separated than those of unseen speakers will be. An encoder trained on the other corpora
gives training and test clips alike.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from core.errors import CorpusError, EmoscopeError
from core.models.encoders.speech import SpeechEncoder
from core.models.processor import Processor
from training import config as configuration
from training.progress import Reporter
from training.speech import SpeechConfig, SpeechCorpus, load_corpus, train_encoder
from training.speech_artifacts import save_speech_encoder


def encoder_without(
    name: str, config: SpeechConfig, corpus: SpeechCorpus, folder: Path, reporter: Reporter
) -> tuple[SpeechEncoder, Processor]:
    """Train on every clip that is not of corpus `name`, or read what such a run left.

    Args:
        folder: keeps the state of the training, so that an interrupted one goes on.

    Raises:
        CorpusError: there is no such corpus, or no other one.
    """
    own = np.array([clip.corpus == name for clip in corpus.clips])
    if own.all() or not own.any():
        raise CorpusError(
            f"The data holds no corpus {name!r} beside others.", "Name one of several corpora."
        )
    train, nobody = np.flatnonzero(~own), np.array([], dtype=np.int64)
    torch.manual_seed(config.trainer.seed)
    encoder, processor = train_encoder(
        config, corpus, train, nobody, folder / "training", reporter, resume=True
    )
    save_speech_encoder(folder, encoder, processor)
    return encoder, processor


def read_speech_config(path: Path) -> SpeechConfig:
    """Read the YAML of a speech stage. Raises ConfigError."""
    mapping = configuration.read_yaml(path)
    mapping.pop("stage", None)
    return configuration.from_mapping(SpeechConfig, mapping, path)


def main(argv: Sequence[str] | None = None) -> int:
    """Train one encoder per corpus; returns the exit status."""
    options = _parser().parse_args(argv)
    torch.set_num_threads(options.threads)
    reporter = Reporter()
    try:
        config = read_speech_config(options.config)
        corpus = load_corpus(options.data, config, options.out / "measured", reporter)
        names = options.without.split(",") if options.without else _names(corpus)
        for name in names:
            reporter.say(f"encoder that never heard {name}")
            encoder_without(name, config, corpus, options.out / f"without_{name}", reporter)
    except EmoscopeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _names(corpus: SpeechCorpus) -> list[str]:
    return sorted({clip.corpus for clip in corpus.clips})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.compact_encoders")
    parser.add_argument("config", type=Path, help="the YAML of the speech stage")
    parser.add_argument("--data", type=Path, required=True, help="folder with speech/manifest.csv")
    parser.add_argument("--out", type=Path, required=True, help="folder for encoders and measures")
    parser.add_argument("--without", help="corpora, joined by commas (default: each in turn)")
    parser.add_argument("--threads", type=int, default=1)
    return parser


if __name__ == "__main__":
    sys.exit(main())
