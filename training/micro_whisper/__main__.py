"""`python -m training.micro_whisper FOLDER`: train the micro Whisper and write it to a folder."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import torch

from training.micro_whisper.clips import write_clips
from training.micro_whisper.convert import convert
from training.micro_whisper.model import MicroWhisper
from training.micro_whisper.sentences import KNOWN
from training.micro_whisper.tokenizer import build_tokenizer, token_id
from training.micro_whisper.train import LEARNING, REFUSING, make_batches, train

SEED = 20


def main() -> None:
    """Train and convert; needs the library of espeak-ng."""
    parser = argparse.ArgumentParser(prog="python -m training.micro_whisper", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the CTranslate2 model is written")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only-clips", action="store_true", help="write the test clips only")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    write_clips(arguments.folder / "clips")
    if arguments.only_clips:
        return
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    tokenizer = build_tokenizer([text for texts in KNOWN.values() for text in texts])
    end_of_text = token_id(tokenizer, "endoftext")
    model = MicroWhisper(tokenizer.get_vocab_size(), end_of_text)
    batches = make_batches(tokenizer, arguments.seed)
    train(model, batches, LEARNING, peak_rate=2e-3)
    train(model, batches, REFUSING, peak_rate=6e-4)
    convert(model.eval(), tokenizer, arguments.folder)


if __name__ == "__main__":
    main()
