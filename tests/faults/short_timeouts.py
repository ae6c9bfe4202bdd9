"""Runs the service with short timeouts for slow clients."""

import os
import socket
import sys
from argparse import Namespace
from collections.abc import Callable

from entrypoints.cli import serve
from entrypoints.http import process
from entrypoints.http.server.timeouts import ServerTimeouts

TIMEOUTS = ServerTimeouts(first=4.0, pause=3.0, head=4.0)


def serve_with_short_timeouts(listening: socket.socket, wait_for_parent: Callable[[], None]) -> None:
    process.serve(listening, wait_for_parent, TIMEOUTS)


if __name__ == "__main__":
    sys.exit(
        serve.run(
            Namespace(until_stdin_ends=False, no_worker=False),
            os.environ,
            http_server="tests.faults.short_timeouts:serve_with_short_timeouts",
        )
    )
