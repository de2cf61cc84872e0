from __future__ import annotations

import numpy as np
import pytest
from sklearn.svm import SVC

from core.errors import CheckpointError
from core.models.functionals import functional_names
from training.svm import SupportVectorBaseline, baseline_columns, normalise_by_speaker


def clusters(classes: int, n: int = 40, width: int = 6) -> tuple[np.ndarray, list[str]]:
    """Overlapping clouds, one per class."""
    rng = np.random.default_rng(classes)
    centres = rng.normal(size=(classes, width))
    labels = np.repeat(np.arange(classes), n)
    return centres[labels] + rng.normal(size=(len(labels), width)), [f"c{i}" for i in labels]


def as_scikit_learn(machine: SupportVectorBaseline, x: np.ndarray, labels: list[str]) -> SVC:
    standardised = np.float32((x - machine.mean) / machine.scale)
    fitted = SVC(C=10.0, gamma=machine.gamma, class_weight="balanced", break_ties=False)
    fitted.set_params(decision_function_shape="ovo")
    return fitted.fit(standardised, labels)


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_decisions_equal_scikit_learn(classes, tmp_path):
    x, labels = clusters(classes)
    SupportVectorBaseline.fit(x, labels).save(tmp_path / "svm.safetensors")
    machine = SupportVectorBaseline.load(tmp_path / "svm.safetensors")
    reference = as_scikit_learn(SupportVectorBaseline.fit(x, labels), x, labels)
    new = np.random.default_rng(9).normal(size=(200, x.shape[1])) * 2
    standardised = np.float32((new - machine.mean) / machine.scale)
    expected = reference.decision_function(standardised).reshape(len(new), -1)
    sign = -1.0 if classes == 2 else 1.0
    assert np.allclose(machine.decisions(new), sign * expected, atol=1e-4)
    agreement = np.mean(np.array(machine.predict(new)) == reference.predict(standardised))
    assert agreement > 0.99  # fp32 storage may turn a value that is zero to six digits


def test_only_classes_that_are_possible_are_predicted():
    x, labels = clusters(5)
    machine = SupportVectorBaseline.fit(x, labels)
    found = machine.predict(x, among=("c1", "c3", "unheard of"))
    assert set(found) == {"c1", "c3"}
    chosen = [i for i, label in enumerate(labels) if label in ("c1", "c3")]
    assert np.mean([found[i] == labels[i] for i in chosen]) > 0.8


def test_undefined_statistics_count_as_average():
    x, labels = clusters(3)
    x[::7, 2] = np.nan
    machine = SupportVectorBaseline.fit(x, labels)
    row = x[1:2].copy()
    filled = row.copy()
    row[0, 4], filled[0, 4] = np.nan, machine.mean[4]
    assert np.allclose(machine.decisions(row), machine.decisions(filled))


def test_speakers_are_brought_to_the_same_mean_and_deviation():
    rng = np.random.default_rng(0)
    speakers = ["a"] * 50 + ["b"] * 30
    x = rng.normal(size=(80, 3)) * ([[3.0]] * 50 + [[0.5]] * 30) + ([[9.0]] * 50 + [[-4.0]] * 30)
    x[3, 1] = np.nan
    found = normalise_by_speaker(x, speakers)
    for own in (found[:50], found[50:]):
        assert np.allclose(np.nanmean(own, axis=0), 0, atol=1e-9)
        assert np.allclose(np.nanstd(own, axis=0), 1)


def test_the_columns_are_cepstra_pitch_and_energy():
    names = [functional_names(64)[i] for i in baseline_columns(64)]
    assert {"cepstrum_0_mean", "cepstrum_13_delta_deviation", "pitch_mean"} <= set(names)
    assert "energy_deviation" in names
    assert not any(name.startswith(("cepstrum_14", "flux", "modulation")) for name in names)


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "svm.safetensors"
    path.write_bytes(b"\x10" * 50)
    with pytest.raises(CheckpointError, match=r"svm\.safetensors"):
        SupportVectorBaseline.load(path)
