from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.asr.catalog import CATALOG, DEFAULT_MODEL
from core.cli import main
from core.commands.checks import CHECKS, Finding, Status, examine, machine, models, window
from core.models.checkpoint import read_info
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
