"""Learning rates over time and per parameter, precision, and what a machine can't do."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.errors import ConfigError
from tests.training.tiny_training import tiny_batches, tiny_objective
from training import config as configuration
from training.batch_objective import place_batch
from training.data.batch import Batch, Targets
from training.distributed import alone
from training.objective import Objective
from training.optimisation import SCHEDULES, Precision, one_cycle, parameter_groups
from training.trainer_config import SCHEDULE_NAMES, TrainerConfig, check_device
from training.updater import Updater

CPU = torch.device("cpu")


def test_one_cycle_rises_then_falls() -> None:
    factors = [one_cycle(step, 100, 0.2) for step in range(101)]
    assert factors.index(max(factors)) == 20
    assert factors[20] == pytest.approx(1.0)
    assert factors[0] < 0.05
    assert factors[100] < 0.01


@pytest.mark.parametrize("name", SCHEDULE_NAMES)
def test_every_schedule_peaks_after_the_warm_up(name: str) -> None:
    factors = [SCHEDULES[name](step, 50, 0.2) for step in range(50)]
    assert max(factors) == factors[10] == pytest.approx(1.0)
    assert all(low < high for low, high in itertools.pairwise(factors[:11]))
    assert all(0 < factor <= 1 for factor in factors)


def test_schedules_without_warm_up_are_the_textbook_curves() -> None:
    assert [SCHEDULES["constant"](step, 4, 0.0) for step in range(4)] == [1.0] * 4
    assert [SCHEDULES["linear"](step, 4, 0.0) for step in range(4)] == [1.0, 0.75, 0.5, 0.25]
    expected = [0.5 * (1 + np.cos(np.pi * step / 4)) for step in range(4)]
    assert [SCHEDULES["cosine"](step, 4, 0.0) for step in range(4)] == pytest.approx(expected)


def test_only_matrices_decay() -> None:
    model = nn.ModuleDict({"e": nn.Embedding(5, 3), "l": nn.Linear(3, 2), "n": nn.LayerNorm(3)})
    decayed, plain = parameter_groups(model, 0.1)
    assert [p.shape for p in decayed["params"]] == [(2, 3)]
    assert len(plain["params"]) == 4
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.1, 0.0)


def model_of_parts() -> nn.Module:
    encoder = nn.ModuleDict({"low": nn.Linear(2, 2), "high": nn.Linear(2, 2)})
    return nn.ModuleDict({"encoder": encoder, "head": nn.Linear(2, 2)})


def factors(model: nn.Module, rates: Mapping[str, float]) -> dict[str, float]:
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = parameter_groups(model, 0.1, rates)
    return {names[id(p)]: group["factor"] for group in groups for p in group["params"]}


def test_the_longest_start_of_a_name_decides_its_rate() -> None:
    found = factors(model_of_parts(), {"encoder": 0.1, "encoder.high": 0.5})
    assert found == {
        "encoder.low.weight": 0.1, "encoder.low.bias": 0.1, "encoder.high.weight": 0.5,
        "encoder.high.bias": 0.5, "head.weight": 1.0, "head.bias": 1.0,
    }  # fmt: skip


def test_frozen_parameters_are_not_optimised() -> None:
    model = model_of_parts()
    model.get_submodule("encoder.low").requires_grad_(False)
    assert not any("low" in name for name in factors(model, {}))
    with pytest.raises(ConfigError, match=r"'encoder\.low'.*encoder, head"):
        factors(model, {"encoder.low": 0.1})
    with pytest.raises(ConfigError, match="nothing to train"):
        factors(model.requires_grad_(False), {})


def test_rates_reach_the_optimiser() -> None:
    config = TrainerConfig(
        epochs=1, learning_rate=0.1, schedule="linear", warmup=0.0, rates={"head": 0.01}
    )
    updater = Updater(config, tiny_objective(), alone(CPU))
    assert updater.rates(0, 2) == pytest.approx({"x1": 0.1, "x0.01": 0.001})
    assert updater.rates(1, 2) == pytest.approx({"x1": 0.05, "x0.01": 0.0005})
    rates = {group["factor"]: group["lr"] for group in updater.optimizer.param_groups}
    assert rates == pytest.approx({1.0: 0.05, 0.01: 0.0005})


def joined(batches: list[Batch]) -> Batch:
    """One batch of the rows of several."""
    names = ("labels", "arousal", "valence", "weights")
    targets = [b.targets for b in batches]
    merged = Targets(*(torch.cat([getattr(t, name) for t in targets]) for name in names))
    encoded = [b.features.speech for b in batches if b.features and b.features.speech]
    speech = replace(
        encoded[0],
        **{
            name: torch.cat([getattr(e, name) for e in encoded])
            for name in ("sequence", "mask", "pooled", "logits")
        },
    )
    assert batches[0].features is not None
    features = replace(batches[0].features, speech=speech)
    return Batch(merged, torch.cat([b.rows for b in batches]), features=features)


def asked(batch: Batch) -> Batch:
    """The batch with the probe in use, whatever its number."""
    assert batch.features is not None
    assert batch.features.speech is not None
    mask = torch.ones_like(batch.features.speech.mask)
    return replace(
        batch, features=replace(batch.features, speech=replace(batch.features.speech, mask=mask))
    )


@pytest.mark.parametrize("picked", [(0, 1, 2), (3, 4), (6, 7)])
def test_accumulated_batches_are_one_large_batch(picked: tuple[int, ...]) -> None:
    """With class weights, rows without arousal, and a last batch that is shorter."""
    batches = [asked(b) for b in tiny_batches(0, np.random.default_rng(1))]
    chosen = [batches[number] for number in picked]
    found = []
    for group in (chosen, [joined(chosen)]):
        objective = tiny_objective()
        config = TrainerConfig(epochs=1, gradient_clip=0.0, accumulate=len(group))
        updater = Updater(config, objective, alone(CPU))
        losses, norm = updater.update(group, 0)
        gradients = {n: p.grad for n, p in objective.model.named_parameters() if p.requires_grad}
        found.append((losses, norm, gradients))
    (losses, norm, gradients), (other_losses, other_norm, others) = found
    assert losses == pytest.approx(other_losses, rel=1e-6)
    assert norm == pytest.approx(other_norm, rel=1e-6)
    for name, gradient in gradients.items():
        assert gradient is not None, name
        torch.testing.assert_close(gradient, others[name], rtol=1e-5, atol=1e-7)


def test_plain_losses_are_averaged_over_a_group() -> None:
    """Objectives that know no normalisers: every batch counts equally."""
    model = nn.Linear(1, 1, bias=False)

    def loss(model: nn.Module, value: float) -> Mapping[str, Tensor]:
        return {"loss": model(torch.tensor([value])).sum()}

    objective = Objective(model, lambda e, g: iter(()), 2, loss, lambda model: {})
    updater = Updater(TrainerConfig(epochs=1, gradient_clip=0.0), objective, alone(CPU))
    before = model.weight.item()
    losses, norm = updater.update([1.0, 4.0], 0)
    assert losses["loss"] == pytest.approx(2.5 * before)
    assert norm == pytest.approx(2.5)


def test_the_gradient_is_clipped_to_its_norm() -> None:
    model = nn.Linear(3, 1, bias=False)

    def loss(model: nn.Module, value: float) -> Mapping[str, Tensor]:
        return {"loss": value * model(torch.tensor([[1.0, 2.0, 2.0]])).sum()}

    objective = Objective(model, lambda e, g: iter(()), 1, loss, lambda model: {})
    updater = Updater(TrainerConfig(epochs=1, gradient_clip=0.5), objective, alone(CPU))
    _, norm = updater.update([10.0], 0)
    assert norm == pytest.approx(30.0)
    assert model.weight.grad is not None
    assert float(model.weight.grad.norm()) == pytest.approx(0.5, rel=1e-4)


def test_probes_do_not_take_part_of_the_systems_norm() -> None:
    model = nn.ModuleDict(
        {"head": nn.Linear(1, 1, bias=False), "probes": nn.Linear(1, 1, bias=False)}
    )

    def loss(model: nn.Module, value: float) -> Mapping[str, Tensor]:
        head, probe = (model.get_parameter(f"{name}.weight") for name in ("head", "probes"))
        return {"loss": (3.0 * head + value * probe).sum()}

    def clipped(value: float) -> list[float]:
        objective = Objective(
            model, lambda e, g: iter(()), 1, loss, lambda model: {}, apart=("probes.",)
        )
        Updater(TrainerConfig(epochs=1, gradient_clip=1.0), objective, alone(CPU)).update(
            [value], 0
        )
        return [float(p.grad) for p in model.parameters() if p.grad is not None]

    assert clipped(4.0) == pytest.approx([1.0, 1.0], rel=1e-4)
    assert clipped(400.0)[0] == clipped(0.4)[0]
    assert clipped(0.4)[1] == pytest.approx(0.4)


def test_a_step_that_overflows_in_half_precision_is_left_out() -> None:
    """The bookkeeping of loss scaling; it needs no GPU."""
    parameter = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.AdamW([parameter], lr=0.1, weight_decay=0.0, fused=True)
    precision = Precision("fp16", CPU)
    scale = precision.scaler.get_scale()
    precision.backward((parameter * torch.inf).sum())
    assert precision.step(optimizer, [[parameter]], 1.0) == float("inf")
    assert float(parameter.detach()) == 1.0
    assert precision.scaler.get_scale() == scale / 2
    optimizer.zero_grad()
    precision.backward((parameter * 3).sum())
    assert precision.step(optimizer, [[parameter]], 0.0) == pytest.approx(3.0)
    assert float(parameter.detach()) == pytest.approx(0.9)
    other = Precision("fp16", CPU)
    other.restore(precision.state())
    assert other.scaler.get_scale() == scale / 2


def test_matrix_products_are_computed_in_what_was_asked_for() -> None:
    with Precision("bf16", CPU).autocast():
        assert nn.Linear(2, 2)(torch.ones(1, 2)).dtype == torch.bfloat16
    with Precision("fp32", CPU).autocast():
        assert nn.Linear(2, 2)(torch.ones(1, 2)).dtype == torch.float32


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU on this machine")
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_step_on_the_gpu(precision: str) -> None:
    objective = tiny_objective()
    device = torch.device("cuda", 0)
    config = TrainerConfig(epochs=1, precision=precision, device="cuda")
    updater = Updater(config, objective, alone(device))
    before = {n: p.detach().clone() for n, p in objective.model.named_parameters()}
    for step, batch in enumerate(tiny_batches(0, np.random.default_rng(0))):
        losses, norm = updater.update([place_batch(batch, device)], step)
        assert np.isfinite([*losses.values(), norm]).all()
    for name, parameter in objective.model.named_parameters():
        assert parameter.device == device
        assert torch.equal(parameter, before[name]) != parameter.requires_grad, name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epochs: 0", "epochs"),
        ("{epochs: 1, precision: fp16, device: cpu}", "fp16 needs a GPU"),
        ("{epochs: 1, precision: fp64}", "precision must be one of fp32"),
        ("{epochs: 1, schedule: step}", "schedule must be one of one_cycle"),
        ("{epochs: 1, save_every: -1}", "save_every"),
        ("{epochs: 1, accumulate: 0}", "accumulate"),
        ("{epochs: 1, ema_decay: 1.0}", "ema_decay"),
        ("{epochs: 1, rates: {head: 0}}", "rates"),
        ("{epochs: 1, keep: first}", "keep"),
        ("{epochs: 1, warmup: 1.0}", "warmup"),
        ("{epochs: 1, bf16: true}", "unknown key 'bf16'"),
    ],
)
def test_nonsense_is_refused_before_anything_loads(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "trainer.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        configuration.load(TrainerConfig, path)


def test_rates_survive_the_round_trip(tmp_path: Path) -> None:
    config = TrainerConfig(epochs=2, rates={"speech": 0.1}, precision="bf16", accumulate=4)
    configuration.dump(config, tmp_path / "trainer.yaml")
    assert configuration.load(TrainerConfig, tmp_path / "trainer.yaml") == config


def test_what_this_machine_can_not_do_is_said_with_a_remedy() -> None:
    with pytest.raises(ConfigError, match=r"fp16.*bf16 or fp32"):
        check_device(TrainerConfig(epochs=1, precision="fp16"), cuda=False)
    with pytest.raises(ConfigError, match=r"device: cuda.*auto"):
        check_device(TrainerConfig(epochs=1, device="cuda"), cuda=False)
    check_device(TrainerConfig(epochs=1, precision="fp16", device="cuda"), cuda=True)
