"""moto as a test server for S3, SNS, SQS and other AWS services."""

import json
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from tests.servers.kinds import NoAnswer, Program, ServerKind


def version(url: str) -> str:
    """Return an empty version, because moto does not report one; raise NoAnswer."""
    target = urlsplit(url)
    connection = HTTPConnection(target.hostname or "", target.port, timeout=10)
    try:
        connection.request("GET", "/moto-api/data.json")
        json.load(connection.getresponse())
    except (OSError, HTTPException, ValueError) as error:
        raise NoAnswer(str(error)) from error
    finally:
        connection.close()
    return ""


def _command(program: str, folder: Path, port: int) -> Sequence[str]:
    del folder  # its data is in memory
    return [program, "-H", "127.0.0.1", "-p", str(port)]


MOTO = ServerKind(
    name="moto",
    service="moto",
    container_port=5000,
    variable="UNITE_TEST_AWS_URL",
    url="http://127.0.0.1:{port}",
    version=version,
    programs=[Program("moto_server", _command)],
)


def a_bucket_name() -> str:
    """Return a unique name for a bucket, a topic or a queue."""
    return f"unite-{uuid4().hex}"
