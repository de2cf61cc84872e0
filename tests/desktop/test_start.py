from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from desktop import __main__ as command
from desktop.app import Application, install_exception_hook, start_log
from desktop.bench.window import environment
from tests.desktop.conftest import WaitFor
from tests.desktop.test_controller import FakeSessions

HEAVY = ("torch", "transformers", "sounddevice", "faster_whisper", "ctranslate2", "onnxruntime")
SLOW = ("scipy", "sklearn", "yaml", "jinja2", "av", "huggingface_hub", "pyqtgraph", "rich")


def modules_after(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(*{{m.split('.')[0] for m in sys.modules}})"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(answer.stdout.split())


def test_the_window_is_imported_without_models_and_without_audio() -> None:
    loaded = modules_after("import desktop.app")
    assert "PySide6" in loaded
    assert not loaded & {*HEAVY, *SLOW}


def test_the_docks_are_imported_without_models_and_without_audio() -> None:
    loaded = modules_after(
        "import desktop.app; from desktop.panels import PANELS; [p.load() for p in PANELS]"
    )
    assert "pyqtgraph" in loaded
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize(
    ("platform", "variables", "arguments", "expected"),
    [
        ("linux", {}, (), False),
        ("linux", {"DISPLAY": ":0"}, (), True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, (), True),
        ("linux", {"DISPLAY": ""}, (), False),
        ("linux", {"QT_QPA_PLATFORM": "offscreen"}, (), True),
        ("linux", {"QT_QPA_PLATFORM": "xcb"}, (), False),
        ("linux", {}, ("-platform", "offscreen"), True),
        ("linux", {}, ("-platform",), False),
        ("darwin", {}, (), True),
        ("win32", {}, (), True),
    ],
)
def test_a_display_is_looked_for_before_qt_is_asked(
    platform: str, variables: dict[str, str], arguments: Sequence[str], expected: bool
) -> None:
    assert command.has_display(platform, variables, arguments) is expected


def test_without_a_display_the_sample_is_played_in_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    played: list[Sequence[str]] = []

    def demo(argv: Sequence[str]) -> int:
        played.append(argv)
        return 0

    monkeypatch.setattr(command, "has_display", lambda *_: False)
    monkeypatch.setattr(command, "import_module", lambda name: SimpleNamespace(main=demo))
    assert command.main([]) == 0
    assert played == [[]]


def test_the_window_opens_in_a_process_of_its_own(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-m", "desktop.bench.start_window", str(tmp_path)],
        env=environment(None),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.stdout.strip() == "up", answer.stderr
    assert answer.returncode == 0, answer.stderr


@pytest.fixture
def hooked(
    qt: QApplication, settings: QSettings, tmp_path: Path
) -> Iterator[tuple[Application, Path]]:
    hooks = sys.excepthook, threading.excepthook
    handlers = list(logging.getLogger().handlers)
    settings.setValue("app/sessions_folder", str(tmp_path / "sessions"))
    application = Application(qt, settings, FakeSessions(), tmp_path)
    start_log(tmp_path)
    install_exception_hook(application)
    yield application, tmp_path / "emoscope.log"
    sys.excepthook, threading.excepthook = hooks
    for handler in [h for h in logging.getLogger().handlers if h not in handlers]:
        logging.getLogger().removeHandler(handler)
        handler.close()
    application.window.close()


def test_an_error_on_any_thread_is_logged_and_shown(
    hooked: tuple[Application, Path], wait_for: WaitFor
) -> None:
    application, log = hooked

    def fail() -> None:
        raise RuntimeError("lost a screw")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    wait_for(lambda: "error" in application.window.banners.shown())
    assert "lost a screw" in application.window.banners.text("error")
    wait_for(lambda: "Traceback" in log.read_text(encoding="utf-8"))


def test_an_error_in_the_window_itself_is_logged_and_shown(
    hooked: tuple[Application, Path], wait_for: WaitFor, capsys: pytest.CaptureFixture[str]
) -> None:
    application, log = hooked
    report: Callable[..., object] = sys.excepthook
    report(RuntimeError, RuntimeError("dropped a nut"), None)
    wait_for(lambda: "error" in application.window.banners.shown())
    assert "dropped a nut" in application.window.banners.text("error")
    assert "dropped a nut" in log.read_text(encoding="utf-8")
    assert "dropped a nut" in capsys.readouterr().err
