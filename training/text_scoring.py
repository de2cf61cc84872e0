"""Judging a trained text encoder, and making its logits serve two readings.

With several labels per text, a class is present when the sigmoid of its logit passes a threshold.
With one label per text, the softmax of the same logits must be a probability. One scale and a bias
per class, fitted on held-out rows with one label and folded into the last layer, bring the second
about (vector scaling: Guo et al. 2017, ICML, section 4.2); the thresholds move along, so the first
does not change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from core.labels import EMOTIONS
from core.models.calibration import expected_calibration_error, fit_temperature, softmax
from core.models.encoders.text import TextEncoder
from core.models.tokenizer import TextTokenizer
from training.data.text_batches import scoring_batches
from training.data.text_split import TextPart
from training.metrics import Float, f1_per_class, fit_thresholds, macro_f1, sigmoid


@torch.inference_mode()
def predict(encoder: TextEncoder, tokenizer: TextTokenizer, texts: list[str]) -> Float:
    """Return the logits (n, 7) of texts."""
    was_training = encoder.training
    encoder.eval()
    logits = np.zeros((len(texts), encoder.config.classes))
    for batch in scoring_batches(tokenizer, texts, 256):
        logits[batch.rows.numpy()] = encoder(batch.tokens, batch.mask).logits.float().numpy()
    encoder.train(was_training)
    return logits


def single_label_rows(part: TextPart, family: str = "goemotions") -> np.ndarray:
    """Return which rows (n,) of a family have exactly one of the seven classes."""
    return part.rows_of_family(family) & (part.targets.sum(axis=1) == 1)


def fit_vector_scaling(logits: Float, truth: np.ndarray, decay: float = 2.0) -> tuple[float, Float]:
    """Return the scale and biases (7,) of the best softmax(scale * logits + bias).

    Args:
        logits: (n, 7); truth: (n,) classes.
        decay: pulls the biases to zero, as strongly as so many rows.
    """
    x, y = torch.from_numpy(logits).double(), torch.from_numpy(truth)
    scale = torch.zeros((), dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(logits.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([scale, bias], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(scale.exp() * x + bias, y)
        loss = loss + decay / len(x) * bias.square().sum()
        torch.autograd.backward(loss)
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return float(scale.detach().exp()), bias.detach().numpy()


@torch.no_grad()
def fold(encoder: TextEncoder, scale: float, bias: Float) -> None:
    """Make the encoder give scale * logits + bias from now on."""
    encoder.head.weight.mul_(scale)
    encoder.head.bias.mul_(scale).add_(torch.from_numpy(bias).float())


def calibrate(encoder: TextEncoder, tokenizer: TextTokenizer, held_out: TextPart) -> dict[str, Any]:
    """Fold the vector scaling into `encoder`; return thresholds and temperature for the result."""
    logits = predict(encoder, tokenizer, held_out.texts)
    single = single_label_rows(held_out)
    truth = held_out.targets.argmax(axis=1)
    scale, bias = fit_vector_scaling(logits[single], truth[single])
    fold(encoder, scale, bias)
    logits = predict(encoder, tokenizer, held_out.texts)
    rows = held_out.rows_of_family("goemotions")
    targets = held_out.targets.astype(np.float64)
    return {
        "thresholds": fit_thresholds(sigmoid(logits[rows]), targets[rows]).tolist(),
        "temperature": fit_temperature(logits[single], truth[single]),
    }


def score(
    encoder: TextEncoder,
    tokenizer: TextTokenizer,
    thresholds: list[float],
    held_out: TextPart,
    parts: Mapping[str, TextPart],
) -> dict[str, dict[str, Any]]:
    """Return macro F1 and, for rows with one label, calibration error, by part.

    KOTE has three labels a row where GoEmotions has one: its thresholds are fitted on its own
    held-out rows.
    """
    own = predict(encoder, tokenizer, held_out.texts)
    found = {}
    for name, part in parts.items():
        logits = predict(encoder, tokenizer, part.texts)
        fitted = np.array(thresholds)
        rows = held_out.corpus_rows.get(name.split("/")[0])
        if rows is not None and not part.rows_of_family("goemotions").any():
            fitted = fit_thresholds(sigmoid(own[rows]), held_out.targets[rows].astype(np.float64))
        targets = part.targets.astype(np.float64)
        single = part.targets.sum(axis=1) == 1
        probabilities = softmax(logits[single])
        per_class = f1_per_class(sigmoid(logits), targets, fitted)
        found[name] = {
            "n": len(part.texts),
            "f1_macro": macro_f1(sigmoid(logits), targets, fitted),
            "ece_single_label": expected_calibration_error(
                probabilities, part.targets[single].argmax(axis=1)
            ),
            "f1": dict(zip(EMOTIONS, per_class.round(4).tolist(), strict=True)),
        }
    return found
