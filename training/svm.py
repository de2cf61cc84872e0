"""The baseline to beat: a support vector machine on MFCC, F0 and energy statistics.

Mean and deviation of 14 cepstra and their deltas, F0, and energy over an utterance; standardised;
RBF kernel, one against one, C = 10, balanced class weights. It is kept as plain arrays, so no
checkpoint ever holds a pickle, and its decisions equal scikit-learn's (tested).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from core.errors import CheckpointError
from core.models.functionals import functional_names

Float = NDArray[np.float64]

C = 10.0
CEPSTRA = 14
_CEPSTRAL = ("mean", "deviation", "delta_deviation")
_OTHERS = ("pitch_", "energy_", "voiced_share", "voiced_rate")
_NOT_BASIC = ("pitch_energy", "energy_peaks")
_ARRAYS = ("mean", "scale", "support", "coefficients", "intercept", "counts")


def baseline_columns(mel_bands: int) -> NDArray[np.int64]:
    """Return which functionals (see `core.models.functionals`) the baseline uses."""
    chosen = []
    for column, name in enumerate(functional_names(mel_bands)):
        if name.startswith("cepstrum_"):
            _, order, statistic = name.split("_", 2)
            wanted = int(order) < CEPSTRA and statistic in _CEPSTRAL
        else:
            wanted = name.startswith(_OTHERS) and name not in _NOT_BASIC
        if wanted:
            chosen.append(column)
    return np.asarray(chosen, dtype=np.int64)


def normalise_by_speaker(features: ArrayLike, speakers: Sequence[str]) -> Float:
    """Return features (n, K) less each speaker's own mean, over each speaker's own deviation."""
    rows = np.asarray(features, dtype=np.float64)
    names = np.asarray(speakers)
    normalised = np.empty_like(rows)
    for name in np.unique(names):
        own = rows[names == name]
        mean, deviation = _moments(own)
        normalised[names == name] = (own - mean) / deviation
    return normalised


def _moments(rows: Float) -> tuple[Float, Float]:
    """Return mean and deviation of each column of (n, K); undefined (NaN) entries are skipped."""
    valid = np.isfinite(rows)
    count = np.maximum(valid.sum(axis=0), 1)
    mean = np.where(valid, rows, 0.0).sum(axis=0) / count
    squares = np.where(valid, rows - mean, 0.0) ** 2
    deviation = np.sqrt(squares.sum(axis=0) / count)
    return mean, np.where(deviation > 1e-9, deviation, 1.0)


@dataclass(frozen=True, slots=True)
class SupportVectorBaseline:
    """A fitted machine.

    Attributes:
        classes: names, in the order of scikit-learn's `classes_`.
        mean, scale: (K,) of the standardisation.
        support: (S, K) support vectors, grouped by class; `counts` (C,) says how many of each.
        coefficients: (C - 1, S), libsvm's layout. intercept: one per pair of classes.
        gamma: of the kernel exp(-gamma |x - y|^2).
    """

    classes: tuple[str, ...]
    mean: Float
    scale: Float
    support: Float
    coefficients: Float
    intercept: Float
    counts: NDArray[np.int64]
    gamma: float

    @classmethod
    def fit(cls, features: ArrayLike, labels: Sequence[str], c: float = C) -> Self:
        """Fit on features (n, K), NaN where undefined, and one label per row.

        Raises:
            ValueError: fewer than two classes occur.
        """
        from sklearn.svm import SVC

        rows = np.asarray(features, dtype=np.float64)
        mean, scale = _moments(rows)
        x = np.nan_to_num((rows - mean) / scale)
        gamma = 1.0 / (x.shape[1] * float(x.var()))
        # fp32 is what is stored: fitting on it keeps the decisions the same after loading
        machine = SVC(C=c, gamma=gamma, class_weight="balanced").fit(x.astype(np.float32), labels)
        return cls(
            classes=tuple(str(name) for name in machine.classes_),
            mean=mean,
            scale=scale,
            support=np.asarray(machine.support_vectors_, dtype=np.float64),
            coefficients=_by_class(machine.dual_coef_, len(machine.classes_)),
            # with two classes scikit-learn turns the signs so that positive means the second
            intercept=machine.intercept_ * (-1.0 if len(machine.classes_) == 2 else 1.0),
            counts=np.asarray(machine.n_support_, dtype=np.int64),
            gamma=gamma,
        )

    def decisions(self, features: ArrayLike) -> Float:
        """Return one value per pair of classes (n, C (C - 1) / 2); positive: the first of them."""
        x = np.nan_to_num((np.asarray(features, dtype=np.float64) - self.mean) / self.scale)
        x = x.astype(np.float32).astype(np.float64)
        squares = (x**2).sum(axis=1)[:, None] + (self.support**2).sum(axis=1)
        kernel = np.exp(-self.gamma * np.maximum(squares - 2.0 * x @ self.support.T, 0.0))
        edges = np.concatenate([[0], np.cumsum(self.counts)])
        values = []
        for pair, (i, j) in enumerate(combinations(range(len(self.classes)), 2)):
            of_i, of_j = slice(edges[i], edges[i + 1]), slice(edges[j], edges[j + 1])
            for_i = kernel[:, of_i] @ self.coefficients[j - 1, of_i]
            for_j = kernel[:, of_j] @ self.coefficients[i, of_j]
            values.append(for_i + for_j + self.intercept[pair])
        return np.stack(values, axis=1)

    def predict(self, features: ArrayLike, among: Sequence[str] | None = None) -> list[str]:
        """Return a class per row by the votes of the pairs, only of classes `among` if given.

        Like libsvm, the first of the classes with the most votes wins. With nothing of `among`
        known, all classes may win.
        """
        allowed = [i for i, n in enumerate(self.classes) if among is None or n in among]
        allowed = allowed or list(range(len(self.classes)))
        decisions = self.decisions(features)
        votes = np.zeros((len(decisions), len(self.classes)))
        for pair, (i, j) in enumerate(combinations(range(len(self.classes)), 2)):
            if i in allowed and j in allowed:
                first = decisions[:, pair] > 0
                votes[first, i] += 1
                votes[~first, j] += 1
        best = votes[:, allowed].argmax(axis=1)
        return [self.classes[allowed[i]] for i in best]

    def save(self, path: Path) -> None:
        """Write safetensors (fp32), with the classes in the header."""
        arrays = {n: np.ascontiguousarray(getattr(self, n), dtype=np.float32) for n in _ARRAYS}
        path.parent.mkdir(parents=True, exist_ok=True)
        about = {"classes": json.dumps(self.classes), "gamma": repr(self.gamma)}
        save_file(arrays, path, metadata=about)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote. Raises CheckpointError, naming the file."""
        try:
            with safe_open(path, "numpy") as file:
                about: Mapping[str, str] = file.metadata() or {}
                arrays = {n: file.get_tensor(n).astype(np.float64) for n in _ARRAYS}
            counts = arrays.pop("counts").astype(np.int64)
            classes = tuple(json.loads(about["classes"]))
            return cls(classes=classes, counts=counts, gamma=float(about["gamma"]), **arrays)
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise CheckpointError(f"The baseline {path} can't be read ({error}).") from error


def _by_class(coefficients: Float, classes: int) -> Float:
    """Return dual coefficients in libsvm's layout and sign, also for two classes."""
    values = np.asarray(coefficients, dtype=np.float64)
    return -values if classes == 2 else values
