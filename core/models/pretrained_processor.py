"""From an utterance to the inputs of pretrained encoders: the same in the app and in training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from core.errors import CheckpointError
from core.models.outputs import ModelInputs
from core.models.preparing import SpeechPiece
from core.models.pretrained_tokenizer import PretrainedTokenizer
from core.models.script import language_among
from core.models.tokenizer import TokenizedText
from core.types import SAMPLE_RATE, FloatArray

CONFIG = "pretrained_processor.json"

_ACTIVITY_FRAME = 320
_ACTIVE_RANGE = 35.0
"""dB below the loud frames of an utterance down to which a frame counts as speech."""


class Overlong(StrEnum):
    """What happens to speech longer than `longest_seconds`."""

    PIECES = "pieces"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class PretrainedProcessorConfig:
    """What is done to samples and text, in plain values.

    Attributes:
        normalise: bring each piece to zero mean and unit variance, as the model's own
            `preprocessor_config.json` says under `do_normalize`. Published KNU systems did not.
        longest_seconds: longest piece. RSA-CFN used 6 (96,000 samples), KNU 5 (80,000).
        overlong: longer speech is judged in pieces, or, as published, all after that is cut off.
        shortest_samples: shorter speech is filled up with zeros; what the encoder needs for one
            frame (400 with the usual convolutions).
        languages: ISO 639-1 codes whose text the model knows; empty: it takes no text.
        max_tokens: longest text, special tokens included.
        pad_id: token that fills up a batch.
    """

    normalise: bool = True
    longest_seconds: float = 10.0
    overlong: Overlong = Overlong.PIECES
    shortest_samples: int = 400
    languages: tuple[str, ...] = ()
    max_tokens: int = 256
    pad_id: int = 0

    def __post_init__(self) -> None:
        if self.longest_seconds * SAMPLE_RATE < self.shortest_samples:
            raise ValueError("longest_seconds is shorter than shortest_samples")
        if self.max_tokens < 3:
            raise ValueError("max_tokens must be at least 3")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "overlong": self.overlong.value, "languages": list(self.languages)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote. Raises CheckpointError on anything else."""
        try:
            given = dict(values)
            given["overlong"] = Overlong(given.get("overlong", Overlong.PIECES))
            given["languages"] = tuple(str(code) for code in given.get("languages", ()))
            return cls(**given)
        except (TypeError, ValueError) as error:
            raise CheckpointError(f"The processor config can't be read ({error}).") from error


class PretrainedProcessor:
    """Normalises waveforms and tokenizes text for pretrained encoders; see `PreparesWaveforms`.

    Immutable, so safe to share between threads. There is no personal baseline: a pretrained
    encoder hears the voice itself.
    """

    def __init__(
        self, config: PretrainedProcessorConfig, tokenizer: PretrainedTokenizer | None = None
    ) -> None:
        self.config = config
        self.tokenizer = tokenizer

    @property
    def languages(self) -> tuple[str, ...]:
        """ISO 639-1 codes whose text the model knows; empty: it takes no text."""
        return self.config.languages if self.tokenizer is not None else ()

    @property
    def longest_seconds(self) -> float:
        """Longer speech is judged in pieces, or cut."""
        return self.config.longest_seconds

    def understands(self, text: str, language: str | None) -> bool:
        """Tell whether a text may enter the model.

        Args:
            text: not empty.
            language: ISO 639-1 code, region ignored; None: it is told from the letters.
        """
        told = language or self.language_of(text) or ""
        return told.replace("_", "-").split("-")[0].lower() in self.languages

    def language_of(self, text: str) -> str | None:
        """Return the first language of the model that is written in the letters of the text."""
        return language_among(text, self.languages)

    def prepare(self, samples: FloatArray) -> FloatArray:
        """Prepare mono samples (n,) at 16 kHz as one piece; what is too long is cut off."""
        longest = round(self.config.longest_seconds * SAMPLE_RATE)
        # a damaged float recording may hold NaN, which would spread to the whole piece
        heard = np.nan_to_num(np.asarray(samples, np.float32)[:longest], posinf=0, neginf=0)
        if self.config.normalise:
            heard = _standardised(heard)
        lacking = self.config.shortest_samples - heard.size
        return np.pad(heard, (0, lacking)) if lacking > 0 else heard

    def pieces(self, samples: FloatArray) -> tuple[SpeechPiece, ...]:
        """Cut mono samples (n,) into the fewest equal prepared pieces; one when they are cut."""
        longest = round(self.config.longest_seconds * SAMPLE_RATE)
        if self.config.overlong is Overlong.CUT or len(samples) <= longest:
            kept = min(len(samples), longest)
            return (SpeechPiece(self.prepare(samples), 0.0, kept / SAMPLE_RATE, 1.0),)
        stretches = np.array_split(samples, -(-len(samples) // longest))
        starts = np.cumsum([0, *(len(s) for s in stretches)]) / SAMPLE_RATE
        weights = _speech_shares(stretches)
        return tuple(
            SpeechPiece(self.prepare(s), float(start), len(s) / SAMPLE_RATE, float(weight))
            for s, start, weight in zip(stretches, starts, weights, strict=False)
        )

    def tokenize(self, text: str) -> TokenizedText:
        """Return the subwords of a text. Raises CheckpointError when the model takes none."""
        if self.tokenizer is None:
            raise CheckpointError("The model has no tokenizer, so it takes no text.")
        return self.tokenizer.encode(text)

    def __call__(
        self,
        samples: FloatArray | None = None,
        text: str | None = None,
        language: str | None = None,
    ) -> ModelInputs:
        """Prepare one utterance; whatever is None, or text the model does not know, is missing."""
        known = text is not None and bool(text.strip()) and self.understands(text, language)
        return self.batch(
            None if samples is None else [self.prepare(samples)],
            [self.tokenize(text or "")] if known else None,
        )

    def batch(
        self,
        speech: Sequence[FloatArray] | None = None,
        texts: Sequence[TokenizedText] | None = None,
    ) -> ModelInputs:
        """Pad prepared waveforms to the longest; all have speech or none, likewise text.

        Returns:
            waveform (B, N), waveform_mask (B, N), tokens (B, L), token_mask (B, L).
        """
        waveform = waveform_mask = tokens = token_mask = None
        if speech:
            rows = [torch.from_numpy(np.ascontiguousarray(s, np.float32)) for s in speech]
            waveform, waveform_mask = _pad(rows, 0.0)
        if texts:
            tokens, token_mask = _pad([torch.tensor(t.ids) for t in texts], self.config.pad_id)
        return ModelInputs(
            tokens=tokens, token_mask=token_mask, waveform=waveform, waveform_mask=waveform_mask
        )

    def save(self, folder: Path) -> None:
        """Write pretrained_processor.json and, if there is one, the tokenizer."""
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.config.to_dict(), indent=2) + "\n"
        (folder / CONFIG).write_text(text, encoding="utf-8", newline="\n")
        if self.tokenizer is not None:
            self.tokenizer.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; no network. Raises CheckpointError, naming the file."""
        try:
            values = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{folder / CONFIG} can't be read ({error}).") from error
        if not isinstance(values, dict):
            raise CheckpointError(f"{folder / CONFIG} is not a JSON object.")
        config = PretrainedProcessorConfig.from_dict(values)
        if not config.languages:
            return cls(config)
        return cls(config, PretrainedTokenizer.load(folder, config.pad_id, config.max_tokens))


def _standardised(samples: FloatArray) -> FloatArray:
    """Zero mean and unit variance, as Hugging Face's Wav2Vec2FeatureExtractor does it."""
    if not samples.size:
        return samples
    exact = samples.astype(np.float64)
    return np.asarray((exact - exact.mean()) / np.sqrt(exact.var() + 1e-7), dtype=np.float32)


def _speech_shares(stretches: Sequence[FloatArray]) -> FloatArray:
    """Return how much of the speech each stretch holds, summing to one.

    Speech is what lies within 35 dB of the loud moments of the whole utterance.
    """
    levels = [_levels(s) for s in stretches]
    threshold = np.percentile(np.concatenate(levels), 95) - _ACTIVE_RANGE
    active = np.array([1.0 + float((level >= threshold).sum()) for level in levels], np.float32)
    return np.asarray(active / active.sum(), dtype=np.float32)


def _levels(samples: FloatArray) -> FloatArray:
    """Return the level in dB of every 20 ms."""
    frames = np.nan_to_num(samples[: samples.size // _ACTIVITY_FRAME * _ACTIVITY_FRAME])
    power = np.square(frames.reshape(-1, _ACTIVITY_FRAME), dtype=np.float64).mean(axis=1)
    return np.asarray(10.0 * np.log10(power + 1e-10), dtype=np.float32)


def _pad(rows: Sequence[Tensor], value: float) -> tuple[Tensor, Tensor]:
    """Return rows (T_i,) as (B, max T) filled up with `value`, and the mask (B, max T)."""
    padded = torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True, padding_value=value)
    lengths = torch.tensor([len(row) for row in rows])
    return padded, torch.arange(padded.shape[1])[None] < lengths[:, None]
