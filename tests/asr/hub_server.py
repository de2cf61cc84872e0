"""A model hub on this machine: it lists and serves one repository, with ranges and with faults."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class HubServer:
    """What the server serves and what it was asked; the faults are switched on by tests."""

    files: Mapping[str, bytes]
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    wrong_digest: str | None = None
    ignores_ranges: bool = False
    breaks_off_after: int | None = None
    address: str = ""

    def listing(self) -> bytes:
        entries = [{"type": "directory", "path": "images", "size": 0, "oid": "0" * 40}]
        entries += [self._entry(name, content) for name, content in self.files.items()]
        return json.dumps(entries).encode()

    def _entry(self, name: str, content: bytes) -> dict[str, object]:
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        entry: dict[str, object] = {"type": "file", "path": name, "size": len(content)}
        if name != "model.bin":
            return entry | {"oid": "0" * 40 if name == self.wrong_digest else blob}
        digest = "0" * 64 if name == self.wrong_digest else hashlib.sha256(content).hexdigest()
        return entry | {"oid": blob, "lfs": {"oid": digest, "size": len(content)}}

    def asked_for(self, name: str) -> list[str | None]:
        """The Range header of every request for a file."""
        return [header for path, header in self.requests if path.endswith(f"/{name}")]


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer

    def do_GET(self) -> None:
        self.hub.requests.append((self.path, self.headers.get("Range")))
        if self.path.startswith("/api/models/"):
            self._send(200, self.hub.listing())
            return
        content = self.hub.files.get(self.path.rsplit("/", 1)[-1])
        if content is None:
            self.send_error(404)
            return
        header = self.headers.get("Range")
        if header is None or self.hub.ignores_ranges:
            self._send(200, content)
            return
        offset = int(header.removeprefix("bytes=").rstrip("-"))
        self._send(206, content[offset:])

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        limit = self.hub.breaks_off_after
        self.wfile.write(content if limit is None else content[:limit])

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = False

    def handle_error(self, *_: object) -> None:
        """A client that hangs up in the middle is what some tests are about."""


@contextmanager
def serve(files: Mapping[str, bytes]) -> Iterator[HubServer]:
    """Serve files as a hub would; every thread is joined at the end."""
    hub = HubServer(files)
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = _Server(("127.0.0.1", 0), handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="hub-server")
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
