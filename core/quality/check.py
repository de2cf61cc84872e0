"""Checking the lossy modes of a checkpoint's pretrained encoders against the exact one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ConfigError
from core.models.manifest import CheckpointInfo
from core.models.runtimes.base import MODES, Mode, missing, parse_preference
from core.pipeline.analyzer import ModelAnalyzer, Wishes
from core.pipeline.protocols import Transcriber
from core.quality.answers import Answer, Clip, answers_of
from core.quality.comparison import Comparison, difference, speedup_of
from core.quality.material import Material
from core.quality.records import QualityRecord, make_record
from core.quality.rule import RULE, Rule
from core.quality.store import keep
from core.types import Modality

if TYPE_CHECKING:
    from core.models.checkpoint import LoadedModel
    from core.models.inference import Inference

_logger = logging.getLogger(__name__)

EXACT = "torch"
"""What everything is held against: PyTorch, in fp32."""

_TIMED = 10
"""Clips that the speed is measured on."""

Tell = Callable[[str, int, int], None]
"""Told what is being done, how many clips of it are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One mode of one encoder: the verdict, or why there is none (`problem`)."""

    modality: Modality
    mode: Mode
    record: QualityRecord | None = None
    problem: str = ""


def lossy_modes() -> tuple[Mode, ...]:
    """Return the modes that need a check."""
    return tuple(mode for mode in MODES if mode.lossy)


def parse_modes(names: Sequence[str]) -> tuple[Mode, ...]:
    """Read names of lossy modes; none: all whose packages are installed. Raises ConfigError."""
    if not names:
        return tuple(mode for mode in lossy_modes() if not missing(mode))
    return tuple(dict.fromkeys(map(_lossy, names)))


def _lossy(name: str) -> Mode:
    mode = parse_preference(name).mode
    if mode is not None and mode.lossy:
        return mode
    why = "is no single mode" if mode is None else "gives equal outputs and needs no check"
    known = ", ".join(map(str, lossy_modes()))
    raise ConfigError(f"{name} {why}.", f"Those to check are {known}.")


@dataclass(frozen=True, slots=True)
class _Exam:
    """Clips, their exact answers, and the description and hash of the material."""

    clips: Sequence[Clip]
    exact: Sequence[Answer | None]
    material: tuple[str, str]


class Checker:
    """Holds every lossy mode of a checkpoint against the exact one, on the same clips.

    An encoder is judged while the others are computed exactly, or, where a mode of one before it
    passed, by the one of these that moved probabilities the most: so verdicts hold together, too.

    Args:
        info: of the checkpoint.
        rule: what a verdict is given by.
        store: folder of verdicts; None: the user's.
        cache: folder of exported encoders; None: the user's.
        tell: hears about progress.

    Raises:
        CheckpointError: the checkpoint can't be loaded.
    """

    def __init__(
        self,
        info: CheckpointInfo,
        *,
        rule: Rule = RULE,
        store: Path | None = None,
        cache: Path | None = None,
        tell: Tell = lambda what, done, total: None,
    ) -> None:
        self._info, self._rule = info, rule
        self._store, self._cache, self._tell = store, cache, tell
        self._reference = ModelAnalyzer(info, Wishes("cpu", EXACT, cache))
        self._reference.warm_up()
        self.encoders = tuple(runtime.modality for runtime in self._reference.model.runtimes)
        """Modalities with a pretrained encoder: the only ones that have lossy modes."""

    def run(self, material: Material, modes: Sequence[Mode]) -> Iterator[Checked]:
        """Yield the verdict on each mode of each encoder, which is kept in the store."""
        if not self.encoders:
            return
        clips = with_known_labels(material.clips, self._info.specification.labels)
        exact = self._answers(self._reference, clips, "exact")
        exam = _Exam(clips, exact, (material.description, material.digest))
        beside: Mode | None = None
        for modality in self.encoders:
            shifts: dict[Mode, float] = {}
            for mode in modes:
                checked = self._check(modality, mode, beside, exam)
                if checked.record is not None and checked.record.passed:
                    shifts[mode] = checked.record.largest_shift
                yield checked
            beside = max(shifts, key=lambda mode: shifts[mode], default=beside)

    def _check(self, modality: Modality, mode: Mode, beside: Mode | None, exam: _Exam) -> Checked:
        if lacking := missing(mode):
            return Checked(modality, mode, problem=f"needs {' and '.join(lacking)}")
        analyzer, problem = equipped(self._info, modality, mode, self._cache, beside)
        if problem:
            return Checked(modality, mode, problem=problem)
        try:
            found = self._compared(analyzer, modality, f"{modality} by {mode}", exam)
        except Exception as error:  # a library that compiles models can fail on any input
            _logger.warning("%s by %s fails", modality, mode, exc_info=True)
            return Checked(modality, mode, problem=f"{type(error).__name__}: {error}")
        record = make_record(
            self._info.digest,
            modality,
            str(mode),
            found,
            self._rule,
            exam.material,
            beside="" if beside is None else str(beside),
        )
        keep(record, self._store)
        return Checked(modality, mode, record)

    def _compared(
        self, analyzer: ModelAnalyzer, modality: Modality, what: str, exam: _Exam
    ) -> Comparison:
        lossy = self._answers(analyzer, exam.clips, what)
        found = difference(exam.clips, exam.exact, lossy, modality, self._rule.confidence)
        ratio = speedup_of(analyzer, self._reference, exam.clips[:_TIMED])
        return replace(found, speedup=ratio)

    def _answers(
        self, analyzer: ModelAnalyzer, clips: Sequence[Clip], what: str
    ) -> list[Answer | None]:
        return answers_of(analyzer, clips, lambda done: self._tell(what, done, len(clips)))


def equipped(
    info: CheckpointInfo,
    modality: Modality,
    mode: Mode,
    cache: Path | None = None,
    beside: Mode | None = None,
) -> tuple[ModelAnalyzer, str]:
    """Return an analyzer that computes one encoder by a mode, and why it could not; "": it does.

    Args:
        info: of the checkpoint.
        modality: of the encoder.
        mode: of it.
        cache: folder of exported encoders; None: the user's.
        beside: mode of the other encoders; None: exact.

    Raises:
        CheckpointError: the checkpoint can't be loaded.
    """
    held: list[LoadedModel] = []

    def infer(loaded: LoadedModel) -> Inference:
        from core.models.device import CPU, DeviceChoice
        from core.models.inference import Inference

        held.append(loaded)
        return Inference(loaded.model, DeviceChoice(CPU, "chosen"))

    analyzer = ModelAnalyzer(info, Wishes("cpu", str(mode), cache, infer))
    analyzer.warm_up()
    mine = next(r for r in analyzer.model.runtimes if r.modality == modality)
    if (mine.name, mine.precision) != (mode.runtime, mode.precision):
        return analyzer, mine.detail or f"{mine.name} took its place"
    _let_others(held[0], modality, EXACT if beside is None else str(beside), cache)
    return analyzer, ""


def _let_others(loaded: LoadedModel, modality: Modality, runtime: str, cache: Path | None) -> None:
    """Let all encoders but one be computed by a runtime."""
    from core.models.fitting import pretrained_of
    from core.models.runtimes.equip import equip

    encoder: Any = pretrained_of(loaded.model)[modality]
    mine = encoder.stages
    equip(loaded.model, loaded.processor, loaded.info.digest, runtime, cache=cache)
    encoder.run_on(mine)


def with_known_labels(clips: Sequence[Clip], labels: Sequence[str]) -> tuple[Clip, ...]:
    """Spell labels as the model does; a clip with one that the model can't give has none."""
    known = {label.casefold(): label for label in labels}
    return tuple(replace(clip, labels=_spelled(clip.labels, known)) for clip in clips)


def _spelled(labels: frozenset[str], known: dict[str, str]) -> frozenset[str]:
    wanted = {label.casefold() for label in labels}
    return frozenset(known[label] for label in wanted) if wanted <= known.keys() else frozenset()


def with_texts(
    clips: Sequence[Clip], transcriber: Transcriber, tell: Tell = lambda what, done, total: None
) -> tuple[Clip, ...]:
    """Transcribe clips that have no text. Raises RecognitionError."""
    transcriber.warm_up()
    found = []
    for done, clip in enumerate(clips, 1):
        text = clip.transcript or transcriber.final(clip.utterance)
        found.append(replace(clip, transcript=text if text.text else None))
        tell("recognition", done, len(clips))
    return tuple(found)
