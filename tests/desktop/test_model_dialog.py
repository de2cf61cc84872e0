from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLabel

from core.models.manifest import WEIGHTS
from core.models.specification import Problem
from core.resources import embedded_checkpoint
from desktop.bridge import EventBridge
from desktop.dialogs.model import ModelDialog
from desktop.translations import Translations
from tests.checkpoints import make_speech_text_checkpoint
from tests.desktop.conftest import WaitFor
from tests.models.test_summary import TEST

Opened = Callable[[Path], ModelDialog]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_speech_text_checkpoint(
        tmp_path_factory.mktemp("models") / "cat",
        system="cat",
        problem=Problem.MULTI_LABEL,
        affect=True,
        labels=("neutral", "happy", "frustrated"),
        metrics=TEST,
    )


@pytest.fixture
def opened(qt: QApplication, wait_for: WaitFor) -> Iterator[Opened]:
    bridge = EventBridge()
    made: list[ModelDialog] = []

    def make(folder: Path) -> ModelDialog:
        dialog = ModelDialog(bridge, folder, embedded_checkpoint())
        made.append(dialog)
        dialog.show()
        wait_for(lambda: dialog._use.isEnabled() or dialog._banner.isVisible())
        return dialog

    yield make
    for dialog in made:
        dialog.close()
    bridge.join(5)
    qt.processEvents()


def texts(dialog: ModelDialog) -> str:
    return "\n".join(label.text() for label in dialog.findChildren(QLabel))


def test_the_card_says_what_matters(opened: Opened, checkpoint: Path) -> None:
    text = texts(opened(checkpoint))
    for words in (
        "tiny-cat, version 1",
        "speech + text (text in: English, Korean)",
        "neutral, happy, frustrated (each on its own, several at once)",
        "measured by the model",
        "cat, encoders: compact",
        "UAR 0.51 (0.46 to 0.56), always the commonest class: 0.14",
        "weighted F1 0.81",
        "Licence: none needed.",
        str(checkpoint),
    ):
        assert words in text, words


def test_using_it_names_the_folder(opened: Opened, checkpoint: Path) -> None:
    dialog = opened(checkpoint)
    chosen: list[str] = []
    dialog.chosen.connect(chosen.append)
    dialog._use.click()
    assert chosen == [str(checkpoint)]
    assert dialog.result() == ModelDialog.DialogCode.Accepted


def test_the_embedded_model_is_a_click_away(
    opened: Opened, checkpoint: Path, wait_for: WaitFor
) -> None:
    dialog = opened(checkpoint)
    chosen: list[str] = []
    dialog.chosen.connect(chosen.append)
    dialog._ours.click()
    wait_for(dialog._use.isEnabled)
    assert "CC BY-NC-SA" in texts(dialog)
    assert not dialog._ours.isEnabled()
    dialog._use.click()
    assert chosen == [""]


def test_a_folder_that_is_no_model_is_refused_in_one_sentence(
    opened: Opened, tmp_path: Path
) -> None:
    dialog = opened(tmp_path)
    assert not dialog._use.isEnabled()
    said = dialog._trouble.text()
    assert said == (
        f"{tmp_path} is not a checkpoint: it has no config.json. Choose a checkpoint directory."
    )


def test_a_damaged_model_is_refused_and_another_may_follow(
    opened: Opened, checkpoint: Path, tmp_path: Path, wait_for: WaitFor
) -> None:
    damaged = make_speech_text_checkpoint(tmp_path / "damaged", system="early")
    (damaged / WEIGHTS).write_bytes((damaged / WEIGHTS).read_bytes()[:-10])
    dialog = opened(damaged)
    assert not dialog._use.isEnabled()
    assert "damaged or was changed" in dialog._trouble.text()
    dialog.show_folder(checkpoint)
    wait_for(dialog._use.isEnabled)
    assert not dialog._banner.isVisible()


def test_it_speaks_korean(qt: QApplication, opened: Opened, checkpoint: Path) -> None:
    translations = Translations(qt)
    translations.use("ko")
    try:
        text = texts(opened(checkpoint))
        assert "중립, 기쁨, frustrated (감정마다 따로, 여러 개 가능)" in text
        assert "음성 + 글 (글의 언어: 영어, 한국어)" in text
    finally:
        translations.use("en")
        qt.processEvents()
