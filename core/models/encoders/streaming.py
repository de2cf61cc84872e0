"""Features of an utterance that grows, convolved once: only new sound is new work.

With layer norm a feature depends on the 400 samples (25 ms) under it alone, so features of a longer
waveform begin with those of a shorter one, to rounding. The transformer, which looks at everything,
then runs over the newest seconds only. Models that normalise a channel over the whole clip are none
of these (see `PretrainedSpeechEncoder.incremental`). Keeping their statistics while an utterance
grows was tried: it saves a third of a look, but moves its pooled vector by 9 % where 0.25 s of more
speech move it by 12 % (random weights), so it is not done.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from core.models.base import EmotionModel
from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder
from core.models.outputs import Features, ModelInputs
from core.models.place import Place
from core.models.runtimes.base import SpeechStages
from core.types import Modality, RuntimeInfo

MOST_FRAMES = 1500
"""Frames of one utterance that are kept: 30 s, 3 MB at 512 channels ..."""
MOST_STREAMS = 4
"""... of so many utterances: two may grow at once, while the text of others is still to come."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """Features (1, T, C) of an utterance, from frame `begin` on."""

    begin: int
    frames: Tensor | None = None

    @property
    def end(self) -> int:
        return self.begin + (0 if self.frames is None else self.frames.shape[1])

    def with_more(self, new: Tensor, needed_from: int) -> _Kept:
        """Append frames; the oldest go, but none from `needed_from` on."""
        frames = new if self.frames is None else torch.cat([self.frames, new], dim=1)
        dropped = min(max(0, frames.shape[1] - MOST_FRAMES), needed_from - self.begin)
        return replace(self, begin=self.begin + dropped, frames=frames[:, dropped:])


class GrowingFeatures:
    """Encodes with convolutions over what is new. Belongs to the thread that runs the model.

    `convolved` counts the frames that were computed so far.

    Raises:
        ValueError: the encoder's features depend on the whole clip.
    """

    def __init__(self, encoder: PretrainedSpeechEncoder) -> None:
        if not encoder.incremental:
            raise ValueError("the features of this encoder depend on the whole clip")
        self._encoder = encoder
        self._stride = stride_of(encoder)
        self._field = field_of(encoder)
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self.convolved = 0

    def forget(self) -> None:
        """Let go of all features."""
        self._kept.clear()

    def encode(self, model: EmotionModel, inputs: ModelInputs, place: Place) -> Features:
        """Do what `model.encode` does with one waveform (1, N), N of at least one frame.

        Args:
            model: whose speech encoder this is, in evaluation mode.
            inputs: with a waveform that is all valid.
            place: where the waveform lies.
        """
        assert inputs.waveform is not None
        features = self.features(inputs.waveform, place)
        before = self._encoder.stages
        self._encoder.run_on(_Given(self._encoder, before, features))
        try:
            return model.encode(inputs)
        finally:
            self._encoder.run_on(before)

    def features(self, waveform: Tensor, place: Place) -> Tensor:
        """Return features (1, T, C) of a waveform (1, N)."""
        begin = place.first // self._stride
        end = begin + (waveform.shape[1] - self._field) // self._stride + 1
        kept = self._kept.pop(place.stream, _Kept(begin))
        if not kept.begin <= begin <= kept.end:
            kept = _Kept(begin)
        if kept.end < end:
            new = self._encoder.convolve(waveform[:, (kept.end - begin) * self._stride :])
            self.convolved += new.shape[1]
            kept = kept.with_more(new, begin)
        self._keep(place.stream, kept)
        assert kept.frames is not None
        return kept.frames[:, begin - kept.begin : end - kept.begin]

    def _keep(self, stream: Hashable, kept: _Kept) -> None:
        self._kept[stream] = kept
        while len(self._kept) > MOST_STREAMS:
            self._kept.popitem(last=False)


class _Given:
    """Stages that know the features; they serve once, then make way for those before."""

    info = RuntimeInfo(Modality.SPEECH, "given")

    def __init__(
        self, encoder: PretrainedSpeechEncoder, before: SpeechStages | None, features: Tensor
    ) -> None:
        self._encoder = encoder
        self._before = before
        self._features = features

    def convolve(self, waveform: Tensor) -> Tensor:
        """Return the features."""
        self._encoder.run_on(self._before)
        return self._features

    def contextualise(self, features: Tensor) -> Tensor:
        """Leave it to the stages before."""
        self._encoder.run_on(self._before)
        return self._encoder.contextualise(features)


def stride_of(encoder: PretrainedSpeechEncoder) -> int:
    """Return by how many samples one frame lies after another."""
    stride = 1
    for step in encoder.model.config.conv_stride:
        stride *= int(step)
    return stride


def field_of(encoder: PretrainedSpeechEncoder) -> int:
    """Return how many samples one frame is made of."""
    field, stride = 1, 1
    config = encoder.model.config
    for kernel, step in zip(config.conv_kernel, config.conv_stride, strict=True):
        field += (int(kernel) - 1) * stride
        stride *= int(step)
    return field
