"""Judging a speech encoder on measured clips: raw, with a whole baseline, and causally."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from core.models.baseline import SpeakerBaseline
from core.models.encoders.speech import SpeechEncoder
from training.data.speech_batches import SpeechSource, pad_frames

Rows = NDArray[np.int64]
Baselines = Callable[[int], SpeakerBaseline]
"""From a clip to the baseline under which it is heard."""

_BATCH = 64
_LONGEST = 1000


def raw(source: SpeechSource) -> Baselines:
    """Nothing is known of anybody."""
    nothing = source.baseline(None)
    return lambda row: nothing


def personal(source: SpeechSource) -> Baselines:
    """All of a speaker's unlabelled clips are known."""
    known: dict[str, SpeakerBaseline] = {}

    def of(row: int) -> SpeakerBaseline:
        name = source.clips[row].speaker
        if name not in known:
            known[name] = source.baseline(source.speakers[name])
        return known[name]

    return of


def causal(source: SpeechSource, seconds: float, seed: int) -> Baselines:
    """What was heard just before in random order, up to `seconds` of speech.

    The order wraps round, so that every clip has as much before it; the clip itself never counts.
    """
    generator = np.random.default_rng(seed)
    rate = source.extractor.frame_rate
    spoken = source.banks[0].moments[:, 0, 0] / rate
    before: dict[int, Rows] = {}
    for name in sorted(source.speakers):
        order = generator.permutation(source.speakers[name])
        for place, row in enumerate(order):
            earlier = np.roll(order, -place)[:0:-1]
            heard = int(np.searchsorted(np.cumsum(spoken[earlier]), seconds, side="right"))
            before[int(row)] = earlier[: max(1, heard)]
    return lambda row: source.baseline(before[row])


@torch.inference_mode()
def predict(
    encoder: SpeechEncoder,
    source: SpeechSource,
    rows: Rows,
    baselines: Baselines,
    *,
    with_frames: bool = True,
) -> NDArray[np.float32]:
    """Return logits (n, C) of clips `rows`; without frames those of the functional heads alone."""
    encoder.eval()
    bank = source.banks[0]
    logits = np.zeros((len(rows), encoder.config.classes), np.float32)
    length = np.diff(bank.offsets)[rows]
    for part in _batches(np.argsort(length, kind="stable")):
        chosen = [(int(row), baselines(int(row))) for row in rows[part]]
        values = [b.normalise_functionals(bank.functionals[r]) for r, b in chosen]
        functionals = torch.from_numpy(np.stack(values))
        if with_frames:
            frames = [b.normalise_frames(bank.frames_of(r)[:_LONGEST]) for r, b in chosen]
            logits[part] = encoder(*pad_frames(frames), functionals).logits.numpy()
        else:
            logits[part] = encoder.functional_heads(functionals).numpy()
    return logits


def _batches(order: Rows) -> Iterator[Rows]:
    for start in range(0, len(order), _BATCH):
        yield order[start : start + _BATCH]


def recall_by_corpus(
    logits: NDArray[np.float32], source: SpeechSource, rows: Rows
) -> dict[str, float]:
    """Return the unweighted average recall of every corpus among the classes it has."""
    chosen = np.where(source.allowed[rows], logits, -np.inf).argmax(axis=1)
    corpora = np.array([source.clips[row].corpus for row in rows])
    labels = source.labels[rows]
    return {
        str(name): unweighted_recall(labels[corpora == name], chosen[corpora == name])
        for name in np.unique(corpora)
    }


def unweighted_recall(labels: Sequence[int] | Rows, chosen: Sequence[int] | Rows) -> float:
    """Return the mean recall of the classes that occur in `labels`."""
    truth, guess = np.asarray(labels), np.asarray(chosen)
    return float(np.mean([np.mean(guess[truth == k] == k) for k in np.unique(truth)]))


def mean_recalls(
    encoder: SpeechEncoder, source: SpeechSource, rows: Rows, *, with_frames: bool = True
) -> dict[str, float]:
    """Return `uar` and `uar_personal`, means over the corpora; zero with no clips to judge."""
    if len(rows) == 0:
        return {"uar": 0.0, "uar_personal": 0.0}
    found = {}
    for name, way in (("uar", raw(source)), ("uar_personal", personal(source))):
        logits = predict(encoder, source, rows, way, with_frames=with_frames)
        found[name] = float(np.mean(list(recall_by_corpus(logits, source, rows).values())))
    return found
