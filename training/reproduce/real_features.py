"""Compact features of the real corpora, from encoders that never heard or read the clips judged.

Speech: an encoder trained on the other corpora (`training.compact_encoders`). Text: that of the
shipped checkpoint, which has read GoEmotions and KOTE but no script of a speech corpus.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.models.baseline import SpeakerBaseline
from core.models.bimodal import BimodalModel
from core.models.checkpoint import load_checkpoint
from core.models.encoders.speech import SpeechEncoder
from core.models.encoders.text import TextEncoder
from core.models.processor import Processor, SpeechMeasures
from core.models.tokenizer import TextTokenizer
from core.resources import embedded_checkpoint
from training.compact_encoders import encoder_without, read_speech_config
from training.config import digest
from training.data.corpora.speech import Clip
from training.data.encoded_bank import EncodedBank, encode_speech, encode_texts
from training.progress import Reporter
from training.speech import SpeechCorpus, load_corpus, quick_config
from training.speech_artifacts import WEIGHTS, load_speech_encoder

RECIPE = Path(__file__).resolve().parents[1] / "configs" / "embedded" / "speech.yaml"

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class ClipFeatures:
    """Clips of one corpus, encoded.

    Attributes:
        labels: (n,) indices into EMOTIONS.
        speech: nothing is known of the speaker; personal: all of the speaker's unlabelled clips.
        text: of what is said.
    """

    clips: tuple[Clip, ...]
    labels: Rows
    speech: EncodedBank
    personal: EncodedBank
    text: EncodedBank


@dataclass(frozen=True)
class TextModel:
    """The text encoder of the shipped checkpoint and what it reads with."""

    encoder: TextEncoder
    tokenizer: TextTokenizer
    processor: Processor

    def encode(self, texts: Sequence[str]) -> EncodedBank:
        """Encode texts."""
        return encode_texts(self.encoder, self.tokenizer, texts)


def shipped_text_model() -> TextModel:
    """Return the text encoder of the checkpoint that ships with the app."""
    loaded = load_checkpoint(embedded_checkpoint())
    assert isinstance(loaded.model, BimodalModel)
    assert isinstance(loaded.processor, Processor)
    assert loaded.processor.tokenizer is not None
    return TextModel(loaded.model.text, loaded.processor.tokenizer, loaded.processor)


class RealCorpora:
    """The speech corpora of a data folder; encoders are trained when they are first needed.

    Args:
        data: folder with `speech/manifest.csv`.
        out: keeps measures and encoders for the next time.
        quick: few clips and small encoders, to see that everything works.
    """

    def __init__(self, data: Path, out: Path, reporter: Reporter, *, quick: bool = False) -> None:
        config = read_speech_config(RECIPE)
        self._config = quick_config(config) if quick else config
        out = out / "quick" if quick else out
        self._out = out
        self._reporter = reporter
        self._features: dict[str, ClipFeatures] = {}
        self._corpus: SpeechCorpus = load_corpus(
            data, self._config, out / "measured", reporter, quick=quick
        )
        # encoders of other clips or settings must not be taken for these
        about = [*self._corpus.banks[0].digests, digest(self._config)]
        self._digest = hashlib.sha256("".join(about).encode()).hexdigest()[:12]
        self.text_model = shipped_text_model()

    @property
    def names(self) -> tuple[str, ...]:
        """The corpora there are."""
        return tuple(sorted({clip.corpus for clip in self._corpus.clips}))

    def features(self, name: str) -> ClipFeatures:
        """Return the clips of a corpus, encoded once by an encoder that never heard it."""
        if name not in self._features:
            self._features[name] = self._encoded(name)
        return self._features[name]

    def _encoded(self, name: str) -> ClipFeatures:
        rows = [k for k, clip in enumerate(self._corpus.clips) if clip.corpus == name]
        clips = tuple(self._corpus.clips[row] for row in rows)
        encoder, processor = self._encoder(name)
        bank = self._corpus.banks[0]
        measures = [SpeechMeasures(bank.frames_of(row), bank.functionals[row]) for row in rows]
        labels = [clip.label for clip in clips if clip.label is not None]
        return ClipFeatures(
            clips,
            np.array(labels, dtype=np.int64),
            encode_speech(encoder, processor, measures, [None] * len(clips)),
            encode_speech(encoder, processor, measures, _baselines(processor, clips, measures)),
            self.text_model.encode([clip.text for clip in clips]),
        )

    def _encoder(self, name: str) -> tuple[SpeechEncoder, Processor]:
        folder = self._out / f"without_{name}-{self._digest}"
        if (folder / WEIGHTS).is_file():
            return load_speech_encoder(folder)
        self._reporter.say(f"training a speech encoder that never hears {name}")
        return encoder_without(name, self._config, self._corpus, folder, self._reporter)


def _baselines(
    processor: Processor, clips: Sequence[Clip], measures: Sequence[SpeechMeasures]
) -> list[SpeakerBaseline]:
    """Return per clip what is known when all of its speaker's clips were heard."""
    heard: dict[str, SpeakerBaseline] = {}
    for clip, measured in zip(clips, measures, strict=True):
        baseline = heard.setdefault(clip.speaker, processor.new_baseline())
        baseline.update(measured.frames, measured.functionals)
    return [heard[clip.speaker] for clip in clips]
