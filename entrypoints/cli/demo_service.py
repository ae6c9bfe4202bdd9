"""Start and stop the service of the demonstration in a temporary folder, and an HTTP client for it."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests

from entrypoints.bootstrap import MESSAGES_FILE
from entrypoints.settings.variables import ADMIN_EMAIL, ADMIN_PASSWORD, DATA_DIR, HOST, PORT, PREFIX, PUBLIC_URL

START_TIMEOUT = 60.0
STOP_TIMEOUT = 15.0
REQUEST_TIMEOUT = 30.0
POLL_INTERVAL = 0.1
LAST_LINES = 30


class DemoFailed(Exception):
    """A step did not have the expected result; the message says which."""


@contextmanager
def service(folder: Path, environ: Mapping[str, str], admin: tuple[str, str]) -> Iterator[str]:
    """Run the service in `folder` with this admin (address and password), and yield its URL.

    Settings of the surrounding environment are left out. The service is stopped when the block ends.
    Raises `DemoFailed` if the service does not start.
    """
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {
        HOST.name: "127.0.0.1",
        PORT.name: str(port),
        PUBLIC_URL.name: url,
        DATA_DIR.name: str(data_folder(folder)),
        ADMIN_EMAIL.name: admin[0],
        ADMIN_PASSWORD.name: admin[1],
    }
    with (
        log_file(folder).open("wb") as log,
        subprocess.Popen(
            # If this process dies, the standard input of the service is closed, and the service stops too.
            [sys.executable, "-m", "entrypoints", "serve", "--until-stdin-ends"],
            env=_without_settings(environ) | settings,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            # In a session of its own, Ctrl-C reaches only the demo, which then stops the service gracefully.
            start_new_session=True,
        ) as process,
    ):
        try:
            _wait_until_ready(process, url)
            yield url
        finally:
            _end(process)


def log_file(folder: Path) -> Path:
    """Return the log file of the service in this folder."""
    return folder / "service.log"


def data_folder(folder: Path) -> Path:
    """Return the data folder of the service in this folder."""
    return folder / "var"


def text_messages(folder: Path) -> list[dict[str, Any]]:
    """Return the text messages that the service would have sent."""
    path = data_folder(folder) / MESSAGES_FILE
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as file:
        return [message for message in map(json.loads, file) if message["kind"] == "text"]


def command(folder: Path, environ: Mapping[str, str], *arguments: str) -> str:
    """Run a command on the service's data and return its output; raise `DemoFailed` if it fails."""
    ended = subprocess.run(  # noqa: S603 - a fixed command without input from outside
        [sys.executable, "-m", "entrypoints", *arguments],
        env=_without_settings(environ) | {DATA_DIR.name: str(data_folder(folder))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=REQUEST_TIMEOUT,
        check=False,
    )
    if ended.returncode != 0:
        raise DemoFailed(f"{' '.join(arguments)} ended with exit code {ended.returncode}: {ended.stdout}{ended.stderr}")
    return ended.stdout.strip()


def last_lines(folder: Path) -> str:
    """Return the last lines of the service's log."""
    with suppress(OSError):
        return "\n".join(log_file(folder).read_text("utf-8", "replace").splitlines()[-LAST_LINES:])
    return ""


class DemoClient:
    """An API client; it raises `DemoFailed` for every unexpected response."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = _session()

    def log_in(self, email: str, password: str) -> None:
        """Log in, and use the access token for all further requests."""
        pair = self.call("POST", "/v1/auth/login", {"email": email, "password": password})
        self._session.headers["Authorization"] = f"Bearer {pair['access_token']}"

    def call(self, method: str, path: str, body: Any = None, *, expect: int | None = None, **options: Any) -> Any:
        """Return the decoded response to a request; `expect` is its status, by default any below 400."""
        return self.answer(method, path, expect=expect, json=body, **options).json()

    def answer(self, method: str, path: str, *, expect: int | None = None, **options: Any) -> requests.Response:
        """Return the response to a request; `path` may be a whole URL."""
        url = path if path.startswith("http") else self._url + path
        try:
            answer = self._session.request(method, url, timeout=REQUEST_TIMEOUT, **options)
        except requests.RequestException as error:
            raise DemoFailed(f"{method} {path} got no response: {error}") from error
        if answer.status_code != expect if expect else answer.status_code >= 400:
            raise DemoFailed(f"{method} {path} was answered {answer.status_code}: {answer.text[:500]}")
        return answer

    def upload(self, upload: Mapping[str, Any], content: bytes, on_sent: Callable[[int, int], None]) -> None:
        """Send a file to a signed link, without an access token."""
        try:
            with _session() as session:
                answer = session.request(
                    upload["method"],
                    upload["url"],
                    headers=upload["headers"],
                    data=_ObservedFile(content, on_sent),
                    timeout=REQUEST_TIMEOUT,
                )
        except requests.RequestException as error:
            raise DemoFailed(f"The upload failed: {error}") from error
        if answer.status_code >= 400:
            raise DemoFailed(f"The upload was answered {answer.status_code}: {answer.text[:500]}")


class _ObservedFile(io.BytesIO):
    """A file that reports how many of its bytes were read, and how many it has."""

    def __init__(self, content: bytes, on_read: Callable[[int, int], None]) -> None:
        super().__init__(content)
        self._on_read = on_read

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size)
        self._on_read(self.tell(), len(self.getbuffer()))
        return block


def _without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith(PREFIX)}


def _session() -> requests.Session:
    """Return a session that ignores proxies of the environment, which could not reach this machine's loopback."""
    session = requests.Session()
    session.trust_env = False
    return session


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_ready(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    with _session() as session:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise DemoFailed(f"The service ended with exit code {process.returncode} before it was ready.")
            with suppress(requests.RequestException):
                if session.get(f"{url}/health/ready", timeout=REQUEST_TIMEOUT).status_code == requests.codes.ok:
                    return
            time.sleep(POLL_INTERVAL)
    raise DemoFailed(f"The service was not ready within {START_TIMEOUT:.0f} seconds.")


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
