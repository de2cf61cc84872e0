"""Whether the channel that an example names is the one in which its speaker is heard."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from core.audio.channels import ChannelMode
from core.audio.io import read_audio
from core.errors import MediaError
from core.types import SAMPLE_RATE, FloatArray
from training.data.corpora.rows import RowLog
from training.data.example import Example


def without_wrong_channels(examples: Sequence[Example], log: RowLog) -> list[Example]:
    """Return the examples but for recordings most of whose utterances are louder on the other side.

    Args:
        examples: cut from a channel of a longer recording, those of a recording in a row.
        log: is told about each recording that is left out.
    """
    kept: list[Example] = []
    for recording, group in groupby(examples, key=lambda example: example.audio):
        members = list(group)
        reason = None if recording is None else _objection(recording, members)
        if recording is not None and reason is not None:
            log.report(recording, None, reason)
        else:
            kept += members
    return kept


def _objection(recording: Path, examples: Sequence[Example]) -> str | None:
    """Return what is wrong with a recording's channels, None if nothing is."""
    try:
        sound = read_audio(recording, ChannelMode.BOTH)
    except MediaError as error:
        return f"it can't be read: {error.problem.rstrip('.')}"
    if sound.shape[0] < 2:
        return "it has one channel, where two speakers should have one each"
    wrong = sum(_is_quieter(sound, example) for example in examples)
    if 2 * wrong <= len(examples):
        return None
    return (
        f"in {wrong} of {len(examples)} utterances the other channel is louder: its channels"
        " seem to be swapped"
    )


def _is_quieter(sound: FloatArray, example: Example) -> bool:
    """Return whether an example's channel holds less energy than the other while it lasts."""
    if example.channel is None:
        return False
    start = int((example.start or 0.0) * SAMPLE_RATE)
    end = None if example.end is None else int(example.end * SAMPLE_RATE)
    energy = np.square(sound[:, start:end]).sum(axis=1)
    return bool(energy[example.channel] < energy[1 - example.channel])
