"""What the voice embedding is worth: measured on speakers that were never heard, fold by fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.cluster import AgglomerativeClustering

from core.models.voices.clustering import ClusteringConfig
from core.models.voices.network import VoiceNetwork
from core.types import FloatArray
from training import config as configuration
from training.evaluation.metrics import Estimate
from training.progress import Reporter
from training.voices import methods
from training.voices.config import VoicesConfig
from training.voices.data import Rows, VoiceData, excerpts, sampled_rows, speaker_folds
from training.voices.dialogues import (
    PLACES,
    Dialogue,
    Outcome,
    assemble,
    calibrated,
    count_right,
    judged,
    play,
    share_right,
)
from training.voices.training import train_voices
from training.voices.trials import Trials, equal_error_rate, groups

NETWORK, DISCRIMINANT = "voice network", "functionals, discriminant analysis"
CEPSTRA, FUNCTIONALS = "cepstral statistics", "functionals"
EMOTION = "emotion encoder's pooled vector"
KNOWN = "voice network, number of voices known"
WHOLE = "whole clip"
CHANNEL = "whole clip, each through a filter and noise of its own"
CONDITIONS: Mapping[str, tuple[bool, float | None]] = {
    "1 s": (False, 1.0),
    "2 s": (False, 2.0),
    WHOLE: (False, None),
    CHANNEL: (True, None),
}
"""Name -> whether through a channel, and seconds of each clip (None: all)."""

_CLIPS = 40
"""Of each held-out speaker."""
_DIALOGUES = 6
"""Of each fold, corpus, number of voices and kind."""
_THRESHOLDS = np.arange(0.05, 0.75, 0.05)
_MARGINS = (0.0, 0.05, 0.1)


@dataclass
class Heard:
    """What one fold's held-out speakers gave: dialogues, and per method vectors and seconds."""

    dialogues: list[Dialogue]
    vectors: dict[str, FloatArray] = field(default_factory=dict)
    seconds: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))


def voices_report(
    config: VoicesConfig, data: VoiceData, out: Path, emotion_model: Path, reporter: Reporter
) -> dict[str, Any]:
    """Train on all but one fold, judge on that, for every fold; return the figures.

    Args:
        data: with a copy at speed one through a channel.
        out: keeps the networks, so that an interrupted run goes on.
        emotion_model: an utterance checkpoint whose speech encoder is compared with.
    """
    folds = speaker_folds(data.clips, config.folds)
    trials: dict[str, dict[str, Trials]] = {name: {} for name in CONDITIONS}
    heard = []
    for number, held_out in enumerate(folds):
        reporter.say(f"fold {number + 1} of {len(folds)}")
        train = np.setdiff1d(np.arange(len(data.clips)), data.rows_of(held_out))
        network = train_voices(config, data, train, out / f"fold_{number}", reporter)
        found = _methods(network, data, train, emotion_model)
        heard.append(_judge_fold(found, data, held_out, trials))
    clustering, dialogues = _dialogues(heard)
    return {
        "method": (
            f"{len(folds)} folds by speaker; trials within a corpus, of different text and emotion;"
            " every speaker counts the same; 95 % intervals by drawing speakers"
        ),
        "folds": [list(names) for names in folds],
        "equal_error_rate": _rates(trials, data),
        "dialogues": dialogues,
        "clustering": clustering.to_dict(),
    }


def _methods(
    network: VoiceNetwork, data: VoiceData, train: Rows, emotion_model: Path
) -> dict[str, methods.Embed]:
    known = sorted({str(name) for name in data.speakers[train]})
    fitted = sampled_rows(data, known, 60)
    sample = excerpts(data, sampled_rows(data, known, 8))
    emotion = methods.emotion_vectors(emotion_model)
    return {
        NETWORK: methods.network_vectors(network, data),
        DISCRIMINANT: methods.discriminant_vectors(data, fitted),
        FUNCTIONALS: methods.functional_vectors(data, fitted),
        CEPSTRA: methods.cepstral_vectors(data, fitted),
        EMOTION: methods.centred(emotion, sample),
    }


def _judge_fold(
    found: Mapping[str, methods.Embed],
    data: VoiceData,
    held_out: Sequence[str],
    trials: Mapping[str, dict[str, Trials]],
) -> Heard:
    rows = sampled_rows(data, held_out, _CLIPS)
    clips = [data.clips[row] for row in rows]
    every = [d for voices in (1, 2, 3) for d in assemble(clips, voices, _DIALOGUES, voices)]
    heard = Heard(every)
    channel = data.channel_bank()
    for condition, (altered, seconds) in CONDITIONS.items():
        pieces = excerpts(data, rows, channel if altered else 0, seconds)
        for name, embed in found.items():
            vectors = embed(pieces)
            scores = methods.cosine_scores(vectors)
            trials[condition].setdefault(name, Trials()).add(clips, scores)
            if condition == WHOLE:
                heard.vectors[name] = methods.unit(vectors)
        if condition == WHOLE:
            spoken = [data.front_end.speech_frames(piece) for piece in pieces]
            voiced = [data.front_end.voiced_seconds(frames) for frames in spoken]
            heard.seconds = np.array(voiced, dtype=np.float32)
    return heard


def _rates(trials: Mapping[str, Mapping[str, Trials]], data: VoiceData) -> dict[str, Any]:
    return {
        condition: {
            name: {
                group: configuration.to_mapping(rate)
                for group, part in groups(each, data.clips).items()
                if (rate := equal_error_rate(part)) is not None
            }
            for name, each in found.items()
        }
        for condition, found in trials.items()
    }


def _dialogues(heard: Sequence[Heard]) -> tuple[ClusteringConfig, dict[str, Any]]:
    """Return the thresholds fitted on all folds, and figures with those of the other folds."""
    figures: dict[str, Any] = {}
    for name in (NETWORK, DISCRIMINANT):
        outcomes = []
        for number, fold in enumerate(heard):
            config = _calibrated([h for n, h in enumerate(heard) if n != number], name)
            outcomes += [_played(d, fold, name, config) for d in fold.dialogues]
        figures[name] = _summary(outcomes)
        if name == NETWORK:
            figures[KNOWN] = _summary(_number_known(heard))
    at_once = [_at_once(d, fold.vectors[NETWORK]) for fold in heard for d in fold.dialogues]
    figures["voice network, number of voices and whole dialogue known"] = _summary(at_once)
    figures["everything one voice"] = _summary(
        [judged(d, [0] * len(d.rows)) for fold in heard for d in fold.dialogues]
    )
    return _calibrated(heard, NETWORK), figures


def _number_known(heard: Sequence[Heard]) -> list[Outcome]:
    """Return how the tracker does when it is told how many people there are at most."""
    outcomes = []
    for number, fold in enumerate(heard):
        config = _calibrated([h for n, h in enumerate(heard) if n != number], NETWORK)
        for dialogue in fold.dialogues:
            limited = replace(config, most=dialogue.voices)
            outcomes.append(_played(dialogue, fold, NETWORK, limited))
    return outcomes


def _played(dialogue: Dialogue, fold: Heard, name: str, config: ClusteringConfig) -> Outcome:
    return play(dialogue, fold.vectors[name], fold.seconds, config)


def _calibrated(heard: Sequence[Heard], name: str) -> ClusteringConfig:
    """Return the thresholds that serve the dialogues of some folds best."""
    grid = [
        replace(ClusteringConfig(), threshold=round(float(threshold), 3), margin=margin)
        for threshold in _THRESHOLDS
        for margin in _MARGINS
    ]
    players: list[tuple[int, Callable[[ClusteringConfig], Outcome]]] = [
        (dialogue.voices, lambda config, d=dialogue, f=fold: _played(d, f, name, config))  # type: ignore[misc]
        for fold in heard
        for dialogue in fold.dialogues
    ]
    return calibrated(players, grid)


def _at_once(dialogue: Dialogue, vectors: FloatArray) -> Outcome:
    """Cluster all turns together, knowing how many voices there are: more than a tracker can."""
    if dialogue.voices == 1:
        return judged(dialogue, [0] * len(dialogue.rows))
    clustering = AgglomerativeClustering(dialogue.voices, metric="cosine", linkage="average")
    return judged(dialogue, [int(v) for v in clustering.fit_predict(vectors[dialogue.rows])])


def _summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    kinds: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        dialogue = outcome.dialogue
        gender = "one gender" if dialogue.alike else "mixed genders"
        kind = f"{dialogue.voices} voices, {gender}" if dialogue.voices > 1 else "1 voice"
        kinds.setdefault(kind, []).append(outcome)
    kinds["2 and 3 voices"] = [o for o in outcomes if o.dialogue.voices > 1]
    return {kind: _of_kind(found) for kind, found in kinds.items()}


def _of_kind(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    def mapped(rate: Estimate) -> Any:
        return configuration.to_mapping(rate)

    return {
        "dialogues": len(outcomes),
        "right": mapped(share_right(outcomes)),
        "right_by_turn": {
            f"{first}-{last}": mapped(share_right(outcomes, first, last)) for first, last in PLACES
        },
        "voices_found": float(np.mean([outcome.found for outcome in outcomes])),
        "number_right": count_right(outcomes),
        "untold": float(np.mean([outcome.untold / len(outcome.right) for outcome in outcomes])),
    }
