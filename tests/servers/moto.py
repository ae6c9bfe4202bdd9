"""moto, which answers as S3, SNS, SQS and the other services of AWS do."""

import json
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from tests.servers.kinds import NoAnswer, Program, ServerKind


def version(url: str) -> str:
    """Nothing: it answers, but does not tell its version."""
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
    del folder  # it keeps everything in memory
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
    """A name that no other test has for a bucket, a topic or a queue."""
    return f"unite-{uuid4().hex}"
