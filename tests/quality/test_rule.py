from __future__ import annotations

import math
from dataclasses import replace

import pytest

from core.quality.comparison import Comparison
from core.quality.f1 import F1Difference
from core.quality.rule import DIFFERING, RULE, SHIFTED, SWITCHING, TOO_FEW, WORSE, Rule

GOOD = Comparison(
    clips=299, seconds=900.0, same=299, misleading=0, largest_shift=0.01, mean_shift=0.001
)


def differing(count: int, clips: int, misleading: int | None = None) -> Comparison:
    wrong = count if misleading is None else misleading
    return replace(GOOD, clips=clips, same=clips - count, misleading=wrong)


@pytest.mark.parametrize("misleading", [0, 1, 5])
def test_as_many_clips_are_needed_as_prove_the_agreement_and_not_one_more(misleading: int) -> None:
    needed = RULE.clips_needed(misleading)
    assert RULE.surely_same(misleading, needed) >= RULE.agreement
    assert RULE.surely_same(misleading, needed - 1) < RULE.agreement


def test_without_a_differing_answer_the_bound_is_that_of_the_rule_of_three() -> None:
    assert RULE.clips_needed() == math.ceil(math.log(0.05) / math.log(0.99)) == 299
    assert RULE.surely_same(0, 299) == pytest.approx(0.05 ** (1 / 299))
    assert RULE.surely_same(0, 0) == 0.0


def test_enough_equal_answers_pass() -> None:
    assert RULE.objections(GOOD) == ()


def test_too_few_clips_do_not_pass_however_equal() -> None:
    assert RULE.objections(differing(0, 298)) == (TOO_FEW,)
    assert RULE.objections(Comparison(0, 0.0, 0, 0, 0.0, 0.0)) == (TOO_FEW,)


def test_one_misleading_answer_takes_more_clips() -> None:
    assert RULE.objections(differing(1, 472)) == (TOO_FEW,)
    assert RULE.objections(differing(1, 473)) == ()


def test_many_misleading_answers_do_not_pass_however_many_clips() -> None:
    assert RULE.objections(differing(200, 10_000)) == (DIFFERING,)
    assert RULE.objections(differing(1, 20)) == (TOO_FEW, DIFFERING)


def test_labels_that_change_while_nobody_is_sure_are_excused_but_not_endlessly() -> None:
    assert RULE.objections(differing(8, 299, misleading=0)) == ()
    assert RULE.objections(differing(20, 299, misleading=0)) == (SWITCHING,)
    assert RULE.objections(differing(3, 20, misleading=0)) == (TOO_FEW, SWITCHING)


@pytest.mark.parametrize("shift", [0.0501, 1.0, math.nan])
def test_a_large_shift_does_not_pass_and_neither_does_what_is_no_number(shift: float) -> None:
    assert RULE.objections(replace(GOOD, largest_shift=shift)) == (SHIFTED,)
    assert RULE.objections(replace(GOOD, largest_shift=0.05)) == ()


def test_what_may_cost_f1_does_not_pass_even_if_it_did_not_here() -> None:
    unsure = F1Difference(300, exact=0.6, lossy=0.6, lowest_loss=-0.02, highest_loss=0.02)
    assert RULE.objections(replace(GOOD, f1=unsure)) == (WORSE,)
    assert RULE.objections(replace(GOOD, f1=replace(unsure, highest_loss=0.01))) == ()


def test_a_rule_survives_json_and_an_unknown_one_is_refused() -> None:
    assert Rule.from_dict(RULE.to_dict()) == RULE
    with pytest.raises(TypeError):
        Rule.from_dict({"luck": 1})
