"""The encoders of a system, as its configuration names them, and the processor that feeds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from core.errors import ConfigError
from core.models.bimodal import BimodalModel
from core.models.checkpoint import load_checkpoint
from core.models.encoders.compact import CompactSpeechEncoder, CompactTextEncoder
from core.models.encoders.pretrained import (
    PretrainedSpeech,
    PretrainedText,
    load_pretrained_speech,
    load_pretrained_text,
    make_processor,
)
from core.models.pretrained_processor import Overlong
from core.models.processor import Processor
from core.models.processor_loading import AnyProcessor
from core.resources import embedded_checkpoint
from training.system_config import SpeechEncoderChoice, SystemConfig, TextEncoderChoice

EMBEDDED = "embedded"


@dataclass(frozen=True)
class Encoders:
    """What turns utterances into vectors; a modality that the system does not take is None."""

    speech: nn.Module | None
    text: nn.Module | None
    processor: AnyProcessor


def load_encoders(config: SystemConfig) -> Encoders:
    """Load encoders with their weights; from the hub, if they are no folders.

    Raises:
        CheckpointError: an encoder can't be had or used. ConfigError: an option makes no sense.
    """
    return load_chosen(config.speech, config.text)


def load_chosen(speech: SpeechEncoderChoice | None, text: TextEncoderChoice | None) -> Encoders:
    """Load encoders that were chosen one by one; see `load_encoders`."""
    choice = speech or text
    if choice is None:
        raise ConfigError("There is no encoder.", "Name one under 'speech' or 'text'.")
    return _LOADERS[choice.kind](speech, text)


def _pretrained(speech: SpeechEncoderChoice | None, text: TextEncoderChoice | None) -> Encoders:
    heard = None if speech is None else load_speech(speech)
    read = None if text is None else load_text(text)
    processor = processor_of(speech, text, heard, read)
    return Encoders(
        None if heard is None else heard.encoder, None if read is None else read.encoder, processor
    )


def load_speech(choice: SpeechEncoderChoice) -> PretrainedSpeech:
    """Load a pretrained speech encoder. Raises CheckpointError or ConfigError."""
    return load_pretrained_speech(
        choice.model,
        trainable=choice.trainable,
        output=choice.output,
        pooling=choice.pooling,
        respect_padding=choice.respect_padding,
        dropout=choice.dropout,
        layerdrop=choice.layerdrop,
        mask_time=choice.mask_time,
        mask_feature=choice.mask_feature,
    )


def load_text(choice: TextEncoderChoice) -> PretrainedText:
    """Load a pretrained text encoder. Raises CheckpointError or ConfigError."""
    return load_pretrained_text(
        choice.model,
        trainable=choice.trainable,
        max_tokens=choice.max_tokens,
        pooling=choice.pooling,
        pad_to=choice.pad_to,
        respect_padding=choice.respect_padding,
        dropout=choice.dropout,
    )


def processor_of(
    speech: SpeechEncoderChoice | None,
    text: TextEncoderChoice | None,
    heard: PretrainedSpeech | None,
    read: PretrainedText | None,
) -> AnyProcessor:
    """Return the processor that feeds pretrained encoders."""
    languages = () if text is None else text.languages
    if speech is None:
        return make_processor(None, read, languages=languages)
    return make_processor(
        heard,
        read,
        languages=languages,
        longest_seconds=speech.longest_seconds,
        overlong=Overlong(speech.overlong),
        normalise=speech.normalise,
    )


def _compact(speech: SpeechEncoderChoice | None, text: TextEncoderChoice | None) -> Encoders:
    models = {choice.model for choice in (speech, text) if choice is not None}
    if len(models) > 1:
        raise ConfigError(
            "Compact encoders of two checkpoints can't stand together.", "Name one checkpoint."
        )
    name = models.pop()
    loaded = load_checkpoint(embedded_checkpoint() if name == EMBEDDED else Path(name))
    if not isinstance(loaded.model, BimodalModel):
        raise ConfigError(
            f"{name} holds no compact encoders ({loaded.info.architecture}).",
            f"Use {EMBEDDED}, or a checkpoint of the embedded recipe.",
        )
    return Encoders(
        None if speech is None else CompactSpeechEncoder(loaded.model.speech),
        None if text is None else CompactTextEncoder(loaded.model.text),
        _as_trained(loaded.frame_processor, text),
    )


def _as_trained(processor: Processor, text: TextEncoderChoice | None) -> Processor:
    """Return a processor that tells the app how a system is trained, calibrated and scored on it.

    Rows come one by one and whole: there is no baseline of their speaker, and nothing is cut.
    """
    config = replace(processor.config, personal=False, longest_seconds=None)
    if text is not None:
        if unknown := sorted(set(text.languages) - set(config.languages)):
            raise ConfigError(
                f"The compact text encoder was not trained on {', '.join(unknown)}.",
                f"Set text.languages to some of {', '.join(config.languages)}, or choose a"
                " pretrained encoder.",
            )
        config = replace(config, languages=text.languages)
    return Processor(config, processor.statistics, processor.tokenizer)


_LOADERS: Mapping[
    str, Callable[[SpeechEncoderChoice | None, TextEncoderChoice | None], Encoders]
] = {"pretrained": _pretrained, "compact": _compact}
