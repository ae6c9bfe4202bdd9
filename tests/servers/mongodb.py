"""MongoDB as a test server, or another server with its protocol."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.servers.kinds import NoAnswer, Program, ServerKind


def version(url: str) -> str:
    """Return the version of the server; raise NoAnswer."""
    try:
        with MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=2000) as client:
            return str(client.server_info()["version"])
    except PyMongoError as error:
        raise NoAnswer(str(error).partition(", Timeout:")[0]) from error


def _mongod(program: str, folder: Path, port: int) -> Sequence[str]:
    return [program, "--dbpath", str(folder), "--port", str(port), "--bind_ip", "127.0.0.1", "--nounixsocket"]


def _secantusd(program: str, folder: Path, port: int) -> Sequence[str]:
    # Not as a replica set, which would allow transactions; the other servers refuse them.
    settings = folder / "settings.toml"
    settings.touch()
    return [
        program,
        "--config",
        str(settings),
        "--standalone",
        "--storage-path",
        str(folder / "data"),
        "--cache-size",
        "256M",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]


MONGODB = ServerKind(
    name="MongoDB",
    service="mongodb",
    container_port=27017,
    variable="UNITE_TEST_MONGODB_URL",
    url="mongodb://127.0.0.1:{port}/",
    version=version,
    programs=[Program("mongod", _mongod), Program("secantusd-py", _secantusd)],
)
