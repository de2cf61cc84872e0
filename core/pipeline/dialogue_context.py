"""The dialogue model of a session: each turn among the turns before it, and later with hindsight.

Importing this module imports no torch, so the window may; `ModelContext.warm_up` loads it. Belongs
to one thread, as every `DialogueContext`.
"""

from __future__ import annotations

import time
from bisect import bisect, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import CheckpointError, ConfigError
from core.models.calibration import DoubtLimits
from core.models.context.manifest import DialogueInfo, read_dialogue_info
from core.pipeline.context import UtteranceModel
from core.pipeline.evidence import doubts_of
from core.pipeline.hindsight import Stretch, stretches
from core.pipeline.nested_probabilities import NestedProbabilities
from core.pipeline.opinion_pool import own_opinion, pooled
from core.resources import dialogue_checkpoint
from core.types import (
    ContextInfo,
    ContextResult,
    ContextScope,
    Doubt,
    FloatArray,
    Modality,
    ModelInfo,
    Turn,
)

if TYPE_CHECKING:
    from core.models.context.inference import DialogueInference, TurnFeatures, WindowJudgement

_BATCH = 8
"""Stretches of a long dialogue that are judged at once: this bounds memory."""


def load_context(folder: Path | str, window: int | None = None) -> ModelContext:
    """Return the dialogue model of a checkpoint directory; its weights are loaded by `warm_up`.

    Args:
        folder: the checkpoint directory.
        window: how many turns it looks at, the newest included; None: as many as in its training.

    Raises:
        CheckpointError: it is no checkpoint of a dialogue model, or of an unknown format.
        ConfigError: the window is empty.
    """
    return ModelContext(read_dialogue_info(folder), window)


def shipped_context(utterance_model: str, window: int | None = None) -> ModelContext | None:
    """Return the dialogue model that ships with Emoscope if it reads that model's features.

    Args:
        utterance_model: sha256 of the weights of the utterance model.
        window: see `load_context`.
    """
    try:
        context = load_context(dialogue_checkpoint(), window)
    except CheckpointError:
        return None
    return context if context.trained_on.digest == utterance_model else None


@dataclass(slots=True)
class _Entry:
    """A turn as it is kept: without attention maps, which may be large, but with its features."""

    turn: Turn
    features: TurnFeatures

    @property
    def place(self) -> tuple[int, int]:
        """Where it belongs in the dialogue."""
        return self.turn.start, self.turn.index


class ModelContext:
    """A `DialogueContext` over a dialogue checkpoint.

    A turn is scored as the last of a window of the newest turns by start that ends with it, which
    is how dialogues were cut in training. Turns may become final in another order than they began:
    a late one is scored among the turns that began before it, and counts as context from then on.
    A turn that could not be judged stays in the dialogue as one without modalities and gets no
    context itself: whatever would be said of it, nothing of it was heard.

    Hindsight while the dialogue goes on is what the newest window says of its earlier turns; those
    that have lost more than half of their own past to the window's beginning are left as they are.
    In the end each turn is seen with about as many turns after it as before it.

    Everything it says is pooled with the utterance model's own result of the turn, by the share
    that the checkpoint states; what is `alone` too, so the difference is still what context did.
    """

    def __init__(self, info: DialogueInfo, window: int | None = None) -> None:
        if window is not None and window < 1:
            raise ConfigError("A window must hold a turn at least.", "Choose 1 or more.")
        self._info = info
        self.model = _model_info(info)
        """What the results name."""
        self._window = window or info.specification.window
        self._ready: tuple[DialogueInference, ContextInfo] | None = None
        self._entries: list[_Entry] = []
        self._known: set[int] = set()

    @property
    def trained_on(self) -> UtteranceModel:
        """The utterance model whose features it reads."""
        specification = self._info.specification
        return UtteranceModel(specification.utterance_name, specification.utterance_model)

    def warm_up(self) -> ContextInfo:
        """Load and verify the checkpoint, run once, and measure its nested sizes.

        Raises:
            CheckpointError: naming everything that is wrong with the checkpoint.
        """
        return self._loaded()[1]

    def _loaded(self) -> tuple[DialogueInference, ContextInfo]:
        if self._ready is None:
            from core.models.context.checkpoint import load_dialogue_checkpoint
            from core.models.context.inference import DialogueInference
            from core.models.context.nested_sizes import nested_sizes

            loaded = load_dialogue_checkpoint(self._info.path)
            inference = DialogueInference(loaded.model, self._info.temperature)
            sizes = nested_sizes(inference, self._window)
            self._ready = inference, ContextInfo(self.model, self._window, sizes)
        return self._ready

    def reset(self) -> None:
        """Forget every turn."""
        self._entries.clear()
        self._known.clear()

    def add(self, turn: Turn, features: dict[Modality, FloatArray]) -> Sequence[Turn]:
        """Judge a final turn within the window that ends with it; see `DialogueContext`.

        Raises:
            ValueError: a feature is of another size than the model takes, or not finite; the turn
                is then one without modalities.
        """
        inference, _ = self._loaded()
        entry = self._enter(turn)
        taken = self._checked(features)
        if not taken:
            return (turn,)
        entry.features = replace(entry.features, features=taken)
        place = bisect(self._entries, entry.place, key=lambda e: e.place)
        first = max(0, place - self._window)
        window = self._entries[first:place]
        began = time.perf_counter()
        among, alone = inference([[e.features for e in window], [entry.features]], attention=True)
        took = time.perf_counter() - began
        own = _floats(self._pooled(alone.probabilities[0], entry))
        result = self._result(among, len(window) - 1, window, ContextScope.PAST, own, took)
        entry.turn = replace(entry.turn, context=result)
        revised = self._revised(among, window, took) if place == len(self._entries) else []
        return (replace(turn, context=result), *revised)

    def _enter(self, turn: Turn) -> _Entry:
        """Put a turn where it belongs, without modalities yet, in place of one of its index."""
        from core.models.context.inference import TurnFeatures

        emotion = None if turn.emotion is None else replace(turn.emotion, attentions=())
        entry = _Entry(replace(turn, emotion=emotion), TurnFeatures({}, turn.speaker))
        if turn.index in self._known:
            self._entries = [e for e in self._entries if e.turn.index != turn.index]
        self._known.add(turn.index)
        insort(self._entries, entry, key=lambda e: e.place)
        return entry

    def _checked(self, features: Mapping[Modality, FloatArray]) -> dict[str, FloatArray]:
        """Return own copies of the features the model takes."""
        taken = {}
        for name, size in self._info.specification.features.items():
            found = features.get(Modality(name))
            if found is None:
                continue
            if found.shape != (size.dim,) or not np.isfinite(found).all():
                raise ValueError(f"{name} features {found.shape} are not {size.dim} finite numbers")
            taken[name] = np.array(found, dtype=np.float32)
        return taken

    def _revised(self, among: WindowJudgement, window: list[_Entry], took: float) -> list[Turn]:
        """Return earlier turns that have another label with the newest one in view."""
        changed = []
        cut = len(window) < len(self._entries)
        for place, entry in enumerate(window[:-1]):
            context = entry.turn.context
            if context is None or (cut and place < self._window // 2):
                continue
            said = (entry.turn.hindsight or context).label
            now = self._pooled(among.probabilities[place], entry)
            if self.model.labels[int(now.argmax())] != said:
                self._look_back(entry, among, place, window, took)
                changed.append(entry.turn)
        return changed

    def _pooled(self, probabilities: FloatArray, entry: _Entry) -> FloatArray:
        """Return probabilities (..., C) with the utterance model's own result in them."""
        own = own_opinion(entry.turn.emotion, self.model.labels)
        return pooled(probabilities, own, self._info.specification.utterance_share)

    def finish(self) -> Sequence[Turn]:
        """Return every turn that has context, with what the whole dialogue says of it."""
        parts = stretches(len(self._entries), self._window)
        for first in range(0, len(parts), _BATCH):
            self._finish(parts[first : first + _BATCH])
        return tuple(e.turn for e in self._entries if e.turn.hindsight is not None)

    def _finish(self, parts: Sequence[Stretch]) -> None:
        views = [self._entries[part.first : part.end] for part in parts]
        began = time.perf_counter()
        windows = [[e.features for e in view] for view in views]
        judged = self._loaded()[0](windows, attention=True)
        took = (time.perf_counter() - began) / sum(map(len, views))
        for part, view, among in zip(parts, views, judged, strict=True):
            for place in range(part.own_first - part.first, part.own_end - part.first):
                if view[place].turn.context is not None:
                    self._look_back(view[place], among, place, view, took)

    def _look_back(
        self, entry: _Entry, among: WindowJudgement, place: int, view: list[_Entry], took: float
    ) -> None:
        assert entry.turn.context is not None
        own = entry.turn.context.alone
        result = self._result(among, place, view, ContextScope.LATER, own, took)
        entry.turn = replace(entry.turn, hindsight=result)

    def _result(
        self,
        among: WindowJudgement,
        place: int,
        view: Sequence[_Entry],
        scope: ContextScope,
        alone: tuple[float, ...],
        took: float,
    ) -> ContextResult:
        weights, entry = among.attention, view[place]
        probabilities = _floats(self._pooled(among.probabilities[place], entry))
        return ContextResult(
            labels=self.model.labels,
            probabilities=probabilities,
            scope=scope,
            alone=alone,
            turns=tuple(e.turn.index for e in view),
            attention=() if weights is None else _floats(weights[place]),
            model=self.model,
            nested=self._nested(among, place, entry),
            compute_seconds=took,
            doubts=_doubts(entry.turn, probabilities),
        )

    def _nested(
        self, among: WindowJudgement, place: int, entry: _Entry
    ) -> Mapping[int, tuple[float, ...]]:
        if not among.nested:
            return {}
        rows = np.stack([values[place] for values in among.nested.values()])
        return NestedProbabilities(tuple(among.nested), self._pooled(rows, entry))


def _doubts(turn: Turn, probabilities: tuple[float, ...]) -> tuple[Doubt, ...]:
    """Return why a reading is uncertain: context makes no speech longer or clearer."""
    heard = () if turn.emotion is None else turn.emotion.doubts
    kept = tuple(doubt for doubt in heard if doubt in (Doubt.TOO_SHORT, Doubt.TOO_NOISY))
    return (*kept, *doubts_of(None, probabilities, DoubtLimits()))


def _model_info(info: DialogueInfo) -> ModelInfo:
    unknown = sorted(set(info.specification.features) - {modality.value for modality in Modality})
    if unknown:
        raise CheckpointError(
            f"The dialogue model in {info.path} takes features that no session has:"
            f" {', '.join(unknown)}.",
            "Choose another dialogue model.",
        )
    return ModelInfo(
        name=info.name,
        version=info.version,
        digest=info.digest,
        labels=info.specification.labels,
        modalities=tuple(Modality(name) for name in info.specification.features),
        languages=info.specification.languages,
    )


def _floats(values: FloatArray) -> tuple[float, ...]:
    return tuple(values.tolist())
