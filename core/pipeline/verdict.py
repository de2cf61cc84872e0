"""From what a model says about an utterance to the result that leaves the emotion thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from core.labels import derive_affect
from core.models.calibration import Path, short_speech_factor
from core.models.manifest import CheckpointInfo
from core.models.specification import Problem
from core.pipeline.attention_maps import (
    TokenSpans,
    feature_map,
    frame_map,
    modality_map,
    token_map,
)
from core.pipeline.evidence import Evidence, doubts_of
from core.types import AttentionMap, EmotionResult, FloatArray, Modality, ModelInfo

if TYPE_CHECKING:
    from core.models.inference import Judgement
    from core.models.processor import SpeechMeasures
    from core.models.tokenizer import TokenizedText

PERSONAL_SECONDS = 3.0
"""From here on a baseline counts as personal: the temperature fitted with baselines applies."""


@dataclass(frozen=True, slots=True)
class ReadText:
    """The text that enters the model, or why none does."""

    text: str = ""
    tokens: TokenizedText | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HeardSpeech:
    """Normalised chunks of an utterance.

    starts: where each begins, in seconds from the start of the utterance; seconds: how long each
    is; weights: (chunks,), how much speech each holds, summing to one.
    """

    chunks: tuple[SpeechMeasures, ...]
    starts: tuple[float, ...]
    seconds: tuple[float, ...]
    weights: FloatArray
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything a result is made of; `heard` is the speaker's baseline in seconds."""

    info: CheckpointInfo
    judgement: Judgement
    speech: HeardSpeech
    text: ReadText
    heard: float

    def result(self, model: ModelInfo, compute_seconds: float) -> EmotionResult:
        """Return the result, as plain values."""
        alone = {m: self._probabilities(x, m) for m, x in self.judgement.alone.items()}
        fused = self._probabilities(self.judgement.logits, None)
        probabilities = fused if len(alone) > 1 else next(iter(alone.values()))
        share = self._share(alone, probabilities)
        arousal, valence, derived = self._affect(probabilities)
        return EmotionResult(
            labels=self.info.specification.labels,
            probabilities=probabilities,
            arousal=arousal,
            valence=valence,
            affect_derived=derived,
            doubts=doubts_of(self.speech.evidence, probabilities, self.info.limits),
            modalities=tuple(alone),
            modality_share=share,
            by_modality=alone,
            attentions=self._maps(share),
            model=model,
            baseline_seconds=self.heard,
            notes=self.text.notes,
            compute_seconds=compute_seconds,
        )

    def _over_chunks(self, values: FloatArray) -> FloatArray:
        """Return the mean of (B, ...) over chunks, by how much speech each holds."""
        return np.asarray(np.tensordot(self.speech.weights, values, axes=1))

    def _probabilities(self, logits: FloatArray, modality: Modality | None) -> tuple[float, ...]:
        personal = self.heard >= PERSONAL_SECONDS
        path = {
            None: Path.FUSED,
            Modality.TEXT: Path.TEXT,
            Modality.SPEECH: Path.SPEECH_PERSONAL if personal else Path.SPEECH_RAW,
        }[modality]
        problem = self.info.specification.problem
        logits = self._over_chunks(logits)
        if modality is Modality.SPEECH:
            logits = logits / short_speech_factor(sum(self.speech.seconds))
        found = self.info.calibration.probabilities(logits, path, problem)
        if problem is Problem.MULTI_LABEL:
            found = found / found.sum()
        return tuple(float(p) for p in found)

    def _affect(self, probabilities: tuple[float, ...]) -> tuple[float, float, bool]:
        arousal, valence = self.judgement.arousal, self.judgement.valence
        if arousal is None or valence is None:
            return (*derive_affect(self.info.specification.labels, probabilities), True)
        return float(self._over_chunks(arousal)), float(self._over_chunks(valence)), False

    def _share(
        self, alone: Mapping[Modality, tuple[float, ...]], fused: tuple[float, ...]
    ) -> dict[Modality, float]:
        """Return how much each modality had to say.

        The model's own gate if it has one; else the nearer what a modality says alone lies to the
        fused result (by Kullback-Leibler divergence), the larger its share.
        """
        if len(alone) == 1:
            return dict.fromkeys(alone, 1.0)
        gate = self.judgement.attentions.get("modality")
        if gate is not None:
            values = self._over_chunks(gate.reshape(len(gate), -1))
        else:
            values = np.array([np.exp(-_divergence(fused, p)) for p in alone.values()])
        total = float(values.sum())
        return {m: float(v) / total for m, v in zip(alone, values, strict=True)}

    def _maps(self, share: dict[Modality, float]) -> tuple[AttentionMap, ...]:
        found: list[AttentionMap | None] = [modality_map(share)]
        attentions, spans = self.judgement.attentions, self._spans()
        if "token" in attentions and self.text.tokens is not None and spans:
            tokens = TokenSpans(self.text.text, self.text.tokens.spans)
            found.append(token_map(self._over_time(attentions["token"]), tokens, spans))
        if "frame" in attentions and spans:
            found.append(frame_map(self._over_time(attentions["frame"][:, None])[0], spans))
        if "feature" in attentions and len(share) > 1:
            weights = self._over_chunks(attentions["feature"])
            found.append(feature_map(weights, (weights.shape[0] // 2, weights.shape[0] // 2)))
        return tuple(m for m in found if m is not None)

    def _over_time(self, weights: FloatArray) -> FloatArray:
        """Lay chunks (B, L, T) one after another: (L, sum of valid T), each by its weight."""
        valid = zip(weights, self.judgement.lengths, self.speech.weights, strict=True)
        return np.concatenate([w[:, :length] * share for w, length, share in valid], axis=1)

    def _spans(self) -> list[tuple[float, float]]:
        """Return begin and end in seconds of every position of the speech sequence."""
        spans: list[tuple[float, float]] = []
        chunks = zip(self.speech.starts, self.speech.seconds, self.judgement.lengths, strict=True)
        for start, seconds, length in chunks:
            edges = np.linspace(start, start + seconds, int(length) + 1).tolist()
            spans += pairwise(edges)
        return spans


def _divergence(p: tuple[float, ...], q: tuple[float, ...]) -> float:
    """Kullback-Leibler divergence of p from q."""
    a, b = np.clip(p, 1e-9, 1.0), np.clip(q, 1e-9, 1.0)
    return float((a * np.log(a / b)).sum())
