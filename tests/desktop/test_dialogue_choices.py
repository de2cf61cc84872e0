"""Which dialogue model and which way to tell speakers apart the choices of the user lead to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import CheckpointError
from core.models.manifest import read_info
from core.pipeline import dialogue_context
from core.resources import embedded_checkpoint
from desktop import sessions
from desktop.sessions import OFF, context_maker, speakers_maker
from desktop.settings import AppSettings
from tests.checkpoints import make_dialogue_checkpoint


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("dialogue") / "checkpoint"
    info = read_info(embedded_checkpoint())
    return make_dialogue_checkpoint(made, utterance_model=info, name="mine")


def test_no_context_is_a_choice() -> None:
    assert context_maker(AppSettings(context=OFF)) is None


def test_a_chosen_folder_is_read_when_the_session_needs_it(folder: Path, tmp_path: Path) -> None:
    make = context_maker(AppSettings(context=str(folder)))
    assert make is not None
    assert make().trained_on.name == "embedded"
    lost = context_maker(AppSettings(context=str(tmp_path / "nothing")))
    assert lost is not None
    with pytest.raises(CheckpointError):
        lost()


def test_the_shipped_model_is_used_only_with_the_features_it_was_trained_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(dialogue_context, "dialogue_checkpoint", lambda: folder)
    make = context_maker(AppSettings())
    assert make is not None
    assert make().trained_on.digest == read_info(embedded_checkpoint()).digest
    assert context_maker(AppSettings(checkpoint=str(tmp_path / "another"))) is None
    monkeypatch.setattr(dialogue_context, "dialogue_checkpoint", lambda: tmp_path / "not here")
    assert context_maker(AppSettings()) is None


def test_voices_are_asked_only_where_that_was_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = AppSettings()
    assert speakers_maker(settings) is None
    make = speakers_maker(replace(settings, speakers="voice"))
    assert make is not None
    monkeypatch.setattr(sessions, "voice_checkpoint", lambda: tmp_path)
    with pytest.raises(CheckpointError):
        make()
