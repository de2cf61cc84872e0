"""What every test gets: no network, no leaked threads, Qt without a screen, corpora if there."""

from __future__ import annotations

import ipaddress
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before anything imports Qt or a hub client: tests of the window run without a screen unless they
# start a real one themselves, and nothing may be downloaded.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

PROJECT = Path(__file__).resolve().parents[1]
SHARED_DATA = PROJECT.parent / "shared" / "data"

# Library-owned threads that live as long as the process.
PERMANENT_THREADS = ("pydevd", "tqdm", "ThreadPoolExecutor", "asyncio")


@pytest.fixture(scope="session")
def project() -> Path:
    """The root of the checkout."""
    return PROJECT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real corpora beside the project; the test is skipped without it."""
    if not (SHARED_DATA / "speech" / "manifest.csv").is_file():
        pytest.skip("the corpora are not beside the project (../shared/data)")
    return SHARED_DATA


@pytest.fixture(scope="session", autouse=True)
def user_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Settings, journals and models of the user who runs the tests stay untouched."""
    home = tmp_path_factory.mktemp("user")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
            folder = home / name.removeprefix("XDG_").removesuffix("_HOME").lower()
            folder.mkdir()
            patch.setenv(name, str(folder))
        yield home


def _is_local(family: int, address: object) -> bool:
    if family not in (socket.AF_INET, socket.AF_INET6):
        return True
    host = str(address[0]) if isinstance(address, tuple) else str(address)
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Connections to anything but this machine fail at once, as they would with the cable out."""
    connect = socket.socket.connect
    resolve = socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: object) -> None:
        if not _is_local(self.family, address):
            raise OSError(f"no network in tests: {address}")
        connect(self, address)  # type: ignore[arg-type]

    def guarded_resolve(host: object, *arguments: object, **named: object) -> object:
        name = host.decode() if isinstance(host, bytes) else str(host or "")
        if not _is_local(socket.AF_INET, (name,)):
            raise socket.gaierror(socket.EAI_NONAME, f"no network in tests: {name}")
        return resolve(host, *arguments, **named)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket, "getaddrinfo", guarded_resolve)
        yield


def _extra_threads(before: set[threading.Thread]) -> list[str]:
    return [
        thread.name
        for thread in threading.enumerate()
        if thread not in before
        and thread.is_alive()
        and not isinstance(thread, threading._DummyThread)
        and not thread.name.startswith(PERMANENT_THREADS)
    ]


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    """Every thread a test starts has ended two seconds after it."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 2.0
    while (extra := _extra_threads(before)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not extra, f"threads left running: {', '.join(extra)}"
