from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.labels import EMOTIONS
from training.data.pairs import NEUTRAL, PairConfig, PairSampler

HAPPY, SAD = EMOTIONS.index("happy"), EMOTIONS.index("sad")
TEXT_LABELS = list(range(7)) * 20
TEXT_LANGUAGES = ["en", "ko"] * 70


def draw(config: PairConfig, labels: list[int], language: str = "ko", seed: int = 0):
    sampler = PairSampler(config, labels, [language] * len(labels), TEXT_LABELS, TEXT_LANGUAGES)
    return sampler.draw(np.random.default_rng(seed))


def test_shares_are_kept() -> None:
    pairs = draw(PairConfig(0.5, 0.4, 0.1), [HAPPY] * 4000)
    kinds = np.array(TEXT_LABELS)[pairs.text]
    assert np.mean(kinds == HAPPY) == pytest.approx(0.5 + 0.1 / 7, abs=0.03)
    assert np.mean(kinds == NEUTRAL) == pytest.approx(0.4 + 0.1 / 7, abs=0.03)
    assert set(pairs.labels.tolist()) == {HAPPY}


def test_neutral_speech_may_follow_the_text() -> None:
    config = PairConfig(neutral_speech_follows_text=0.3)
    pairs = draw(config, [NEUTRAL] * 3000)
    assert np.array_equal(pairs.labels, np.array(TEXT_LABELS)[pairs.text])
    assert np.mean(pairs.labels != NEUTRAL) == pytest.approx(0.3, abs=0.03)
    calm = draw(replace(config, neutral_speech_follows_text=0.0), [NEUTRAL] * 100)
    assert set(calm.labels.tolist()) == {NEUTRAL}


def test_texts_are_in_the_language_of_the_speech_where_there_are_any() -> None:
    languages = np.array(TEXT_LANGUAGES)
    assert set(languages[draw(PairConfig(), [SAD] * 200).text]) == {"ko"}
    assert set(languages[draw(PairConfig(), [SAD] * 200, "pl").text]) == {"en", "ko"}


def test_the_same_seed_draws_the_same_pairs() -> None:
    first, second = draw(PairConfig(), [SAD, HAPPY] * 50), draw(PairConfig(), [SAD, HAPPY] * 50)
    assert np.array_equal(first.text, second.text)
    assert not np.array_equal(first.text, draw(PairConfig(), [SAD, HAPPY] * 50, seed=1).text)


def test_shares_must_sum_to_one() -> None:
    with pytest.raises(ValueError, match="sum to one"):
        PairConfig(0.5, 0.5, 0.5)
