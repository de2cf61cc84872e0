from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from core import bench
from core.bench import Topic
from core.bench.options import Options
from core.bench.report import Measurement, Part, Report, joined
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
    monkeypatch.setattr(bench, "TOPICS", {"try": Topic("a_topic:measure")})
    return "try"


@pytest.mark.parametrize("name", bench.TOPICS)
def test_every_topic_exists(name: str) -> None:
    assert callable(bench.TOPICS[name].function)


def test_the_topics_of_the_specification_are_there() -> None:
    wanted = {"model", "live", "encoders", "window", "contention", "files", "soak"}
    assert wanted <= set(bench.TOPICS)


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
    monkeypatch.setattr(
        bench, "TOPICS", {"lacking": Topic("a_lacking_topic:measure"), **bench.TOPICS}
    )
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


def test_a_topic_with_options_gets_them_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    got: list[Options] = []

    def measured(options: Options) -> Report:
        got.append(options)
        return Report("try", ())

    module = ModuleType("a_detailed_topic")
    module.measure = measured  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "a_detailed_topic", module)
    topic = Topic("a_detailed_topic:measure", options=True, quality=True)
    monkeypatch.setattr(bench, "TOPICS", {"try": topic})
    arguments = ["--quick", "--checkpoint", str(tmp_path), "--data", str(tmp_path / "clips")]
    assert main(["bench", "try", *arguments]) == 0
    assert got == [Options(True, tmp_path, tmp_path / "clips")]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--data", "somewhere"], "quality is measured by"),
        (["--checkpoint", "somewhere"], "--checkpoint needs --data"),
    ],
)
def test_options_that_no_topic_takes_are_refused(
    topic: str, arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["bench", topic, *arguments])
    assert reason in capsys.readouterr().err


def test_figures_for_programs_stand_at_the_top() -> None:
    parts = [Part((), ("one",), {"ratio": 2.0}), Part((), ("two",), {"wait_ms": {"a": 3.0}})]
    report = joined("try", parts)
    written = report.to_dict()
    assert (written["ratio"], written["wait_ms"]) == (2.0, {"a": 3.0})
    assert written["notes"] == ["one", "two"]
