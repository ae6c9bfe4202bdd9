"""Requests that schemathesis makes up from the service's own OpenAPI document, sent to a service that really runs.

Usage: python -m tests.http.any_request [EXAMPLES]
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.service_process import environment, service

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
"""What holds for every answer, whatever was asked: it is one that the document announces."""

LEFT_OUT = "logout|/events$"
"""Paths that would end the session that all requests are made in, and the stream that ends with an import alone."""

EXAMPLES = 200


def send_any(folder: Path, *options: str, examples: int, **running: Any) -> "subprocess.CompletedProcess[str]":
    """Send at most so many requests to each operation in each phase; the exit code is 0 where every check held.

    Further options are schemathesis' own, and what is `running` is meant for `subprocess.run`.
    """
    # Neither limit is the question here, and either would answer most of the requests.
    with service(folder, UNITE_RATE_LIMIT="0", UNITE_LOGIN_LIMIT="0") as one:
        one.start()
        authorization = one.client().session.headers["Authorization"]
        return subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"),
                "run",
                f"{one.url}/openapi.json",
                f"--header=Authorization: {authorization!s}",
                f"--checks={','.join(CHECKS)}",
                f"--exclude-path-regex={LEFT_OUT}",
                f"--max-examples={examples}",
                "--continue-on-failure",
                *options,
            ],
            cwd=folder,
            env=environment(folder, NO_PROXY="*", no_proxy="*"),
            text=True,
            check=False,
            **running,
        )


def main() -> int:
    """Send many, other ones each time, and print what comes of it."""
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES
    with tempfile.TemporaryDirectory() as folder:
        return send_any(Path(folder), examples=examples).returncode


if __name__ == "__main__":
    sys.exit(main())
