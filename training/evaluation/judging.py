"""Logits of many clips in batches, exactly as the analyzer would judge each alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.models.baseline import SpeakerBaseline
from core.models.checkpoint import LoadedModel
from core.models.device import choose_device
from core.models.inference import Inference, Judgement
from core.models.processor import SpeechMeasures
from core.models.tokenizer import TokenizedText
from core.types import FloatArray, Modality

BATCH = 32

Take = Callable[[Judgement], FloatArray]


@dataclass(frozen=True, slots=True)
class Chunks:
    """Un-normalised chunks of one clip and their weights, summing to one."""

    measures: tuple[SpeechMeasures, ...]
    weights: FloatArray


class BatchJudge:
    """A checkpoint's model over lists of clips."""

    def __init__(self, loaded: LoadedModel, device: str = "auto") -> None:
        """Take a model of the compact encoders. Raises CheckpointError for any other."""
        self._processor = loaded.frame_processor
        self._classes = len(loaded.specification.labels)
        self._short_speech = loaded.calibration.short_speech
        self._inference = Inference(loaded.model, choose_device(device))

    def chunks(self, measures: SpeechMeasures) -> Chunks:
        """Cut a clip as the analyzer does."""
        pieces, weights = self._processor.chunks(measures.frames)
        if len(pieces) == 1:
            return Chunks((measures,), weights)
        return Chunks(tuple(self._processor.measures_of(p) for p in pieces), weights)

    def speech(
        self, clips: Sequence[Chunks], baseline: SpeakerBaseline | None = None
    ) -> FloatArray:
        """Return logits (n, C) from speech alone, tempered where little was heard."""
        logits = self._over_chunks(clips, baseline, None, lambda j: j.alone[Modality.SPEECH])
        rate = self._processor.extractor.frame_rate
        heard = [sum(len(m.frames) for m in clip.measures) / rate for clip in clips]
        return self._short_speech.temper(logits, heard)

    def fused(
        self,
        clips: Sequence[Chunks],
        texts: Sequence[TokenizedText],
        baseline: SpeakerBaseline | None = None,
    ) -> FloatArray:
        """Return logits (n, C) from speech and text."""
        return self._over_chunks(clips, baseline, texts, lambda j: j.logits)

    def text(self, texts: Sequence[TokenizedText]) -> FloatArray:
        """Return logits (n, C) from text alone."""
        logits = np.zeros((len(texts), self._classes), np.float32)
        for rows in _batches([len(t.ids) for t in texts], 4 * BATCH):
            inputs = self._processor.batch(texts=[texts[i] for i in rows])
            logits[rows] = self._inference(inputs).alone[Modality.TEXT]
        return logits

    def _over_chunks(
        self,
        clips: Sequence[Chunks],
        baseline: SpeakerBaseline | None,
        texts: Sequence[TokenizedText] | None,
        take: Take,
    ) -> FloatArray:
        owner = np.repeat(np.arange(len(clips)), [len(c.measures) for c in clips])
        speech = [self._processor.normalise(m, baseline) for c in clips for m in c.measures]
        weights = np.concatenate([c.weights for c in clips]) if clips else np.zeros(0)
        logits = np.zeros((len(clips), self._classes), np.float32)
        for rows in _batches([len(s.frames) for s in speech], BATCH):
            words = None if texts is None else [texts[owner[i]] for i in rows]
            inputs = self._processor.batch([speech[i] for i in rows], words)
            found = take(self._inference(inputs)) * weights[rows, None]
            np.add.at(logits, owner[rows], found)
        return logits


def _batches(lengths: Sequence[int], size: int) -> list[NDArray[np.int64]]:
    """Return indices of items of like length, so that little is padded."""
    order = np.argsort(np.asarray(lengths), kind="stable")
    return [order[i : i + size] for i in range(0, len(order), size)]
