"""Pretrained encoders with their weights, from the hub or a folder, and the processor they need."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.errors import CheckpointError, ConfigError
from core.models.encoders import backbone, pretrained_speech, pretrained_text
from core.models.encoders.hub import Progress, model_folder
from core.models.encoders.pretrained_config import (
    POOLER,
    PretrainedSpeechConfig,
    PretrainedTextConfig,
    SpeechOutput,
)
from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder
from core.models.encoders.pretrained_text import PretrainedTextEncoder
from core.models.encoders.trainable import NONE, set_trainable
from core.models.pretrained_processor import (
    Overlong,
    PretrainedProcessor,
    PretrainedProcessorConfig,
)
from core.models.pretrained_tokenizer import PretrainedTokenizer
from core.types import SAMPLE_RATE

_logger = logging.getLogger(__name__)
_TOKENIZER_FILES = ("tokenizer.json", "vocab.txt", "vocab.json")
PREPROCESSOR = "preprocessor_config.json"


@dataclass(frozen=True, slots=True)
class PretrainedSpeech:
    """A speech encoder with its weights.

    normalise: whether it was trained on waveforms of zero mean and unit variance.
    ignored: parts of the folder it has no use for, such as the head of another task.
    """

    encoder: PretrainedSpeechEncoder
    normalise: bool
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PretrainedText:
    """A text encoder with its weights and its tokenizer; `ignored` as in PretrainedSpeech."""

    encoder: PretrainedTextEncoder
    tokenizer: PretrainedTokenizer
    ignored: tuple[str, ...] = ()


def load_pretrained_speech(
    name_or_folder: str | Path,
    *,
    trainable: str = NONE,
    progress: Progress | None = None,
    **options: Any,
) -> PretrainedSpeech:
    """Load a wav2vec 2.0, XLS-R, HuBERT or WavLM encoder.

    Args:
        name_or_folder: such as "facebook/wav2vec2-base-960h", or a folder.
        trainable: see `trainable.set_trainable`.
        progress: of a download; None: the hub's own bar.
        options: fields of `PretrainedSpeechConfig` but `model`.

    Raises:
        CheckpointError: naming the folder and what to do, for anything wrong with it.
        ConfigError: an option makes no sense.
    """
    folder = model_folder(name_or_folder, progress)
    found = backbone.plain(backbone.read_config(folder))
    config = PretrainedSpeechConfig.from_dict({"model": found, **options})
    wanted = _fitting(folder, pretrained_speech.model_config, config)
    normalise = read_normalisation(folder)
    left = ("masked_spec_embed",) if config.mask_time == 0 and config.mask_feature == 0 else ()
    if config.output is SpeechOutput.EXTRACT_FEATURES:
        left = (*left, "encoder.")
    model, ignored = backbone.load(
        folder, wanted, backbone.ENCODER, may_lack=("masked_spec_embed",), may_leave=left
    )
    _say_ignored(folder, ignored)
    encoder = PretrainedSpeechEncoder(config, model)
    set_trainable(encoder, trainable)
    return PretrainedSpeech(encoder, normalise, ignored)


def load_pretrained_text(
    name_or_folder: str | Path,
    *,
    max_tokens: int = 256,
    trainable: str = NONE,
    progress: Progress | None = None,
    **options: Any,
) -> PretrainedText:
    """Load any BERT type of text encoder (KLUE-RoBERTa, XLM-RoBERTa, BERT, ELECTRA ...).

    Args:
        name_or_folder: such as "klue/roberta-base", or a folder.
        max_tokens: longest text, special tokens included.
        trainable: see `trainable.set_trainable`.
        progress: of a download; None: the hub's own bar.
        options: fields of `PretrainedTextConfig` but `model`.

    Raises:
        CheckpointError: naming the folder and what to do, for anything wrong with it.
        ConfigError: an option makes no sense.
    """
    folder = model_folder(name_or_folder, progress)
    found = backbone.plain(backbone.read_config(folder))
    config = PretrainedTextConfig.from_dict({"model": found, **options})
    wanted = _fitting(folder, pretrained_text.model_config, config)
    tokenizer = load_tokenizer(folder, max_tokens)
    model, ignored = backbone.load(
        folder,
        wanted,
        backbone.ENCODER,
        may_leave=() if config.pooling == POOLER else ("pooler.",),
        **pretrained_text.pooler_options(wanted, config),
    )
    _say_ignored(folder, ignored)
    encoder = PretrainedTextEncoder(config, model)
    check_tokenizer(folder, tokenizer, model.config, encoder.positions)
    set_trainable(encoder, trainable)
    return PretrainedText(encoder, tokenizer, ignored)


def make_processor(
    speech: PretrainedSpeech | None = None,
    text: PretrainedText | None = None,
    *,
    languages: tuple[str, ...] = (),
    longest_seconds: float = 10.0,
    overlong: Overlong = Overlong.PIECES,
    normalise: bool | None = None,
) -> PretrainedProcessor:
    """Return the processor that goes with pretrained encoders.

    Args:
        languages: ISO 639-1 codes whose text enters the model; needed where there is text.
        longest_seconds, overlong: see `PretrainedProcessorConfig`.
        normalise: None: as the speech model says itself (KNU, as published: False).

    Raises:
        ConfigError: there is a text encoder and no language.
    """
    if text is not None and not languages:
        raise ConfigError("A text encoder needs its languages.", 'For example ("ko",).')
    config = PretrainedProcessorConfig(
        normalise=normalise if normalise is not None else speech is None or speech.normalise,
        longest_seconds=longest_seconds,
        overlong=overlong,
        languages=languages if text is not None else (),
    )
    if text is None:
        return PretrainedProcessor(config)
    pad, most = text.tokenizer.pad_id, text.tokenizer.max_tokens
    return PretrainedProcessor(replace(config, pad_id=pad, max_tokens=most), text.tokenizer)


def load_tokenizer(folder: Path, max_tokens: int) -> PretrainedTokenizer:
    """Read the tokenizer of a Hugging Face folder. Raises CheckpointError."""
    from transformers import AutoTokenizer

    if not any((folder / name).is_file() for name in _TOKENIZER_FILES):
        raise CheckpointError(
            f"{folder} has no tokenizer (none of {', '.join(_TOKENIZER_FILES)}).",
            "Download the tokenizer's files too.",
        )
    try:
        with backbone.quiet():
            found = AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
        if not found.is_fast:
            raise ValueError("it has no tokenizer.json, so words can't be told apart")
        return PretrainedTokenizer.of(found, max_tokens)
    except Exception as error:  # the library raises whatever a damaged file leads to
        raise backbone.not_loaded(f"The tokenizer in {folder}", error) from error


def check_tokenizer(
    folder: Path, tokenizer: PretrainedTokenizer, config: Any, positions: int
) -> None:
    """Refuse a tokenizer that is not the model's. Raises CheckpointError."""
    problems = []
    if tokenizer.vocabulary_size > config.vocab_size:
        problems.append(
            f"it knows {tokenizer.vocabulary_size} tokens, the model {config.vocab_size}"
        )
    if config.pad_token_id is not None and tokenizer.pad_id != config.pad_token_id:
        problems.append(f"it pads with {tokenizer.pad_id}, the model with {config.pad_token_id}")
    if problems:
        raise CheckpointError(
            f"The tokenizer in {folder} is not that of the model: {', '.join(problems)}.",
            "Download the model again.",
        )
    if tokenizer.max_tokens > positions:
        raise ConfigError(
            f"max_tokens is {tokenizer.max_tokens}, but the model in {folder} has {positions}"
            " positions."
        )


def read_normalisation(folder: Path) -> bool:
    """Read whether the model takes normalised waveforms; it must be for 16 kHz."""
    path = folder / PREPROCESSOR
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{folder} has no {PREPROCESSOR}, which says how samples are prepared.",
            "Download that file too.",
        ) from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} can't be read ({error}).", "Download it again.") from error
    rate = values.get("sampling_rate", SAMPLE_RATE) if isinstance(values, dict) else None
    if rate != SAMPLE_RATE:
        raise CheckpointError(
            f"{path} says {rate} samples a second; only models of {SAMPLE_RATE} are taken.",
            "Choose another model.",
        )
    return bool(values.get("do_normalize", True))


def _fitting(folder: Path, make: Any, config: Any) -> Any:
    try:
        return make(config)
    except ConfigError as error:
        raise CheckpointError(f"{folder}: {error.problem}", error.remedy) from error


def _say_ignored(folder: Path, ignored: tuple[str, ...]) -> None:
    if ignored:
        _logger.info("parts of %s that an encoder does not need: %s", folder, ", ".join(ignored))
