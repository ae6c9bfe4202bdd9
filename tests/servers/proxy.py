"""Small reverse proxy for tests, which adds the address of its client to the forwarding header."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

ADDRESS = "127.0.0.9"
"""The source address. All of 127.0.0.0/8 is local, so that each client can have an address of its own."""

_TIMEOUT = 60
_BETWEEN_TWO = ("connection", "transfer-encoding", "keep-alive")


def _handler(service: str, address: str) -> type[BaseHTTPRequestHandler]:
    to = urlsplit(service)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            upstream = http.client.HTTPConnection(
                to.hostname or "", to.port or 80, timeout=_TIMEOUT, source_address=(address, 0)
            )
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in (*_BETWEEN_TWO, "x-forwarded-proto", "x-forwarded-host"):
                    upstream.putheader(name, value)
            # Like a load balancer: what the client sent stays, to the left of the true address.
            upstream.putheader("X-Forwarded-For", self.client_address[0])
            upstream.putheader("X-Forwarded-Proto", "https")
            upstream.endheaders(body)
            answer = upstream.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in (*_BETWEEN_TWO, "content-length"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            upstream.close()

        do_GET = do_POST = do_PUT = do_OPTIONS = pass_on  # noqa: N815  # names of http.server

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    return Handler


@contextmanager
def proxy_before(service: str, address: str = ADDRESS) -> Iterator[str]:
    """Run a proxy to the service that connects from `address`; yield its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(service, address))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
