"""Ready-made classifiers from the hub or from folders, as one model of this project."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import CheckpointError, ConfigError
from core.labels import EMOTIONS
from core.models.encoders import backbone
from core.models.encoders.hub import Progress, model_folder
from core.models.encoders.pretrained import (
    PREPROCESSOR,
    check_tokenizer,
    load_tokenizer,
    read_normalisation,
)
from core.models.encoders.pretrained_text import positions_of
from core.models.pretrained_processor import PretrainedProcessor, PretrainedProcessorConfig
from core.models.pretrained_tokenizer import PretrainedTokenizer
from core.models.ready_made import ReadyMadeConfig, ReadyMadeModel
from core.models.ready_made_branches import FRONTS, BranchConfig, label_names
from core.models.ready_made_labels import LabelMap, label_matrix
from core.models.specification import Specification

MULTI_LABEL = "multi_label_classification"
"""`problem_type` of a Hugging Face model whose labels do not exclude one another."""


@dataclass(frozen=True, slots=True)
class Classifier:
    """Where a classifier is, and what its labels mean.

    Attributes:
        source: name on the hub, or folder.
        labels: each label -> class, or None.
        multi_label: None: as the model's own `problem_type` says.
        languages, max_tokens: of a text classifier.
    """

    source: str
    labels: LabelMap
    multi_label: bool | None = None
    languages: tuple[str, ...] = ()
    max_tokens: int = 256


@dataclass(frozen=True, slots=True)
class _Read:
    """A classifier with its weights and what its folder says about preparing its input."""

    config: BranchConfig
    model: Any
    normalise: bool = False
    tokenizer: PretrainedTokenizer | None = None


def load_ready_made(
    speech: Classifier | None = None,
    text: Classifier | None = None,
    *,
    classes: tuple[str, ...] = EMOTIONS,
    longest_seconds: float = 10.0,
    progress: Progress | None = None,
) -> tuple[ReadyMadeModel, PretrainedProcessor]:
    """Load one or two classifiers and put late fusion on top.

    Args:
        classes: of the result, the first "neutral".
        longest_seconds: longer speech is judged in pieces.
        progress: of downloads; None: the hub's own bar.

    Raises:
        CheckpointError: naming the folder, for anything wrong with it.
        ConfigError: the labels do not fit a model, or text has no language.
    """
    heard = None if speech is None else _read_speech(speech, classes, progress)
    read = None if text is None else _read_text(text, classes, progress)
    config = ReadyMadeConfig(heard.config if heard else None, read.config if read else None)
    specification = Specification(
        labels=classes,
        modalities=config.modalities,
        languages=text.languages if text else (),
        required=config.modalities if len(config.modalities) == 1 else (),
    )
    model = ReadyMadeModel(
        specification,
        config,
        speech=heard.model if heard else None,
        text=read.model if read else None,
    )
    return model.eval(), _processor(heard, read, text, longest_seconds)


def _processor(
    speech: _Read | None, read: _Read | None, text: Classifier | None, longest_seconds: float
) -> PretrainedProcessor:
    tokenizer = read.tokenizer if read else None
    config = PretrainedProcessorConfig(
        normalise=speech is not None and speech.normalise,
        longest_seconds=longest_seconds,
        languages=text.languages if text else (),
        max_tokens=tokenizer.max_tokens if tokenizer else 256,
        pad_id=tokenizer.pad_id if tokenizer else 0,
    )
    return PretrainedProcessor(config, tokenizer)


def _read_speech(
    classifier: Classifier, classes: Sequence[str], progress: Progress | None
) -> _Read:
    folder = model_folder(classifier.source, progress)
    found = backbone.read_config(folder)
    backbone.check_task(folder, found, backbone.AUDIO_CLASSIFIER)
    takes_spectrogram = found.model_type in FRONTS
    front = _read_front(folder) if takes_spectrogram else {}
    normalise = not takes_spectrogram and read_normalisation(folder)
    config, model = _load(folder, classifier, found, backbone.AUDIO_CLASSIFIER, classes, front)
    return _Read(config, model, normalise)


def _read_text(classifier: Classifier, classes: Sequence[str], progress: Progress | None) -> _Read:
    if not classifier.languages:
        raise ConfigError("A text classifier needs its languages.", 'For example ["en"].')
    folder = model_folder(classifier.source, progress)
    found = backbone.read_config(folder)
    backbone.check_task(folder, found, backbone.TEXT_CLASSIFIER)
    tokenizer = load_tokenizer(folder, classifier.max_tokens)
    config, model = _load(folder, classifier, found, backbone.TEXT_CLASSIFIER, classes, {})
    check_tokenizer(folder, tokenizer, model.config, positions_of(model))
    return _Read(config, model, tokenizer=tokenizer)


def _load(
    folder: Path,
    classifier: Classifier,
    found: Any,
    task: backbone.Task,
    classes: Sequence[str],
    front: dict[str, Any],
) -> tuple[BranchConfig, Any]:
    for name in ("mask_time_prob", "mask_feature_prob"):
        if hasattr(found, name):  # nothing is masked here, and the weight for it may be lacking
            setattr(found, name, 0.0)
    values = backbone.plain(found)
    try:
        label_matrix(label_names(values), classifier.labels, classes)
    except ConfigError as error:
        raise ConfigError(f"{folder}: {error.problem}", error.remedy) from error
    model, _ = backbone.load(folder, found, task, may_leave=("masked_spec_embed",))
    multi = classifier.multi_label
    if multi is None:
        multi = found.problem_type == MULTI_LABEL
    return BranchConfig(values, dict(classifier.labels), multi, front), model


def _read_front(folder: Path) -> dict[str, Any]:
    path = folder / PREPROCESSOR
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} can't be read ({error}).", "Download it again.") from error
    if not isinstance(values, dict):
        raise CheckpointError(f"{path} is not a JSON object.", "Download it again.")
    return values
