"""Running a frozen encoder over many examples, by length, so that next to nothing is padding.

Examples are taken in the order of the corpus, in windows: neighbours share a recording, which is
then decoded once; within a window they are sorted by their exact length.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from core.errors import CheckpointError, CorpusError
from core.models.encoders.compact import CompactSpeechEncoder, CompactTextEncoder
from core.models.encoders.speech import SpeechEncoder
from core.models.encoders.text import TextEncoder
from core.models.outputs import Encoded, ModelInputs
from core.types import SAMPLE_RATE, FloatArray, Modality
from training.config import digest as config_digest
from training.data.augment.config import AugmentConfig
from training.data.augment.text import with_recognition_errors
from training.data.augment.waveform import alter_waveform
from training.data.collate import collate, moved, moved_encoded, pad_id_of
from training.data.content_digest import UtteranceProcessor, text_digest
from training.data.example import Example
from training.data.loading import AudioLoader
from training.data.prefetch import prefetched
from training.progress import Reporter

_CPU_SECONDS = 5.0
"""Several seconds fill its units, and more no longer fit its caches."""
_SEQUENCE_TYPES = {"float16": torch.float16, "float32": torch.float32, "none": torch.float32}


@dataclass(frozen=True, slots=True)
class Numeric:
    """The part of the settings on which values depend."""

    sequence: str
    bf16: bool
    fill_seconds: float


@dataclass(frozen=True, slots=True)
class ExtractionConfig:
    """How features are made and kept."""

    sequence: str = "float16"
    """Type of the sequences on disk; pooled vectors are always float32. `float32` where a head must
    see what the live path computes to 1e-5; `none` for systems that only use the pooled vector."""
    seconds: float = 30.0
    """Audio in one batch, at most (a longer utterance makes a batch of its own); a graphics card
    takes some minutes. A CPU is fastest with one utterance at a time: there it is 5 s at most."""
    tokens: int = 2048
    """The same for text, in tokens."""
    padding: float = 0.02
    """Share of a batch that may be padding; 0: exact lengths only."""
    window: float = 1800.0
    """Seconds of audio that are decoded before they are sorted by length (115 MB)."""
    fill_seconds: float = 0.0
    """Fill waveforms with zeros up to so many seconds, as batches of published code are. It only
    matters to an encoder that takes padding in (respect_padding: false, padding pooled)."""
    bf16: bool = False
    """Compute in bfloat16: faster where the processor has it, values off by 1e-2."""

    def __post_init__(self) -> None:
        if self.sequence not in _SEQUENCE_TYPES:
            raise ValueError(f"sequence must be one of {', '.join(_SEQUENCE_TYPES)}")
        if self.seconds <= 0 or self.tokens < 1 or not 0 <= self.padding < 1 or self.window <= 0:
            raise ValueError("seconds, tokens, window must be positive and padding in [0, 1)")
        if not 0 <= self.fill_seconds <= 60:
            raise ValueError("fill_seconds must be between 0 and 60")

    @property
    def numeric(self) -> Numeric:
        """What values depend on, hence part of their key."""
        return Numeric(self.sequence, self.bf16, self.fill_seconds)


@dataclass(frozen=True)
class Extraction:
    """Who encodes what: `encoder` takes ModelInputs and is in evaluation mode while it works."""

    encoder: nn.Module
    processor: UtteranceProcessor
    modality: Modality
    loader: AudioLoader
    config: ExtractionConfig
    augment: AugmentConfig | None = None
    altered: frozenset[int] | None = None
    """Rows of which there are altered copies; None: all. Copies of the others are originals."""

    @property
    def copies(self) -> int:
        """Altered copies of every example."""
        return self.augment.copies if self.augment is not None else 0


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An utterance ready to be encoded; `length` in seconds of audio, or tokens."""

    key: str
    inputs: ModelInputs
    length: float


def as_encoder(encoder: nn.Module) -> nn.Module:
    """Return an encoder that takes ModelInputs; a compact one is wrapped to do so."""
    if isinstance(encoder, SpeechEncoder):
        return CompactSpeechEncoder(encoder)
    return CompactTextEncoder(encoder) if isinstance(encoder, TextEncoder) else encoder


def depends_on_batch(encoder: nn.Module) -> bool:
    """Tell whether an encoder takes in what fills up a batch, as some published ones do."""
    settings = getattr(encoder, "settings", None)
    if settings is None:
        return False
    return not settings.respect_padding or str(settings.pooling).startswith("padded")


def content_keys(job: Extraction, digest: str, examples: Sequence[Example]) -> list[str]:
    """Return one key per example and copy (copy-major), under which its features are kept.

    Args:
        digest: of the encoder and its processor.

    Raises:
        CorpusError: an example lacks the modality. MediaError: a recording is not there.
    """
    contents = [_content(job, example) for example in examples]
    keys = [text_digest(digest, content) for content in contents]
    for copy in range(1, job.copies + 1):
        how = config_digest(job.augment and job.augment.altering(job.modality))
        keys += [
            text_digest(digest, content, how, str(copy))
            if job.altered is None or row in job.altered
            else keys[row]
            for row, content in enumerate(contents)
        ]
    return keys


def first_places(keys: Sequence[str]) -> dict[str, int]:
    """Return where each key comes first: there, an original is an original."""
    return {key: place for place, key in reversed(list(enumerate(keys)))}


def extract(
    job: Extraction, examples: Sequence[Example], wanted: Mapping[str, int], reporter: Reporter
) -> Iterator[tuple[str, tuple[Tensor, Tensor]]]:
    """Yield (key, (sequence (T, D), pooled (D,))) of each wanted key, in no particular order.

    Args:
        wanted: place in the list of `content_keys` by key.
    """
    if not wanted:
        return
    modes = {module: module.training for module in job.encoder.modules()}
    job.encoder.eval()
    title = f"encoding {job.modality.value}"
    try:
        yield from reporter.track(_extracted(job, examples, wanted), len(wanted), title)
    finally:
        for module, was_training in modes.items():
            module.training = was_training


def _extracted(
    job: Extraction, examples: Sequence[Example], wanted: Mapping[str, int]
) -> Iterator[tuple[str, tuple[Tensor, Tensor]]]:
    pad_id = pad_id_of(job.processor)
    # what depends on its batch is at least the same every time without anything to pad
    padding = 0.0 if depends_on_batch(job.encoder) else job.config.padding
    by_place = sorted(wanted.items(), key=lambda item: item[1])
    prepare = partial(_prepare, job, examples)
    windows = _windows(job, map(prepare, by_place))
    if _device(job).type != "cpu":  # decode while the graphics card is at work
        windows = prefetched(windows, 1)
    for window in windows:
        for batch in tight_batches([item.length for item in window], _budget(job), padding):
            items = [window[index] for index in batch]
            encoded = _encode(job, collate([item.inputs for item in items], pad_id))
            for row, item in enumerate(items):
                yield item.key, _kept(job, encoded, row)


def tight_batches(lengths: Sequence[float], budget: float, padding: float) -> list[list[int]]:
    """Group indices, longest first: at most `budget` in sum, of which a share may be padding."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    batches: list[list[int]] = []
    longest = total = 0.0
    for index in order:
        count = len(batches[-1]) if batches else 0
        padded = longest * (count + 1)
        fits = count > 0 and padded <= budget
        if fits and padded - (total + lengths[index]) <= padding * padded + 1e-9:
            batches[-1].append(index)
            total += lengths[index]
        else:
            batches.append([index])
            longest = total = lengths[index]
    return batches


def _windows(job: Extraction, items: Iterator[_Prepared]) -> Iterator[list[_Prepared]]:
    """Cut a stream of utterances into lists of about the same amount of work."""
    size = job.config.window if job.modality is Modality.SPEECH else 64.0 * job.config.tokens
    window: list[_Prepared] = []
    held = 0.0
    for item in items:
        window.append(item)
        held += item.length
        if held >= size:
            yield window
            window, held = [], 0.0
    if window:
        yield window


def _prepare(job: Extraction, examples: Sequence[Example], item: tuple[str, int]) -> _Prepared:
    key, place = item
    copy, row = divmod(place, len(examples))
    example = examples[row]
    # seeded by the key, so that a copy is the same whatever else is encoded with it
    generator = np.random.default_rng(int(key[:16], 16)) if copy else None
    if job.modality is Modality.SPEECH:
        samples = job.loader.samples(example)
        if generator is not None and job.augment is not None and job.augment.waveform is not None:
            samples = alter_waveform(samples, job.augment.waveform, generator)
        inputs = _filled(prepare_speech(job.processor, samples), job.config.fill_seconds)
        heard = samples if inputs.waveform is None else inputs.waveform[0]
        return _Prepared(key, inputs, len(heard) / SAMPLE_RATE)
    text = example.text or ""
    if generator is not None and job.augment is not None and job.augment.recognition_errors:
        text = with_recognition_errors(text, job.augment.recognition_errors, generator)
    inputs = prepare_text(job.processor, text, example)
    return _Prepared(key, inputs, float(_tokens(inputs).shape[1]))


def _filled(inputs: ModelInputs, seconds: float) -> ModelInputs:
    """Return a waveform with zeros, which its mask tells from speech, up to a length."""
    waveform, mask = inputs.waveform, inputs.waveform_mask
    lacking = 0 if waveform is None else round(seconds * SAMPLE_RATE) - waveform.shape[1]
    if lacking <= 0 or waveform is None or mask is None:
        return inputs
    return replace(
        inputs, waveform=pad(waveform, (0, lacking)), waveform_mask=pad(mask, (0, lacking))
    )


def prepare_speech(processor: UtteranceProcessor, samples: FloatArray) -> ModelInputs:
    """Return an utterance's audio as a batch of one."""
    return processor(samples=samples)


def prepare_text(processor: UtteranceProcessor, text: str, example: Example) -> ModelInputs:
    """Return an utterance's text as a batch of one.

    Raises CorpusError if the processor takes no such text.
    """
    inputs = processor(text=text, language=example.language or None)
    if inputs.tokens is None:
        raise CorpusError(
            f"{example.source or example.id}: the text encoder does not know the language "
            f"({example.language or 'not stated'}) of {text[:60]!r}.",
            "Choose another text encoder, or a system that takes speech alone.",
        )
    return inputs


def _tokens(inputs: ModelInputs) -> Tensor:
    assert inputs.tokens is not None
    return inputs.tokens


def _budget(job: Extraction) -> float:
    if job.modality is not Modality.SPEECH:
        return float(job.config.tokens)
    on_cpu = _device(job).type == "cpu"
    return min(job.config.seconds, _CPU_SECONDS) if on_cpu else job.config.seconds


@torch.no_grad()
def _encode(job: Extraction, inputs: ModelInputs) -> Encoded:
    device = _device(job)
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=job.config.bf16):
        encoded: Encoded = job.encoder(moved(inputs, device))
    return moved_encoded(encoded, "cpu")


def _device(job: Extraction) -> torch.device:
    parameter = next(job.encoder.parameters(), None)
    return parameter.device if parameter is not None else torch.device("cpu")


def _kept(job: Extraction, encoded: Encoded, row: int) -> tuple[Tensor, Tensor]:
    """Return the valid part of a row's sequence, in the type it is kept in, and what is pooled."""
    pooled = encoded.pooled[row].float().clone()
    if job.config.sequence == "none":
        sequence = pooled[None].clone()
    else:
        valid = encoded.sequence[row][encoded.mask[row].bool()]
        sequence = valid.to(_SEQUENCE_TYPES[job.config.sequence])
    if not (torch.isfinite(sequence).all() and torch.isfinite(pooled).all()):
        raise CheckpointError(
            f"The {job.modality.value} encoder yields values that are not finite in "
            f"{job.config.sequence}.",
            "Check its weights, or set features.sequence to float32.",
        )
    return sequence, pooled


def _content(job: Extraction, example: Example) -> str:
    if job.modality is Modality.SPEECH:
        return job.loader.digest(example)
    if not (example.text or "").strip():
        raise CorpusError(
            f"{example.source or example.id} has no text.",
            "Leave such rows out, or choose a system that takes speech alone.",
        )
    return text_digest(example.text or "", example.language)
