from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from core.models.runtimes.base import Mode, Precision
from core.quality import QualityRecord, passed
from core.quality.comparison import Comparison
from core.quality.f1 import F1Difference
from core.quality.records import PROCESSOR, make_record, versions_of
from core.quality.rule import RULE, Rule
from core.quality.store import all_records, find, keep
from core.types import Modality

DIGEST = "ab" * 32
MODE = Mode("onnxruntime", Precision.INT8)


def verdict(mode: str = str(MODE), *, clips: int = 400, shift: float = 0.01) -> QualityRecord:
    f1 = F1Difference(clips, 0.7, 0.7, -0.001, 0.002)
    found = Comparison(clips, 3.0 * clips, clips, 0, shift, shift / 3, 2.5, f1)
    return make_record(DIGEST, "speech", mode, found, RULE, ("clips", "cd" * 32))


def test_a_verdict_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    record = verdict()
    path = keep(record, tmp_path)
    assert json.loads(path.read_text())["passed"] is True
    assert find(DIGEST, "speech", str(MODE), tmp_path) == record
    assert passed(DIGEST, Modality.SPEECH, MODE, tmp_path) == record
    assert all_records(tmp_path) == (record,)


def test_nothing_passes_that_was_not_checked_itself(tmp_path: Path) -> None:
    assert passed(DIGEST, "speech", MODE, tmp_path / "none") is None
    keep(verdict(), tmp_path)
    assert passed(DIGEST, "text", MODE, tmp_path) is None
    assert passed(DIGEST, "speech", "openvino:bf16", tmp_path) is None
    # the same folder, since that is named by the first digits alone
    assert passed(DIGEST[:16] + "0" * 48, "speech", MODE, tmp_path) is None


def test_a_mode_that_failed_does_not_pass_and_a_new_verdict_takes_the_place(tmp_path: Path) -> None:
    keep(verdict(), tmp_path)
    failed = verdict(shift=0.3)
    keep(failed, tmp_path)
    assert passed(DIGEST, "speech", MODE, tmp_path) is None
    assert find(DIGEST, "speech", str(MODE), tmp_path) == failed


@pytest.mark.parametrize("changed", ["onnxruntime", PROCESSOR])
def test_a_verdict_is_outdated_when_what_computes_has_changed(tmp_path: Path, changed: str) -> None:
    record = verdict()
    assert record.outdated(RULE) == ()
    old = replace(record, versions={**record.versions, changed: "another"})
    keep(old, tmp_path)
    assert old.outdated(RULE) == (changed,)
    assert passed(DIGEST, "speech", MODE, tmp_path) is None


def test_a_verdict_is_outdated_when_the_rule_has_changed(tmp_path: Path) -> None:
    keep(verdict(), tmp_path)
    assert passed(DIGEST, "speech", MODE, tmp_path, Rule(shift=0.02)) is None
    assert passed(DIGEST, "speech", MODE, tmp_path, replace(RULE, revision=2)) is None


def test_a_new_version_of_emoscope_alone_outdates_nothing() -> None:
    record = verdict()
    assert replace(record, versions={**record.versions, "emoscope": "0"}).outdated(RULE) == ()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"digest": 3}', "null", '{"rule": []}'])
def test_a_damaged_verdict_is_none(tmp_path: Path, content: str) -> None:
    keep(verdict(), tmp_path).write_text(content)
    assert passed(DIGEST, "speech", MODE, tmp_path) is None
    assert all_records(tmp_path) == ()


def test_packed_linears_depend_on_torch() -> None:
    assert set(versions_of("packed:bf16")) == {"emoscope", "torch", PROCESSOR}


def test_asking_imports_neither_torch_nor_scipy() -> None:
    code = (
        "import sys; from core.quality import passed; passed('0' * 64, 'speech', 'openvino:bf16');"
        "sys.exit(bool({'torch', 'scipy', 'numpy', 'jiwer'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
