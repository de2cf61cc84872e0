from __future__ import annotations

import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QTranslator
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from core.resources import assets_dir
from desktop import names
from desktop.main_window import MainWindow
from desktop.translations import Translations, resolve
from tests.desktop.conftest import converse

FILE = assets_dir() / "translations" / "emoscope_ko.ts"
PLACEHOLDER = re.compile(r"\{[a-z_]*\}")
HANGUL = re.compile(r"[가-힣]")


def entries(path: Path) -> list[tuple[str, str, ElementTree.Element]]:
    found = []
    for context in ElementTree.parse(path).getroot().iter("context"):
        name = context.findtext("name", "")
        for message in context.iter("message"):
            translation = message.find("translation")
            assert translation is not None
            found.append((name, message.findtext("source", ""), translation))
    return found


@pytest.fixture
def korean(qt: QApplication) -> Iterator[Translations]:
    translations = Translations(qt)
    translations.use("ko")
    qt.processEvents()
    yield translations
    translations.use("en")
    qt.processEvents()


def test_every_text_has_a_finished_korean_translation_with_the_same_values() -> None:
    assert len(entries(FILE)) > 200
    for context, source, translation in entries(FILE):
        text = translation.text or ""
        assert translation.get("type") is None, f"{context}: {source}"
        assert text.strip(), f"{context}: {source}"
        assert sorted(PLACEHOLDER.findall(source)) == sorted(PLACEHOLDER.findall(text)), source


def test_the_translation_file_knows_every_text_of_the_program(tmp_path: Path) -> None:
    tool = Path(sys.executable).with_name("pyside6-lupdate")
    lupdate = str(tool) if tool.exists() else shutil.which("pyside6-lupdate")
    if lupdate is None:
        pytest.skip("pyside6-lupdate is not installed")
    fresh = tmp_path / "fresh.ts"
    sources = sorted(str(path) for path in Path("desktop").rglob("*.py"))
    subprocess.run([lupdate, *sources, "-ts", str(fresh)], check=True, capture_output=True)
    in_program = {(context, source) for context, source, _ in entries(fresh)}
    in_file = {(context, source) for context, source, _ in entries(FILE)}
    assert in_program == in_file


def test_the_compiled_file_is_of_this_translation(qt: QApplication) -> None:
    translator = QTranslator()
    assert translator.load(str(FILE.with_suffix(".qm")))
    for context, source, translation in entries(FILE):
        assert translator.translate(context, source) == translation.text, source


def test_the_window_changes_its_language_while_it_runs(
    qt: QApplication, window: MainWindow
) -> None:
    converse(window.state, 9.0)
    translations = Translations(qt)
    translations.use("ko")
    qt.processEvents()
    assert window.capture.record.text() == "정지"
    assert window.docks["transcript"].windowTitle() == "대화록"
    assert window.actions_by_name["open"].text() == "녹음 열기…"
    assert names.emotion("happy") == "기쁨"
    assert window.language() == "ko"
    translations.use("en")
    qt.processEvents()
    assert window.capture.record.text() == "Stop"
    assert window.docks["transcript"].windowTitle() == "Transcript"
    assert window.language() == "en"


def test_no_english_word_is_left_in_the_korean_window(
    qt: QApplication, window: MainWindow, korean: Translations
) -> None:
    allowed = re.compile(
        r"emoscope|whisper|synthetic|ctrl|english|cpu|db|ms|limits|get|\W|\d", re.I
    )
    converse(window.state, 9.0)
    labels: list[QWidget] = [window, *window.findChildren(QLabel)]
    for widget in labels:
        text = widget.text() if isinstance(widget, QLabel) else widget.windowTitle()
        plain = allowed.sub("", HANGUL.sub("", re.sub(r"<[^>]*>|“[^”]*”", "", text)))
        assert not re.search(r"[a-z]{3}", plain), text


def test_the_font_draws_hangul(qt: QApplication) -> None:
    metrics = QFontMetrics(qt.font())
    assert metrics.inFontUcs4(ord("가")) or metrics.horizontalAdvance("가나다") > 0


def test_a_choice_of_language_is_resolved() -> None:
    assert resolve("ko") == "ko"
    assert resolve("en") == "en"
    assert resolve("system") in ("ko", "en")


def test_qt_speaks_korean_too(qt: QApplication, korean: Translations) -> None:
    assert HANGUL.search(QCoreApplication.translate("QPlatformTheme", "Cancel"))
