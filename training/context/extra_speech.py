"""Speech for corpora that have only text: each turn is given a clip that was spoken with its label.

There is next to no free dialogue with voices, words and emotions. What is made here holds what a
voice sounds like in each emotion and nothing of how it goes with the words, the speaker or what was
said before; say so wherever a model is trained on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.errors import CorpusError
from core.models.checkpoint import read_training
from core.types import FloatArray, Modality
from training.context.features import CorpusChoice, Turns
from training.context.utterance_features import UtteranceEncoder, Vectors, audio_loader
from training.data.content_digest import text_digest
from training.data.corpora.registry import read_corpus
from training.data.example import Example
from training.evaluation.seen import Seen
from training.trained_on import is_heard


@dataclass(frozen=True, slots=True)
class ExtraSpeechConfig:
    """Which clips, and for which turns."""

    corpora: tuple[CorpusChoice, ...]
    """Corpora of labelled clips, by the same class names as the dialogues."""
    share: float = 0.5
    """Share of the labelled turns that are given a voice."""
    parts: tuple[str, ...] = ("train",)
    """Published parts whose turns are."""
    agreement: float = 1.0
    """Chance that the clip was spoken with the turn's label; otherwise with any other of the voice.
    Actors show more than people do: at 1 a model learns to follow the voice blindly."""
    kept_back: tuple[str, ...] = ()
    """Speakers, as corpus/name, whose clips are left to judge models by."""
    unseen: bool = True
    """Take only clips of speakers on whom the weights of the utterance checkpoint were not trained
    (its temperatures may have been fitted on them): it knows the others better than it will know
    anybody."""
    seed: int = 7
    """Of who gets whose voice."""

    def __post_init__(self) -> None:
        if not self.corpora:
            raise ValueError("extra_speech needs corpora of clips")
        if not 0 < self.share <= 1 or not 0 <= self.agreement <= 1:
            raise ValueError("share must be above 0 and at most 1, agreement between 0 and 1")


@dataclass(frozen=True)
class Voices:
    """Vectors of clips by voice and label.

    Attributes:
        clips: voice -> label -> vectors (n, D). examples: what they were recorded as.
        share, agreement, parts, seed: see `ExtraSpeechConfig`.
    """

    clips: Mapping[str, Mapping[str, FloatArray]]
    examples: tuple[Example, ...]
    share: float
    parts: tuple[str, ...]
    seed: int
    agreement: float = 1.0

    def __call__(self, turns: Turns) -> Mapping[str, Vectors]:
        """Return speech for a dialogue: each of its speakers has one voice throughout."""
        if turns[0].part not in self.parts:
            return {}
        generator = np.random.default_rng(_number(self.seed, turns[0].dialogue))
        voices = sorted(self.clips)
        speakers = sorted({turn.speaker for turn in turns})
        chosen = dict(zip(speakers, generator.choice(len(voices), len(speakers)), strict=True))
        names = [voices[chosen[turn.speaker]] for turn in turns]
        pairs = zip(turns, names, strict=True)
        return {Modality.SPEECH.value: [self._spoken(t, name, generator) for t, name in pairs]}

    def _spoken(
        self, turn: Example, voice: str, generator: np.random.Generator
    ) -> FloatArray | None:
        if turn.label is None or generator.random() >= self.share:
            return None
        clips = self.clips[voice].get(self._label(turn.label, voice, generator))
        return None if clips is None else clips[int(generator.integers(len(clips)))]

    def _label(self, label: str, voice: str, generator: np.random.Generator) -> str:
        """Return the label that is heard: the turn's, or now and then another."""
        if generator.random() < self.agreement:
            return label
        others = sorted(set(self.clips[voice]) - {label})
        return others[int(generator.integers(len(others)))] if others else label


def extra_speech(config: ExtraSpeechConfig, data: Path, encoder: UtteranceEncoder) -> Voices:
    """Read and encode clips, and return what hands them out.

    The clips of a speaker are heard one after the other, in an order drawn by the seed, so that the
    baseline grows as it does in a session.

    Raises:
        CorpusError: a corpus can't be read, or none of its clips may be taken.
    """
    clips = [example for choice in config.corpora for example in _read(choice, data)]
    if config.unseen:
        seen = replace(
            Seen.from_training(read_training(encoder.loaded.info)), calibration_speakers={}
        )
        clips = [example for example in clips if not _trained(seen, example)]
    clips = [example for example in clips if example.speaker not in config.kept_back]
    if not clips:
        raise CorpusError(
            "No clip may be taken: the utterance checkpoint was trained on it, or it is kept back.",
            "Choose other corpora, shorten kept_back, or set extra_speech.unseen to false.",
        )
    by_voice = _by_voice(clips, config.seed)
    vectors = encoder.speech(list(by_voice.values()), audio_loader(encoder.cache))
    found = {
        name: _by_label(examples, said)
        for (name, examples), said in zip(by_voice.items(), vectors, strict=True)
    }
    return Voices(found, tuple(clips), config.share, config.parts, config.seed, config.agreement)


def _read(choice: CorpusChoice, data: Path) -> list[Example]:
    root = data / choice.path if choice.path else data
    reading = read_corpus(choice.name, root, strict=choice.strict, **choice.options)
    return [e for e in reading.examples if e.audio is not None and e.label is not None]


def _trained(seen: Seen, example: Example) -> bool:
    """Tell whether the weights know the speaker or clip; what is said does not matter here."""
    silent = Example(example.corpus, example.id, example.audio, speaker=example.speaker)
    return is_heard(seen, silent)


def _by_voice(clips: Sequence[Example], seed: int) -> dict[str, list[Example]]:
    found: dict[str, list[Example]] = {}
    for row in np.random.default_rng(seed).permutation(len(clips)):
        clip = clips[int(row)]
        found.setdefault(clip.speaker or clip.id, []).append(clip)
    return dict(sorted(found.items()))


def _by_label(clips: Sequence[Example], vectors: Vectors) -> dict[str, FloatArray]:
    found: dict[str, list[FloatArray]] = {}
    for clip, vector in zip(clips, vectors, strict=True):
        if vector is not None and clip.label is not None:
            found.setdefault(clip.label, []).append(vector)
    return {label: np.stack(rows) for label, rows in found.items()}


def _number(seed: int, name: str) -> int:
    return int(text_digest(str(seed), name)[:15], 16)
