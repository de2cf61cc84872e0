"""What the paper's tables say of its trainings, and whether the same holds on these clips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.models.two_stage_config import GENDER, STYLE
from training.evaluation.metrics import Estimate
from training.reproduce.two_stage_real_figures import CER, UA, Vector, estimate_of, of

HOLDS, CONTRARY, OPEN = "holds", "the contrary holds", "not decided"


@dataclass(frozen=True, slots=True)
class Claim:
    """A difference of two rows, and what the paper printed for it.

    Attributes:
        sentence: what it would say if the first were better.
        better, than: rows.
        figure: that is compared.
        published: difference of the paper's cells, in shares of one; None: the paper has no such.
        less: the figure is one of errors, so less is better.
    """

    sentence: str
    better: str
    than: str
    figure: str = UA
    published: float | None = None
    less: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a claim: the difference with its interval, and a verdict.

    corpora: the same difference in each corpus alone, where the figure is a mean over corpora.
    """

    claim: Claim
    difference: Estimate
    verdict: str
    corpora: Mapping[str, Estimate]


_HEARD = of(CER, "nemo")

CLAIMS: tuple[Claim, ...] = (
    Claim("Recognition beside emotion helps (full)", "full_asr", "full_ser", UA, 0.0452),
    Claim("Gender and style beside emotion help (full)",
          "full_gender_style", "full_ser", UA, 0.0017),
    Claim("All four tasks beat emotion with recognition (full)",
          "full_all", "full_asr", UA, 0.0079),
    Claim("All four tasks beat emotion alone (full)", "full_all", "full_ser", UA, 0.0531),
    Claim("Recognition beside emotion helps (adapters)",
          "adapters_asr", "adapters_ser", UA, 0.0319),
    Claim("Gender and style beside emotion help (adapters)",
          "adapters_gender_style", "adapters_ser", UA, 0.0168),
    Claim("Training everything beats adapters on a frozen base",
          "full_ser", "adapters_ser", UA, 0.0237),
    Claim("Training everything recognises with fewer errors than adapters",
          "full_asr", "adapters_asr", _HEARD, -0.0369, less=True),
    Claim("With all tasks gender is told better than without recognition",
          "full_all", "full_gender_style", GENDER, 0.1115),
    Claim("With all tasks style is told better than without recognition",
          "full_all", "full_gender_style", STYLE, 0.0713),
    Claim("Full then adapters beats full then full", "setting3", "setting2", UA, 0.0162),
    Claim("Full then adapters beats adapters then adapters", "setting3", "setting1", UA, 0.0465),
    Claim("Two stages beat emotion with recognition in one",
          "setting3", "full_asr", UA, 0.0114),
    Claim("Two stages beat all tasks in one", "setting3", "full_all", UA, 0.0035),
    Claim("Gender and style in the second stage help", "gender_style", "setting3", UA, 0.0059),
    Claim("Joining x_e, x_g and x_s helps", "concat", "gender_style", UA, -0.0024),
    Claim("SCL norm helps", "scl_norm", "concat", UA, 0.0102),
    Claim("SCL cos helps", "scl_cos", "concat", UA, 0.0160),
    Claim("SCL cos beats SCL norm", "scl_cos", "scl_norm", UA, 0.0058),
    Claim("The whole method beats emotion alone", "scl_cos", "full_ser", UA, 0.0761),
    Claim("The whole method beats all tasks in one stage", "scl_cos", "full_all", UA, 0.0230),
    Claim("Gender alone in the second stage helps", "gender", "setting3"),
    Claim("Style alone in the second stage helps", "style", "setting3"),
    Claim("Recognition in the first stage is what helps the second",
          "setting3", "unheard_first"),
    Claim("A second stage of adapters helps where the first had no recognition",
          "unheard_first", "full_ser"),
)  # fmt: skip


def findings(figures: Mapping[str, Mapping[str, Vector]]) -> tuple[Finding, ...]:
    """Return what came of every claim whose rows were run; `figures` by row and name."""
    found = []
    for claim in CLAIMS:
        better, than = figures.get(claim.better, {}), figures.get(claim.than, {})
        if claim.figure in better and claim.figure in than:
            difference = estimate_of(better[claim.figure] - than[claim.figure])
            corpora = {
                name.removeprefix(of(claim.figure, "")): estimate_of(better[name] - than[name])
                for name in better
                if name.startswith(of(claim.figure, "")) and name in than
            }
            said = verdict(difference, expected(claim))
            found.append(Finding(claim, difference, said, corpora))
    return tuple(found)


def expected(claim: Claim) -> float:
    """Return the sign of the difference in the paper; without one, that of the sentence."""
    sentence = -1.0 if claim.less else 1.0
    if claim.published is None:
        return sentence
    return 1.0 if claim.published > 0 else -1.0


def verdict(difference: Estimate, sign: float) -> str:
    """Say whether a difference has the expected sign, by its interval."""
    low, high = sorted((difference.low * sign, difference.high * sign))
    if low > 0:
        return HOLDS
    return CONTRARY if high < 0 else OPEN
