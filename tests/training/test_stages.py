"""What of an earlier run a stage may go on with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from training import stages
from training.progress import Reporter
from training.stages import Recipe, Stage, StageContext, run_recipe

resumed: list[bool] = []


@dataclass(frozen=True)
class ProbeConfig:
    """Of the stage of these tests."""

    size: int = 1
    fails: bool = False


def run(config: ProbeConfig, context: StageContext) -> None:
    """Note whether this run may go on with what an earlier one left."""
    resumed.append(context.resume)
    if config.fails:
        raise RuntimeError("interrupted")


@pytest.fixture(autouse=True)
def _probe(monkeypatch: pytest.MonkeyPatch) -> None:
    resumed.clear()
    monkeypatch.setitem(stages.STAGES, "probe", (f"{__name__}:ProbeConfig", f"{__name__}:run"))


def go(out: Path, config: ProbeConfig) -> None:
    recipe = Recipe("probe", 7, (Stage("probe", config),))
    run_recipe(recipe, StageContext("", out, out, 7, False, True, Reporter()))


def test_an_interrupted_stage_goes_on_where_it_was(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        go(tmp_path, ProbeConfig(fails=True))
    with pytest.raises(RuntimeError):
        go(tmp_path, ProbeConfig(fails=True))
    assert resumed == [False, True]


def test_a_changed_configuration_starts_afresh(tmp_path: Path) -> None:
    go(tmp_path, ProbeConfig(size=1))
    go(tmp_path, ProbeConfig(size=2))
    assert resumed == [False, False]


def test_a_finished_stage_is_kept(tmp_path: Path) -> None:
    go(tmp_path, ProbeConfig())
    go(tmp_path, ProbeConfig())
    assert resumed == [False]


def test_a_mark_that_a_kill_left_empty_is_no_mark(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        go(tmp_path, ProbeConfig(fails=True))
    (tmp_path / "probe" / "begun.json").write_text("", encoding="utf-8")
    with pytest.raises(RuntimeError):
        go(tmp_path, ProbeConfig(fails=True))
    assert resumed == [False, False]
    go(tmp_path, ProbeConfig())
    (tmp_path / "probe" / "done.json").write_text('{"config', encoding="utf-8")
    go(tmp_path, ProbeConfig())
    assert resumed == [False, False, False, True]
