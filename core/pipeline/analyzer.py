"""The analyzer of any checkpoint: bounded partial looks, whole final ones, text when it is there.

Importing this module imports no torch, so the window may; `ModelAnalyzer.warm_up` loads it. Like
every `Analyzer` it belongs to one thread, but for `use_personal` and `use_checkpoint`, which any
thread may call.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.models.manifest import CheckpointInfo, check_same_base, read_info
from core.models.runtimes.base import parse_preference
from core.pipeline.batching import MOST_ROWS, Item, batches_of, in_order
from core.pipeline.fitted_model import FittedModel, Wishes
from core.pipeline.hearing import PARTIAL_SECONDS, HeardSpeech, Hearing, at_most, hearing_for
from core.pipeline.personal import Personal
from core.pipeline.reading import read, words_in
from core.pipeline.verdict import ReadText, Verdict
from core.types import SAMPLE_RATE, EmotionResult, ModelInfo, Transcript, Utterance

if TYPE_CHECKING:
    from core.models.judgement import Judgement
    from core.models.work import Work
    from core.personal.types import PersonalAdapterInfo

__all__ = ["PARTIAL_SECONDS", "ModelAnalyzer", "Wishes", "load_analyzer"]


def load_analyzer(
    path: Path | str,
    device: str = "auto",
    runtime: str = "auto",
    exporting: Callable[[], None] | None = None,
    personal: PersonalAdapterInfo | None = None,
) -> ModelAnalyzer:
    """Return an analyzer over a checkpoint directory; its weights are loaded by `warm_up`.

    Args:
        path: the checkpoint directory.
        device: "auto", "cpu" or "cuda".
        runtime: what computes pretrained encoders on the CPU: "auto", "lossy", a runtime or a mode
            (see `core.models.runtimes.base`). "lossy" and modes of half precision count on a GPU,
            too.
        exporting: called while loading, before an encoder is exported, which takes seconds and is
            done once for a checkpoint.
        personal: an adapter for whoever speaks; see `ModelAnalyzer.use_personal`.

    Raises:
        CheckpointError: it is no checkpoint, or of an unknown format; or the adapter can't be used.
        ConfigError: there is no such runtime.
    """
    analyzer = ModelAnalyzer(read_info(path), Wishes(device, runtime, exporting=exporting))
    if personal is not None:
        analyzer.use_personal(personal)
    return analyzer


class ModelAnalyzer:
    """An `Analyzer` over a checkpoint; see the module for what threads may do with it.

    Args:
        info: of the checkpoint.
        wishes: where it is to run, and how; None: as is best.
    """

    def __init__(self, info: CheckpointInfo, wishes: Wishes | None = None) -> None:
        self._wishes = wishes or Wishes()
        # wrong thresholds and names are found before anything is loaded
        info.calibration.thresholds_for(info.specification.labels)
        parse_preference(self._wishes.runtime)
        self._lock = threading.RLock()
        """Held by each judgement: none is by half of one checkpoint and half of another."""
        self._info = info
        self._described = _described(info)
        self._fitted: FittedModel | None = None
        self._heard: Hearing | None = None
        self._personal = self._in_force = Personal()
        """What was asked for last, and what the judgement in hand goes by."""

    @property
    def model(self) -> ModelInfo:
        """What the results name; device and runtimes are known once the model is loaded.

        `personal` names the adapter in use; a result names it only if it had a say.
        """
        described = replace(self._described, personal=self._personal.name)
        return described if self._fitted is None else self._fitted.described(described)

    def use_personal(
        self, adapter: PersonalAdapterInfo | None, speakers: tuple[str, ...] = ()
    ) -> None:
        """Correct what the model says from the next judgement on, or no longer; from any thread.

        Args:
            adapter: made for this checkpoint; None: what the model says counts as it is.
            speakers: whose utterances; empty: everybody's.

        Raises:
            CheckpointError: it is for another checkpoint, or can't be read. What was used before
                goes on being used.
        """
        self._personal = Personal.of(adapter, speakers, self._info)

    def use_checkpoint(self, path: Path | str) -> None:
        """Go on as another adapter of the same base, or as the base itself; from any thread.

        Waits for the judgement in hand. The base is not loaded again: its encoder is changed in
        place, and computed by torch until it is fitted for the CPU anew, after an utterance (see
        `remember`). Speakers stay known where the checkpoints prepare speech alike; a personal
        adapter goes, as it is for one checkpoint.

        Raises:
            CheckpointError: it is of another base, damaged, or can't be switched to; the analyzer
                goes on as before.
        """
        info = read_info(path)
        info.calibration.thresholds_for(info.specification.labels)
        with self._lock:
            check_same_base(self._info, info)
            if info == self._info:
                return
            if self._fitted is not None:
                self._switch(self._fitted, info)
            self._info, self._described = info, _described(info)
            self._personal = self._personal.fitting(info)

    @property
    def frames_measured(self) -> int:
        """How many frames of speech were measured so far: what a look costs beside the model."""
        return self._heard.frames_measured if self._heard is not None else 0

    @property
    def work(self) -> Work:
        """What the model computed so far (see `Work`)."""
        return self._ready()[0].inference.work.copy()

    @property
    def partial_seconds(self) -> float:
        """How much of a growing utterance a partial look takes in, unless less is asked for."""
        return self._ready()[1].partial_seconds

    @property
    def batch_rows(self) -> int:
        """How many utterances at a time pay; 1: give them one by one.

        So on a CPU, where that is fastest; with personal baselines, as each utterance is judged by
        those before it; and with encoders that take in what fills up a batch.
        """
        return self._ready()[0].batch_rows

    def warm_up(self) -> None:
        """Load and verify the checkpoint, choose a device, fit runtimes, and run every path once.

        Raises:
            CheckpointError: naming everything that is wrong with the checkpoint.
        """
        if self._fitted is not None:
            return
        fitted = FittedModel.load(self._info, self._wishes)
        self._heard = hearing_for(fitted.loaded)
        self._fitted = fitted
        self._rehearse()
        if not fitted.fits:  # the GPU failed at the first try
            fitted.fit()

    def partial(
        self, utterance: Utterance, transcript: Transcript | None, seconds: float | None = None
    ) -> EmotionResult | None:
        """Judge the newest seconds of a growing utterance; None without anything to judge by."""
        with self._lock:
            fitted, hearing = self._listening()
            began = time.perf_counter()
            text = read(
                fitted.loaded, transcript, words_in(at_most(seconds, hearing.partial_seconds))
            )
            return self._judge(
                utterance, hearing.newest(utterance, seconds), text, began, whole=False
            )

    def final(self, utterance: Utterance, transcript: Transcript | None) -> EmotionResult | None:
        """Judge a whole utterance, in chunks if it is long. Does not change the baseline.

        None without anything to judge by: a model that reads text only, and no text it may read.
        """
        with self._lock:
            fitted, hearing = self._listening()
            began = time.perf_counter()
            text = read(fitted.loaded, transcript)
            return self._judge(utterance, hearing.whole(utterance), text, began, whole=True)

    def final_many(
        self, utterances: Sequence[Utterance], transcripts: Sequence[Transcript | None]
    ) -> list[EmotionResult | None]:
        """Judge whole utterances, in batches of like length where these pay (`batch_rows`).

        None of them is remembered meanwhile: baselines stay as they are for all.
        """
        if self.batch_rows == 1:
            return [self.final(u, t) for u, t in zip(utterances, transcripts, strict=True)]
        return self.final_in_batches(utterances, transcripts)

    def final_in_batches(
        self,
        utterances: Sequence[Utterance],
        transcripts: Sequence[Transcript | None],
        rows: int = MOST_ROWS,
    ) -> list[EmotionResult | None]:
        """Judge whole utterances in batches of at most `rows`, whether that pays or not."""
        with self._lock:
            return self._in_batches(utterances, transcripts, rows)

    def _in_batches(
        self,
        utterances: Sequence[Utterance],
        transcripts: Sequence[Transcript | None],
        rows: int,
    ) -> list[EmotionResult | None]:
        fitted, hearing = self._listening()
        heard = [hearing.whole(utterance) for utterance in utterances]
        texts = [read(fitted.loaded, transcript) for transcript in transcripts]
        items = [
            Item(i, max(1, len(h.chunks)), max(h.seconds, default=0.0), _length(t))
            for i, (h, t) in enumerate(zip(heard, texts, strict=True))
            if h.chunks or t.tokens is not None
        ]

        def judge(batch: Sequence[Item]) -> list[EmotionResult]:
            chosen = [item.index for item in batch]
            return self._judge_batch(
                batch,
                [utterances[i] for i in chosen],
                [heard[i] for i in chosen],
                [texts[i] for i in chosen],
            )

        return in_order(len(utterances), batches_of(items, rows), judge)

    def remember(self, utterance: Utterance) -> None:
        """Let a complete utterance shape its speaker's baseline; a second time changes nothing.

        A model that had to leave the GPU is fitted for the CPU here: the result of the utterance is
        out, and nothing waits for this.
        """
        with self._lock:
            fitted, hearing = self._ready()
            hearing.remember(utterance)
            if not fitted.fits:
                fitted.refit()

    def reset(self) -> None:
        """Forget every speaker and every cached utterance."""
        with self._lock:
            if self._heard is not None:
                self._heard.reset()
            if self._fitted is not None:
                self._fitted.inference.forget()

    def _switch(self, fitted: FittedModel, info: CheckpointInfo) -> None:
        prepared_by = fitted.loaded.processor
        fitted.switch(info)
        if fitted.loaded.processor is not prepared_by:
            self._heard, self._in_force = hearing_for(fitted.loaded), Personal()

    def _listening(self) -> tuple[FittedModel, Hearing]:
        """Return what judges, with the personal adapter that was asked for last."""
        fitted, hearing = self._ready()
        wanted = self._personal
        if wanted is not self._in_force:
            fits = wanted.fitting(self._info)
            if fits is not wanted:  # it was asked for while the checkpoint was changed
                self._personal = fits
            self._in_force = fits
            hearing.know(fits.voice)
        return fitted, hearing

    def _ready(self) -> tuple[FittedModel, Hearing]:
        if self._fitted is None:
            self.warm_up()
        assert self._fitted is not None
        assert self._heard is not None
        return self._fitted, self._heard

    def _rehearse(self) -> None:
        noise = np.random.default_rng(0).normal(0, 0.01, SAMPLE_RATE).astype(np.float32)
        languages = self._info.specification.languages
        text = Transcript("a", language=languages[0]) if languages else None
        utterance = Utterance(-1, 0, noise.size, noise)
        for transcript in (None, text):
            self.final(utterance, transcript)
        self.partial(replace(utterance, is_final=False), None)
        self.reset()

    def _judge(
        self,
        utterance: Utterance,
        speech: HeardSpeech,
        text: ReadText,
        began: float,
        *,
        whole: bool,
    ) -> EmotionResult | None:
        if not speech.chunks and text.tokens is None:
            return None
        fitted, hearing = self._ready()
        inputs = hearing.inputs(speech, text.tokens)
        judgement = fitted.inference(inputs, speech.key, speech.place)
        return self._result(utterance, speech, text, judgement, began, whole=whole)

    def _judge_batch(
        self,
        items: Sequence[Item],
        utterances: Sequence[Utterance],
        heard: Sequence[HeardSpeech],
        texts: Sequence[ReadText],
    ) -> list[EmotionResult]:
        began = time.perf_counter()
        fitted, hearing = self._ready()
        judgement = fitted.inference(hearing.batch(heard, [text.tokens for text in texts]))
        share = (time.perf_counter() - began) / len(items)
        results, row = [], 0
        for item, utterance, speech, text in zip(items, utterances, heard, texts, strict=True):
            mine = judgement.rows(row, row + item.rows, item.tokens)
            since = time.perf_counter() - share
            results.append(self._result(utterance, speech, text, mine, since, whole=True))
            row += item.rows
        return results

    def _result(
        self,
        utterance: Utterance,
        speech: HeardSpeech,
        text: ReadText,
        judgement: Judgement,
        began: float,
        *,
        whole: bool,
    ) -> EmotionResult:
        heard = self._ready()[1].baseline_seconds(utterance)
        personal = self._in_force.of_speaker(utterance.speaker)
        verdict = Verdict(self._info, judgement, speech, text, heard, whole, personal)
        return verdict.result(self.model, time.perf_counter() - began)


def _described(info: CheckpointInfo) -> ModelInfo:
    """Return what a checkpoint says of itself before it is loaded."""
    specification = info.specification
    return ModelInfo(
        name=info.name,
        version=info.version,
        digest=info.digest,
        labels=specification.labels,
        modalities=specification.modalities,
        languages=specification.languages,
        device_reason="not_loaded",
    )


def _length(text: ReadText) -> int | None:
    return None if text.tokens is None else len(text.tokens.ids)
