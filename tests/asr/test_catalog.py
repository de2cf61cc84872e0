"""Finding models without a network, and refusing folders that would not load."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from core.asr.catalog import (
    CATALOG,
    DEFAULT_MODEL,
    check_folder,
    find_model,
    installed_models,
    missing_files,
    models_folder,
    require_model,
    smaller_model,
)
from core.asr.fallback import find_transcriber
from core.asr.whisper import WhisperSettings
from core.errors import RecognitionError

FILES = ("model.bin", "config.json", "tokenizer.json", "vocabulary.json")


def make_folder(folder: Path, names: tuple[str, ...] = FILES) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(b"something")
    return folder


def test_the_default_model_is_in_the_catalog_with_a_size_and_a_licence() -> None:
    model = CATALOG[DEFAULT_MODEL]
    assert model.megabytes > 0
    assert model.licence
    sizes = [entry.megabytes for entry in CATALOG.values()]
    assert sizes == sorted(sizes)


def test_with_no_model_the_answer_comes_at_once_and_names_model_and_size(tmp_path: Path) -> None:
    began = time.monotonic()
    found = find_transcriber(WhisperSettings(), root=tmp_path)
    assert found.transcriber is None
    assert found.message is not None
    assert found.message.code == "no_whisper_model"
    assert found.message.values["model"] == DEFAULT_MODEL
    assert found.message.values["megabytes"] == str(CATALOG[DEFAULT_MODEL].megabytes)
    assert time.monotonic() - began < 10  # retries against a hub take 23 s and more


def test_a_downloaded_model_is_found_by_name(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "base")
    assert find_model("base", tmp_path) == folder
    assert installed_models(tmp_path) == ("base",)


def test_an_unfinished_download_counts_as_absent(tmp_path: Path) -> None:
    make_folder(tmp_path / "base", FILES[1:])
    assert find_model("base", tmp_path) is None


def test_a_model_in_the_hub_cache_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.file_download.constants.HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--Systran--faster-whisper-tiny"
    snapshot = make_folder(repository / "snapshots" / "0123abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0123abc")
    assert find_model("tiny", tmp_path / "own") == snapshot


@pytest.mark.parametrize("missing", FILES)
def test_an_incomplete_folder_is_refused_with_the_name_of_what_it_lacks(
    tmp_path: Path, missing: str
) -> None:
    folder = make_folder(tmp_path / "model", tuple(name for name in FILES if name != missing))
    with pytest.raises(RecognitionError, match=missing) as caught:
        check_folder(folder)
    assert str(folder) in caught.value.problem
    assert caught.value.remedy


def test_an_empty_file_counts_as_missing(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "model")
    (folder / "model.bin").write_bytes(b"")
    assert missing_files(folder) == ("model.bin",)


def test_the_older_text_vocabulary_will_do(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "model", (*FILES[:3], "vocabulary.txt"))
    assert missing_files(folder) == ()


def test_a_transformers_model_is_told_from_a_broken_one(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "model", ("model.safetensors", "config.json"))
    with pytest.raises(RecognitionError, match="ct2-transformers-converter"):
        check_folder(folder)


def test_a_broken_folder_becomes_a_message_not_an_exception(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "model", FILES[:2])
    found = find_transcriber(WhisperSettings(model=str(folder)))
    assert found.transcriber is None
    assert found.message is not None
    assert found.message.code == "whisper_unusable"
    assert "tokenizer.json" in found.message.values["reason"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    absent = tmp_path / "nowhere"
    found = find_transcriber(WhisperSettings(model=str(absent)))
    assert found.message is not None
    assert found.message.code == "no_whisper_folder"
    with pytest.raises(RecognitionError, match="nowhere"):
        require_model(str(absent))


def test_requiring_an_absent_model_says_how_large_the_download_is() -> None:
    with pytest.raises(RecognitionError, match=str(CATALOG["medium"].megabytes)):
        require_model("medium")


def test_models_are_kept_in_the_folder_of_the_user(user_folders: Path) -> None:
    assert models_folder().is_relative_to(user_folders)


def test_a_smaller_model_that_is_here_is_offered_before_the_next_smaller_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        "huggingface_hub.file_download.constants.HF_HUB_CACHE", str(tmp_path / "cache")
    )
    assert smaller_model("medium", tmp_path) == "small"
    make_folder(tmp_path / "tiny")
    assert smaller_model("medium", tmp_path) == "tiny"
    make_folder(tmp_path / "base")
    assert smaller_model("medium", tmp_path) == "base"
    make_folder(tmp_path / "turbo")
    assert smaller_model("medium", tmp_path) == "base"


def test_nothing_is_smaller_than_the_smallest_or_than_a_folder(tmp_path: Path) -> None:
    assert smaller_model("tiny", tmp_path) is None
    assert smaller_model(str(tmp_path), tmp_path) is None
