"""From what a model says about an utterance to the result that leaves the emotion thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from core.labels import AFFECT_COORDINATES, derive_affect
from core.models.calibration import Path
from core.models.manifest import CheckpointInfo
from core.models.specification import Problem
from core.pipeline.attention_maps import (
    TokenSpans,
    feature_map,
    feature_profile,
    frame_map,
    modality_map,
    token_map,
)
from core.pipeline.evidence import doubts_of
from core.pipeline.hearing import HeardSpeech
from core.types import AttentionMap, EmotionResult, FloatArray, Modality, ModelInfo

if TYPE_CHECKING:
    from core.models.inference import Judgement
    from core.models.tokenizer import TokenizedText
    from core.personal.adapter import PersonalAdapter

PERSONAL_SECONDS = 3.0
"""From here on a baseline counts as personal: the temperature fitted with baselines applies."""


def path_of(modality: Modality | None, baseline_seconds: float) -> Path:
    """Return by which way a modality judged, None for all together."""
    personal = baseline_seconds >= PERSONAL_SECONDS
    return {
        None: Path.FUSED,
        Modality.TEXT: Path.TEXT,
        Modality.SPEECH: Path.SPEECH_PERSONAL if personal else Path.SPEECH_RAW,
    }[modality]


@dataclass(frozen=True, slots=True)
class ReadText:
    """The text that enters the model, or why none does."""

    text: str = ""
    tokens: TokenizedText | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything a result is made of.

    `heard` is the speaker's baseline in seconds; `whole`: all of an utterance was judged, so that
    its features can stand for it in a dialogue; `personal`: corrects what the model says of this
    speaker, but not the features, which the dialogue model knows as they are.
    """

    info: CheckpointInfo
    judgement: Judgement
    speech: HeardSpeech
    text: ReadText
    heard: float
    whole: bool = False
    personal: PersonalAdapter | None = None

    def result(self, model: ModelInfo, compute_seconds: float) -> EmotionResult:
        """Return the result, as plain values."""
        alone = {m: self._probabilities(x, m) for m, x in self.judgement.alone.items()}
        present = self.judgement.present
        fused = self._probabilities(self.judgement.logits, None)
        probabilities = fused if len(present) > 1 else alone[present[0]]
        share = self._share(alone, probabilities)
        arousal, valence, derived = self._affect(probabilities)
        return EmotionResult(
            labels=self.info.specification.labels,
            probabilities=probabilities,
            arousal=arousal,
            valence=valence,
            affect_derived=derived,
            doubts=doubts_of(
                self.speech.evidence, probabilities, self.info.limits, self._thresholds
            ),
            modalities=present,
            modality_share=share,
            by_modality=alone,
            attentions=self._maps(share),
            model=replace(model, personal=self._took_part),
            baseline_seconds=self.heard,
            notes=self.text.notes,
            compute_seconds=compute_seconds,
            exclusive=self._exclusive,
            thresholds=self._thresholds,
            features=self._features(),
        )

    def _features(self) -> dict[Modality, FloatArray]:
        """Return the utterance as one vector (D,) per modality, over chunks as the logits are."""
        if not self.whole:
            return {}
        pooled = self.judgement.pooled
        return {
            m: self.speech.over_chunks(values).astype(np.float32) for m, values in pooled.items()
        }

    @property
    def _exclusive(self) -> bool:
        return self.info.specification.problem is Problem.SINGLE_LABEL

    @property
    def _thresholds(self) -> tuple[float, ...]:
        """From where on each label is given; empty when there is always exactly one."""
        if self._exclusive:
            return ()
        return self.info.calibration.thresholds_for(self.info.specification.labels)

    def _probabilities(self, logits: FloatArray, modality: Modality | None) -> tuple[float, ...]:
        path = path_of(modality, self.heard)
        problem = self.info.specification.problem
        found = self.info.calibration.probabilities(
            self._corrected(self.speech.over_chunks(logits), modality, path),
            path,
            problem,
            self.speech.duration,
        )
        return tuple(float(p) for p in found)

    @property
    def _took_part(self) -> str:
        """Name of the personal adapter, if it had a say."""
        personal = self.personal
        takes = personal is not None and personal.takes_part(None, self.judgement.present)
        return personal.info.name if personal is not None and takes else ""

    def _corrected(self, logits: FloatArray, modality: Modality | None, path: Path) -> FloatArray:
        """Return logits (C,) with what the personal adapter adds, if it concerns them."""
        personal = self.personal
        if personal is None or not personal.takes_part(modality, self.judgement.present):
            return logits
        voice = self.speech.over_chunks(self.judgement.voice(personal.modality))
        return personal.corrected(logits, voice, path, self.info.calibration)

    def _affect(self, probabilities: tuple[float, ...]) -> tuple[float | None, float | None, bool]:
        """Return arousal, valence, and whether they are derived; None where that can't be."""
        arousal, valence = self.judgement.arousal, self.judgement.valence
        if arousal is not None and valence is not None:
            return (
                float(self.speech.over_chunks(arousal)),
                float(self.speech.over_chunks(valence)),
                False,
            )
        labels = self.info.specification.labels
        total = 1.0 if self._exclusive else sum(probabilities)
        # a class of the user's own has no place on the plane, and leaving it out would shift all
        if not set(labels) <= AFFECT_COORDINATES.keys() or total <= 0:
            return None, None, True
        return (*derive_affect(labels, [p / total for p in probabilities]), True)

    def _share(
        self, alone: Mapping[Modality, tuple[float, ...]], fused: tuple[float, ...]
    ) -> dict[Modality, float]:
        """Return how much each modality had to say.

        The model's own gate if it has one; else the nearer what a modality says alone lies to the
        fused result (by Kullback-Leibler divergence), the larger its share.
        """
        present = self.judgement.present
        if len(present) == 1:
            return dict.fromkeys(present, 1.0)
        if len(alone) < len(present):
            return {}
        gate = self.judgement.attentions.get("modality")
        if gate is not None:
            values = self.speech.over_chunks(gate.reshape(len(gate), -1))
        else:
            values = np.array([np.exp(-self._divergence(fused, p)) for p in alone.values()])
        total = float(values.sum())
        return {m: float(v) / total for m, v in zip(alone, values, strict=True)}

    def _maps(self, share: dict[Modality, float]) -> tuple[AttentionMap, ...]:
        found: list[AttentionMap | None] = [modality_map(share)] if share else []
        attentions, spans = self.judgement.attentions, self._spans()
        if "token" in attentions and self.text.tokens is not None and spans:
            tokens = TokenSpans(self.text.text, self.text.tokens.spans)
            found.append(token_map(self._over_time(attentions["token"]), tokens, spans))
        if "frame" in attentions and spans:
            found.append(frame_map(self._over_time(attentions["frame"][:, None])[0], spans))
        if "feature" in attentions and len(self.judgement.present) > 1:
            found += self._feature_maps(self.speech.over_chunks(attentions["feature"]))
        return tuple(m for m in found if m is not None)

    def _feature_maps(self, weights: FloatArray) -> list[AttentionMap | None]:
        """Return blocks of whole modalities, and a profile of the encoders' own dimensions."""
        sizes = self.judgement.feature_sizes
        if sizes is None:
            half = weights.shape[0] // 2
            return [feature_map(weights, (half, half))]
        found: list[AttentionMap | None] = [feature_map(weights, sizes)]
        if weights[: sizes[0], sizes[0] :].any():  # else each attends within itself: no medians
            found.append(feature_profile(weights, sizes))
        return found

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

    def _divergence(self, p: tuple[float, ...], q: tuple[float, ...]) -> float:
        """Kullback-Leibler divergence of p from q, over all labels that stand for themselves."""
        a, b = np.clip(p, 1e-9, 1.0), np.clip(q, 1e-9, 1.0)
        found = float((a * np.log(a / b)).sum())
        if self._exclusive:
            return found
        a, b = np.clip(1.0 - np.asarray(p), 1e-9, 1.0), np.clip(1.0 - np.asarray(q), 1e-9, 1.0)
        return found + float((a * np.log(a / b)).sum())
