"""Which device is chosen on which machine; the machines are made up."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.models import device
from core.models.device import CPU, CUDA, choose_device, half_of
from core.models.runtimes.base import Precision
from tests.models.fake_gpu import FakeProbe

GB = 1 << 30


@pytest.mark.parametrize(
    ("probe", "reason"),
    [
        (FakeProbe(built=False), "torch_without_cuda"),
        (FakeProbe(usable=False, on_the_bus=False), "no_cuda_device"),
        (FakeProbe(usable=False), "no_driver"),
        (FakeProbe(version=(5, 2)), "gpu_too_old"),
        (FakeProbe(version=(7, 0)), "gpu_too_old"),
        (FakeProbe(free=1 * GB), "too_little_memory"),
        (FakeProbe(refuses=True), "device_failed"),
    ],
)
def test_what_stands_in_the_way_of_a_gpu_is_said(probe, reason):
    for preference in ("auto", "cuda"):
        choice = choose_device(preference, 2 * GB, probe)
        assert (choice.device, choice.reason) == (CPU, reason)


def test_a_gpu_that_will_do_is_taken_unless_it_is_declined():
    assert choose_device("auto", 2 * GB, FakeProbe()).reason == "cuda_found"
    assert choose_device("cuda", 2 * GB, FakeProbe()).reason == "chosen"
    assert choose_device("cpu", 2 * GB, FakeProbe()) == device.DeviceChoice(CPU, "chosen")
    assert choose_device("auto", 2 * GB, FakeProbe()).device == CUDA


@pytest.mark.parametrize(
    ("version", "architectures", "runs"),
    [
        ((8, 9), ("sm_80", "sm_90"), True),  # the same major version, built for an older minor one
        ((8, 0), ("sm_86",), False),  # built for a newer minor one
        ((12, 0), ("sm_90", "compute_90"), True),  # compiled on the spot
        ((12, 0), ("sm_90a",), False),
        ((6, 1), (), True),  # PyTorch does not say what it is built for
        ((3, 5), (), False),
    ],
)
def test_a_gpu_runs_what_was_built_for_it_or_is_compiled_on_the_spot(version, architectures, runs):
    choice = choose_device("auto", 0, FakeProbe(version=version, architectures=architectures))
    assert (choice.device == CUDA) == runs


def test_half_precision_is_what_the_gpu_computes_with_itself():
    assert half_of(FakeProbe(version=(8, 0))) is Precision.BF16
    assert half_of(FakeProbe(version=(7, 5))) is Precision.FP16


def test_a_card_without_a_driver_is_seen_on_the_bus(tmp_path: Path):
    def put(name: str, vendor: str, kind: str) -> None:
        (tmp_path / name).mkdir()
        (tmp_path / name / "vendor").write_text(vendor + "\n")
        (tmp_path / name / "class").write_text(kind + "\n")

    put("0000:00:02.0", "0x8086", "0x030000")  # a graphics card of somebody else
    put("0000:01:00.1", "0x10de", "0x040300")  # the sound of an NVIDIA card
    assert not device._has_display_of("0x10de", tmp_path)
    put("0000:01:00.0", "0x10de", "0x030200")
    assert device._has_display_of("0x10de", tmp_path)
    assert not device._has_display_of("0x10de", tmp_path / "absent")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_this_machine_says_why_it_has_no_gpu():
    reasons = ("torch_without_cuda", "no_cuda_device", "no_driver", "gpu_too_old")
    assert choose_device().reason in reasons
