from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from core.quality.answers import Answer
from core.quality.comparison import compare, difference, speedup_of
from core.quality.f1 import f1_difference
from core.types import Doubt, EmotionResult, Modality, ModelInfo, Transcript, Utterance
from tests.quality.answers import LABELS, answer, clip

MODEL = ModelInfo("m", "1", "d", LABELS, (Modality.SPEECH,))


class Says:
    """An analyzer that gives the same answer to everything, and notes the order it was asked in."""

    def __init__(
        self, name: str, probabilities: Sequence[float], asked: list[str], *doubts: Doubt
    ) -> None:
        self.name, self.probabilities, self.asked = name, tuple(probabilities), asked
        self.doubts = doubts
        self.model = MODEL

    def reset(self) -> None:
        self.asked.append("reset")

    def final(self, utterance: Utterance, transcript: Transcript | None) -> EmotionResult | None:
        self.asked.append(self.name)
        if transcript is not None and transcript.text == "nothing":
            return None
        return EmotionResult(
            labels=LABELS,
            probabilities=self.probabilities,
            arousal=0.0,
            valence=0.0,
            affect_derived=True,
            doubts=self.doubts,
            modalities=(Modality.SPEECH,),
            modality_share={Modality.SPEECH: 1.0},
            by_modality={Modality.SPEECH: self.probabilities},
            attentions=(),
            model=MODEL,
        )


def utterances(count: int) -> list[Utterance]:
    return [clip(i).utterance for i in range(count)]


def test_both_are_asked_in_turn_so_that_their_times_can_be_compared() -> None:
    asked: list[str] = []
    exact = Says("exact", (0.5, 0.3, 0.2), asked)
    lossy = Says("lossy", (0.47, 0.33, 0.2), asked)
    found = compare(exact, lossy, utterances(3))  # type: ignore[arg-type]
    assert asked == ["exact", "lossy"] * 3
    assert (found.clips, found.same, found.seconds) == (3, 3, 3.0)
    assert found.largest_shift == pytest.approx(0.03)
    assert found.mean_shift == pytest.approx(0.03)
    assert found.speedup is not None
    assert found.f1 is None


def test_times_are_compared_clip_by_clip_and_nothing_is_remembered_meanwhile() -> None:
    asked: list[str] = []
    exact = Says("exact", (0.5, 0.3, 0.2), asked)
    lossy = Says("lossy", (0.5, 0.3, 0.2), asked)
    ratio = speedup_of(lossy, exact, [clip(0), clip(1)])  # type: ignore[arg-type]
    assert asked == ["reset", "reset", "exact", "lossy"] * 2
    assert ratio is not None
    assert ratio > 0
    assert speedup_of(lossy, exact, []) is None  # type: ignore[arg-type]


def test_with_labels_the_f1_of_both_is_known_and_unlabelled_clips_do_not_count() -> None:
    asked: list[str] = []
    exact = Says("exact", (0.5, 0.3, 0.2), asked)
    lossy = Says("lossy", (0.3, 0.5, 0.2), asked)
    truth = [{"happy"}, {"happy"}, None]
    found = compare(exact, lossy, utterances(3), truth)  # type: ignore[arg-type]
    assert found.same == 0
    assert found.f1 is not None
    assert (found.f1.clips, found.f1.exact, found.f1.lossy) == (2, 1.0, 0.0)
    assert found.f1.loss == 1.0


def test_clips_that_nobody_can_judge_do_not_count() -> None:
    asked: list[str] = []
    exact = Says("exact", (0.5, 0.3, 0.2), asked)
    texts = [Transcript("nothing"), None]
    found = compare(exact, exact, utterances(2), transcripts=texts)  # type: ignore[arg-type]
    assert found.clips == 1


def test_as_many_labels_as_clips_are_wanted() -> None:
    exact = Says("exact", (0.5, 0.3, 0.2), [])
    with pytest.raises(ValueError, match="zip"):
        compare(exact, exact, utterances(2), [{"sad"}])  # type: ignore[arg-type]


def test_an_answer_that_is_missing_or_no_number_counts_as_the_largest_shift() -> None:
    lost = difference([clip()], [answer()], [None], Modality.SPEECH)
    assert (lost.same, lost.misleading, lost.largest_shift) == (0, 1, 1.0)
    assert lost.speedup is None
    broken = replace(answer(), whole=replace(answer().whole, numbers=(float("nan"),) * 3))
    assert difference([clip()], [answer()], [broken]).largest_shift == 1.0


@pytest.mark.parametrize(
    ("exact", "lossy", "misleading"),
    [((), (), 1), ((Doubt.TOO_EVEN,), (), 1), ((Doubt.TOO_EVEN,), (Doubt.TOO_EVEN,), 0)],
)
def test_another_label_misleads_unless_both_are_called_undecided(
    exact: tuple[Doubt, ...], lossy: tuple[Doubt, ...], misleading: int
) -> None:
    one = Says("exact", (0.41, 0.39, 0.2), [], *exact)
    other = Says("lossy", (0.39, 0.41, 0.2), [], *lossy)
    found = compare(one, other, utterances(1))  # type: ignore[arg-type]
    assert (found.same, found.misleading) == (0, misleading)


def test_a_clip_that_is_short_or_noisy_is_still_decided() -> None:
    one = Says("exact", (0.41, 0.39, 0.2), [], Doubt.TOO_SHORT)
    other = Says("lossy", (0.39, 0.41, 0.2), [], Doubt.TOO_SHORT)
    assert compare(one, other, utterances(1)).misleading == 1  # type: ignore[arg-type]


def test_of_one_modality_also_what_it_says_alone_counts() -> None:
    exact, lossy = [answer()], [answer(moved=0.01, alone=0.2)]
    assert difference([clip()], exact, lossy).largest_shift == pytest.approx(0.01)
    speech = difference([clip()], exact, lossy, Modality.SPEECH)
    assert speech.largest_shift == pytest.approx(0.2)
    turned = replace(answer(), alone={Modality.SPEECH: answer("sad").whole})
    assert difference([clip()], exact, [turned]).same == 1
    found = difference([clip()], exact, [turned], Modality.SPEECH)
    assert (found.same, found.misleading) == (0, 1)


def test_of_one_modality_only_clips_that_have_it_count() -> None:
    exact = [answer(modalities=(Modality.SPEECH,)), answer()]
    assert difference([clip(0), clip(1)], exact, exact, Modality.TEXT).clips == 1
    assert difference([clip(0), clip(1)], exact, exact, Modality.SPEECH).clips == 2


def test_several_labels_may_come_in_any_order_but_must_be_the_same() -> None:
    def giving(*labels: str) -> Answer:
        return replace(answer(), whole=replace(answer().whole, given=labels))

    both = [giving("happy", "sad")]
    assert difference([clip()], both, [giving("sad", "happy")]).same == 1
    assert difference([clip()], both, [giving("happy")]).same == 0


def test_macro_f1_is_that_of_scikit_learn_and_the_interval_holds_it() -> None:
    from sklearn.metrics import f1_score

    generator = np.random.default_rng(3)
    truth = generator.choice(LABELS, 200)
    exact = np.where(generator.random(200) < 0.7, truth, generator.choice(LABELS, 200))
    lossy = np.where(generator.random(200) < 0.9, exact, generator.choice(LABELS, 200))
    found = f1_difference(*([{label} for label in row] for row in (truth, exact, lossy)))
    assert found is not None
    assert found.exact == pytest.approx(f1_score(truth, exact, average="macro"))
    assert found.lossy == pytest.approx(f1_score(truth, lossy, average="macro"))
    assert found.lowest_loss < found.loss < found.highest_loss


def test_equal_answers_can_lose_no_f1() -> None:
    rows = [{"sad"}, {"happy"}, {"sad"}]
    found = f1_difference(rows, rows[::-1], rows[::-1])
    assert found is not None
    assert (found.loss, found.lowest_loss, found.highest_loss) == (0.0, 0.0, 0.0)
    assert f1_difference([], [], []) is None
