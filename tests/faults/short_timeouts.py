"""Runs the service with short timeouts for slow clients."""

import os
import socket
import sys
from argparse import Namespace

from entrypoints.cli import serve
from entrypoints.http import process
from entrypoints.http.server.timeouts import ServerTimeouts

TIMEOUTS = ServerTimeouts(first=4.0, pause=3.0, head=4.0)


def serve_with_short_timeouts(listening: socket.socket) -> None:
    process.serve(listening, TIMEOUTS)


if __name__ == "__main__":
    sys.exit(
        serve.run(
            Namespace(until_stdin_ends=False, no_worker=False),
            os.environ,
            target="tests.faults.short_timeouts:serve_with_short_timeouts",
        )
    )
