"""Fetching a Whisper model: with progress, resumable, cancellable, and checked against its hashes.

Written on plain HTTP because the hub's client neither compares hashes nor stops within a file, and
asks again for many seconds when there is no network. The list of files, with sizes and hashes,
comes from the hub's tree listing (https://huggingface.co/docs/hub/api); a file is kept as
`NAME.part` until its hash is right.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import logging
import shutil
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from core.asr.catalog import (
    CATALOG,
    WhisperModel,
    check_folder,
    is_model_file,
    missing_files,
    models_folder,
)
from core.errors import RecognitionError

_logger = logging.getLogger(__name__)
_CHUNK = 1 << 18
_TIMEOUT = 15.0
"""Seconds without a byte after which the network counts as gone."""
_PARTIAL_CONTENT = 206
_RETRY = "Check the network and try again; the download continues where it stopped."


class DownloadCancelledError(RecognitionError):
    """The user stopped a download; what has arrived is kept."""

    def __init__(self, model: str) -> None:
        super().__init__(
            f"The download of Whisper {model} was stopped.", "Start it again to continue."
        )


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """How much of a model has arrived, in bytes of all files; `file` is being fetched."""

    file: str
    done: int
    total: int

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.done / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file to fetch; the digest is that of git-lfs (sha256) or of a git blob (sha1)."""

    name: str
    size: int
    digest: str

    def new_hash(self) -> _Hash:
        """Return a hash that ends in `digest` once the whole file has been fed."""
        if len(self.digest) == 64:
            return hashlib.sha256()
        return hashlib.sha1(f"blob {self.size}\0".encode(), usedforsecurity=False)


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Hub:
    """Where models come from; `revision` is a branch, tag or commit of the repository."""

    endpoint: str = "https://huggingface.co"
    revision: str = "main"

    def list_url(self, model: WhisperModel) -> str:
        """Return the address of the listing of a repository."""
        return f"{self.endpoint}/api/models/{model.repository}/tree/{self.revision}"

    def file_url(self, model: WhisperModel, name: str) -> str:
        """Return the address of one file."""
        quoted = urllib.parse.quote(name)
        return f"{self.endpoint}/{model.repository}/resolve/{self.revision}/{quoted}"


def download_model(
    name: str,
    progress: Callable[[DownloadProgress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
    root: Path | None = None,
    hub: Hub | None = None,
) -> Path:
    """Fetch a model of the catalog and return its folder; what is there is not fetched again.

    `progress` and `cancelled` are called from this thread after every quarter of a megabyte.
    Raises RecognitionError (no network, wrong hash, full disk) or DownloadCancelledError.
    """
    model = _model(name)
    folder = (root or models_folder()) / model.name
    return _Download(model, folder, hub or Hub(), progress, cancelled).run()


def _model(name: str) -> WhisperModel:
    if name not in CATALOG:
        raise RecognitionError(
            f"There is no Whisper model named {name!r}.", f"Choose one of: {', '.join(CATALOG)}."
        )
    return CATALOG[name]


class _Download:
    """One run of fetching one model."""

    def __init__(
        self,
        model: WhisperModel,
        folder: Path,
        hub: Hub,
        progress: Callable[[DownloadProgress], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self._model, self._folder, self._hub = model, folder, hub
        self._progress, self._cancelled = progress, cancelled
        self._done = self._total = 0

    def run(self) -> Path:
        files = self._list()
        self._total = sum(file.size for file in files)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._check_space(files)
            for file in files:
                self._fetch(file)
        except OSError as error:
            raise RecognitionError(
                f"Whisper {self._model.name} can't be written to {self._folder}: {error}.",
                "Free some space or check the folder's permissions.",
            ) from error
        check_folder(self._folder)
        return self._folder

    def _list(self) -> list[RemoteFile]:
        """Return the files of the model, the small ones first."""
        url = self._hub.list_url(self._model)
        with self._open(url, 0) as response:
            content = self._read_all(response, url)
        try:
            files = [_remote_file(entry) for entry in json.loads(content)]
        except (ValueError, KeyError, TypeError) as error:
            raise RecognitionError(f"The answer of {url} makes no sense.", _RETRY) from error
        wanted = [file for file in files if is_model_file(file.name)]
        if not any(file.name == "model.bin" for file in wanted):
            raise RecognitionError(f"{url} lists no Whisper model.", "Choose another model.")
        return sorted(wanted, key=lambda file: file.size)

    def _check_space(self, files: Iterable[RemoteFile]) -> None:
        lacking = sum(file.size - self._present(file) for file in files)
        free = shutil.disk_usage(self._folder).free
        if lacking > free:
            raise RecognitionError(
                f"Whisper {self._model.name} needs {lacking / 1e6:.0f} MB more in {self._folder}, "
                f"where {free / 1e6:.0f} MB are free.",
                "Free some space or choose a smaller model.",
            )

    def _present(self, file: RemoteFile) -> int:
        for path in (self._folder / file.name, self._partial(file)):
            if path.is_file():
                return min(path.stat().st_size, file.size)
        return 0

    def _partial(self, file: RemoteFile) -> Path:
        return self._folder / f"{file.name}.part"

    def _fetch(self, file: RemoteFile) -> None:
        finished = self._folder / file.name
        if finished.is_file() and _digest(finished, file) == file.digest:
            self._advance(file, file.size)
            return
        part = self._partial(file)
        if not part.is_file() or part.stat().st_size < file.size:
            self._transfer(file, part)
        else:
            self._advance(file, file.size)
        self._accept(file, part, finished)

    def _transfer(self, file: RemoteFile, part: Path) -> None:
        """Fetch what is missing of a file; the server may insist on sending all of it."""
        url = self._hub.file_url(self._model, file.name)
        have = part.stat().st_size if part.is_file() else 0
        with self._open(url, have) as response:
            resumed = have > 0 and response.status == _PARTIAL_CONTENT
            if resumed:
                self._advance(file, have)
            with part.open("ab" if resumed else "wb") as target:
                self._copy(file, response, target, url)

    def _copy(
        self, file: RemoteFile, response: http.client.HTTPResponse, target: IO[bytes], url: str
    ) -> None:
        while chunk := self._read(response, url):
            target.write(chunk)
            self._advance(file, len(chunk))
        if target.tell() < file.size:
            raise RecognitionError(f"The connection to {_host(url)} broke off.", _RETRY)

    def _accept(self, file: RemoteFile, part: Path, finished: Path) -> None:
        if _digest(part, file) != file.digest:
            part.unlink()
            raise RecognitionError(
                f"{file.name} of Whisper {self._model.name} arrived damaged and was removed.",
                "Try again; if it happens again, another network may help.",
            )
        part.replace(finished)

    def _advance(self, file: RemoteFile, count: int) -> None:
        self._done += count
        self._progress(DownloadProgress(file.name, self._done, self._total))
        if self._cancelled():
            raise DownloadCancelledError(self._model.name)

    def _open(self, url: str, offset: int) -> http.client.HTTPResponse:
        request = urllib.request.Request(url, headers={"User-Agent": "emoscope"})
        if offset:
            request.add_header("Range", f"bytes={offset}-")
        try:
            return urllib.request.urlopen(request, timeout=_TIMEOUT)
        except urllib.error.HTTPError as error:
            error.close()
            raise RecognitionError(
                f"{_host(url)} refused Whisper {self._model.name}: {error.code} {error.reason}.",
                "Try again later or choose another model.",
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise RecognitionError(f"{_host(url)} can't be reached: {error}.", _RETRY) from error

    def _read(self, response: http.client.HTTPResponse, url: str) -> bytes:
        """Read a chunk; a network error is told from an error of the disk."""
        try:
            return response.read1(_CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise RecognitionError(f"The connection to {_host(url)} broke off.", _RETRY) from error

    def _read_all(self, response: http.client.HTTPResponse, url: str) -> bytes:
        chunks = []
        while chunk := self._read(response, url):
            chunks.append(chunk)
        return b"".join(chunks)


def _remote_file(entry: dict[str, object]) -> RemoteFile:
    """Read one entry of the hub's listing."""
    large = entry.get("lfs")
    digest = large["oid"] if isinstance(large, dict) else entry["oid"]
    return RemoteFile(str(entry["path"]), int(str(entry["size"])), str(digest))


def _digest(path: Path, file: RemoteFile) -> str:
    digest = file.new_hash()
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK * 4):
            digest.update(chunk)
    return digest.hexdigest()


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc


def remove_partial(name: str, root: Path | None = None) -> None:
    """Throw away what an unfinished download has left."""
    folder = (root or models_folder()) / _model(name).name
    if folder.is_dir() and missing_files(folder):
        shutil.rmtree(folder)
