"""The analyzer of any checkpoint: bounded partial looks, whole final ones, text when it is there.

Importing this module imports no torch, so the window may; `ModelAnalyzer.warm_up` loads it. Like
every `Analyzer` it belongs to one thread: baselines, caches and the model are not locked.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.models.manifest import CheckpointInfo, read_info
from core.pipeline.hearing import PARTIAL_SECONDS, HeardSpeech, Hearing, hearing_for
from core.pipeline.verdict import ReadText, Verdict
from core.types import SAMPLE_RATE, EmotionResult, Modality, ModelInfo, Transcript, Utterance

if TYPE_CHECKING:
    from core.models.checkpoint import LoadedModel
    from core.models.inference import Inference

__all__ = ["PARTIAL_SECONDS", "PARTIAL_WORDS", "ModelAnalyzer", "load_analyzer"]

PARTIAL_WORDS = 12
"""A partial look takes in the newest words only, about as many as are spoken in its seconds."""


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
        # wrong thresholds are found before anything is loaded
        info.calibration.thresholds_for(info.specification.labels)
        self._info = info
        self._preference = device
        self._loaded: LoadedModel | None = None
        self._inference: Inference | None = None
        self._hearing: Hearing | None = None

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
        return self._hearing.frames_measured if self._hearing is not None else 0

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
        from core.pipeline.threads import cores, threads_for

        torch.set_num_threads(1)
        loaded = load_checkpoint(self._info.path)
        torch.set_num_threads(threads_for(loaded.processor, cores()))
        self._inference = Inference(loaded.model, choose_device(self._preference))
        self._hearing = hearing_for(loaded)
        self._loaded = loaded
        self._rehearse()

    def _rehearse(self) -> None:
        noise = np.random.default_rng(0).normal(0, 0.01, SAMPLE_RATE).astype(np.float32)
        languages = self._info.specification.languages
        text = Transcript("a", language=languages[0]) if languages else None
        for transcript in (None, text):
            self.final(Utterance(-1, 0, noise.size, noise), transcript)
        self.reset()

    def partial(
        self, utterance: Utterance, transcript: Transcript | None, seconds: float | None = None
    ) -> EmotionResult | None:
        """Judge the newest seconds of a growing utterance; None without anything to judge by."""
        loaded, hearing = self._ready()
        began = time.perf_counter()
        text = self._text(loaded, transcript, newest_only=True)
        return self._judge(loaded, utterance, hearing.newest(utterance), text, began, whole=False)

    def final(self, utterance: Utterance, transcript: Transcript | None) -> EmotionResult | None:
        """Judge a whole utterance, in chunks if it is long. Does not change the baseline.

        None without anything to judge by: a model that reads text only, and no text it may read.
        """
        loaded, hearing = self._ready()
        began = time.perf_counter()
        text = self._text(loaded, transcript, newest_only=False)
        return self._judge(loaded, utterance, hearing.whole(utterance), text, began, whole=True)

    def remember(self, utterance: Utterance) -> None:
        """Let a complete utterance shape its speaker's baseline; a second time changes nothing."""
        self._ready()[1].remember(utterance)

    def reset(self) -> None:
        """Forget every speaker and every cached utterance."""
        if self._hearing is not None:
            self._hearing.reset()
        if self._inference is not None:
            self._inference.forget()

    def _ready(self) -> tuple[LoadedModel, Hearing]:
        if self._loaded is None or self._hearing is None:
            self.warm_up()
        assert self._loaded is not None
        assert self._hearing is not None
        return self._loaded, self._hearing

    def _text(
        self, loaded: LoadedModel, transcript: Transcript | None, *, newest_only: bool
    ) -> ReadText:
        modalities = loaded.specification.modalities
        if Modality.TEXT not in modalities:
            return ReadText()
        without = ("speech_only",) if Modality.SPEECH in modalities else ()
        if transcript is not None and transcript.rejection is not None:
            return ReadText(notes=("text_rejected", *without))
        text = transcript.text.strip() if transcript is not None else ""
        if transcript is None or not text:
            return ReadText(notes=without)
        if not loaded.processor.understands(text, transcript.language):
            return ReadText(notes=("text_language_unknown", *without))
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
        *,
        whole: bool,
    ) -> EmotionResult | None:
        if not speech.chunks and text.tokens is None:
            return None
        assert self._inference is not None
        assert self._hearing is not None
        judgement = self._inference(self._hearing.inputs(speech, text.tokens), speech.key)
        heard = self._hearing.baseline_seconds(utterance)
        verdict = Verdict(loaded.info, judgement, speech, text, heard, whole)
        return verdict.result(self.model, time.perf_counter() - began)
