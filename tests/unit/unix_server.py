"""An HTTP server on a Unix socket, as an engine is one."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Each request in a thread of its own."""

    daemon_threads = True


class UnixAnswers(BaseHTTPRequestHandler):
    """Keeps connections, and quiet; whoever asks has no address."""

    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        return "client"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return None


@contextmanager
def serving(server: UnixServer) -> Iterator[None]:
    """Has it answer for the length of a block."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
