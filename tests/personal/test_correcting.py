"""What an adapter learns is one convex minimum, and nothing where there is nothing to learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import check_grad

from core.models.specification import Problem
from core.personal import correcting
from core.personal.correcting import RIDGE, RIDGE_BIAS, RIDGE_SHARPNESS, Rows, learn, log_loss

CLASSES, SIZE = 4, 30


def rows(count: int = 24, seed: int = 0, **changed: np.ndarray) -> Rows:
    random = np.random.default_rng(seed)
    given = {
        "logits": random.normal(size=(count, CLASSES)),
        "vectors": random.normal(size=(count, SIZE)),
        "truth": random.integers(0, CLASSES, count),
        "weights": random.uniform(0.3, 1.0, count),
        "doubt": random.uniform(1.0, 2.0, count),
        **changed,
    }
    return Rows(**given)


def whole_loss(given: Rows, problem: Problem, parameters: np.ndarray) -> float:
    """The loss as the formula has it, over the whole matrix and not what the clips span."""
    sharpness, bias = parameters[0], parameters[1 : 1 + CLASSES]
    matrix = parameters[1 + CLASSES :].reshape(CLASSES, SIZE)
    mean = np.average(given.vectors, axis=0, weights=given.weights)
    away = given.vectors - mean
    away = away / (np.sqrt((away**2).mean()) * np.sqrt(SIZE))
    answer = (1 + sharpness) * given.logits + bias + away @ matrix.T
    losses, _ = log_loss(answer / given.doubt[:, None], given.truth, problem)
    ridge = RIDGE * (matrix**2).sum() + RIDGE_BIAS * (bias**2).sum()
    return float(given.weights @ losses + (ridge + RIDGE_SHARPNESS * sharpness**2) / 2)


@pytest.mark.parametrize("problem", list(Problem))
def test_nothing_near_what_was_learned_is_better(problem):
    given = rows()
    learned = learn(given, problem)
    best = np.concatenate([[learned.sharpness], learned.bias, learned.matrix.ravel()])
    least = whole_loss(given, problem, best)
    random = np.random.default_rng(1)
    for size in (1e-1, 1e-2):
        steps = size * random.normal(size=(200, best.size))
        assert min(whole_loss(given, problem, best + step) for step in steps) > least - 1e-6
    assert least < whole_loss(given, problem, np.zeros_like(best))


@pytest.mark.parametrize("problem", list(Problem))
def test_slopes_are_those_of_the_loss(problem):
    given = rows(8)
    loss = correcting._Loss(given, given.vectors, problem)
    at = np.random.default_rng(2).normal(size=loss.parameters)
    assert check_grad(lambda p: loss(p)[0], lambda p: loss(p)[1], at) < 1e-4


def test_the_answer_is_the_formula_by_hand():
    learned = correcting.Correcting(
        0.5,
        np.array([1.0, 0.0], np.float32),
        np.array([[2.0, 0.0, 0.0], [0.0, 0.0, 3.0]], np.float32),
        np.array([1.0, 1.0, 1.0], np.float32),
        2.0,
    )
    found = learned(np.array([[2.0, 4.0]]), np.array([[3.0, 9.0, 5.0]]))
    # 1.5 * (2, 4) + (1, 0) + (2 * 2 / 2, 3 * 4 / 2)
    assert found == pytest.approx(np.array([[6.0, 12.0]]))


def test_it_is_the_same_each_time():
    first, second = learn(rows(), Problem.SINGLE_LABEL), learn(rows(), Problem.SINGLE_LABEL)
    assert np.array_equal(first.matrix, second.matrix)
    assert np.array_equal(first.bias, second.bias)


def test_where_the_model_is_right_and_sure_hardly_anything_changes():
    truth = np.arange(24) % CLASSES
    given = rows(logits=20.0 * np.eye(CLASSES)[truth], truth=truth, doubt=np.ones(24))
    learned = learn(given, Problem.SINGLE_LABEL)
    assert np.abs(learned(given.logits, given.vectors) - given.logits).max() < 0.01


def test_clips_without_weight_teach_nothing():
    given = rows()
    weights = np.where(np.arange(24) < 12, 1.0, 1e-12)
    one = learn(rows(weights=weights), Problem.SINGLE_LABEL)
    truth = np.where(np.arange(24) < 12, given.truth, (given.truth + 1) % CLASSES)
    other = learn(rows(weights=weights, truth=truth), Problem.SINGLE_LABEL)
    assert one.matrix == pytest.approx(other.matrix, abs=1e-3)


def test_equal_vectors_are_no_trouble():
    learned = learn(rows(vectors=np.ones((24, SIZE))), Problem.SINGLE_LABEL)
    assert np.isfinite(learned.matrix).all()
    assert learned.bias.any()


def test_log_loss_by_hand():
    scores = np.log(np.array([[0.25, 0.75]]))
    losses, slopes = log_loss(scores, np.array([0]), Problem.SINGLE_LABEL)
    assert losses == pytest.approx([-np.log(0.25)])
    assert slopes == pytest.approx(np.array([[-0.75, 0.75]]))
    losses, slopes = log_loss(np.array([[0.0, 0.0]]), np.array([1]), Problem.MULTI_LABEL)
    assert losses == pytest.approx([2 * np.log(2)])
    assert slopes == pytest.approx(np.array([[0.5, -0.5]]))
