"""The analyzer of any checkpoint: personal baselines, bounded partial looks, whole final ones.

Importing this module imports no torch, so the window may; `ModelAnalyzer.warm_up` loads it. Like
every `Analyzer` it belongs to one thread: baselines, caches and the model are not locked.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.models.baseline import SpeakerBaseline
from core.models.manifest import CheckpointInfo, read_info
from core.pipeline.evidence import evidence_of
from core.pipeline.speech_cache import SpeechCache
from core.pipeline.verdict import HeardSpeech, ReadText, Verdict
from core.types import (
    SAMPLE_RATE,
    EmotionResult,
    FloatArray,
    Modality,
    ModelInfo,
    Transcript,
    Utterance,
)

if TYPE_CHECKING:
    from core.models.checkpoint import LoadedModel
    from core.models.inference import Inference

PARTIAL_SECONDS = 4.0
"""A partial look takes in the newest speech only ..."""
PARTIAL_WORDS = 12
"""... and the newest words, about as many as are spoken in that time."""


def load_analyzer(path: Path | str, device: str = "auto") -> ModelAnalyzer:
    """Return an analyzer over a checkpoint directory; its weights are loaded by `warm_up`.

    Args:
        path: the checkpoint directory.
        device: "auto", "cpu" or "cuda".

    Raises:
        CheckpointError: it is no checkpoint, or of an unknown format.
    """
    return ModelAnalyzer(read_info(path), device)


class ModelAnalyzer:
    """An `Analyzer` over a checkpoint; see the module for what threads may do with it."""

    def __init__(self, info: CheckpointInfo, device: str = "auto") -> None:
        self._info = info
        self._preference = device
        self._loaded: LoadedModel | None = None
        self._inference: Inference | None = None
        self._cache: SpeechCache | None = None
        self._baselines: dict[str, SpeakerBaseline] = {}
        self._remembered: set[tuple[int, int, int]] = set()

    @property
    def model(self) -> ModelInfo:
        """What the results name; the device is known once the model is loaded."""
        choice = self._inference.choice if self._inference is not None else None
        specification = self._info.specification
        return ModelInfo(
            name=self._info.name,
            version=self._info.version,
            digest=self._info.digest,
            labels=specification.labels,
            modalities=specification.modalities,
            languages=specification.languages,
            device=choice.device if choice else "cpu",
            device_reason=choice.reason if choice else "not_loaded",
        )

    @property
    def frames_measured(self) -> int:
        """How many frames of speech were measured so far: what a look costs beside the model."""
        return self._cache.measured if self._cache is not None else 0

    def warm_up(self) -> None:
        """Load and verify the checkpoint, choose a device, and run every path once.

        Raises:
            CheckpointError: naming everything that is wrong with the checkpoint.
        """
        if self._loaded is not None:
            return
        import torch

        from core.models.checkpoint import load_checkpoint
        from core.models.device import choose_device
        from core.models.inference import Inference

        torch.set_num_threads(1)
        loaded = load_checkpoint(self._info.path)
        self._inference = Inference(loaded.model, choose_device(self._preference))
        self._cache = SpeechCache(loaded.processor.extractor)
        self._loaded = loaded
        self._rehearse()

    def _rehearse(self) -> None:
        noise = np.random.default_rng(0).normal(0, 0.01, SAMPLE_RATE).astype(np.float32)
        languages = self._info.specification.languages
        text = Transcript("a", language=languages[0]) if languages else None
        for transcript in (None, text):
            self.final(Utterance(-1, 0, noise.size, noise), transcript)
        self._ready()[1].clear()

    def partial(self, utterance: Utterance, transcript: Transcript | None) -> EmotionResult:
        """Judge the newest seconds of a growing utterance."""
        loaded, cache = self._ready()
        began = time.perf_counter()
        frames, first = cache.newest(utterance, PARTIAL_SECONDS)
        speech = self._speech(loaded, utterance, frames, first)
        text = self._text(loaded, transcript, newest_only=True)
        return self._judge(loaded, utterance, speech, text, began)

    def final(self, utterance: Utterance, transcript: Transcript | None) -> EmotionResult:
        """Judge a whole utterance, in chunks if it is long. Does not change the baseline."""
        loaded, cache = self._ready()
        began = time.perf_counter()
        speech = self._speech(loaded, utterance, cache.whole(utterance), 0)
        text = self._text(loaded, transcript, newest_only=False)
        return self._judge(loaded, utterance, speech, text, began)

    def remember(self, utterance: Utterance) -> None:
        """Let a complete utterance shape its speaker's baseline; a second time changes nothing."""
        loaded, cache = self._ready()
        key = (utterance.index, utterance.channel, utterance.start)
        if key in self._remembered:
            return
        self._remembered.add(key)
        name = _speaker_key(utterance)
        if name not in self._baselines:
            self._baselines[name] = loaded.processor.new_baseline()
        measures = loaded.processor.measures_of(cache.whole(utterance))
        self._baselines[name].update(measures.frames, measures.functionals)

    def reset(self) -> None:
        """Forget every speaker and every cached utterance."""
        self._baselines.clear()
        self._remembered.clear()
        if self._cache is not None:
            self._cache.clear()

    def _ready(self) -> tuple[LoadedModel, SpeechCache]:
        if self._loaded is None or self._cache is None:
            self.warm_up()
        assert self._loaded is not None
        assert self._cache is not None
        return self._loaded, self._cache

    def _speech(
        self, loaded: LoadedModel, utterance: Utterance, frames: FloatArray, first: int
    ) -> HeardSpeech:
        extractor = loaded.processor.extractor
        baseline = self._baselines.get(_speaker_key(utterance))
        pieces, weights = loaded.processor.chunks(frames)
        lengths = [len(piece) for piece in pieces]
        measures = [loaded.processor.measures_of(piece) for piece in pieces]
        return HeardSpeech(
            chunks=tuple(loaded.processor.normalise(m, baseline) for m in measures),
            starts=tuple((np.cumsum([first, *lengths[:-1]]) / extractor.frame_rate).tolist()),
            seconds=tuple(length / extractor.frame_rate for length in lengths),
            weights=weights,
            evidence=evidence_of(frames, extractor),
        )

    def _text(
        self, loaded: LoadedModel, transcript: Transcript | None, *, newest_only: bool
    ) -> ReadText:
        takes_text = Modality.TEXT in loaded.specification.modalities
        if not takes_text:
            return ReadText()
        if transcript is not None and transcript.rejection is not None:
            return ReadText(notes=("text_rejected", "speech_only"))
        text = transcript.text.strip() if transcript is not None else ""
        if transcript is None or not text:
            return ReadText(notes=("speech_only",))
        if not loaded.processor.understands(text, transcript.language):
            return ReadText(notes=("text_language_unknown", "speech_only"))
        if newest_only:
            text = " ".join(text.split()[-PARTIAL_WORDS:])
        return ReadText(text, loaded.processor.tokenize(text))

    def _judge(
        self,
        loaded: LoadedModel,
        utterance: Utterance,
        speech: HeardSpeech,
        text: ReadText,
        began: float,
    ) -> EmotionResult:
        assert self._inference is not None
        texts = None if text.tokens is None else [text.tokens] * len(speech.chunks)
        judgement = self._inference(loaded.processor.batch(speech.chunks, texts))
        baseline = self._baselines.get(_speaker_key(utterance))
        verdict = Verdict(loaded.info, judgement, speech, text, baseline.seconds if baseline else 0)
        return verdict.result(self.model, time.perf_counter() - began)


def _speaker_key(utterance: Utterance) -> str:
    """Name whose baseline an utterance belongs to: its speaker's, or else its channel's."""
    if utterance.speaker is not None:
        return f"speaker {utterance.speaker}"
    return f"channel {utterance.channel}"
