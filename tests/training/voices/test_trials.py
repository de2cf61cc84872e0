"""Equal-error rates: scikit-learn's figure, on the trials that count."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from training.data.corpora.speech import Clip
from training.voices.methods import cosine_scores
from training.voices.trials import Trials, equal_error_rate, groups


def clip(speaker: str, emotion: str, text: str, gender: str = "F") -> Clip:
    corpus = speaker.split("/")[0]
    return Clip("x.wav", corpus, "", speaker, gender, "en", emotion, text, 1.0)


def random_trials(spread: float, speakers: int = 6, each: int = 40) -> tuple[Trials, list[Clip]]:
    rng = np.random.default_rng(0)
    clips, vectors = [], []
    for speaker in range(speakers):
        voice = rng.normal(size=8)
        for number in range(each):
            clips.append(clip(f"a/{speaker}", f"emotion {number}", f"text {number}"))
            vectors.append(voice + spread * rng.normal(size=8))
    trials = Trials()
    trials.add(clips, cosine_scores(np.array(vectors, np.float32)))
    return trials, clips


@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0])
def test_the_rate_is_that_of_the_receiver_operating_curve(spread: float) -> None:
    trials, _ = random_trials(spread)
    scores, truth, weights = [], [], []
    for (left, right), found in trials.scores.items():
        values = np.concatenate(found)
        scores.append(values)
        truth.append(np.full(values.size, left == right))
        weights.append(np.full(values.size, 1 / values.size))
    alarms, hits, _ = roc_curve(
        np.concatenate(truth), np.concatenate(scores), sample_weight=np.concatenate(weights)
    )
    place = np.argmin(np.abs(alarms - (1 - hits)))
    rate = equal_error_rate(trials)
    assert rate is not None
    assert rate.value == pytest.approx((alarms[place] + 1 - hits[place]) / 2, abs=0.005)
    assert rate.low <= rate.value <= rate.high


def test_voices_apart_have_no_error_and_scores_without_meaning_err_half_the_time() -> None:
    apart, clips = random_trials(1e-3)
    rate = equal_error_rate(apart)
    assert rate is not None
    assert rate.value == pytest.approx(0, abs=1e-6)
    noise = np.random.default_rng(0).normal(size=(len(clips), len(clips))).astype(np.float32)
    blind = Trials()
    blind.add(clips, noise + noise.T)
    rate = equal_error_rate(blind)
    assert rate is not None
    assert rate.value == pytest.approx(0.5, abs=0.03)


def test_pairs_of_equal_text_or_emotion_or_of_two_corpora_are_no_trials() -> None:
    clips = [
        clip("a/1", "happy", "One."),
        clip("a/1", "sad", "one"),
        clip("a/1", "happy", "two"),
        clip("a/2", "sad", "two"),
        clip("b/3", "angry", "three"),
    ]
    trials = Trials()
    trials.add(clips, np.arange(25, dtype=np.float32).reshape(5, 5))
    found = {pair: sorted(np.concatenate(scores)) for pair, scores in trials.scores.items()}
    assert found == {("a/1", "a/1"): [7.0], ("a/1", "a/2"): [3.0]}


def test_few_clips_of_one_speaker_weigh_as_much_as_many_of_another() -> None:
    rng = np.random.default_rng(0)
    clips, vectors = [], []
    for speaker, count in (("a/1", 60), ("a/2", 6), ("a/3", 6)):
        for number in range(count):
            clips.append(clip(speaker, str(number), f"text {number}"))
            vectors.append(rng.normal(size=4) * (0 if speaker == "a/1" else 3) + 1)
    trials = Trials()
    trials.add(clips, cosine_scores(np.array(vectors, np.float32)))
    rate = equal_error_rate(trials)
    assert rate is not None
    assert rate.value > 0.1  # with trials weighing alike, the first speaker would hide the others


def test_groups_hold_what_their_name_says() -> None:
    people = {"a/1": "F", "a/2": "F", "a/3": "M", "b/1": "M", "b/2": "F"}
    clips = [
        clip(name, emotion, emotion + name, gender)
        for name, gender in people.items()
        for emotion in ("happy", "sad")
    ]
    trials = Trials()
    trials.add(clips, np.zeros((len(clips), len(clips)), np.float32))
    found = groups(trials, clips)
    assert ("a/1", "a/3") in found["a"].scores
    assert ("a/1", "a/3") not in found["a, one gender"].scores
    assert all(a != b or a.startswith("b/") for a, b in found["b, one gender"].scores)
    assert equal_error_rate(found["b, one gender"]) is None
