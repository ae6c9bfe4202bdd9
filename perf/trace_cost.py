"""Measure the CPU of a request with traces off, with one in a hundred and with every one recorded, in turns.

Usage: python -m perf.trace_cost [REQUESTS]

The requests are made inside of this process, whose CPU is counted: that of the thread that exports spans as well.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import orjson

from entrypoints.bootstrap import create_first_admin, load_settings, start, tracing_of
from entrypoints.http.app import create_app
from entrypoints.http.process import http_config_of
from perf import results

TURNS = 20
ADMIN = {"email": "admin@example.com", "password": "correct horse battery"}
SETTINGS = {
    "UNITE_RATE_LIMIT": "0",
    "UNITE_LOGIN_LIMIT": "0",
    "UNITE_ADMIN_EMAIL": ADMIN["email"],
    "UNITE_ADMIN_PASSWORD": ADMIN["password"],
}
RATIOS: Mapping[str, str | None] = {"off": None, "1 in 100": "0.01", "all": "1"}

COLLECTOR = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


@contextmanager
def collecting() -> Iterator[str]:
    """Run a collector that takes everything, in a process of its own; yield its address."""
    with Popen([sys.executable, "-c", COLLECTOR], stdout=PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


class App:
    """The WSGI application of a service in this process, and its admin."""

    def __init__(self, stack: ExitStack, folder: Path, collector: str, ratio: str | None) -> None:
        traces = {} if ratio is None else _traced(collector, ratio)
        settings = load_settings({**SETTINGS, **traces, "UNITE_DATA_DIR": str(folder)})
        tracing = stack.enter_context(tracing_of(settings, "http"))
        started = stack.enter_context(start(settings, tracing=tracing))
        create_first_admin(started)
        self._wsgi = create_app(started.unite, http_config_of(started))
        self._token = ""

    def log_in(self) -> None:
        """Log in as the admin."""
        pair = orjson.loads(self.request("POST", "/v1/auth/login", ADMIN))
        self._token = pair["access_token"]

    def request(self, method: str, path: str, body: Any = None) -> bytes:
        """Send a request; return the body of the answer, and exit unless its status is 2xx."""
        content = b"" if body is None else orjson.dumps(body)
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost:8000",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(content)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(content),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if self._token:
            environ["HTTP_AUTHORIZATION"] = f"Bearer {self._token}"
        statuses: list[str] = []

        def answered(status: str, *_: object) -> Callable[[bytes], object]:
            statuses.append(status)
            return lambda _: None

        answer = b"".join(self._wsgi(environ, answered))
        if not statuses[0].startswith("2"):
            sys.exit(f"{method} {path} answered {statuses[0]}: {answer[:500]!r}")
        return answer


def _traced(collector: str, ratio: str) -> dict[str, str]:
    return {
        "UNITE_TRACES": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": ratio,
    }


def cpu_of(requests: Callable[[], None]) -> float:
    """Return the CPU seconds of this process, all threads, while the requests are made."""
    since = time.process_time()
    requests()
    return time.process_time() - since


def main() -> None:
    """Measure and record."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    number = iter(range(10**9))
    figures: dict[str, Any] = {"requests a turn": count, "turns": TURNS}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        collector = stack.enter_context(collecting())
        apps = {name: App(stack, folder / name, collector, ratio) for name, ratio in RATIOS.items()}

        def read(app: App) -> None:
            for _ in range(count):
                app.request("GET", "/v1/leads")

        def write(app: App) -> None:
            for _ in range(count):
                app.request("POST", "/v1/leads", {"name": "Grace", "email": f"grace{next(number)}@example.com"})

        for app in apps.values():
            app.log_in()
            write(app)
            read(app)
        for what, act in (("GET /v1/leads", read), ("POST /v1/leads", write)):
            times: dict[str, list[float]] = {name: [] for name in apps}
            for _ in range(TURNS):
                for name, app in apps.items():
                    times[name].append(cpu_of(partial(act, app)) / count)
            off = statistics.median(times["off"])
            figures[f"{what}, off, ms of CPU"] = round(off * 1000, 3)
            for name in ("1 in 100", "all"):
                ratios = [on / without for on, without in zip(times[name], times["off"], strict=True)]
                figures[f"{what}, {name}, ratio to off"] = round(statistics.median(ratios), 3)
    results.record("trace_cost", "python -m perf.trace_cost", figures)


if __name__ == "__main__":
    main()
