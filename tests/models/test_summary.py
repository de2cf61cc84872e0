from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import CheckpointError
from core.models.manifest import CONFIG, METRICS, WEIGHTS
from core.models.specification import Problem
from core.models.summary import headline, licence_line, summarise
from core.resources import embedded_checkpoint
from tests.checkpoints import make_speech_text_checkpoint

TEST = {
    "test": {
        "uar": {"value": 0.51, "low": 0.46, "high": 0.56},
        "f1_weighted": {"value": 0.81, "low": None, "high": None},
        "wa": {"value": 0.9, "low": 0.8, "high": 1.0},
    },
    "majority": {"uar": {"value": 0.143, "low": 0.1, "high": 0.2}},
}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return make_speech_text_checkpoint(
        tmp_path / "cat", system="cat", problem=Problem.MULTI_LABEL, affect=True, metrics=TEST
    )


def test_a_summary_says_what_a_checkpoint_is(checkpoint: Path) -> None:
    found = summarise(checkpoint)
    assert (found.system, found.exclusive) == ("cat", False)
    assert found.encoders == {"speech": "compact", "text": "compact"}
    assert found.licence == "Licence: none needed."
    assert found.megabytes == pytest.approx((checkpoint / WEIGHTS).stat().st_size / 1e6)
    uar, weighted = found.figures
    assert (uar.name, uar.value, uar.low, uar.guessing) == ("uar", 0.51, 0.46, 0.143)
    assert (weighted.name, weighted.low) == ("f1_weighted", None)


def test_the_shipped_checkpoint_has_figures_and_a_licence() -> None:
    found = summarise(embedded_checkpoint())
    assert {figure.where for figure in found.figures} >= {"ravdess", "nemo"}
    assert "CC BY-NC-SA" in found.licence
    assert "research" in found.licence


def test_reading_a_summary_imports_no_torch(checkpoint: Path) -> None:
    code = (
        "import sys; from core.models.summary import summarise; "
        f"summarise({str(checkpoint)!r}); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_damaged_weights_are_refused_before_they_are_loaded(checkpoint: Path) -> None:
    with (checkpoint / WEIGHTS).open("ab") as file:
        file.write(b"x")
    with pytest.raises(CheckpointError, match=r"model\.safetensors is damaged"):
        summarise(checkpoint)


def test_a_pickle_in_the_folder_is_refused(checkpoint: Path) -> None:
    (checkpoint / "optimizer.pt").write_bytes(b"\x80\x04.")
    with pytest.raises(CheckpointError, match="may be a pickle"):
        summarise(checkpoint)


def test_an_architecture_from_the_future_is_refused(checkpoint: Path) -> None:
    path = checkpoint / CONFIG
    config = json.loads(path.read_text(encoding="utf-8"))
    config["architecture"] = "telepathy"
    path.write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(CheckpointError, match="no architecture named 'telepathy'"):
        summarise(checkpoint)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        summarise(tmp_path)


@pytest.mark.parametrize("metrics", [{}, {"test": {}}, {"held_out": []}, {"test": {"uar": None}}])
def test_metrics_without_figures_have_no_headline(metrics: dict) -> None:
    assert headline(metrics) == ()


def test_damaged_metrics_are_found_by_their_hash(checkpoint: Path) -> None:
    (checkpoint / METRICS).write_text("{", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"metrics\.json is damaged"):
        summarise(checkpoint)


@pytest.mark.parametrize(
    ("card", "line"),
    [
        ("# Title\n\nNothing here.\n", ""),
        (
            "# T\n\n## Data\n\nLicence of the corpus: by agreement. Ask.\n",
            "Licence of the corpus: by agreement. Ask.",
        ),
        (
            "# T\n\nSome words.\nCode: Apache-2.0; weights free.\n",
            "Code: Apache-2.0; weights free.",
        ),
        ("# T\n\n| corpus | licence |\n|---|---|\n| a | MIT |\n", ""),
    ],
)
def test_the_line_about_licences_is_found(card: str, line: str) -> None:
    assert licence_line(card) == line
