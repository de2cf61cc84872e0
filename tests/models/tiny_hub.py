"""The Hugging Face hub on this machine: one model, as the hub's own client asks for it."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "a" * 40


def _answer(files: Mapping[str, bytes], path: str) -> tuple[bytes, dict[str, str]] | None:
    if "/tree/" in path:
        entries = [{"type": "file", "path": n, "size": len(c), "oid": _hash(c)}
                   for n, c in files.items()]  # fmt: skip
        return json.dumps(entries).encode(), {}
    if path.startswith("/api/models/"):
        siblings = [{"rfilename": name} for name in files]
        about = {"id": "owner/tiny", "sha": COMMIT, "private": False, "siblings": siblings}
        return json.dumps({**about, "tags": [], "downloads": 0, "likes": 0}).encode(), {}
    content = files.get(path.rsplit("/", 1)[-1])
    if content is None:
        return None
    return content, {"ETag": f'"{_hash(content)}"', "X-Repo-Commit": COMMIT}


def _hash(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


@contextmanager
def serve(files: Mapping[str, bytes]) -> Iterator[tuple[str, list[str]]]:
    """Serve a model; yields the address and the names of the files that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._send(with_body=False)

        def do_GET(self) -> None:
            self._send(with_body=True)

        def _send(self, *, with_body: bool) -> None:
            path = self.path.split("?")[0]
            if "/resolve/" in path:
                asked.append(path.rsplit("/", 1)[-1])
            found = _answer(files, path)
            if found is None:
                self.send_error(404)
                return
            content, headers = found
            self.send_response(200)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if with_body:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, name="tiny-hub")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
