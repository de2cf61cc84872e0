"""Ready-made classifiers become a checkpoint: loaded, weighted, calibrated, written.

On held-out speech with labels the weights of the two models and a temperature per way of judging
are fitted (Guo et al. 2017, On calibration of modern neural networks, ICML); a decision of one
modality alone is never changed by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from core.errors import CorpusError, MediaError
from core.models.calibration import UNTEMPERED, Calibration, fit_temperature
from core.models.calibration import Path as JudgedBy
from core.models.checkpoint import save_checkpoint
from core.models.manifest import CheckpointInfo
from core.models.outputs import Encoded, Features
from core.models.pretrained_processor import PretrainedProcessor
from core.models.ready_made import ARCHITECTURE, ReadyMadeModel
from core.models.ready_made_loading import Classifier, load_ready_made
from core.types import Modality
from training import trained_on
from training.adopt_config import AdoptConfig, check_sources, targets
from training.data.example import Example
from training.data.loading import AudioLoader
from training.progress import Reporter

LEAST_EXAMPLES = 20
"""From fewer utterances no temperature is fitted."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """A model of ready-made classifiers and what it needs; `sources` by modality."""

    config: AdoptConfig
    sources: dict[str, str]
    model: ReadyMadeModel
    processor: PretrainedProcessor


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a corpus told: calibration, weights of speech and text, how many utterances, of whom."""

    calibration: Calibration
    weights: tuple[float, float]
    utterances: int
    trained_on: dict[str, Any]


def adopt(config: AdoptConfig, speech: str | None, text: str | None) -> Adopted:
    """Load the classifiers.

    Args:
        config: what their labels mean.
        speech, text: names on the hub or folders; either may be None.

    Raises:
        CheckpointError, ConfigError: see `load_ready_made`.
    """
    check_sources(config, speech, text)
    model, processor = load_ready_made(
        _speech(config, speech), _text(config, text), longest_seconds=config.longest_seconds
    )
    model.weigh(config.weights.speech, config.weights.text)
    sources = {"speech": speech, "text": text}
    return Adopted(config, {k: v for k, v in sources.items() if v is not None}, model, processor)


def _speech(config: AdoptConfig, source: str | None) -> Classifier | None:
    labels = config.speech
    if source is None or labels is None:
        return None
    return Classifier(source, targets(labels.map, labels.ignored), labels.multi_label)


def _text(config: AdoptConfig, source: str | None) -> Classifier | None:
    labels = config.text
    if source is None or labels is None:
        return None
    return Classifier(
        source,
        targets(labels.map, labels.ignored),
        labels.multi_label,
        labels.languages,
        labels.max_tokens,
    )


@dataclass(frozen=True, slots=True)
class Answers:
    """What the classifiers say of n utterances; a row is NaN where a modality was not there."""

    speech: Tensor
    text: Tensor
    truth: Tensor
    examples: tuple[Example, ...]

    def heard(self, speech: bool, text: bool) -> Tensor:
        """Return (n,), true for utterances that have what is asked for."""
        found = torch.ones(len(self.truth), dtype=torch.bool)
        if speech:
            found &= ~self.speech.isnan().any(dim=1)
        if text:
            found &= ~self.text.isnan().any(dim=1)
        return found


def fit(adopted: Adopted, examples: Sequence[Example], reporter: Reporter) -> Fitted:
    """Fit weights and temperatures on labelled utterances that no model was trained on.

    Raises:
        CorpusError: fewer than twenty of them can be used.
    """
    answers = _ask(adopted, examples, reporter)
    count = int((answers.heard(True, False) | answers.heard(False, True)).sum())
    if count < LEAST_EXAMPLES:
        raise CorpusError(
            f"Only {count} utterances of the corpus have one of the classes and what the models"
            f" take; {LEAST_EXAMPLES} are the least to calibrate on.",
            "Choose another corpus, or leave --calibrate out.",
        )
    both = answers.heard(True, True)
    if int(both.sum()) >= LEAST_EXAMPLES:
        fit_weights(adopted.model, answers, both)
    scale = adopted.model.fusion.log_scale.detach().exp()
    return Fitted(
        Calibration(fit_temperatures(adopted.model, answers), short_speech=UNTEMPERED),
        (float(scale[0]), float(scale[1])),
        count,
        trained_on.of_examples((), answers.examples),
    )


@torch.no_grad()
def _ask(adopted: Adopted, examples: Sequence[Example], reporter: Reporter) -> Answers:
    labels = adopted.model.specification.labels
    known = [e for e in examples if e.label in labels]
    loader = AudioLoader()
    missing = torch.full((len(labels),), float("nan"))
    rows = [
        (
            _heard(adopted, example, loader, missing),
            _read(adopted, example, missing),
            labels.index(str(example.label)),
        )
        for example in reporter.track(known, len(known), "asking the models")
    ]
    speech, text, truth = zip(*rows, strict=True) if rows else ((missing,), (missing,), (0,))
    return Answers(torch.stack(speech), torch.stack(text), torch.tensor(truth), tuple(known))


def _heard(adopted: Adopted, example: Example, loader: AudioLoader, missing: Tensor) -> Tensor:
    """Return what the speech model says (C,), over pieces as the app does it."""
    branch = adopted.model.speech
    if branch is None or example.audio is None:
        return missing
    try:
        pieces = adopted.processor.pieces(loader.samples(example))
    except MediaError:
        return missing
    weights = torch.tensor([piece.weight for piece in pieces])
    logits = branch(adopted.processor.batch([piece.waveform for piece in pieces])).logits
    answer: Tensor = (weights[:, None] * logits).sum(dim=0)
    return answer


def _read(adopted: Adopted, example: Example, missing: Tensor) -> Tensor:
    """Return what the text model says (C,)."""
    branch, text = adopted.model.text, (example.text or "").strip()
    if branch is None or not text:
        return missing
    if not adopted.processor.understands(text, example.language or None):
        return missing
    inputs = adopted.processor.batch(texts=[adopted.processor.tokenize(text)])
    answer: Tensor = branch(inputs).logits[0]
    return answer


def _fused(model: ReadyMadeModel, answers: Answers, rows: Tensor) -> Tensor:
    features = Features(_encoded(answers.speech[rows]), _encoded(answers.text[rows]))
    logits: Tensor = model(features).logits
    return logits


def _encoded(logits: Tensor) -> Encoded:
    mask = torch.ones(len(logits), 1, dtype=torch.bool)
    return Encoded(logits[:, None], mask, logits, logits)


def fit_weights(model: ReadyMadeModel, answers: Answers, rows: Tensor) -> None:
    """Find the exponents of least negative log-likelihood, held a little to where they were."""
    model.requires_grad_(False)
    scale = model.fusion.log_scale.requires_grad_(True)
    before, truth = scale.detach().clone(), answers.truth[rows]
    optimizer = torch.optim.LBFGS([scale], max_iter=60, line_search_fn="strong_wolfe")

    def step() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(_fused(model, answers, rows), truth)
        loss = loss + 0.01 * (scale - before).square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(step)  # type: ignore[no-untyped-call]
    scale.requires_grad_(False)


def fit_temperatures(model: ReadyMadeModel, answers: Answers) -> dict[JudgedBy, float]:
    """Return a temperature per way of judging of which there are enough answers."""
    found: dict[JudgedBy, float] = {}
    for paths, speech, text in (
        ((JudgedBy.SPEECH_RAW, JudgedBy.SPEECH_PERSONAL), True, False),
        ((JudgedBy.TEXT,), False, True),
        ((JudgedBy.FUSED,), True, True),
    ):
        rows = answers.heard(speech, text)
        if int(rows.sum()) < LEAST_EXAMPLES:
            continue
        logits = answers.speech[rows] if speech else answers.text[rows]
        if speech and text:
            logits = _fused(model, answers, rows).detach()
        temperature = fit_temperature(logits.numpy(), answers.truth[rows].numpy())
        found |= dict.fromkeys(paths, float(np.clip(temperature, 0.1, 10.0)))
    return found


def write(adopted: Adopted, directory: Path, fitted: Fitted | None = None) -> CheckpointInfo:
    """Write the checkpoint; from here on it needs no network. Raises CheckpointError."""
    from training import config as configuration

    training = {
        "adopted": dict(adopted.sources),
        "labels": configuration.to_mapping(adopted.config),
        "trained_on": trained_on.union(
            (
                trained_on.of_makers(adopted.sources.values()),
                fitted.trained_on if fitted else {},
            )
        ),
    }
    metrics: dict[str, Any] = {"calibrated": fitted is not None}
    if fitted is not None:
        metrics |= {"calibration_utterances": fitted.utterances, "weights": list(fitted.weights)}
    return save_checkpoint(
        directory,
        adopted.model,
        adopted.processor,
        name=adopted.config.name,
        architecture=ARCHITECTURE,
        training=training,
        metrics=metrics,
        card=_card(adopted, fitted),
        calibration=fitted.calibration if fitted else Calibration(short_speech=UNTEMPERED),
        half=False,
    )


def _card(adopted: Adopted, fitted: Fitted | None) -> str:
    lines = [f"# {adopted.config.name}", "", "Ready-made classifiers, fused late by Emoscope:", ""]
    sections = {Modality.SPEECH: adopted.config.speech, Modality.TEXT: adopted.config.text}
    for modality, section in sections.items():
        if modality.value not in adopted.sources or section is None:
            continue
        meant = "; ".join(f"{c}: {', '.join(labels)}" for c, labels in section.map.items())
        lines.append(f"- {modality.value}: `{adopted.sources[modality.value]}` ({meant})")
    lines += ["", "Licence, training data and limits are those of these models: see their cards."]
    lines += ["What they were trained on is not known here, so no score of this checkpoint on a"]
    lines += ["public corpus can be trusted without looking there first.", ""]
    if fitted is None:
        lines.append(
            "Not calibrated: its confidence is that of the models, which is mostly too high."
        )
    else:
        lines.append(
            f"Weights (speech {fitted.weights[0]:.2f}, text {fitted.weights[1]:.2f}) and"
            f" temperatures were fitted on {fitted.utterances} utterances."
        )
    return "\n".join(lines) + "\n"
