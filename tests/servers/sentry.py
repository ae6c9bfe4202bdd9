"""Stand-in for Sentry: accepts envelopes over HTTP, and returns their events to tests."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

PROJECT = 7
KEY = "0123456789abcdef0123456789abcdef"


class SentryStandIn:
    """A stand-in for Sentry with one project.

    It takes what clients of Sentry send (https://develop.sentry.dev/sdk/data-model/envelopes/). `hang` lets it take
    requests and answer none of them.
    """

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._answering = Event()
        self._answering.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.requests = 0
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def dsn(self) -> str:
        """Return the address of the project."""
        return f"http://{KEY}@127.0.0.1:{self._server.server_port}/{PROJECT}"

    def events(self, **tags: str) -> list[dict[str, Any]]:
        """Return the events so far that have these tags."""
        items = [item for text in self.envelopes() for kind, item in _items(text) if kind == "event"]
        return [event for event in items if tags.items() <= event["tags"].items()]

    def envelopes(self) -> list[str]:
        """Return all envelopes received, as text."""
        return [*self._texts]

    def hang(self) -> None:
        """Stop responding to requests."""
        self._answering.clear()

    def stop(self) -> None:
        """Close the port; connections to it are refused from now on."""
        self._answering.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                stand_in.requests += 1
                stand_in._answering.wait()
                body = self.rfile.read(int(self.headers["Content-Length"]))
                known = f"sentry_key={KEY}" in self.headers.get("X-Sentry-Auth", "")
                if self.path != f"/api/{PROJECT}/envelope/" or not known:
                    self.send_error(403)
                    return
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                stand_in._texts.append(body.decode())
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@contextmanager
def a_sentry() -> Iterator[SentryStandIn]:
    """Yield a stand-in, and stop it after the block."""
    stand_in = SentryStandIn()
    try:
        yield stand_in
    finally:
        stand_in.stop()


def _items(envelope: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield type and content of the items of an envelope: after its header each has a header line with its length."""
    _, _, rest = envelope.encode().partition(b"\n")
    while rest.strip():
        head, _, rest = rest.partition(b"\n")
        header = json.loads(head)
        length = header.get("length", len(rest.partition(b"\n")[0]))
        content, rest = rest[:length], rest[length:].removeprefix(b"\n")
        yield header["type"], json.loads(content)
