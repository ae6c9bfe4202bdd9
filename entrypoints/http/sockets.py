"""The connections of this process, below the server, which has no way to end one that a client does not read from.

They are found among the open files of the process, as the server tells nobody about them.
"""

import logging
import os
import socket
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

OPEN_FILES = Path("/dev/fd")
LISTENS_WITHIN = 30.0
POLL_SECONDS = 0.05

_log = logging.getLogger("unite.http")


def disconnect(scope: Mapping[str, Any]) -> None:
    """Shut down the connection that a request came by."""
    ends = [_end(scope["client"]), _end(scope["server"])]
    for found in _sockets():
        # One that is not connected has no other end to ask for.
        with suppress(OSError):
            if [_end(found.getpeername()), _end(found.getsockname())] == ends:
                found.shutdown(socket.SHUT_RDWR)


def give_up_unread(port: int, seconds: float) -> None:
    """Have the system end connections to `port` whose client takes nothing of what was sent for so many seconds.

    That is TCP_USER_TIMEOUT (RFC 5482), which Linux has. New connections have it from the listening socket, which is
    waited for.
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    until = time.monotonic() + LISTENS_WITHIN
    while option is not None and time.monotonic() < until:
        for found in _sockets():
            listens = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            if listens and found.getsockname()[1] == port:
                found.setsockopt(socket.IPPROTO_TCP, option, int(seconds * 1000))
                return
        time.sleep(POLL_SECONDS)
    _log.warning("Connections that nobody reads from are not given up: this system cannot do it.")


def _sockets() -> Iterator[socket.socket]:
    """The sockets of the Internet that this process has open, each as a copy that is closed afterwards."""
    for open_file in list(OPEN_FILES.iterdir()):
        # What is closed by now is an `OSError`.
        with suppress(OSError):
            copy = os.dup(int(open_file.name))
            if not stat.S_ISSOCK(os.fstat(copy).st_mode):
                os.close(copy)
                continue
            with socket.socket(fileno=copy) as found:
                if found.family in (socket.AF_INET, socket.AF_INET6):
                    yield found


def _end(address: Sequence[Any]) -> tuple[str, int]:
    return str(address[0]), int(address[1])
