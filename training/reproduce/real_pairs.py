"""Real speech beside real texts, paired by emotion at random: rows in thousands.

No corpus at hand has speech and text of the same people in thousands of rows. Clips of one speech
corpus are paired with texts that the text encoder has not read (see `training.data.pairs`); clips
and texts of the test part are by other speakers and other writers than those of the training part.
It measures how well a head learns to use both, not how people talk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from training.data.encoded_bank import EncodedBank
from training.data.pairs import PairConfig, Pairs, PairSampler
from training.data.text_split import TextPart, load_parts
from training.reproduce.real_features import ClipFeatures, TextModel
from training.reproduce.real_heads import HeadData
from training.text_scoring import single_label_rows

HELD_OUT, SEED = 0.06, 7
"""Share of GoEmotions that the recipe of the shipped text encoder keeps unread, and its seed."""

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class UnreadTexts:
    """Encoded texts of one emotion each that the text encoder was not trained on."""

    bank: EncodedBank
    labels: tuple[int, ...]
    languages: tuple[str, ...]


def unread_texts(data: Path, model: TextModel) -> UnreadTexts:
    """Read and encode them. Raises CorpusError without GoEmotions and KOTE below `data`."""
    part: TextPart = load_parts(data, HELD_OUT, SEED).held_out
    rows = np.flatnonzero(single_label_rows(part)).tolist()
    return UnreadTexts(
        model.encode([part.texts[row] for row in rows]),
        tuple(part.targets[rows].argmax(axis=1).tolist()),
        tuple(part.languages[row] for row in rows),
    )


@dataclass(frozen=True)
class PairedData:
    """Pairs as rows, and which of them train and which are judged."""

    data: HeadData
    train: Rows
    test: Rows


def pair(clips: ClipFeatures, texts: UnreadTexts, test_clips: Rows, seed: int) -> PairedData:
    """Pair every clip with one text; half of the texts are kept for the clips in `test_clips`."""
    generator = np.random.default_rng(seed)
    test_text = generator.random(len(texts.labels)) < 0.5
    is_test = np.zeros(len(clips.labels), dtype=bool)
    is_test[test_clips] = True
    kept = [(np.flatnonzero(is_test == t), np.flatnonzero(test_text == t)) for t in (False, True)]
    parts = [_drawn(clips, texts, rows, texts_kept, generator) for rows, texts_kept in kept]
    speech = np.concatenate([p.speech for p in parts])
    text = np.concatenate([p.text for p in parts])
    labels = np.concatenate([p.labels for p in parts])
    rows = np.arange(len(labels))
    cut = len(parts[0].labels)
    paired = HeadData(labels, _taken(clips.speech, speech), _taken(texts.bank, text))
    return PairedData(paired, rows[:cut], rows[cut:])


def _drawn(
    clips: ClipFeatures, texts: UnreadTexts, rows: Rows, kept: Rows, generator: np.random.Generator
) -> Pairs:
    """Draw pairs of clips `rows` and texts `kept`, as indices into all clips and texts."""
    sampler = PairSampler(
        PairConfig(),
        _at(clips.labels.tolist(), rows),
        [clips.clips[row].language for row in rows],
        _at(texts.labels, kept),
        _at(texts.languages, kept),
    )
    found = sampler.draw(generator)
    return Pairs(rows[found.speech], kept[found.text], found.labels)


def _at(values: Sequence, rows: Rows) -> list:  # type: ignore[type-arg]
    return [values[row] for row in rows]


def _taken(bank: EncodedBank, rows: Rows) -> EncodedBank:
    """Return pooled vectors of some rows in that order; no head compared here takes sequences."""
    nothing = torch.empty(len(rows), 1, 0)
    return EncodedBank(tuple(nothing), bank.pooled[rows], bank.logits[rows])
