"""Redis servers to test with: one that all tests share, and ones of a test's own that it may kill."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from redis import Redis
from redis.exceptions import RedisError


class OwnRedis:
    """A server that can be stopped, frozen and killed. It listens on a socket in its folder and keeps nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "redis.sock"
        self.url = f"unix://{self._socket}"
        self.start()

    def start(self) -> None:
        """Start the server, empty; it answers when this returns."""
        program = shutil.which("redis-server")
        assert program is not None, "The tests of the Redis adapters need redis-server."
        options = ["--port", "0", "--unixsocket", str(self._socket), "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        with Redis.from_url(self.url) as redis:
            while True:
                try:
                    redis.ping()
                except RedisError:
                    assert time.monotonic() < deadline, "redis-server does not answer."
                    time.sleep(0.02)
                else:
                    return

    def kill(self) -> None:
        """End the server as a crash does; what it held is gone."""
        self._process.kill()
        self._process.wait(timeout=30)

    def freeze(self) -> None:
        """Have the server answer nothing, and take nothing from its sockets, until it is thawed."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Have the server go on where it was."""
        os.kill(self._process.pid, signal.SIGCONT)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    # A socket's path has at most 107 characters, which pytest's own folders may exceed.
    with TemporaryDirectory() as folder:
        server = OwnRedis(Path(folder))
        yield server.url
        server.kill()


@pytest.fixture
def own_redis() -> Iterator[OwnRedis]:
    with TemporaryDirectory() as folder:
        server = OwnRedis(Path(folder))
        yield server
        server.kill()
