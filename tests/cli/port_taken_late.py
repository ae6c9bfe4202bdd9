"""The service as `serve` runs it, with a port that another process takes between bind and listen."""

import os
import socket
import sys
from argparse import Namespace
from collections.abc import Callable

from entrypoints.cli import serve
from entrypoints.http import process


def serve_too_late(listening: socket.socket, wait_for_parent: Callable[[], None]) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(listening.getsockname())
        other.listen()
        process.serve(listening, wait_for_parent)


if __name__ == "__main__":
    sys.exit(
        serve.run(
            Namespace(until_stdin_ends=False, no_worker=False),
            os.environ,
            http_server="tests.cli.port_taken_late:serve_too_late",
        )
    )
