"""A page on this machine alone: what it serves is fixed, read-only, and answers to no other name.

It listens on 127.0.0.1; a request for another host is refused, so that no page from elsewhere can read it by giving
that address a name of its own; and the page may load nothing from anywhere else (Content-Security-Policy).
"""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, urlsplit

from graphc.errors import ArgumentError

HOST = "127.0.0.1"
FILES = {"/": "live.html", "/live.js": "live.js", "/live.css": "live.css"}
KINDS = {
    "html": "text/html",
    "js": "text/javascript",
    "css": "text/css",
    "svg": "image/svg+xml",
    "json": "application/json",
}
IDLE = 20.0
"""Seconds until a connection on which nothing is asked is closed."""

Answer = Callable[[Mapping[str, int]], bytes]


class Server:
    """Serves until ``close``.

    Args:
        port: 0 for any that is free.
        answers: beside the files of the page, from a path such as ``/data.json`` to a function of the numbers after
            its question mark.
        style: the text of a style sheet within the picture, which is allowed by its hash.

    Raises:
        ArgumentError: a port that is none, or is taken.
    """

    def __init__(self, port: int, answers: Mapping[str, Answer], style: str = "") -> None:
        if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port < 65536:
            raise ArgumentError("a port is an int from 0 to 65535", given=repr(port))
        pages = {
            path: files("graphc.train").joinpath("page", name).read_bytes() for path, name in FILES.items()
        }
        handler = type("Handler", (_Handler,), {"answers": answers, "pages": pages, "policy": _policy(style)})
        try:
            self._http = _Http((HOST, port), handler)
        except OSError as error:
            raise ArgumentError(
                f"port {port} cannot be listened on: {error.strerror}",
                fix="another port, or 0 for any that is free",
            ) from error
        self.port: int = self._http.server_address[1]
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(0.1,), name="graphc live view", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{HOST}:{self.port}/"

    def close(self) -> None:
        """Stop; what is being answered still is, and connections that ask nothing end."""
        self._http.shutdown()
        self._http.stop_listening()
        self._http.server_close()
        self._thread.join()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = False

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread of its own."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """When it is answered, or its reader has left."""
        self._open.discard(request)
        super().shutdown_request(request)

    def stop_listening(self) -> None:
        """No thread waits for what a reader might ask."""
        for request in tuple(self._open):
            with suppress(OSError):
                request.shutdown(socket.SHUT_RD)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that leaves in the middle is no event."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "graphc", ""
    timeout = IDLE
    answers: Mapping[str, Answer]
    pages: Mapping[str, bytes]
    policy: str

    @property
    def hosts(self) -> tuple[str, str]:
        """What this page may be called."""
        port = self.server.server_port  # type: ignore[attr-defined]
        return f"{HOST}:{port}", f"localhost:{port}"

    def do_GET(self) -> None:
        """One of a fixed set of paths."""
        if self.headers.get("Host") not in self.hosts:
            return self._send(403, b"this page is for this machine alone\n", "text/plain")
        asked = urlsplit(self.path)
        kind = KINDS.get(asked.path.rpartition(".")[2], "text/html")
        if asked.path in self.pages:
            return self._send(200, self.pages[asked.path], kind)
        if asked.path in self.answers:
            return self._send(200, self.answers[asked.path](_numbers(asked.query)), kind)
        return self._send(404, b"not here\n", "text/plain")

    def _send(self, code: int, body: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", self.policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: standard error belongs to the training."""


def _policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self' 'sha256-{digest}'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _numbers(query: str) -> dict[str, int]:
    """``a=1&b=2``; what is no whole number is left out."""
    try:
        found = {name: values[-1] for name, values in parse_qs(query, max_num_fields=10).items()}
    except ValueError:  # more fields than anybody asks for
        return {}
    return {name: int(v) for name, v in found.items() if v.isascii() and v.isdigit() and len(v) < 12}
