"""Redis as a test server."""

from collections.abc import Sequence
from pathlib import Path

import redis

from tests.servers.kinds import NoAnswer, Program, ServerKind

DATABASES = 64
"""The number of databases: one for every test process, which may be more than the default of 16."""


def version(url: str) -> str:
    """Return the version of the server; raise NoAnswer."""
    try:
        with redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as client:
            return str(client.info("server")["redis_version"])
    except (redis.RedisError, OSError) as error:
        raise NoAnswer(str(error)) from error


def _command(program: str, folder: Path, port: int) -> Sequence[str]:
    return [
        program,
        "--bind",
        "127.0.0.1",
        "--port",
        str(port),
        "--dir",
        str(folder),
        "--databases",
        str(DATABASES),
        "--appendonly",
        "yes",
        "--save",
        "",
    ]


REDIS = ServerKind(
    name="Redis",
    service="redis",
    container_port=6379,
    variable="UNITE_TEST_REDIS_URL",
    url="redis://127.0.0.1:{port}",
    version=version,
    programs=[Program("redis-server", _command), Program("valkey-server", _command)],
    package="redis-server",
)
