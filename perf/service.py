"""The service as a child process, and an HTTP client for it, for measurements."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

ADMIN = "admin@example.com"
START_TIMEOUT = 60


class KeepAliveClient:
    """An HTTP client with one connection, logged in as the admin."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._connection = HTTPConnection("127.0.0.1", port, timeout=300)
        self._headers: dict[str, str] = {}
        self.port = port
        self.token = ""

    def another(self) -> "KeepAliveClient":
        """Return a client with the same token and a connection of its own."""
        other = KeepAliveClient(self.port)
        other._headers = self._headers
        return other

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @property
    def authorization(self) -> str:
        """The value of the Authorization header."""
        return self._headers["Authorization"]

    def twin(self) -> "KeepAliveClient":
        """Return a client with a copy of the headers and a connection of its own."""
        other = KeepAliveClient(self.port)
        other._headers = dict(self._headers)
        return other

    def log_in(self, password: str) -> None:
        """Log in, and use the token from now on."""
        answer = self.call("POST", "/v1/auth/login", {"email": ADMIN, "password": password})
        self.token = answer["access_token"]
        self._headers["Authorization"] = f"Bearer {self.token}"

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request and return the JSON of the answer; exit unless its status is 2xx."""
        payload = None if body is None else json.dumps(body).encode()
        headers = self._headers | ({"Content-Type": "application/json"} if payload else {})
        self._connection.request(method, path, payload, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            sys.exit(f"{method} {path} answered {answer.status}: {content[:500]!r}")
        return json.loads(content) if content else None

    def timed(self, path: str) -> float:
        """Send a GET; return the seconds until its last byte was received."""
        since = time.perf_counter()
        self.call("GET", path)
        return time.perf_counter() - since

    def location(self, path: str) -> str:
        """Return where a GET is redirected to."""
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        answer.read()
        return str(answer.headers["Location"])

    def upload(self, file: Path) -> str:
        """Import a CSV file through a signed upload; return the id of the import."""
        announced = self.call(
            "POST",
            "/v1/lead-imports",
            {"filename": file.name, "size": file.stat().st_size, "options": {"default_country": "US"}},
        )
        upload = announced["upload"]
        sender = HTTPConnection("127.0.0.1", self.port, timeout=600)
        with file.open("rb") as stream:
            headers = upload["headers"] | {"Content-Length": str(file.stat().st_size)}
            sender.request(upload["method"], "/" + upload["url"].split("/", 3)[3], stream, headers)
            answer = sender.getresponse()
            if answer.status >= 300:
                sys.exit(f"The upload answered {answer.status}: {answer.read()!r}")
        self.call("POST", f"/v1/lead-imports/{announced['id']}/start")
        return str(announced["id"])


@contextmanager
def service(folder: Path) -> Iterator[KeepAliveClient]:
    """Run the service with the embedded default in `folder`; yield a client that is logged in."""
    password = secrets.token_urlsafe(18)
    port = free_port()
    environment = os.environ | {
        "UNITE_DATA_DIR": str(folder),
        "UNITE_PORT": str(port),
        "UNITE_RATE_LIMIT": "0",
        "UNITE_LOGIN_LIMIT": "0",
        "UNITE_ADMIN_EMAIL": ADMIN,
        "UNITE_ADMIN_PASSWORD": password,
    }
    with (folder / "service.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "entrypoints", "serve"], env=environment, stdout=log, stderr=log
        )
        try:
            yield _logged_in(port, password, child)
        finally:
            child.terminate()
            child.wait(30)


def free_port() -> int:
    """Return a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _logged_in(port: int, password: str, child: "subprocess.Popen[bytes]") -> KeepAliveClient:
    until = time.monotonic() + START_TIMEOUT
    while time.monotonic() < until and child.poll() is None:
        try:
            client = KeepAliveClient(port)
            client.call("GET", "/health/ready")
            client.log_in(password)
        except OSError:
            time.sleep(0.1)
        else:
            return client
    sys.exit("The service did not start; see service.log.")


def percentile(seconds: list[float], share: float) -> float:
    """Return the value, in milliseconds, below which that share of the measurements lies."""
    ordered = sorted(seconds)
    return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)
