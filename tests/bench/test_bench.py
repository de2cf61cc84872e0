from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from core import bench
from core.bench.report import Measurement, Report
from core.cli import main
from core.errors import DeviceError


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> str:
    """A topic that measures nothing and has one met and one missed target."""
    module = ModuleType("a_topic")
    good = Measurement("quick enough", 1.5, "ms", target=2.0, low=1.2, high=1.9, note="made up")
    bad = Measurement("frames", 0.5, "", target=0.9, at_least=True)
    module.measure = lambda quick: Report("try", (good, bad), (f"quick: {quick}",))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "a_topic", module)
    monkeypatch.setattr(bench, "TOPICS", {"try": "a_topic:measure"})
    return "try"


@pytest.mark.parametrize("name", bench.TOPICS)
def test_every_topic_exists(name: str) -> None:
    module, function = bench.TOPICS[name].split(":")
    assert callable(getattr(import_module(module), function))


def test_the_topics_of_the_specification_are_there() -> None:
    assert {"model", "live", "window", "soak"} <= set(bench.TOPICS)


def test_an_unknown_topic_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["bench", "modle"])
    assert exit_.value.code == 2
    assert "no topic 'modle'" in capsys.readouterr().err


def test_a_table_shows_targets_and_whether_they_are_met(
    topic: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    assert main(["bench", topic, "--quick"]) == 0
    out = capsys.readouterr().out
    good, bad = (
        next(line for line in out.splitlines() if n in line) for n in ("quick en", "frames")
    )
    assert "≤ 2" in good
    assert "yes" in good
    assert "1.2-1.9" in good
    assert "≥ 0.9" in bad
    assert "no" in bad
    assert "quick: True" in out


def test_strict_ends_with_one_when_a_target_is_missed(topic: str) -> None:
    assert main(["bench", topic, "--strict"]) == 1


def test_a_topic_that_lacks_something_does_not_keep_others_from_being_measured(
    topic: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacking(quick: bool) -> Report:
        raise DeviceError("There is no sound server.", "Install one.")

    module = ModuleType("a_lacking_topic")
    module.measure = lacking  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "a_lacking_topic", module)
    monkeypatch.setattr(bench, "TOPICS", {"lacking": "a_lacking_topic:measure", **bench.TOPICS})
    assert main(["bench"]) == 2
    captured = capsys.readouterr()
    assert "quick enough" in captured.out
    assert "There is no sound server. Install one." in captured.err


def test_figures_are_written_as_json(topic: str, tmp_path: Path) -> None:
    file = tmp_path / "new" / "figures.json"
    assert main(["bench", topic, "--json", str(file)]) == 0
    written = json.loads(file.read_text(encoding="utf-8"))
    assert written["topic"] == "try"
    assert [m["met"] for m in written["measurements"]] == [True, False]
    assert written["measurements"][0]["value"] == 1.5
