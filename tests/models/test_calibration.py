from __future__ import annotations

import json

import numpy as np
import pytest

from core.errors import CheckpointError
from core.models.calibration import (
    Calibration,
    DoubtLimits,
    Path,
    ShortSpeech,
    entropy_share,
    expected_calibration_error,
    fit_temperature,
    margin,
    negative_log_likelihood,
    sigmoid,
    softmax,
)
from core.models.specification import Problem


def overconfident(factor: float, n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose labels were drawn from the softmax of logits / factor."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(n, 5)) * 1.5
    cumulated = softmax(logits).cumsum(axis=1)
    truth = (rng.random((n, 1)) > cumulated).sum(axis=1).clip(0, 4)
    return logits * factor, truth


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_fit_finds_the_temperature_the_labels_were_drawn_with(factor):
    logits, truth = overconfident(factor)
    assert fit_temperature(logits, truth) == pytest.approx(factor, rel=0.1)


def test_no_other_temperature_is_likelier():
    logits, truth = overconfident(2.0, n=300)
    found = fit_temperature(logits, truth)
    best = negative_log_likelihood(logits, truth, found)
    for other in (found * 0.97, found * 1.03):
        assert negative_log_likelihood(logits, truth, other) > best


def test_fitting_lowers_the_calibration_error():
    logits, truth = overconfident(3.0)
    calibration = Calibration({Path.FUSED: fit_temperature(logits, truth)})
    before = expected_calibration_error(softmax(logits), truth)
    after = expected_calibration_error(calibration.probabilities(logits, Path.FUSED), truth)
    assert before > 0.15
    assert after < 0.03


def test_a_class_that_cannot_occur_takes_no_part_in_the_fit():
    logits, truth = overconfident(2.0)
    impossible = np.concatenate([logits, np.full((len(logits), 1), -np.inf)], axis=1)
    assert fit_temperature(impossible, truth) == pytest.approx(fit_temperature(logits, truth))


def test_an_unfitted_path_is_left_as_it_is():
    logits = np.array([[1.0, -2.0, 0.5]])
    calibration = Calibration({Path.TEXT: 2.0})
    assert np.allclose(calibration.probabilities(logits, Path.FUSED), softmax(logits))
    assert np.allclose(calibration.probabilities(logits, Path.TEXT), softmax(logits / 2))


def test_several_labels_at_once_use_the_sigmoid():
    found = Calibration().probabilities([[0.0, 800.0, -800.0]], Path.TEXT, Problem.MULTI_LABEL)
    assert np.allclose(found, [[0.5, 1.0, 0.0]])
    assert np.allclose(sigmoid(np.array([2.0])), 1 / (1 + np.exp(-2.0)))


def test_it_survives_json():
    curve = ShortSpeech(scale=2.0, settled=4.0, most=3.0)
    calibration = Calibration({Path.SPEECH_RAW: 1.5, Path.TEXT: 0.7}, (0.2, 0.4), (0.3, 0.6), curve)
    limits = DoubtLimits(snr_db=3.0)
    assert Calibration.from_dict(json.loads(json.dumps(calibration.to_dict()))) == calibration
    assert DoubtLimits.from_dict(json.loads(json.dumps(limits.to_dict()))) == limits


@pytest.mark.parametrize(
    "values",
    [
        {"temperatures": {"speech_raw": 0.0}},
        {"temperatures": {"speech_raw": float("nan")}},
        {"temperatures": {"smell": 1.0}},
        {"temperatures": [1.0]},
        {"text_thresholds": [1.5]},
        {"thresholds": [-0.1]},
        {"short_speech": {"most": 5.0, "least": 1.0}},
    ],
)
def test_a_calibration_that_makes_no_sense_is_refused(values):
    with pytest.raises(CheckpointError, match="calibration"):
        Calibration.from_dict(values)


def test_an_unknown_limit_is_refused():
    with pytest.raises(CheckpointError, match="unknown loudness"):
        DoubtLimits.from_dict({"loudness": 3})


def test_evenness():
    assert entropy_share([0.25] * 4) == pytest.approx(1.0)
    assert entropy_share([1.0, 0.0, 0.0]) == pytest.approx(0.0, abs=1e-9)
    assert margin([0.2, 0.5, 0.3]) == pytest.approx(0.2)


def test_little_speech_tempers_confidence() -> None:
    factors = [ShortSpeech().factor(s) for s in (0.0, 0.4, 0.7, 1.0, 1.5, 2.5, 16.0)]
    assert factors == sorted(factors, reverse=True)
    assert factors[0] == 5.0
    assert factors[-2:] == [1.0, 1.0]


def test_little_speech_counts_only_where_speech_alone_judges() -> None:
    calibration = Calibration({Path.SPEECH_RAW: 2.0, Path.FUSED: 2.0})
    logits = np.array([1.0, -2.0, 0.5], np.float32)
    factor = ShortSpeech().factor(0.7)
    short = calibration.probabilities(logits, Path.SPEECH_RAW, seconds=0.7)
    assert np.allclose(short, softmax(logits / factor / 2.0))
    fused = calibration.probabilities(logits, Path.FUSED, seconds=0.7)
    assert np.allclose(fused, softmax(logits / 2.0))
    rows = ShortSpeech().temper(logits[None], [0.7])
    assert np.allclose(calibration.probabilities(rows, Path.SPEECH_RAW), short[None])


def test_little_speech_gives_no_label_that_more_speech_would_not() -> None:
    calibration = Calibration(thresholds=(0.3, 0.3))
    logits = np.array([-1.5, 1.0])
    short, long = (
        calibration.probabilities(logits, Path.SPEECH_RAW, Problem.MULTI_LABEL, seconds)
        for seconds in (0.4, 8.0)
    )
    assert np.array_equal(short, long)
    assert short[0] < 0.3


def test_an_old_calibration_keeps_the_curve_it_was_judged_with() -> None:
    old = Calibration.from_dict({"temperatures": {"speech_raw": 1.5}})
    assert old.short_speech == ShortSpeech()
    without = Calibration(short_speech=ShortSpeech(most=1.0))
    assert without.short_speech.factor(0.1) == 1.0


@pytest.mark.parametrize("curve", [{"most": 0.5}, {"settled": 0.0}, {"scale": -1.0}])
def test_a_curve_that_makes_no_sense_is_refused(curve) -> None:
    with pytest.raises(CheckpointError, match="short speech"):
        Calibration.from_dict({"short_speech": curve})


def test_there_is_a_threshold_for_every_label_or_none() -> None:
    assert Calibration().thresholds_for(("a", "b")) == (0.5, 0.5)
    assert Calibration(thresholds=(0.2, 0.7)).thresholds_for(("a", "b")) == (0.2, 0.7)
    with pytest.raises(CheckpointError, match="2 thresholds for 3 labels"):
        Calibration(thresholds=(0.2, 0.7)).thresholds_for(("a", "b", "c"))
