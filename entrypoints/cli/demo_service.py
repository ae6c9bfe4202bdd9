"""The service that `demo` shows: started in a folder of its own, spoken to over HTTP, and gone at the end."""

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

from entrypoints.variables import ADMIN_EMAIL, ADMIN_PASSWORD, DATA_DIR, HOST, PORT, PREFIX, PUBLIC_URL

START_TIMEOUT = 60.0
STOP_TIMEOUT = 15.0
REQUEST_TIMEOUT = 30.0
POLL_INTERVAL = 0.1
LAST_LINES = 30


class DemoFailed(Exception):
    """Something did not come out as it should; the message says what."""


@contextmanager
def service(folder: Path, environ: Mapping[str, str], admin: tuple[str, str]) -> Iterator[str]:
    """Have the service run in `folder` with this admin (address and password); its own address.

    Settings of the surrounding environment are left out. When the block is left nothing of it runs any more.
    Raises `DemoFailed` where it does not come up.
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
            # When this process ends in whatever way, the service sees the end of its input, and ends too.
            [sys.executable, "-m", "entrypoints", "serve", "--until-stdin-ends"],
            env=_without_settings(environ) | settings,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            # A group of its own: Ctrl-C reaches the demo alone, which then ends the service in good order.
            start_new_session=True,
        ) as process,
    ):
        try:
            _wait_until_ready(process, url)
            yield url
        finally:
            _end(process)


def log_file(folder: Path) -> Path:
    """Where the service in this folder writes its log."""
    return folder / "service.log"


def data_folder(folder: Path) -> Path:
    """Where the service in this folder has its data."""
    return folder / "var"


def log_records(folder: Path, message: str) -> Iterator[dict[str, Any]]:
    """The lines of the service's log with this message."""
    for line in log_file(folder).read_text("utf-8", "replace").splitlines():
        with suppress(ValueError):
            record = json.loads(line)
            if record["message"] == message:
                yield record


def command(folder: Path, environ: Mapping[str, str], *arguments: str) -> str:
    """What a command prints that is run on the service's data; raises `DemoFailed` where it fails."""
    ended = subprocess.run(  # noqa: S603 - our own command, nothing from outside in it
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
    """The end of the service's log."""
    with suppress(OSError):
        return "\n".join(log_file(folder).read_text("utf-8", "replace").splitlines()[-LAST_LINES:])
    return ""


class Client:
    """Somebody who speaks to the API; raises `DemoFailed` for every answer that is not the expected one."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = _session()

    def log_in(self, email: str, password: str) -> None:
        """Act as this user from now on."""
        pair = self.call("POST", "/v1/auth/login", {"email": email, "password": password})
        self._session.headers["Authorization"] = f"Bearer {pair['access_token']}"

    def call(self, method: str, path: str, body: Any = None, *, expect: int | None = None, **options: Any) -> Any:
        """The decoded answer to a request; `expect` is its status, any below 400 without it."""
        return self.answer(method, path, expect=expect, json=body, **options).json()

    def answer(self, method: str, path: str, *, expect: int | None = None, **options: Any) -> requests.Response:
        """The answer itself; a path that is a whole URL is followed as it is."""
        url = path if path.startswith("http") else self._url + path
        try:
            answer = self._session.request(method, url, timeout=REQUEST_TIMEOUT, **options)
        except requests.RequestException as error:
            raise DemoFailed(f"{method} {path} got no answer: {error}") from error
        if answer.status_code != expect if expect else answer.status_code >= 400:
            raise DemoFailed(f"{method} {path} was answered {answer.status_code}: {answer.text[:500]}")
        return answer

    def upload(self, upload: Mapping[str, Any], content: bytes, on_sent: Callable[[int, int], None]) -> None:
        """Send a file as its signed permission says; the permission is all that is shown, no token."""
        try:
            with _session() as session:
                answer = session.request(
                    upload["method"],
                    upload["url"],
                    headers=upload["headers"],
                    data=_Watched(content, on_sent),
                    timeout=REQUEST_TIMEOUT,
                )
        except requests.RequestException as error:
            raise DemoFailed(f"The upload failed: {error}") from error
        if answer.status_code >= 400:
            raise DemoFailed(f"The upload was answered {answer.status_code}: {answer.text[:500]}")


class _Watched(io.BytesIO):
    """A file that tells how much of it was read, out of how many bytes."""

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
    """A session that goes straight to this machine, which a proxy of the surrounding environment cannot reach."""
    session = requests.Session()
    session.trust_env = False
    return session


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_ready(process: "subprocess.Popen[bytes]", url: str) -> None:
    until = time.monotonic() + START_TIMEOUT
    with _session() as session:
        while time.monotonic() < until:
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
