"""A moto server as a local AWS, which loses its data when it stops."""

import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import requests

from adapters.aws.clients import AwsClients
from adapters.aws.guard import POLICY
from tests.service_process import direct_session, eventually, free_port

SECRET_KEY = "a secret that everybody knows"


@dataclass
class Moto:
    """A moto server that can be stopped and started again at the same address."""

    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            sys.executable,
            "-c",
            "from moto.server import main; main()",
            "-H",
            "127.0.0.1",
            "-p",
            str(self.port),
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(self._answers, "moto answers")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def _answers(self) -> bool:
        with suppress(requests.ConnectionError), direct_session() as session:
            return session.get(f"{self.url}/moto-api/", timeout=10).ok
        return False


def access_to(url: str, *, region: str = "us-east-1", **policy: Any) -> AwsClients:
    """Return `AwsClients` to this server, without retries; `policy` are changes of the policy."""
    return AwsClients(
        endpoint_url=url,
        region=region,
        key_id="AKIATESTING",
        secret_key=SECRET_KEY,
        policy=replace(POLICY, **{"attempts": 1, **policy}),
    )
