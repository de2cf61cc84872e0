"""What a checkpoint says of a person's clips: all that an adapter learns from.

Each clip is judged as in a session that has heard the person for a while (the personal baseline,
see `core.pipeline.hearing`, rests on all of the clips; it knows no labels), in every way that it
may be judged there: by the speech alone and, where there is a text, by both and by the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.models.calibration import Path as JudgedBy
from core.models.manifest import CheckpointInfo
from core.pipeline.hearing import HeardSpeech, Hearing, hearing_for
from core.pipeline.reading import read
from core.pipeline.verdict import ReadText, path_of
from core.types import FloatArray, Modality, Transcript, Utterance

if TYPE_CHECKING:
    from core.models.baseline import SpeakerMoments
    from core.models.judgement import Judgement
    from core.pipeline.fitted_model import FittedModel, Wishes


_PERSON = "person"


@dataclass(frozen=True, slots=True)
class Spoken:
    """A clip to be judged: mono samples (n,) at 16 kHz, and what was said, if that is known."""

    samples: FloatArray
    text: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What the model said of a clip in one way.

    Attributes:
        modality: which it judged by, None for all together.
        logits: (C,), as they leave the model.
        vectors: (D,) by modality, the clip as one vector each (`Judgement.voice`).
        path: how the logits become probabilities.
        seconds: of speech that were heard; None without speech.
    """

    modality: Modality | None
    logits: FloatArray
    vectors: Mapping[Modality, FloatArray]
    path: JudgedBy
    seconds: float | None


@dataclass(frozen=True, slots=True)
class ClipEvidence:
    """Every look at one clip; the last is the one that a session would end with."""

    looks: tuple[Look, ...]

    @property
    def final(self) -> Look:
        """What a session would say in the end, with all it knows."""
        return self.looks[-1]


class Witness:
    """A checkpoint that judges clips of one person; see the module. Belongs to one thread.

    Raises:
        CheckpointError: naming everything that is wrong with the checkpoint.
    """

    def __init__(self, info: CheckpointInfo, wishes: Wishes | None = None) -> None:
        from core.pipeline.fitted_model import FittedModel, Wishes

        self.info = info
        self._fitted: FittedModel = FittedModel.load(info, wishes or Wishes())
        self._hearing: Hearing = hearing_for(self._fitted.loaded)

    def hear(self, clips: Sequence[Spoken], told: Callable[[], None] = lambda: None) -> None:
        """Get to know the person's voice by these clips and no others; `told` after each."""
        self._hearing.reset()
        for number, clip in enumerate(clips):
            self._hearing.remember(_utterance(number, clip))
            told()

    def judge(
        self, clips: Sequence[Spoken], told: Callable[[], None] = lambda: None
    ) -> Iterator[ClipEvidence | None]:
        """Yield what there is of each clip of the person who was heard; `told` after each.

        None of a clip that gives nothing to judge by.
        """
        for number, clip in enumerate(clips):
            looks = self._looks(_utterance(number, clip), clip)
            told()
            yield ClipEvidence(looks) if looks else None

    @property
    def voice(self) -> SpeakerMoments | None:
        """What was heard of the person; None for a checkpoint without personal baselines."""
        return self._hearing.voice(Utterance(-1, 0, 0, np.zeros(0, np.float32), _PERSON))

    def _looks(self, utterance: Utterance, clip: Spoken) -> tuple[Look, ...]:
        heard = self._hearing.whole(utterance)
        transcript = Transcript(clip.text, language=clip.language) if clip.text else None
        text = read(self._fitted.loaded, transcript)
        given = [ReadText(), text] if text.tokens is not None else [ReadText()]
        found: list[Look] = []
        for each in given:
            if heard.chunks or each.tokens is not None:
                found += self._judged(utterance, heard, each)
        return tuple(found)

    def _judged(self, utterance: Utterance, heard: HeardSpeech, text: ReadText) -> list[Look]:
        inputs = self._hearing.inputs(heard, text.tokens)
        judgement = self._fitted.inference(inputs, heard.key, heard.place)
        seconds = self._hearing.baseline_seconds(utterance)
        return list(_looks_of(judgement, heard, seconds))


def _utterance(number: int, clip: Spoken) -> Utterance:
    return Utterance(number, 0, clip.samples.size, clip.samples, _PERSON)


def _looks_of(judgement: Judgement, heard: HeardSpeech, baseline: float) -> Iterator[Look]:
    """Yield what each modality says alone, then all together where there are several."""
    present = judgement.present
    vectors = {m: heard.over_chunks(judgement.voice(m)) for m in present}
    said: list[tuple[Modality | None, FloatArray]] = list(judgement.alone.items())
    if len(present) > 1:
        said = [(m, x) for m, x in said if m is not Modality.SPEECH]  # looked at without text
        said.append((None, judgement.logits))
    for modality, logits in said:
        used = present if modality is None else (modality,)
        yield Look(
            modality,
            heard.over_chunks(logits),
            {m: vectors[m] for m in used},
            path_of(modality, baseline),
            heard.duration,
        )
