"""How many parameters the heads have at the published widths; nothing is allocated."""

from __future__ import annotations

import pytest
import torch

from core.models.size import number_of_parameters, weight_bytes
from core.models.systems.build import build_head
from core.models.systems.head import HeadSizes

PUBLISHED = HeadSizes(1024, 768, 7)
PUBLISHED_RSA_CFN = 328_300_813


def parameters(name: str, sizes: HeadSizes = PUBLISHED, **options: object) -> int:
    with torch.device("meta"):
        return number_of_parameters(build_head(name, sizes, options=options))


def linear(inputs: int, outputs: int) -> int:
    return (inputs + 1) * outputs


def test_rsa_cfn_has_its_published_size() -> None:
    assert parameters("rsa_cfn") == PUBLISHED_RSA_CFN
    blocks = linear(16_641, 1024) + linear(17_665, 16_641) + linear(16_641, 1024)
    assert 0.99 < blocks / PUBLISHED_RSA_CFN < 1


def test_the_low_rank_head_has_a_third_of_a_percent_of_it() -> None:
    assert parameters("low_rank_rsa_cfn") < 0.005 * PUBLISHED_RSA_CFN


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("early", 2 * 1792 + linear(1792, 7)),
        ("stack", 2 * 1792 + linear(1792, 7)),
        ("late", linear(1024, 7) + linear(768, 7) + 2 * 7),
        (
            "residual",
            2 * 1792 + linear(1792, 512) + linear(2304, 1792) + linear(1792, 7),
        ),
        ("speech", linear(1024, 1024) + linear(1024, 7)),
        ("text", 2 * 768 + linear(768, 7)),
        ("cat", linear(1792, 7)),
        ("add", linear(1024, 768) + linear(768, 7)),
        (
            "mlp_mixer",
            linear(1024, 256)
            + linear(768, 256)
            + 2 * linear(555, 555)
            + 2 * linear(256, 256)
            + 2 * 2 * 256
            + linear(256, 512)
            + linear(512, 7),
        ),
    ],
)
def test_heads_have_the_parameters_of_their_formula(name: str, expected: int) -> None:
    assert parameters(name) == expected


def test_residual_has_about_five_million_and_rsa_little_more() -> None:
    assert parameters("residual") == 5_064_711
    attention = 2 * linear(1, 256) + linear(1, 1)
    assert parameters("rsa") == 5_064_711 + attention


def test_a_joint_hybrid_is_the_sum_of_its_heads_and_a_norm() -> None:
    voters = sum(parameters(name) for name in ("early", "late", "residual", "rsa_cfn"))
    assert parameters("hybrid") == voters + 2 * 7
    assert parameters("hybrid", voting="probabilities") == voters


@pytest.mark.parametrize("name", ["early", "rsa_cfn", "low_rank_rsa_cfn", "cat"])
def test_affect_adds_two_linear_layers(name: str) -> None:
    width = {"early": 1792, "rsa_cfn": 1024, "low_rank_rsa_cfn": 256, "cat": 1792}[name]
    with_affect = parameters(name, HeadSizes(1024, 768, 7, affect=True))
    assert with_affect - parameters(name) == 2 * linear(width, 1)


def test_bytes_count_what_is_stored() -> None:
    module = torch.nn.BatchNorm1d(4).half()
    assert weight_bytes(module) == 4 * 4 * 2 + 8
    module.weight.requires_grad_(False)
    assert number_of_parameters(module, trainable=True) == 4
