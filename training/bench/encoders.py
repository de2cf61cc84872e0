"""What the topics of training are measured with: clips of varied length, and encoders of real size.

Weights are random: they change nothing about the time. Encoders are built by the transformers
library from configurations, so nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import nn

from core.bench.material import continuous_speech
from core.dialogue.wav import to_pcm, wav_header
from core.models.encoders.backbone import plain
from core.models.encoders.build import build_speech_encoder, build_text_encoder
from core.models.pretrained_processor import PretrainedProcessor, PretrainedProcessorConfig
from core.models.pretrained_tokenizer import PretrainedTokenizer
from core.types import SAMPLE_RATE
from training.data.example import Example
from training.generated.encoders import KLUE_ROBERTA_SPECIAL
from training.generated.tokenizers import write_wordpiece

LONGEST = 10.0
_WORDS_A_SECOND = 2.5
_PAD = 1


@dataclass(frozen=True, slots=True)
class Size:
    """Of both encoders; `name` says it to people."""

    name: str
    width: int
    layers: int
    convolutions: int


BASE = Size("wav2vec2-base and RoBERTa-base (12 layers of 768, random weights)", 768, 12, 512)
SMALL = Size("small stand-ins (4 layers of 256, random weights; quick)", 256, 4, 128)


@dataclass(frozen=True, slots=True)
class Subject:
    """Clips with text in a folder, encoders, and the processor that goes with them."""

    folder: Path
    examples: tuple[Example, ...]
    speech: nn.Module
    text: nn.Module
    processor: PretrainedProcessor

    @property
    def seconds(self) -> list[float]:
        """How long each clip is."""
        return [(e.end or 0.0) - (e.start or 0.0) for e in self.examples]


@contextmanager
def subject(size: Size, seconds: list[float]) -> Iterator[Subject]:
    """Make everything, with clips of these lengths, and remove the files afterwards."""
    with TemporaryDirectory(prefix="emoscope-bench-") as name:
        folder = Path(name)
        torch.manual_seed(0)
        yield Subject(
            folder,
            write_clips(folder, seconds),
            speech_encoder(size).eval().requires_grad_(False),
            text_encoder(size).eval().requires_grad_(False),
            processor(folder),
        )


def utterance_seconds(count: int) -> list[float]:
    """Return lengths as utterances of emotion corpora have them: 1 to 10 s, 4 s on average.

    They are evenly spaced quantiles of a gamma distribution in random order, so that a few stand
    for many.
    """
    generator = np.random.default_rng(0)
    drawn = np.sort(np.clip(generator.gamma(4.0, 1.0, 20_000), 1.0, LONGEST))
    places = (np.arange(count) + 0.5) / count * len(drawn)
    return [round(float(s), 2) for s in generator.permutation(drawn[places.astype(int)])]


def write_clips(folder: Path, seconds: list[float]) -> tuple[Example, ...]:
    """Write one file per clip, of the bundled dialogue, and say what is spoken at a usual pace."""
    speech = continuous_speech(sum(seconds))
    words = speech.text.split()
    examples, start = [], 0.0
    for number, length in enumerate(seconds):
        path = folder / f"{number:04d}.wav"
        cut = speech.samples[round(start * SAMPLE_RATE) :][: round(length * SAMPLE_RATE)]
        pcm = to_pcm(cut[None])
        path.write_bytes(wav_header(1, len(pcm)) + pcm)
        first = round(_WORDS_A_SECOND * start) % len(words)
        said = np.roll(words, -first)[: max(1, round(_WORDS_A_SECOND * length))]
        examples.append(
            Example(
                "bench", str(number), path, 0.0, length, text=" ".join(said), labels=("neutral",)
            )
        )
        start += length
    return tuple(examples)


def speech_encoder(size: Size) -> nn.Module:
    """Return a wav2vec 2.0 encoder with group norm, as wav2vec2-base has it."""
    from transformers import Wav2Vec2Config

    config = Wav2Vec2Config(
        hidden_size=size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.width // 64,
        intermediate_size=4 * size.width,
        conv_dim=(size.convolutions,) * 7,
    )
    return build_speech_encoder({"kind": "pretrained", "model": plain(config)})


def text_encoder(size: Size) -> nn.Module:
    """Return a RoBERTa encoder."""
    from transformers import RobertaConfig

    config = RobertaConfig(
        vocab_size=32_000,
        max_position_embeddings=514,
        hidden_size=size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.width // 64,
        intermediate_size=4 * size.width,
        pad_token_id=_PAD,
    )
    return build_text_encoder({"kind": "pretrained", "model": plain(config)})


def processor(folder: Path) -> PretrainedProcessor:
    """Return a processor whose tokenizer was trained on the bundled dialogue."""
    write_wordpiece(folder, [continuous_speech(1.0).text], KLUE_ROBERTA_SPECIAL)
    config = PretrainedProcessorConfig(languages=("ko",), pad_id=_PAD, longest_seconds=LONGEST)
    tokenizer = PretrainedTokenizer.load(folder, _PAD, config.max_tokens)
    return PretrainedProcessor(config, tokenizer)
