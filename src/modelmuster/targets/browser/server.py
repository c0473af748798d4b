"""The only thing that a page can reach: a few files behind a random token, on the loopback, while the page lives."""

from __future__ import annotations

import hmac
import secrets
import shutil
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ISOLATED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What gives a page fine clocks and shared memory, and other pages nothing."""

_TYPES = {".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm"}


class Server:
    """Serves the files that it was given, by name, and nothing else."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._token = secrets.token_urlsafe(32)
        handler = type("Handler", (_Handler,), {"files": dict(files), "token": self._token})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="files-for-a-page", daemon=True).start()

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def address(self, name: str) -> str:
        """Where the page finds the file of this name."""
        return f"{self.origin}/{self._token}/{name}"

    def close(self) -> None:
        """Serve nothing more."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    files: Mapping[str, Path]
    token: str

    def do_GET(self) -> None:
        """Send a file, or say that there is none, without saying why."""
        token, _, name = self.path.removeprefix("/").partition("/")
        path = self.files.get(name) if hmac.compare_digest(token.encode(), self.token.encode()) else None
        if path is None or not path.is_file():
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        with path.open("rb") as file:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", _TYPES.get(path.suffix, "application/octet-stream"))
            self.send_header("Content-Length", str(path.stat().st_size))
            self.send_header("Cache-Control", "no-store")
            for header, value in ISOLATED.items():
                self.send_header(header, value)
            self.end_headers()
            shutil.copyfileobj(file, self.wfile)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Nothing: the log of a cell has room for its own story only."""
