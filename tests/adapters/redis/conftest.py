"""Fixtures for Redis: a shared server, and private ones that a test may kill."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import RedisError

from adapters.outbound import CallPolicy, CallTimeouts
from adapters.redis.connection import POLICY, RedisServer


def policy(*, timeout: float, recovery_timeout: float = 5, **changes: Any) -> CallPolicy:
    """Return the policy for calls to Redis with these changes; both timeouts are in seconds."""
    span = timedelta(seconds=timeout)
    return replace(
        POLICY,
        timeouts=CallTimeouts(connect=span, read=span),
        recovery_timeout=timedelta(seconds=recovery_timeout),
        **changes,
    )


def server_at(url: str, **changes: Any) -> RedisServer:
    """Return the server at this address, with these changes of the policy."""
    return RedisServer(url, policy(**changes))


class OwnRedis:
    """A server that can be stopped, frozen and killed. It listens on a Unix socket, and stores nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "redis.sock"
        self.url = f"unix://{self._socket}"
        self.start()

    def start(self) -> None:
        """Start the server without data, and wait until it answers."""
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
        """Kill the server; its data is lost."""
        self._process.kill()
        self._process.wait(timeout=30)

    def freeze(self) -> None:
        """Stop the process with SIGSTOP, so that it answers nothing until `thaw`."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Continue the process after `freeze`."""
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
