"""Run schemathesis: requests generated from the OpenAPI document, sent to a running service.

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
"""Checks for every answer: it has to conform to the OpenAPI document."""

LEFT_OUT = "logout|/events$"
"""Excluded paths: those that end the session of the requests, and the event stream of an import."""

EXAMPLES = 200


def send_any(folder: Path, *options: str, examples: int, **running: Any) -> "subprocess.CompletedProcess[str]":
    """Send at most that many requests to each operation in each phase; the exit code is 0 if all checks pass.

    Further options are schemathesis' own, and what is `running` is meant for `subprocess.run`.
    """
    # Without rate limits, which would refuse most of the requests.
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
    """Send many random requests, and print the results."""
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES
    with tempfile.TemporaryDirectory() as folder:
        return send_any(Path(folder), examples=examples).returncode


if __name__ == "__main__":
    sys.exit(main())
