"""Fetching a model over HTTP from a server on this machine."""

from __future__ import annotations

import random
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.asr.catalog import find_model
from core.asr.download import (
    DownloadCancelledError,
    DownloadProgress,
    Hub,
    download_model,
    remove_partial,
)
from core.errors import RecognitionError
from tests.asr.hub_server import HubServer, serve

SIZE = 3_000_000
FILES = {
    "model.bin": random.Random(5).randbytes(SIZE),
    "config.json": b'{"alignment_heads": []}',
    "tokenizer.json": b"{}" * 4000,
    "vocabulary.json": b"[]" * 500,
    "README.md": b"not part of the model",
}


@pytest.fixture
def server() -> Iterator[HubServer]:
    with serve(FILES) as hub:
        yield hub


def fetch(server: HubServer, root: Path, **how: object) -> Path:
    return download_model("tiny", root=root, hub=Hub(server.address), **how)  # type: ignore[arg-type]


def stop_half_way(server: HubServer, root: Path) -> int:
    """Cancel in the middle of model.bin; return how many of its bytes have arrived."""
    seen: list[DownloadProgress] = []
    with pytest.raises(DownloadCancelledError):
        fetch(server, root, progress=seen.append, cancelled=lambda: seen[-1].share > 0.4)
    return (root / "tiny" / "model.bin.part").stat().st_size


def test_a_model_arrives_whole_and_is_then_found(server: HubServer, tmp_path: Path) -> None:
    folder = fetch(server, tmp_path)
    assert find_model("tiny", tmp_path) == folder
    assert {file.name for file in folder.iterdir()} == FILES.keys() - {"README.md"}
    assert all(file.read_bytes() == FILES[file.name] for file in folder.iterdir())


def test_progress_grows_to_the_whole(server: HubServer, tmp_path: Path) -> None:
    seen: list[DownloadProgress] = []
    fetch(server, tmp_path, progress=seen.append)
    done = [progress.done for progress in seen]
    assert done == sorted(done)
    assert len(done) > 8
    assert seen[-1].share == 1.0
    assert seen[-1].total == sum(map(len, FILES.values())) - len(FILES["README.md"])


def test_cancelling_keeps_what_has_arrived_and_installs_nothing(
    server: HubServer, tmp_path: Path
) -> None:
    arrived = stop_half_way(server, tmp_path)
    assert 0 < arrived < SIZE
    assert find_model("tiny", tmp_path) is None


def test_a_cancelled_download_continues_where_it_stopped(server: HubServer, tmp_path: Path) -> None:
    arrived = stop_half_way(server, tmp_path)
    seen: list[DownloadProgress] = []
    folder = fetch(server, tmp_path, progress=seen.append)
    assert server.asked_for("model.bin") == [None, f"bytes={arrived}-"]
    assert server.asked_for("tokenizer.json") == [None]
    assert (folder / "model.bin").read_bytes() == FILES["model.bin"]
    assert seen[-1].share == 1.0


def test_a_server_without_ranges_only_costs_time(server: HubServer, tmp_path: Path) -> None:
    stop_half_way(server, tmp_path)
    server.ignores_ranges = True
    assert (fetch(server, tmp_path) / "model.bin").read_bytes() == FILES["model.bin"]


def test_a_broken_connection_is_said_and_resumed(server: HubServer, tmp_path: Path) -> None:
    server.breaks_off_after = 1_200_000
    with pytest.raises(RecognitionError, match="broke off"):
        fetch(server, tmp_path)
    server.breaks_off_after = None
    assert (fetch(server, tmp_path) / "model.bin").read_bytes() == FILES["model.bin"]
    assert server.asked_for("model.bin")[-1] == "bytes=1200000-"


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json"])
def test_a_file_with_the_wrong_hash_is_refused_and_removed(
    server: HubServer, tmp_path: Path, name: str
) -> None:
    server.wrong_digest = name
    with pytest.raises(RecognitionError, match=name):
        fetch(server, tmp_path)
    assert not list((tmp_path / "tiny").glob(f"{name}*"))
    assert find_model("tiny", tmp_path) is None


def test_a_partial_file_with_foreign_bytes_is_noticed(server: HubServer, tmp_path: Path) -> None:
    stop_half_way(server, tmp_path)
    part = tmp_path / "tiny" / "model.bin.part"
    part.write_bytes(bytes(part.stat().st_size))
    with pytest.raises(RecognitionError, match="damaged"):
        fetch(server, tmp_path)
    assert not part.exists()
    assert (fetch(server, tmp_path) / "model.bin").read_bytes() == FILES["model.bin"]


def test_what_is_there_already_is_not_fetched_again(server: HubServer, tmp_path: Path) -> None:
    fetch(server, tmp_path)
    fetch(server, tmp_path)
    assert len(server.asked_for("model.bin")) == 1


def test_a_damaged_installed_file_is_fetched_anew(server: HubServer, tmp_path: Path) -> None:
    folder = fetch(server, tmp_path)
    (folder / "model.bin").write_bytes(b"overwritten")
    fetch(server, tmp_path)
    assert (folder / "model.bin").read_bytes() == FILES["model.bin"]


def test_without_a_network_there_is_one_error_and_no_second_attempt(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        hub = Hub(f"http://127.0.0.1:{closed.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(RecognitionError, match="can't be reached") as caught:
            download_model("tiny", root=tmp_path, hub=hub)
    assert "127.0.0.1" in caught.value.problem
    assert time.monotonic() - began < 10
    assert not list(tmp_path.iterdir())


def test_an_unknown_repository_is_said(server: HubServer, tmp_path: Path) -> None:
    server.files = {"README.md": b""}
    with pytest.raises(RecognitionError, match="no Whisper model"):
        fetch(server, tmp_path)


def test_a_file_the_server_refuses_is_said(server: HubServer, tmp_path: Path) -> None:
    listing = server.listing()
    server.files = {name: FILES[name] for name in FILES if name != "model.bin"}
    server.listing = lambda: listing  # type: ignore[method-assign]
    with pytest.raises(RecognitionError, match="404"):
        fetch(server, tmp_path)


def test_a_full_disk_is_said_before_anything_is_fetched(
    server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr("core.asr.download.shutil.disk_usage", lambda _: usage)
    with pytest.raises(RecognitionError, match="MB more"):
        fetch(server, tmp_path)
    assert server.asked_for("model.bin") == []


def test_a_folder_that_can_not_be_written_is_said(server: HubServer, tmp_path: Path) -> None:
    (tmp_path / "tiny").write_text("a file where the folder should be")
    with pytest.raises(RecognitionError, match="can't be written"):
        fetch(server, tmp_path)


def test_a_name_outside_the_catalog_is_refused_with_the_names_inside(tmp_path: Path) -> None:
    with pytest.raises(RecognitionError, match="small"):
        download_model("enormous", root=tmp_path)


def test_an_unfinished_download_can_be_thrown_away(server: HubServer, tmp_path: Path) -> None:
    stop_half_way(server, tmp_path)
    remove_partial("tiny", tmp_path)
    assert not (tmp_path / "tiny").exists()
    fetch(server, tmp_path)
    remove_partial("tiny", tmp_path)
    assert find_model("tiny", tmp_path) is not None
