"""From an utterance to model inputs: the one pre-processing of the app and of training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from torch import Tensor

from core.errors import CheckpointError
from core.models.baseline import FeatureStatistics, SpeakerBaseline, SpeakerMoments
from core.models.language import detect_language
from core.models.outputs import ModelInputs
from core.models.speech_features import SpeechFeatureConfig, SpeechFeatureExtractor
from core.models.tokenizer import MAX_TOKENS, TextTokenizer, TokenizedText
from core.types import FloatArray

CONFIG, STATISTICS = "processor.json", "statistics.safetensors"


@dataclass(frozen=True, slots=True)
class ProcessorConfig:
    """What a processor does, in plain values.

    Attributes:
        speech: how frames are measured.
        languages: ISO 639-1 codes whose text the model knows; text in another is left out.
        max_tokens: longest text, in subwords.
        prior_seconds: how much of the average speaker a personal baseline starts with.
        prior_utterances: the same for statistics over whole utterances.
        longest_seconds: longer speech is judged in pieces, as the model was trained on shorter;
            None: it is taken whole, as it was in training.
        personal: whether speech is normalised by its speaker's own baseline; False for a model
            that was trained and calibrated with the average one only.
    """

    speech: SpeechFeatureConfig = field(default_factory=SpeechFeatureConfig)
    languages: tuple[str, ...] = ()
    max_tokens: int = MAX_TOKENS
    prior_seconds: float = 3.0
    prior_utterances: float = 2.0
    longest_seconds: float | None = 10.0
    personal: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "speech": self.speech.to_dict(),
            "languages": list(self.languages),
            "max_tokens": self.max_tokens,
            "prior_seconds": self.prior_seconds,
            "prior_utterances": self.prior_utterances,
            "longest_seconds": self.longest_seconds,
            "personal": self.personal,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote. Raises CheckpointError on anything else."""
        try:
            given = dict(values)
            speech = SpeechFeatureConfig(**given.pop("speech"))
            return cls(speech=speech, languages=tuple(given.pop("languages")), **given)
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"The processor config can't be read ({error}).") from error


@dataclass(frozen=True, slots=True)
class SpeechMeasures:
    """Of one utterance: frames (T, F) and functionals (S,); as measured, or normalised."""

    frames: FloatArray
    functionals: FloatArray


class Processor:
    """Measures speech, normalises it by a speaker's baseline, and turns text into tokens.

    Immutable, so safe to share between threads; baselines belong to whoever asked for them.
    """

    def __init__(
        self,
        config: ProcessorConfig,
        statistics: FeatureStatistics,
        tokenizer: TextTokenizer | None = None,
    ) -> None:
        self.config = config
        self.statistics = statistics
        self.tokenizer = tokenizer
        self.extractor = SpeechFeatureExtractor(config.speech)
        self._average = self.new_baseline()

    def new_baseline(self) -> SpeakerBaseline:
        """Return the baseline of a speaker of whom nothing was heard yet."""
        return SpeakerBaseline(
            self.statistics,
            self.extractor,
            prior_seconds=self.config.prior_seconds,
            prior_utterances=self.config.prior_utterances,
        )

    def moments(self, measures: SpeechMeasures) -> SpeakerMoments:
        """Return what one utterance adds to its speaker's baseline (see `SpeakerBaseline.add`)."""
        standard = self.statistics.standardise(measures.functionals)
        return SpeakerMoments.of(measures.frames, standard, self.extractor)

    def understands(self, text: str, language: str | None) -> bool:
        """Tell whether a text may enter the model.

        Args:
            text: not empty.
            language: ISO 639-1 code, region ignored; None: it is told from the text, if it can be.
        """
        if self.tokenizer is None:
            return False
        told = language or self.language_of(text) or ""
        return told.replace("_", "-").split("-")[0].lower() in self.config.languages

    def language_of(self, text: str) -> str | None:
        """Return the language of a text if it can be told, else None."""
        return None if self.tokenizer is None else detect_language(text, self.tokenizer)

    def measure(self, samples: FloatArray) -> SpeechMeasures:
        """Measure mono samples (n,) in [-1, 1] at 16 kHz."""
        return self.measures_of(self.extractor.frames(samples))

    def measures_of(self, frames: FloatArray) -> SpeechMeasures:
        """Complete frames (T, F) that were measured bit by bit."""
        return SpeechMeasures(frames, self.extractor.functionals(frames))

    def chunks(self, frames: FloatArray) -> tuple[list[FloatArray], FloatArray]:
        """Cut frames (T, F) into the fewest equal pieces of at most `longest_seconds`.

        Returns:
            the pieces, and per piece how much speech it holds, summing to one.
        """
        seconds = self.config.longest_seconds
        longest = len(frames) if seconds is None else round(seconds * self.extractor.frame_rate)
        pieces = np.array_split(frames, -(-len(frames) // longest))
        speech = [1.0 + float(self.extractor.frame_weights(p)[:, 0].sum()) for p in pieces]
        return pieces, np.asarray(speech, dtype=np.float32) / np.float32(sum(speech))

    def normalise(
        self, measures: SpeechMeasures, baseline: SpeakerBaseline | None = None
    ) -> SpeechMeasures:
        """Return measures in deviations from the speaker's, or else the average, mean.

        The speaker's counts only if the model was trained with such (see `ProcessorConfig`).
        """
        chosen = baseline if baseline is not None and self.config.personal else self._average
        return SpeechMeasures(*chosen.normalise(measures.frames, measures.functionals))

    def tokenize(self, text: str) -> TokenizedText:
        """Return the subwords of a text.

        Raises:
            CheckpointError: the model takes no text.
        """
        if self.tokenizer is None:
            raise CheckpointError("The model has no tokenizer, so it takes no text.")
        return self.tokenizer.encode(text)

    def __call__(
        self,
        samples: FloatArray | None = None,
        text: str | None = None,
        language: str | None = None,
        baseline: SpeakerBaseline | None = None,
    ) -> ModelInputs:
        """Prepare one utterance; whatever is None, or text the model does not know, is missing."""
        speech = None if samples is None else [self.normalise(self.measure(samples), baseline)]
        known = text is not None and bool(text.strip()) and self.understands(text, language)
        return self.batch(speech, [self.tokenize(text or "")] if known else None)

    def batch(
        self,
        speech: Sequence[SpeechMeasures] | None = None,
        texts: Sequence[TokenizedText] | None = None,
    ) -> ModelInputs:
        """Pad normalised utterances to the longest; all have speech or none, likewise text."""
        frames = frame_mask = functionals = tokens = token_mask = None
        if speech:
            frames, frame_mask = _pad([torch.from_numpy(s.frames) for s in speech], 0.0)
            functionals = torch.from_numpy(np.stack([s.functionals for s in speech]))
        if texts:
            pad = self.tokenizer.pad_id if self.tokenizer else 0
            tokens, token_mask = _pad([torch.tensor(t.ids) for t in texts], pad)
        return ModelInputs(frames, frame_mask, functionals, tokens, token_mask)

    def save(self, folder: Path) -> None:
        """Write processor.json, statistics.safetensors and, if there is one, the tokenizer."""
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.config.to_dict(), indent=2) + "\n"
        (folder / CONFIG).write_text(text, encoding="utf-8", newline="\n")
        arrays = self.statistics.to_arrays()
        save_file({n: np.ascontiguousarray(a) for n, a in arrays.items()}, folder / STATISTICS)
        if self.tokenizer is not None:
            self.tokenizer.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises CheckpointError, naming the file."""
        try:
            values = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
            statistics = FeatureStatistics.from_arrays(load_file(folder / STATISTICS))
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise CheckpointError(f"{folder} can't be read ({error}).") from error
        config = ProcessorConfig.from_dict(values)
        tokenizer = TextTokenizer.load(folder, config.max_tokens) if config.languages else None
        _check(statistics, SpeechFeatureExtractor(config.speech), folder / STATISTICS)
        return cls(config, statistics, tokenizer)


def _check(statistics: FeatureStatistics, extractor: SpeechFeatureExtractor, path: Path) -> None:
    """Refuse statistics that do not fit the features or are not usable numbers."""
    widths = {"frame": extractor.frame_dim, "functional": extractor.functional_dim}
    for name, values in statistics.to_arrays().items():
        if values.shape != (widths[name.split("_")[0]],) or not np.isfinite(values).all():
            raise CheckpointError(f"{path}: {name} does not fit the features.")
        if name.endswith("deviation") and not (values > 0).all():
            raise CheckpointError(f"{path}: {name} is not positive.")


def _pad(rows: Sequence[Tensor], value: float) -> tuple[Tensor, Tensor]:
    """Return rows (T_i, ...) as (B, max T, ...) filled up with `value`, and the mask (B, max T)."""
    padded = torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True, padding_value=value)
    lengths = torch.tensor([len(row) for row in rows])
    return padded, torch.arange(padded.shape[1])[None] < lengths[:, None]
