"""Connections are found among the open files of the process, which are left as they are."""

import os
import socket
from contextlib import ExitStack
from pathlib import Path

from entrypoints.http.sockets import OPEN_FILES, disconnect


def test_a_connection_is_disconnected_and_no_file_is_left_open(tmp_path: Path) -> None:
    with ExitStack() as opened:
        listening = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
        client = opened.enter_context(socket.create_connection(listening.getsockname(), timeout=10))
        server, _ = listening.accept()
        opened.enter_context(server)
        for number in range(20):
            opened.enter_context((tmp_path / str(number)).open("wb"))
        for end in os.pipe():
            opened.callback(os.close, end)
        before = sum(1 for _ in OPEN_FILES.iterdir())

        for _ in range(3):
            disconnect({"client": client.getsockname(), "server": listening.getsockname()})

        assert sum(1 for _ in OPEN_FILES.iterdir()) == before
        assert client.recv(1) == b""
