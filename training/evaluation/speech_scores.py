"""Judging a corpus of clips, speaker by speaker, in every way that is reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from core.errors import EmoscopeError
from core.models.baseline import SpeakerBaseline, SpeakerMoments
from core.models.checkpoint import LoadedModel
from core.models.processor import SpeechMeasures
from core.types import SAMPLE_RATE, FloatArray
from training.evaluation.baselines import ALL, Baselines
from training.evaluation.causal import BUDGETS, plan_hearings
from training.evaluation.clips import Clip, Measurer
from training.evaluation.judging import BatchJudge, Chunks
from training.evaluation.seen import Seen, script_key
from training.svm import baseline_columns, normalise_by_speaker

ORDERS = 2
"""How many random orders of a speaker's clips a causal figure is the mean of."""


@dataclass(slots=True)
class SpeakerJudgements:
    """What was said about the scored clips of one speaker; logits (n, C), NaN where not asked."""

    clips: list[Clip]
    raw: FloatArray
    personal: FloatArray
    text: FloatArray
    fused: FloatArray
    causal: dict[int, list[FloatArray]]
    baselines: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class CorpusJudgements:
    """The same of a whole corpus, and what was left out of it.

    left_out: reason -> number of clips. text_reason: why no text was judged, or "".
    """

    name: str
    speakers: list[SpeakerJudgements] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    text_reason: str = ""

    @property
    def clips(self) -> list[Clip]:
        """Every scored clip."""
        return [clip for speaker in self.speakers for clip in speaker.clips]

    def logits(self, name: str) -> FloatArray:
        """Return "raw", "personal", "text" or "fused" of every scored clip, (n, C)."""
        return np.concatenate([getattr(speaker, name) for speaker in self.speakers])

    def causal(self, budget: int) -> list[FloatArray]:
        """Return logits (n, C) per order, with baselines of `budget` seconds."""
        orders = zip(*(speaker.causal[budget] for speaker in self.speakers), strict=True)
        return [np.concatenate(order) for order in orders]

    def baseline(self, name: str) -> list[str] | None:
        """Return the classes a support vector baseline chose, None when there is none."""
        if not all(name in speaker.baselines for speaker in self.speakers):
            return None
        return [label for speaker in self.speakers for label in speaker.baselines[name]]

    def leave_out(self, reason: str, count: int = 1) -> None:
        """Count clips that are not scored."""
        if count:
            self.left_out[reason] = self.left_out.get(reason, 0) + count


class SpeechEvaluator:
    """Judges corpora with one checkpoint."""

    def __init__(
        self,
        loaded: LoadedModel,
        seen: Seen,
        baselines: Baselines | None,
        measurer: Measurer,
        progress: Callable[[int], None] = lambda clips: None,
    ) -> None:
        self._loaded = loaded
        self._seen = seen
        self._baselines = baselines
        self._measurer = measurer
        self._progress = progress
        self._judge = BatchJudge(loaded)
        self._columns = baseline_columns(loaded.frame_processor.config.speech.mel_bands)

    def corpus(self, name: str, clips: Sequence[Clip], seed: int) -> CorpusJudgements:
        """Judge the clips of one corpus that may be scored."""
        found = CorpusJudgements(name)
        with_text = self._choose_texts(clips, found)
        classes = {c.label for c in clips if c.label is not None}
        in_order = sorted(clips, key=lambda c: c.speaker)
        for speaker, own in groupby(in_order, key=lambda c: c.speaker):
            mine = list(own)
            if self._seen.speaker(name, speaker):
                trained = speaker in self._seen.speakers.get(name, ())
                reason = "trained on the speaker" if trained else "calibrated on the speaker"
                found.leave_out(reason, len(mine))
            else:
                self._speaker(mine, found, with_text, sorted(classes), seed)
            self._progress(len(mine))
        return found

    def _choose_texts(self, clips: Sequence[Clip], found: CorpusJudgements) -> set[str]:
        """Return names of the clips whose text is judged; none when text can say nothing."""
        found.text_reason = text_reason(clips, self._loaded)
        if found.text_reason:
            return set()
        unseen = [c for c in clips if c.text and not self._seen.script(c.corpus, c.text)]
        known = self._loaded.processor.understands
        return {c.name for c in unseen if known(c.text, c.language or None)}

    def _speaker(
        self,
        clips: list[Clip],
        found: CorpusJudgements,
        with_text: set[str],
        classes: list[str],
        seed: int,
    ) -> None:
        heard, measures = self._measure(clips, found)
        scored = [i for i, clip in enumerate(heard) if self._may_score(clip, found)]
        if not scored:
            return
        chunks = [self._judge.chunks(measures[i]) for i in scored]
        moments = [self._loaded.frame_processor.moments(one) for one in measures]
        own = self._baseline(moments)
        chosen = [heard[i] for i in scored]
        judged = SpeakerJudgements(
            clips=chosen,
            raw=self._judge.speech(chunks),
            personal=self._judge.speech(chunks, own),
            text=self._with_text(chosen, with_text, None, None),
            fused=self._with_text(chosen, with_text, chunks, own),
            causal=self._causal(measures, moments, scored, chunks, seed),
        )
        self._ask_baselines(judged, measures, scored, classes)
        found.speakers.append(judged)

    def _measure(
        self, clips: list[Clip], found: CorpusJudgements
    ) -> tuple[list[Clip], list[SpeechMeasures]]:
        heard, measures = [], []
        for clip in clips:
            try:
                measures.append(self._measurer(clip))
            except EmoscopeError:
                found.leave_out("the file can't be read")
                continue
            heard.append(clip)
        return heard, measures

    def _may_score(self, clip: Clip, found: CorpusJudgements) -> bool:
        if self._seen.clip(clip.corpus, clip.name):
            found.leave_out("trained on the clip")
        elif clip.label is None or clip.label not in self._loaded.specification.labels:
            found.leave_out(f"unknown class {clip.emotion}")
        else:
            return True
        return False

    def _baseline(self, heard: Iterable[SpeakerMoments]) -> SpeakerBaseline:
        baseline = self._loaded.frame_processor.new_baseline()
        for moments in heard:
            baseline.add(moments)
        return baseline

    def _causal(
        self,
        measures: list[SpeechMeasures],
        moments: list[SpeakerMoments],
        scored: list[int],
        chunks: list[Chunks],
        seed: int,
    ) -> dict[int, list[FloatArray]]:
        hop = self._loaded.frame_processor.config.speech.hop / SAMPLE_RATE
        seconds = [len(m.frames) * hop for m in measures]
        place = {index: row for row, index in enumerate(scored)}
        classes = len(self._loaded.specification.labels)
        found: dict[int, list[FloatArray]] = {budget: [] for budget in BUDGETS}
        for budget in BUDGETS:
            for order in range(ORDERS):
                logits = np.zeros((len(scored), classes), np.float32)
                for hearing in plan_hearings(seconds, budget, seed + order):
                    rows = [place[i] for i in hearing.judged.tolist() if i in place]
                    own = self._baseline(moments[i] for i in hearing.heard.tolist())
                    logits[rows] = self._judge.speech([chunks[r] for r in rows], own)
                found[budget].append(logits)
        return found

    def _with_text(
        self,
        clips: list[Clip],
        with_text: set[str],
        chunks: list[Chunks] | None,
        own: SpeakerBaseline | None,
    ) -> FloatArray:
        logits = np.full((len(clips), len(self._loaded.specification.labels)), np.nan, np.float32)
        rows = [r for r, clip in enumerate(clips) if clip.name in with_text]
        if rows:
            tokens = [self._loaded.processor.tokenize(clips[r].text) for r in rows]
            if chunks is None:
                logits[rows] = self._judge.text(tokens)
            else:
                logits[rows] = self._judge.fused([chunks[r] for r in rows], tokens, own)
        return logits

    def _ask_baselines(
        self,
        judged: SpeakerJudgements,
        measures: list[SpeechMeasures],
        scored: list[int],
        classes: list[str],
    ) -> None:
        if self._baselines is None:
            return
        raw = np.stack([m.functionals for m in measures])[:, self._columns].astype(np.float64)
        personal = normalise_by_speaker(raw, ["one"] * len(raw))
        corpus = judged.clips[0].corpus
        kinds = (
            ("raw", self._baselines.raw, raw),
            ("personal", self._baselines.personal, personal),
        )
        for kind, machines, features in kinds:
            for which in (ALL, corpus):
                if which in machines:
                    name = f"{kind}_{'all' if which == ALL else 'corpus'}"
                    judged.baselines[name] = machines[which].predict(features[scored], classes)


def text_reason(clips: Sequence[Clip], loaded: LoadedModel) -> str:
    """Return why the texts of a corpus can't be judged, "" when they can."""
    spoken = [c for c in clips if c.text and c.label is not None]
    if not spoken:
        return "the manifest gives no text"
    known = loaded.processor.understands
    if not any(known(c.text, c.language or None) for c in spoken):
        languages = ", ".join(sorted({c.language or "unknown" for c in spoken}))
        return f"the model does not know the language ({languages})"
    labels: dict[str, set[str]] = {}
    for clip in spoken:
        labels.setdefault(script_key(clip.text), set()).add(clip.label or "")
    telling = sum(len(found) == 1 for found in labels.values())
    if telling < 2 or telling < len(labels) / 2:
        return "the same texts serve every emotion"
    return ""


def mask_of(logits: FloatArray) -> NDArray[np.bool_]:
    """Return which rows (n,) of logits (n, C) were asked."""
    return np.asarray(np.isfinite(logits).all(axis=1))
