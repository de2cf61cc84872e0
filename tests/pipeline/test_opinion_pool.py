"""The utterance model's own result has a say in what is said in context."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import CheckpointError
from core.labels import EMOTIONS
from core.models.context.specification import DialogueSpecification, FeatureSize
from core.pipeline.dialogue_context import ModelContext, load_context
from core.pipeline.opinion_pool import own_opinion, pooled
from core.types import Doubt, EmotionResult, Modality, Turn, TurnStatus, Utterance
from tests.checkpoints import make_dialogue_checkpoint
from tests.fakes import FakeAnalyzer, tone


def judged(seconds: float = 1.0) -> EmotionResult:
    samples = tone(seconds)
    result = FakeAnalyzer().final(Utterance(0, 0, len(samples), samples), None)
    assert result is not None
    return result


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelContext, ModelContext]:
    """The same weights, alone and with half of the say for the utterance model."""
    folder = tmp_path_factory.mktemp("pool")
    return tuple(  # type: ignore[return-value]
        load_context(
            make_dialogue_checkpoint(
                folder / str(share), architecture="mglra", utterance_share=share
            )
        )
        for share in (0.0, 0.5)
    )


def a_turn(index: int, emotion: EmotionResult | None) -> Turn:
    return Turn(index, 1000 * index, 1000 * index + 900, "A", TurnStatus.FINAL, emotion=emotion)


def features(index: int) -> dict[Modality, np.ndarray]:
    noise = np.random.default_rng(index)
    return {m: noise.normal(size=16).astype(np.float32) for m in (Modality.SPEECH, Modality.TEXT)}


def test_the_pool_is_the_weighted_geometric_mean() -> None:
    one, other = np.array([0.7, 0.2, 0.1]), np.array([0.1, 0.3, 0.6])
    weighed = one**0.75 * other**0.25
    np.testing.assert_allclose(
        pooled(one, other, 0.25), weighed / weighed.sum(), rtol=1e-5, atol=1e-7
    )
    rows = np.stack([one, other])
    np.testing.assert_allclose(pooled(rows, other, 0.5)[0], pooled(one, other, 0.5), rtol=1e-6)
    np.testing.assert_allclose(pooled(one, other, 1.0), other, rtol=1e-5)


def test_nothing_is_pooled_without_a_share_or_an_opinion() -> None:
    one, other = np.array([0.7, 0.3]), np.array([0.2, 0.8])
    assert pooled(one, other, 0.0) is one
    assert pooled(one, None, 0.5) is one


def test_certainty_of_one_model_leaves_the_other_a_say() -> None:
    found = pooled(np.array([1.0, 0.0]), np.array([0.0, 1.0]), 0.5)
    np.testing.assert_allclose(found, [0.5, 0.5], rtol=1e-5)


def test_only_results_of_the_same_exclusive_labels_are_an_opinion() -> None:
    result = judged()
    assert own_opinion(result, EMOTIONS) is not None
    assert own_opinion(result, EMOTIONS[::-1]) is None
    assert own_opinion(replace(result, exclusive=False), EMOTIONS) is None
    assert own_opinion(None, EMOTIONS) is None


def test_every_reading_is_pooled_alike(contexts: tuple[ModelContext, ModelContext]) -> None:
    result = judged()
    own = np.asarray(result.probabilities, np.float32)
    plain, mixed = contexts
    for context in contexts:
        context.reset()
    for index in range(4):
        before = plain.add(a_turn(index, result), features(index))[0].context
        after = mixed.add(a_turn(index, result), features(index))[0].context
        assert before is not None
        assert after is not None
        for name in ("probabilities", "alone"):
            expected = pooled(np.array(getattr(before, name)), own, 0.5)
            np.testing.assert_allclose(getattr(after, name), expected, rtol=1e-4, atol=1e-6)
        for size, values in before.nested.items():
            np.testing.assert_allclose(
                after.nested[size], pooled(np.array(values), own, 0.5), rtol=1e-4, atol=1e-6
            )
    for first, second in zip(plain.finish(), mixed.finish(), strict=True):
        assert first.hindsight is not None
        assert second.hindsight is not None
        np.testing.assert_allclose(
            second.hindsight.probabilities,
            pooled(np.array(first.hindsight.probabilities), own, 0.5),
            rtol=1e-4,
            atol=1e-6,
        )


def test_a_turn_without_a_result_is_read_by_the_dialogue_model_alone(
    contexts: tuple[ModelContext, ModelContext],
) -> None:
    found = []
    for context in contexts:
        context.reset()
        read = context.add(a_turn(0, None), features(0))[0].context
        assert read is not None
        found.append(read.probabilities)
    np.testing.assert_allclose(found[0], found[1])


def test_context_is_unsure_of_short_speech_and_of_even_classes(
    contexts: tuple[ModelContext, ModelContext],
) -> None:
    _, mixed = contexts
    mixed.reset()
    short = replace(judged(), doubts=(Doubt.TOO_SHORT, Doubt.TOO_EVEN))
    sure = np.full(len(EMOTIONS), 1e-9)
    sure[0] = 1.0
    read = mixed.add(a_turn(0, replace(short, probabilities=tuple(sure))), features(0))[0].context
    assert read is not None
    assert read.doubts == (Doubt.TOO_SHORT,)  # that classes were even without context is no matter
    even = replace(judged(), doubts=(), probabilities=(1 / 7,) * 7)
    context = load_context(mixed._info.path)
    context._info = replace(
        context._info, specification=replace(context._info.specification, utterance_share=1.0)
    )
    read = context.add(a_turn(0, even), features(0))[0].context
    assert read is not None
    assert read.doubts == (Doubt.TOO_EVEN,)
    assert read.uncertain


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_is_between_nothing_and_all(share: float) -> None:
    with pytest.raises(CheckpointError, match="share"):
        DialogueSpecification(("a", "b"), {"text": FeatureSize(3)}, utterance_share=share)


def test_a_checkpoint_keeps_its_share(tmp_path: Path) -> None:
    folder = make_dialogue_checkpoint(tmp_path / "c", utterance_share=0.25)
    assert load_context(folder)._info.specification.utterance_share == 0.25
