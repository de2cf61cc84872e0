"""What of a model can be computed by other means, and examples to compare and measure by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder
from core.models.encoders.pretrained_text import PretrainedTextEncoder
from core.models.runtimes.base import Mode, Runtime, Speech, Text
from core.models.runtimes.plain import Plain
from core.types import SAMPLE_RATE, Modality

Stages = Speech | Text

SPEECH_LENGTHS = (0.25, 1.9)
"""Seconds of the clips outputs are compared on; the longer one has more frames than the 80 from
which WavLM counts distances by their logarithm."""
TEXT_LENGTHS = (5, 19)
"""Tokens of the texts outputs are compared on; together they make a padded batch too."""


class Subject(Protocol):
    """An encoder of a model."""

    @property
    def encoder(self) -> nn.Module:
        """The encoder itself."""
        ...

    @property
    def modality(self) -> Modality:
        """What it encodes."""
        ...

    @property
    def can_change(self) -> bool:
        """Whether anything but torch can compute it."""
        ...

    def plain(self) -> Stages:
        """Return what computes it as it is."""
        ...

    def made(self, runtime: Runtime) -> Stages:
        """Return what a runtime makes of it. Raises UnfitError."""
        ...

    def compared(self, stages: Stages) -> list[Tensor]:
        """Return the outputs for examples of several lengths, and of a batch."""
        ...

    def run(self, stages: Stages, turn: int) -> None:
        """Compute a typical input once.

        Speech is a little longer each turn: live, no two clips are of one length, and a runtime may
        have to prepare for each. Texts have few lengths, which soon come again.
        """
        ...

    def fit(self, stages: Stages | None) -> None:
        """Let the encoder be computed so from now on."""
        ...


@dataclass(frozen=True)
class SpeechSubject:
    """A speech encoder."""

    encoder: PretrainedSpeechEncoder
    seconds: float = 1.5
    modality: Modality = Modality.SPEECH

    @property
    def can_change(self) -> bool:
        """Whether anything but torch can compute it."""
        return self.encoder.has_stages

    def plain(self) -> Speech:
        """Return what computes it as it is."""
        return Plain(Mode("torch")).speech(self.encoder)

    def made(self, runtime: Runtime) -> Speech:
        """Return what a runtime makes of it. Raises UnfitError."""
        return runtime.speech(self.encoder)

    def compared(self, stages: Stages) -> list[Tensor]:
        """Return sequences of a batch of two and of single clips."""
        assert isinstance(stages, Speech)
        shortest, *_ = lengths = [int(s * SAMPLE_RATE) for s in SPEECH_LENGTHS]
        inputs = [_noise(2, shortest), *(_noise(1, n) for n in lengths)]
        return [stages.contextualise(stages.convolve(waveform)) for waveform in inputs]

    def run(self, stages: Stages, turn: int) -> None:
        """Compute a clip once."""
        assert isinstance(stages, Speech)
        waveform = _noise(1, int(self.seconds * SAMPLE_RATE) + 640 * turn)
        stages.contextualise(stages.convolve(waveform))

    def fit(self, stages: Stages | None) -> None:
        """Let the encoder be computed so from now on."""
        assert not isinstance(stages, Text)
        self.encoder.run_on(stages)


@dataclass(frozen=True)
class TextSubject:
    """A text encoder."""

    encoder: PretrainedTextEncoder
    tokens: int = 24
    modality: Modality = Modality.TEXT

    @property
    def can_change(self) -> bool:
        """Whether anything but torch can compute it."""
        return True

    def plain(self) -> Text:
        """Return what computes it as it is."""
        return Plain(Mode("torch")).text(self.encoder)

    def made(self, runtime: Runtime) -> Text:
        """Return what a runtime makes of it. Raises UnfitError."""
        return runtime.text(self.encoder)

    def compared(self, stages: Stages) -> list[Tensor]:
        """Return sequences, also where texts are padded, and the model's own pooled vectors."""
        assert isinstance(stages, Text)
        outputs: list[Tensor] = []
        for tokens, mask in self._examples():
            sequence, pooled = stages.read(tokens, mask)
            outputs += [sequence, *([] if pooled is None else [pooled])]
        return outputs

    def run(self, stages: Stages, turn: int) -> None:
        """Compute a text once."""
        assert isinstance(stages, Text)
        tokens = self._tokens(1, min(self._padded or self.tokens, self.encoder.positions))
        stages.read(tokens, torch.ones_like(tokens, dtype=torch.bool))

    def fit(self, stages: Stages | None) -> None:
        """Let the encoder be computed so from now on."""
        assert not isinstance(stages, Speech)
        self.encoder.run_on(stages)

    @property
    def _padded(self) -> int | None:
        return self.encoder.settings.pad_to

    def _examples(self) -> Iterator[tuple[Tensor, Tensor]]:
        lengths = torch.tensor([min(n, self.encoder.positions) for n in TEXT_LENGTHS])
        longest = int(lengths.max())
        tokens = self._tokens(len(lengths), longest)
        yield tokens, torch.arange(longest)[None] < lengths[:, None]
        for length in lengths.tolist():
            yield tokens[:1, :length], torch.ones(1, length, dtype=torch.bool)

    def _tokens(self, rows: int, length: int) -> Tensor:
        vocabulary = int(self.encoder.model.config.vocab_size)
        drawn = torch.randint(0, vocabulary, (rows, length), generator=_generator())
        pad = self.encoder.model.config.pad_token_id
        return torch.where(drawn == pad, (drawn + 1) % vocabulary, drawn)


def subjects_of(model: Any, longest_seconds: float | None = None) -> tuple[Subject, ...]:
    """Return the pretrained encoders of a model that are on the CPU.

    Args:
        model: an EmotionModel; it has pretrained encoders only if it has `encoder(modality)`.
        longest_seconds: of the clips that it will get.
    """
    encoder_of = getattr(model, "encoder", None)
    if not callable(encoder_of):
        return ()
    found: list[Subject] = []
    seconds = min(SpeechSubject.seconds, longest_seconds or SpeechSubject.seconds)
    for modality in (Modality.SPEECH, Modality.TEXT):
        encoder = encoder_of(modality)
        if isinstance(encoder, PretrainedSpeechEncoder):
            found.append(SpeechSubject(encoder, seconds))
        elif isinstance(encoder, PretrainedTextEncoder):
            found.append(TextSubject(encoder))
    return tuple(subject for subject in found if _on_cpu(subject.encoder))


def _on_cpu(encoder: nn.Module) -> bool:
    return all(parameter.device.type == "cpu" for parameter in encoder.parameters())


def weights_hash(encoder: nn.Module, digest: str, modality: Modality) -> str:
    """Return a hash of an encoder's weights: of its checkpoint's digest, or of all of them."""
    if digest:
        return hashlib.sha256(f"{digest} {modality}".encode()).hexdigest()
    found = hashlib.sha256()
    for name, tensor in sorted(encoder.state_dict().items()):
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(tensor.detach().contiguous().flatten().view(torch.uint8).numpy())
    return found.hexdigest()


def _noise(rows: int, samples: int) -> Tensor:
    return torch.randn(rows, samples, generator=_generator())


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)
