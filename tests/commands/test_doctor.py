from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.asr.catalog import CATALOG, DEFAULT_MODEL
from core.cli import main
from core.commands.checks import (
    CHECKS,
    Finding,
    Status,
    engine,
    examine,
    machine,
    models,
    window,
)
from core.models import device
from core.models.checkpoint import read_info
from core.models.device import DeviceChoice
from core.quality.comparison import Comparison
from core.quality.records import make_record
from core.quality.rule import RULE
from core.quality.store import keep
from core.resources import embedded_checkpoint
from tests.checkpoints import make_checkpoint, make_dialogue_checkpoint


@pytest.fixture(autouse=True)
def fresh_probe() -> Iterator[None]:
    window._probe.cache_clear()
    yield
    window._probe.cache_clear()


def find(name: str) -> Finding:
    (finding,) = examine([name])
    return finding


def test_every_check_reports_on_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["doctor", "--json"])
    findings = json.loads(capsys.readouterr().out)
    assert [finding["name"] for finding in findings] == list(CHECKS)
    assert {finding["status"] for finding in findings} <= {"ok", "warn", "fail"}
    assert status == int(any(finding["status"] == "fail" for finding in findings))
    assert all(finding["remedy"] for finding in findings if finding["status"] == "fail")
    # A check that itself breaks names its exception.
    assert not [finding for finding in findings if "Error:" in finding["detail"]]


def test_the_table_names_every_check_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--only", "version", "disk"]) == 0
    out = capsys.readouterr().out
    assert "Emoscope" in out
    assert "disk" in out
    assert "packages" not in out


def test_a_broken_check_is_a_finding_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(name: str) -> Finding:
        raise RuntimeError("the sky fell")

    monkeypatch.setattr(machine, "check_disk", explode)
    broken, version = examine(["disk", "version"])
    assert broken.status is Status.FAIL
    assert "the sky fell" in broken.detail
    assert version.status is Status.OK


def test_a_crashing_qt_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"PySide6-Essentials": "6.12.0"}
    monkeypatch.setattr(machine, "version", lambda package: versions.get(package, "1"))
    monkeypatch.setattr(machine.sys, "version_info", (3, 11, 7))
    assert find("packages").status is Status.FAIL


def test_a_damaged_checkpoint_is_found_by_its_hash(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "embedded"
    shutil.copytree(embedded_checkpoint(), folder)
    monkeypatch.setattr(models, "embedded_checkpoint", lambda: folder)
    assert find("emotion").status is Status.OK
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    finding = find("emotion")
    assert finding.status is Status.FAIL
    assert "model.safetensors" in finding.detail


def test_without_a_display_the_window_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window.sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    finding = find("window")
    assert finding.status is Status.WARN
    assert "no display" in finding.detail


def test_a_display_that_is_not_there_gives_the_apt_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window.sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    finding = find("window")
    assert finding.status is Status.FAIL
    assert "apt-get install" in finding.remedy


def test_little_disk_space_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    small = type(usage)(usage.total, usage.total - 1000, 1000)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: small)
    assert find("disk").status is Status.WARN


def test_without_a_whisper_model_the_default_and_its_size_are_named() -> None:
    finding = find("recognition")
    assert finding.status is Status.WARN
    assert f"{CATALOG[DEFAULT_MODEL].megabytes} MB" in finding.detail
    assert "unasked" in finding.remedy


def test_the_dialogue_model_is_loaded_and_held_against_the_embedded_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "dialogue"
    monkeypatch.setattr(models, "dialogue_checkpoint", lambda: folder)
    assert find("context").status is Status.WARN
    utterances = make_checkpoint(tmp_path / "tiny")
    make_dialogue_checkpoint(folder, utterance_model=read_info(utterances), window=7)
    other = find("context")
    assert other.status is Status.WARN
    assert "another model's features" in other.detail
    monkeypatch.setattr(models, "embedded_checkpoint", lambda: utterances)
    fits = find("context")
    assert fits.status is Status.OK
    assert "7 turns" in fits.detail
    (folder / "model.safetensors").write_bytes(b"damaged")
    damaged = find("context")
    assert damaged.status is Status.WARN
    assert "model.safetensors" in damaged.detail
    assert damaged.remedy


@pytest.mark.parametrize("reason", ["no_driver", "gpu_too_old", "too_little_memory"])
def test_a_gpu_that_is_there_and_not_used_is_said_with_a_remedy(
    reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "choose_device", lambda: DeviceChoice("cpu", reason))
    finding = find("processor")
    assert finding.status is Status.WARN
    assert models.REASONS[reason] in finding.detail
    assert finding.remedy


def test_settings_that_let_threads_get_in_each_others_way_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    monkeypatch.delenv("KMP_BLOCKTIME", raising=False)
    calm = find("threads")
    assert calm.status is Status.OK
    assert "OMP_WAIT_POLICY=PASSIVE" in calm.detail
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    monkeypatch.setenv("MKL_NUM_THREADS", "100000")
    busy = find("threads")
    assert busy.status is Status.WARN
    assert "MKL_NUM_THREADS and OMP_WAIT_POLICY" in busy.remedy


def test_a_runtime_whose_package_is_missing_is_named_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lacking = {"openvino": ("openvino",)}
    monkeypatch.setattr(engine, "missing", lambda mode: lacking.get(mode.runtime, ()))
    finding = find("runtimes")
    assert finding.status is Status.WARN
    assert "openvino (needs openvino)" in finding.detail
    assert "packed" in finding.detail.partition("Not usable")[0]
    assert finding.remedy == engine.INSTALL


def test_a_runtime_that_is_installed_but_broken_is_not_called_usable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "missing", lambda mode: ())

    def load(name: str) -> None:
        if name == "openvino":
            raise OSError("libtbb.so.12 is missing")

    monkeypatch.setattr(engine, "import_module", load)
    finding = find("runtimes")
    assert "openvino (OSError: libtbb.so.12 is missing)" in finding.detail
    assert "onnxruntime (" not in finding.detail.partition("Not usable")[2]


def test_verdicts_on_lossy_modes_are_listed_and_old_ones_are_a_warning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert "No lossy mode was checked" in find("quality").detail
    for mode, shift in (("packed:bf16", 0.01), ("onnxruntime:int8", 0.3)):
        found = Comparison(400, 1.0, 400, 0, shift, 0.0)
        keep(make_record("ab" * 32, "speech", mode, found, RULE, ("clips", "")))
    fresh = find("quality")
    assert fresh.status is Status.OK
    assert fresh.detail == (
        "passed: speech packed:bf16 of abababab…; not passed: speech onnxruntime:int8 of abababab…."
    )
    monkeypatch.setattr("core.quality.records.processor", lambda: "another")
    old = find("quality")
    assert old.status is Status.WARN
    assert "outdated" in old.detail
    assert "processor changed" in old.detail
    assert "emoscope quality" in old.remedy
